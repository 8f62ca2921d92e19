//! DynamoDB Local: AWS's own emulator, from Maven Central. It may be used for development and must not be passed on, so it is
//! fetched and never kept in the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use super::{run, tool, workspace_root};

/// The release, as `examples/dynamodb-local/pom.xml` names it: the newest on Maven Central.
pub const DYNAMODB_LOCAL_VERSION: &str = "2.6.1";
/// The SHA-256 of its jar.
const JAR_SHA256: &str = "a28d8b4919999b7dee6ffa9fd4e9a08744460657a9bd3e3499e3aad00e1f2cc4";
/// What is said where Java is missing.
const NO_JAVA: &str = "install a JDK, version 17 or newer, and Maven from your system's packages (Debian: `apt-get install \
                       openjdk-17-jdk-headless maven`)";

/// The folder that holds `lib/*.jar` and the class `OnLoopback`, fetched first if it is missing. `progress` is told in a line
/// what takes long.
///
/// # Errors
/// When Maven or Java is absent or fails, or what came is not what was pinned; the message says what to do.
pub async fn dynamodb_local(progress: impl Fn(&str)) -> Result<PathBuf> {
    let what = format!("DynamoDB Local {DYNAMODB_LOCAL_VERSION}");
    let name = format!("dynamodb-local-{DYNAMODB_LOCAL_VERSION}");
    tool(&name, &what, &progress, async |dir| fetch(dir, &what).await).await
}

async fn fetch(dir: &Path, what: &str) -> Result<()> {
    let sources = workspace_root().join("examples/dynamodb-local");
    let lib = dir.join("lib");
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "--file"]).arg(sources.join("pom.xml"));
    // Beside and not in the sources.
    maven.arg("dependency:copy-dependencies").arg(format!("-DoutputDirectory={}", lib.display()));
    run(&mut maven, "mvn", what, NO_JAVA).await?;
    let jar = lib.join(format!("DynamoDBLocal-{DYNAMODB_LOCAL_VERSION}.jar"));
    let bytes = fs::read(&jar).with_context(|| format!("Maven fetched no {}", jar.display()))?;
    check(&bytes, JAR_SHA256).with_context(|| format!("{} is not what was pinned", jar.display()))?;
    let mut javac = Command::new("javac");
    javac.arg("-cp").arg(lib.join("*")).arg("-d").arg(dir).arg(sources.join("OnLoopback.java"));
    run(&mut javac, "javac", what, NO_JAVA).await
}

fn check(bytes: &[u8], wanted: &str) -> Result<()> {
    let is: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(is == wanted, "its SHA-256 is {is}, not {wanted}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_jar_is_refused() {
        let error = check(b"another", JAR_SHA256).unwrap_err().to_string();
        assert!(error.contains(JAR_SHA256), "{error}");
    }

    #[test]
    fn the_version_that_is_checked_is_the_one_that_is_fetched() {
        let pom = fs::read_to_string(workspace_root().join("examples/dynamodb-local/pom.xml")).unwrap();
        assert!(pom.contains(&format!("<version>{DYNAMODB_LOCAL_VERSION}</version>")), "{pom}");
    }
}
