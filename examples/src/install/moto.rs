//! moto: an emulator of S3, EC2 and much else of AWS, from the Python package index.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use super::{python, tool, workspace_root};

/// The release, as `examples/moto/requirements.txt` names it.
pub const MOTO_VERSION: &str = "5.2.5";
/// It and all it needs, each by its hash.
const REQUIREMENTS: &str = "examples/moto/requirements.txt";

/// The folder whose `bin/python` has the emulator (`examples/moto/serve.py` runs it), fetched first if it is missing. `progress` is told in a line
/// what takes long.
///
/// # Errors
/// When Python is absent or too old, or a package cannot be had or is not what was pinned; the message says what to do.
pub async fn moto(progress: impl Fn(&str)) -> Result<PathBuf> {
    let what = format!("moto {MOTO_VERSION}");
    let fetch = async |dir: &Path| python::environment(dir, REQUIREMENTS, &what).await;
    // Another list of packages is another tool.
    let list = fs::read(workspace_root().join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let key: String = Sha256::digest(list).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    tool(&format!("moto-{MOTO_VERSION}-{key}"), &what, &progress, fetch).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_is_named_is_the_one_that_is_fetched_and_every_package_has_its_hash() {
        let file = fs::read_to_string(workspace_root().join(REQUIREMENTS)).unwrap();
        let names: Vec<_> =
            file.lines().filter(|line| line.contains("==") && !line.starts_with('#')).collect();
        assert!(names.contains(&&*format!("moto=={MOTO_VERSION} \\")), "{names:?}");
        assert!(names.iter().all(|line| line.ends_with('\\')), "one without a hash: {names:?}");
    }
}
