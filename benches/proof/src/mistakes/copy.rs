//! A copy of the sources, to make mistakes in.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Mistake;

/// The crates that are copied: what signs, and what proves.
const CRATES: [&str; 2] = ["beam-core", "benches/proof"];

/// The copied sources, and the folder that they are built in.
#[derive(Clone, Debug)]
pub struct Copy {
    from: PathBuf,
    to: PathBuf,
}

impl Copy {
    /// Copies the sources from the repository's root into `folder`. What is there already stays as it is, so that it is not built again.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn make(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let copy = Self { from: root.to_owned(), to: folder.join("source") };
        for path in CRATES {
            let there = copy.to.join(path);
            remove_what_is_gone(&root.join(path), &there)?;
            copy_folder(&root.join(path), &there)?;
        }
        copy_file(&root.join("Cargo.lock"), &copy.to.join("Cargo.lock"))?;
        copy_file(&root.join("README.md"), &copy.to.join("README.md"))?;
        write(&copy.to.join("Cargo.toml"), manifest(&root.join("Cargo.toml"))?.as_bytes())?;
        Ok(copy)
    }

    /// Where the copy is.
    #[must_use]
    pub fn source(&self) -> &Path {
        &self.to
    }

    /// Where it is built.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        self.to.with_file_name("target")
    }

    /// Makes the mistake, and no other.
    ///
    /// # Errors
    /// If an edit does not fit, or a file cannot be read or written.
    pub fn commit(&self, mistake: &Mistake) -> anyhow::Result<()> {
        let mut texts: Vec<(String, String)> = Vec::new();
        for edit in &mistake.edit {
            let before = match texts.iter().position(|(file, _)| *file == edit.file) {
                Some(place) => texts.remove(place).1,
                None => read(&self.from.join(&edit.file))?,
            };
            let after = edit
                .make(&before)
                .with_context(|| format!("the mistake {} does not fit any more", mistake.name))?;
            texts.push((edit.file.clone(), after));
        }
        texts.iter().try_for_each(|(file, text)| write(&self.to.join(file), text.as_bytes()))
    }

    /// Takes the mistake back.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn mend(&self, mistake: &Mistake) -> anyhow::Result<()> {
        mistake
            .edit
            .iter()
            .try_for_each(|edit| copy_file(&self.from.join(&edit.file), &self.to.join(&edit.file)))
    }
}

/// The workspace's manifest with only the crates that are copied.
fn manifest(path: &Path) -> anyhow::Result<String> {
    let mut manifest: toml::Table = toml::from_str(&read(path)?)?;
    let members = CRATES.iter().map(|path| toml::Value::from(*path)).collect();
    let workspace = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut);
    let workspace = workspace.context("the root's Cargo.toml has no workspace")?;
    workspace.insert("members".to_owned(), toml::Value::Array(members));
    Ok(toml::to_string(&manifest)?)
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() { copy_folder(&from, &to)? } else { copy_file(&from, &to)? }
    }
    Ok(())
}

/// A file that is not in the source any more must not be in the copy.
fn remove_what_is_gone(from: &Path, to: &Path) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(to) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let (source, copy) = (from.join(entry.file_name()), entry.path());
        if entry.file_type()?.is_dir() {
            remove_what_is_gone(&source, &copy)?;
        } else if !source.exists() {
            fs::remove_file(&copy).with_context(|| format!("cannot remove {}", copy.display()))?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    write(to, &fs::read(from).with_context(|| format!("cannot read {}", from.display()))?)
}

/// Writes a file unless it is already so: what is not touched is not built again.
fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    match fs::read(path) {
        Ok(before) if before == content => return Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
        _ => {}
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
