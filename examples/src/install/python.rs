//! Programs written in Python: pinned packages in a virtual environment of their own, nothing installed into the system's.

use std::path::Path;

use anyhow::Result;
use tokio::process::Command;

use super::{run, workspace_root};

/// What is said where Python is missing, or too old, or lacks `venv`.
const NO_PYTHON: &str = "install Python 3.11 or newer with venv from your system's packages (Debian: `apt-get install \
                         python3 python3-venv`)";

/// Says on its standard error what its argument says, and fails, unless this Python will do.
const FIT: &str = "import sys
try:
    import venv, ensurepip
    fit = sys.version_info >= (3, 11)
except ImportError:
    fit = False
sys.exit(0 if fit else sys.argv[1])";

/// Fills `dir` with a virtual environment that has the packages of a requirements file of the repository, each checked by its
/// hash. It may be moved afterwards, so a program is run as `bin/python -m MODULE`: scripts beside it name the old place.
///
/// # Errors
/// When Python is absent, too old or without `venv`, or a package cannot be had or is not what was pinned.
pub(super) async fn environment(dir: &Path, requirements: &str, what: &str) -> Result<()> {
    fit(Command::new("python3"), what).await?;
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(dir);
    run(&mut venv, "python3 -m venv", what, NO_PYTHON).await?;
    let mut pip = Command::new(dir.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    // Nothing that has to be built, nothing that is not in the file. What is used is compiled when it is first used.
    pip.args(["--only-binary", ":all:", "--require-hashes", "--no-deps", "--no-compile"]);
    pip.arg("--requirement").arg(workspace_root().join(requirements));
    run(&mut pip, "pip", what, NO_PYTHON).await
}

/// Whether that Python will do.
async fn fit(mut python: Command, what: &str) -> Result<()> {
    run(python.args(["-c", FIT, NO_PYTHON]), "python3", what, NO_PYTHON).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_python_that_is_missing_too_old_or_without_venv_is_told_with_what_to_install() {
        let missing = fit(Command::new("no-such-python3"), "moto").await.unwrap_err().to_string();
        assert!(missing.contains("needs moto") && missing.contains(NO_PYTHON), "{missing}");
        // As Debian has it without the package python3-venv, and as an old one is.
        for broken in ["sys.modules['ensurepip'] = None", "sys.version_info = (3, 10, 2)"] {
            let mut python = Command::new("python3");
            python.args(["-c", &format!("import sys; {broken}; del sys.argv[:2]; exec(sys.argv[0])")]);
            let unfit = fit(python, "moto").await.unwrap_err().to_string();
            assert!(unfit.contains("could not get moto") && unfit.ends_with(NO_PYTHON), "{unfit}");
        }
        fit(Command::new("python3"), "moto").await.unwrap();
    }
}
