//! ministack: an emulator of AWS that has Ed25519 keys in its KMS, from the Python package index.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{python, tool};

/// The release, as `examples/ministack/requirements.txt` names it.
pub const MINISTACK_VERSION: &str = "1.5.33";
/// It and all it needs, each by its hash.
const REQUIREMENTS: &str = "examples/ministack/requirements.txt";

/// The folder whose `bin/python` knows the module `ministack`, fetched first if it is missing. `progress` is told in a line
/// what takes long.
///
/// # Errors
/// When Python is absent or too old, or a package cannot be had or is not what was pinned; the message says what to do.
pub async fn ministack(progress: impl Fn(&str)) -> Result<PathBuf> {
    let what = format!("ministack {MINISTACK_VERSION}");
    let fetch = async |dir: &Path| python::environment(dir, REQUIREMENTS, &what).await;
    tool(&format!("ministack-{MINISTACK_VERSION}"), &what, &progress, fetch).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::workspace_root;

    #[test]
    fn the_version_that_is_named_is_the_one_that_is_fetched_and_every_package_has_its_hash() {
        let file = std::fs::read_to_string(workspace_root().join(REQUIREMENTS)).unwrap();
        let names: Vec<_> =
            file.lines().filter(|line| line.contains("==") && !line.starts_with('#')).collect();
        assert!(names.contains(&&*format!("ministack=={MINISTACK_VERSION} \\")), "{names:?}");
        // Without it the emulator has no Ed25519.
        assert!(names.iter().any(|line| line.starts_with("cryptography==")), "{names:?}");
        assert!(names.iter().all(|line| line.ends_with('\\')), "one without a hash: {names:?}");
    }
}
