//! DynamoDB Local, running: in memory, on the loopback interface, on a port of its own, gone when dropped.

use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

pub use crate::tap::Tap;

use crate::emulator::{Emulator, OfProgram, Program, of_program};
use crate::install::{dynamodb_local, to_stderr};

/// A running emulator. It takes any credentials, and each access key and region has tables of its own.
#[derive(Debug)]
pub struct DynamoDbLocal(Emulator);

impl Deref for DynamoDbLocal {
    type Target = Emulator;

    fn deref(&self) -> &Emulator {
        &self.0
    }
}

impl DynamoDbLocal {
    /// What a client must have in its environment.
    pub const CREDENTIALS: [(&str, &str); 2] = Emulator::CREDENTIALS;

    /// The one of this program, which whoever asks first starts. It is gone when the program is.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub async fn of_program() -> Result<&'static Self> {
        static IT: OfProgram<DynamoDbLocal> = OfProgram::const_new();
        of_program(&IT, async |dir| Self::start(dir, to_stderr).await).await
    }

    /// Starts one, its log and its files in `dir`. It is fetched first if it is missing.
    ///
    /// # Errors
    /// When it cannot be had, or does not start.
    pub async fn start(dir: &Path, progress: impl Fn(&str)) -> Result<Self> {
        let home = dynamodb_local(progress).await?;
        let lib = home.join("lib");
        let mut command = Command::new("java");
        // It lives for minutes: a small heap and quick start are worth more than fast code.
        command.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command.arg(format!("-Djava.library.path={}", lib.display()));
        // Where it unpacks a library, and forgets it.
        command.arg(format!("-Djava.io.tmpdir={}", dir.display()));
        command.arg("-cp").arg(format!("{}:{}/*", home.display(), lib.display())).arg("OnLoopback");
        command.current_dir(dir);
        let (home, log) = (&home, &dir.join("dynamodb-local.log"));
        Ok(Self(Emulator::start(Program { name: "DynamoDB Local", command, home, log, port }).await?))
    }
}

fn port(line: &str) -> Option<u16> {
    line.strip_prefix("port ")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::tests::listens_on_loopback_only_and_is_gone;

    #[tokio::test]
    async fn it_listens_on_loopback_only_and_is_gone_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        listens_on_loopback_only_and_is_gone(DynamoDbLocal::start(dir.path(), to_stderr).await.unwrap());
    }
}
