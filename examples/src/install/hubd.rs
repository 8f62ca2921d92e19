//! The Hub-like chain of `examples/hubd`, or a gaiad that was given instead.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::{go, tool, workspace_root};

/// Names the gaiad to run instead of hubd.
const GAIAD: &str = "BEAM_GAIAD";
/// The upgrade that the second flavour knows.
const UPGRADE: &str = "v2";
/// How many digits of the sources' hash name a build: enough to tell builds of one checkout apart.
const KEY_DIGITS: usize = 12;

/// The programs of a Hub-like chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hubd {
    /// What runs a node: hubd-v1, or the gaiad that `BEAM_GAIAD` names.
    pub program: PathBuf,
    /// What only our own chain has; `None` with `BEAM_GAIAD`.
    pub ours: Option<Ours>,
}

/// What only our own chain has. Its nodes can also be told to fail
/// ([`Node::fail_at`](crate::network::Node::fail_at)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// The name of the upgrade that `upgraded` knows.
    pub upgrade: &'static str,
    /// What goes on where that upgrade stops `program`: hubd-v2.
    pub upgraded: PathBuf,
}

impl Hubd {
    /// What only our own chain has. With a given gaiad it says in a line that `test` is skipped, and why.
    pub fn ours_or_skip(&self, test: &str) -> Option<&Ours> {
        if self.ours.is_none() {
            println!("skipped: {test}: {GAIAD} is set, and this needs a chain program made for tests");
        }
        self.ours.as_ref()
    }
}

/// The Hub-like chain, built first if its sources have changed, or the gaiad that `BEAM_GAIAD` names. `progress` is
/// told in a line what takes long.
///
/// # Errors
/// When `BEAM_GAIAD` names no file, or `go` is absent or fails; the message says what to do.
pub async fn hubd(progress: impl Fn(&str)) -> Result<Hubd> {
    if let Some(given) = env::var_os(GAIAD) {
        return with_gaiad(PathBuf::from(given));
    }
    let sources = workspace_root().join("examples/hubd");
    let name = format!("hubd-{}", key(&sources)?);
    let link = async |dir: &Path| {
        link(&sources, &dir.join("hubd-v1"), "v1", "").await?;
        link(&sources, &dir.join("hubd-v2"), UPGRADE, &format!("-X main.upgradeTo={UPGRADE}")).await
    };
    let home = tool(&name, "the Hub-like chain", &progress, link).await?;
    let ours = Ours { upgrade: UPGRADE, upgraded: home.join("hubd-v2") };
    Ok(Hubd { program: home.join("hubd-v1"), ours: Some(ours) })
}

fn with_gaiad(program: PathBuf) -> Result<Hubd> {
    if !program.is_file() {
        bail!("{GAIAD} names {}, which is not a file", program.display());
    }
    let program = std::path::absolute(program)?;
    Ok(Hubd { program, ours: None })
}

/// Builds one flavour. The second only takes linking.
async fn link(sources: &Path, program: &Path, version: &str, more: &str) -> Result<()> {
    let of = "-X github.com/cosmos/cosmos-sdk/version";
    let flags = format!("-s -w {of}.Name=hub {of}.AppName=hubd {of}.Version={version} {more}");
    let mut build = Command::new("go");
    build.arg("build").args(["-buildvcs=false", "-ldflags", &flags, "-o"]).arg(program).arg(".");
    go(build.current_dir(sources), &format!("the Hub-like chain {version}")).await
}

/// The hash of all the module's files with their names.
fn key(sources: &Path) -> Result<String> {
    let mut files = Vec::new();
    list(sources, &mut files).with_context(|| format!("cannot list {}", sources.display()))?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(&file).with_context(|| file.display().to_string())?;
        let name = file.strip_prefix(sources)?.to_string_lossy().into_owned();
        // Lengths in between, so that no text can move from one file to the next unnoticed.
        hash.update(format!("{name} {}\n", content.len()));
        hash.update(content);
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(digits.chars().take(KEY_DIGITS).collect())
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_source_is_another_build() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("stub")).unwrap();
        fs::write(dir.path().join("stub/a.go"), "package a").unwrap();
        let before = key(dir.path()).unwrap();
        assert_eq!(before, key(dir.path()).unwrap());
        fs::write(dir.path().join("stub/a.go"), "package b").unwrap();
        let changed = key(dir.path()).unwrap();
        fs::rename(dir.path().join("stub/a.go"), dir.path().join("stub/b.go")).unwrap();
        let renamed = key(dir.path()).unwrap();
        assert!(before != changed && changed != renamed, "{before} {changed} {renamed}");
    }

    #[test]
    fn a_gaiad_that_is_no_file_is_refused_and_a_given_one_has_no_upgrade() {
        let dir = tempfile::tempdir().unwrap();
        let missing = with_gaiad(dir.path().join("gaiad")).unwrap_err().to_string();
        assert!(missing.contains("BEAM_GAIAD names"), "{missing}");
        fs::write(dir.path().join("gaiad"), "").unwrap();
        let given = with_gaiad(dir.path().join("gaiad")).unwrap();
        assert_eq!(given.ours_or_skip("this test"), None);
    }
}
