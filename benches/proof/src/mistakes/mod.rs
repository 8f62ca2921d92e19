//! Deliberate mistakes: edits of the real source, each of which a proof must notice. A proof that notices nothing proves nothing.
//!
//! Each is a file in `mistakes/`: the rule it breaks, why that is dangerous, which proofs must catch it, and the edits. An edit whose text is not
//! found exactly once is an error, so that the list cannot rot. The sources are copied into the target folder and edited there.

mod copy;
mod proofs;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

pub use copy::Copy;
pub use proofs::{Proof, Verdict};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// Its name: the name of its file.
    #[serde(skip)]
    pub name: String,
    /// The rule of `beam_core::signing` that it breaks.
    pub rule: String,
    /// Why it is dangerous.
    pub danger: String,
    /// Which proofs must catch it; each of them, not any.
    pub caught_by: Vec<Proof>,
    /// The model's smallest bounds that show it: what `--quick` runs.
    pub model: String,
    /// The edits.
    pub edit: Vec<Edit>,
}

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// In which file, from the repository's root.
    pub file: String,
    /// What is replaced; found exactly once.
    pub find: String,
    /// With what.
    pub replace: String,
}

impl Edit {
    /// The text with the edit made.
    ///
    /// # Errors
    /// If what it replaces is not there exactly once.
    pub fn make(&self, text: &str) -> anyhow::Result<String> {
        let found = text.matches(&self.find).count();
        ensure!(found == 1, "its text is found {found} times in {}, not once: {:?}", self.file, self.find);
        ensure!(self.find != self.replace, "it changes nothing in {}", self.file);
        Ok(text.replacen(&self.find, &self.replace, 1))
    }
}

/// All mistakes in this folder, by name.
///
/// # Errors
/// If one cannot be read, or none is there.
pub fn all(folder: &Path) -> anyhow::Result<Vec<Mistake>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mistake: Mistake =
            toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        all.push(Mistake { name, ..mistake });
    }
    ensure!(!all.is_empty(), "there are no mistakes in {}", folder.display());
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    #[test]
    fn every_edit_fits_the_source_exactly_once() {
        for mistake in all(&root().join("benches/proof/mistakes")).unwrap() {
            assert!(!mistake.caught_by.is_empty(), "{}", mistake.name);
            let mut texts = std::collections::BTreeMap::new();
            for edit in &mistake.edit {
                let text = texts
                    .entry(edit.file.clone())
                    .or_insert_with(|| fs::read_to_string(root().join(&edit.file)).unwrap());
                *text = edit.make(text).unwrap_or_else(|error| panic!("{}: {error}", mistake.name));
            }
        }
    }

    #[test]
    fn an_edit_that_fits_nowhere_or_twice_is_refused() {
        let edit = Edit { file: "f".to_owned(), find: "a".to_owned(), replace: "b".to_owned() };
        assert!(edit.make("xyz").is_err());
        assert!(edit.make("aa").is_err());
        assert_eq!(edit.make("xay").unwrap(), "xby");
    }
}
