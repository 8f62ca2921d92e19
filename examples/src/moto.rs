//! moto, running: in memory, on the loopback interface, on a port of its own, gone when dropped.
//!
//! It judges the shape of requests and answers, and S3's conditional writes one by one. It is no judge of what only a busy
//! or distant AWS does: delays, quotas, `409 ConditionalRequestConflict`.

use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::emulator::{Emulator, OfProgram, Program, of_program, without_settings};
use crate::install::{moto, to_stderr, workspace_root};

/// A running emulator. It takes any credentials; everything in it belongs to the account [`Moto::ACCOUNT`].
#[derive(Debug)]
pub struct Moto(Emulator);

impl Deref for Moto {
    type Target = Emulator;

    fn deref(&self) -> &Emulator {
        &self.0
    }
}

impl Moto {
    /// What a client must have in its environment.
    pub const CREDENTIALS: [(&str, &str); 2] = Emulator::CREDENTIALS;
    /// The account that those credentials are of.
    pub const ACCOUNT: &str = "123456789012";

    /// The one of this program, which whoever asks first starts. It is gone when the program is.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub async fn of_program() -> Result<&'static Self> {
        static IT: OfProgram<Moto> = OfProgram::const_new();
        of_program(&IT, async |dir| Self::start(dir, to_stderr).await).await
    }

    /// Starts one, its log in `dir`. It is fetched first if it is missing.
    ///
    /// # Errors
    /// When it cannot be had, or does not start.
    pub async fn start(dir: &Path, progress: impl Fn(&str)) -> Result<Self> {
        let home = moto(progress).await?;
        let mut command = Command::new(home.join("bin/python"));
        command.arg("-u").arg(workspace_root().join("examples/moto/serve.py")).current_dir(dir);
        without_settings(&mut command, &["PYTHON", "MOTO_"]);
        command.env("MOTO_EC2_LOAD_DEFAULT_AMIS", "true");
        let (home, log) = (&home, &dir.join("moto.log"));
        Ok(Self(Emulator::start(Program { name: "moto", command, home, log, port }).await?))
    }

    /// Forgets all that was made in it.
    ///
    /// # Errors
    /// When it does not answer, or does not say that it has.
    pub async fn reset(&self) -> Result<()> {
        self.asked("POST /moto-api/reset", "").await
    }

    /// Switches the versioning of a bucket off, as somebody might by mistake.
    ///
    /// # Errors
    /// As for [`reset`](Self::reset).
    pub async fn suspend_versioning(&self, bucket: &str) -> Result<()> {
        let body = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Suspended</Status>\
                    </VersioningConfiguration>";
        self.asked(&format!("PUT /{bucket}?versioning"), body).await
    }

    async fn asked(&self, what: &str, body: &str) -> Result<()> {
        let head = format!("{what} HTTP/1.1\r\nhost: s3.amazonaws.com\r\ncontent-type: application/xml");
        let answer = self.ask(&head, body).await?;
        ensure!(answer.starts_with("HTTP/1.1 200 "), "moto did not {what}: {answer}");
        Ok(())
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
    async fn it_answers_forgets_when_told_listens_on_loopback_only_and_is_gone_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let moto = Moto::start(dir.path(), to_stderr).await.unwrap();
        assert!(moto.asked("GET /beam", "").await.unwrap_err().to_string().contains("NoSuchBucket"));
        moto.asked("PUT /beam", "").await.unwrap();
        moto.asked("GET /beam", "").await.unwrap();
        moto.suspend_versioning("beam").await.unwrap();
        moto.reset().await.unwrap();
        assert!(moto.asked("GET /beam", "").await.unwrap_err().to_string().contains("NoSuchBucket"));
        listens_on_loopback_only_and_is_gone(moto);
    }
}
