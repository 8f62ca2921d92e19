//! ministack, running: in memory, on the loopback interface, on a port of its own, gone when dropped.
//!
//! Of all it has only KMS is switched on. It makes true Ed25519 signatures and knows the states of a key; it does not look at who
//! asks (no policies), never throttles, and takes messages of any length.

use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::emulator::{Emulator, OfProgram, Program, of_program, without_settings};
use crate::install::{ministack, to_stderr};

/// A running emulator. It takes any credentials; everything in it belongs to the account [`Ministack::ACCOUNT`].
#[derive(Debug)]
pub struct Ministack(Emulator);

impl Deref for Ministack {
    type Target = Emulator;

    fn deref(&self) -> &Emulator {
        &self.0
    }
}

impl Ministack {
    /// What a client must have in its environment.
    pub const CREDENTIALS: [(&str, &str); 2] = Emulator::CREDENTIALS;
    /// The account that those credentials are of.
    pub const ACCOUNT: &str = "000000000000";

    /// The one of this program, which whoever asks first starts. It is gone when the program is.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub async fn of_program() -> Result<&'static Self> {
        static IT: OfProgram<Ministack> = OfProgram::const_new();
        of_program(&IT, async |dir| Self::start(dir, to_stderr).await).await
    }

    /// Starts one, its log in `dir`. It is fetched first if it is missing.
    ///
    /// # Errors
    /// When it cannot be had, or does not start.
    pub async fn start(dir: &Path, progress: impl Fn(&str)) -> Result<Self> {
        let home = ministack(progress).await?;
        let mut command = Command::new(home.join("bin/python"));
        // By itself it would listen on all addresses. Port 0: the kernel gives it one of its own, which it then tells. No workers: one
        // process. A connection is kept for longer than a client keeps one that is idle.
        command.args([
            "-u",
            "-m",
            "hypercorn",
            "ministack.app:app",
            "--bind",
            "127.0.0.1:0",
            "--workers",
            "0",
        ]);
        command.args(["--keep-alive", "75"]).current_dir(dir);
        without_settings(&mut command, &["PYTHON", "MINISTACK_", "LOCALSTACK_", "AWS_"]);
        // Its listener for IoT is open to the world.
        command.env("SERVICES", "kms").env("IOT_MTLS_ENABLED", "0").env("TMPDIR", dir);
        let (home, log) = (&home, &dir.join("ministack.log"));
        Ok(Self(Emulator::start(Program { name: "ministack", command, home, log, port }).await?))
    }

    /// Makes a key of that kind in that region, and gives its ARN. A validator's is `ECC_NIST_EDWARDS25519` for `SIGN_VERIFY`.
    ///
    /// # Errors
    /// When it is not made.
    pub async fn make_key(&self, region: &str, spec: &str, usage: &str) -> Result<String> {
        let made = self.kms(region, "CreateKey", &json!({ "KeySpec": spec, "KeyUsage": usage })).await?;
        let arn = made.pointer("/KeyMetadata/Arn").and_then(Value::as_str);
        Ok(arn.with_context(|| format!("no ARN in {made}"))?.to_owned())
    }

    /// Any action of KMS, as the account's owner does it.
    ///
    /// # Errors
    /// When it is refused, or not answered.
    pub async fn kms(&self, region: &str, action: &str, request: &Value) -> Result<Value> {
        let head = format!(
            "POST / HTTP/1.1\r\nhost: kms\r\nx-amz-target: TrentService.{action}\r\ncontent-type: application/x-amz-json-1.1\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=beam/20260101/{region}/kms/aws4_request, SignedHeaders=host, Signature=0"
        );
        let answer = self.ask(&head, &request.to_string()).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("ministack answered no HTTP")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "{action} was refused: {body}");
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(body)?) }
    }
}

fn port(line: &str) -> Option<u16> {
    line.split_once("Running on http://127.0.0.1:")?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::tests::listens_on_loopback_only_and_is_gone;

    #[test]
    fn its_port_is_read_from_what_its_server_says() {
        assert_eq!(port("[INFO] Running on http://127.0.0.1:1234 (CTRL + C to quit)"), Some(1234));
        assert_eq!(port("[INFO] Running on http://0.0.0.0:1234 (CTRL + C to quit)"), None);
    }

    #[tokio::test]
    async fn it_makes_keys_listens_on_loopback_only_and_is_gone_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let ministack = Ministack::start(dir.path(), to_stderr).await.unwrap();
        let arn = ministack.make_key("local-1", "ECC_NIST_EDWARDS25519", "SIGN_VERIFY").await.unwrap();
        assert!(arn.starts_with(&format!("arn:aws:kms:local-1:{}:key/", Ministack::ACCOUNT)), "{arn}");
        let there = ministack.kms("local-1", "DescribeKey", &json!({ "KeyId": arn })).await.unwrap();
        assert_eq!(there["KeyMetadata"]["KeySpec"], "ECC_NIST_EDWARDS25519");
        let refused = ministack.kms("local-1", "DescribeKey", &json!({ "KeyId": "no" })).await.unwrap_err();
        assert!(refused.to_string().contains("NotFoundException"), "{refused}");
        listens_on_loopback_only_and_is_gone(ministack);
    }
}
