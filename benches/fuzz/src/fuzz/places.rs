//! Where everything lies: under the target folder, but for what is kept in the tree.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use beam_fuzz::{Target, inputs};

/// The platform whose targets are built. Named, so that build scripts and macros are built without the flags for coverage.
pub(crate) const TRIPLE: &str = env!("BEAM_FUZZ_TRIPLE");

/// The folders of a run.
pub(crate) struct Places {
    /// Build output and everything else.
    pub(crate) target: PathBuf,
    /// For the targets' own files, gone with this. In memory if there is such a place: some sync each file they write.
    pub(crate) scratch: tempfile::TempDir,
}

impl Places {
    pub(crate) fn new() -> Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let default = || workspace.join("target");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from).join("fuzz");
        fs::create_dir_all(&target).with_context(|| format!("{} could not be made", target.display()))?;
        let memory = Path::new("/dev/shm");
        let scratch = if memory.is_dir() {
            tempfile::Builder::new().prefix("beam-fuzz-").tempdir_in(memory)
        } else {
            tempfile::tempdir_in(&target)
        };
        Ok(Self {
            target: target.canonicalize()?,
            scratch: scratch.context("no folder for the targets' files")?,
        })
    }

    /// The program that runs a target.
    pub(crate) fn program(&self, target: &Target) -> PathBuf {
        let name = format!("fuzz-{}", target.name.replace('_', "-"));
        self.target.join(TRIPLE).join("fuzz").join(name)
    }

    /// What libFuzzer has found to cover more; it grows from run to run.
    pub(crate) fn grown(&self, target: &Target) -> Result<PathBuf> {
        self.folder("grown", target)
    }

    /// What was found to be wrong.
    pub(crate) fn found(&self, target: &Target) -> Result<PathBuf> {
        self.folder("found", target)
    }

    /// All that is kept of a target's inputs, a file each, as libFuzzer wants them.
    pub(crate) fn seeds(&self, target: &Target) -> Result<PathBuf> {
        let folder = self.empty("seeds", target)?;
        let kept = [inputs::SEEDS, inputs::CORPUS, inputs::CASES]
            .map(|kept| inputs::read(&inputs::file(kept, target.name)));
        let mut number = 0_u32;
        for inputs in kept {
            for input in inputs? {
                fs::write(folder.join(format!("{number:05}")), input)?;
                number = number.saturating_add(1);
            }
        }
        Ok(folder)
    }

    /// The words that a target's inputs are made of.
    pub(crate) fn dictionary(target: &Target) -> Option<PathBuf> {
        let file = inputs::file("dictionaries", target.name);
        file.exists().then_some(file)
    }

    /// A folder with nothing in it.
    pub(crate) fn empty(&self, what: &str, target: &Target) -> Result<PathBuf> {
        let folder = self.folder(what, target)?;
        fs::remove_dir_all(&folder)?;
        self.folder(what, target)
    }

    fn folder(&self, what: &str, target: &Target) -> Result<PathBuf> {
        let folder = self.target.join(what).join(target.name);
        fs::create_dir_all(&folder).with_context(|| format!("{} could not be made", folder.display()))?;
        Ok(folder)
    }
}
