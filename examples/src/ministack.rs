//! ministack, running: in memory, on the loopback interface, on a port of its own, gone when dropped.
//!
//! Of all it has only KMS is switched on. It makes true Ed25519 signatures and knows the states of a key; it does not look at who
//! asks (no policies), never throttles, and takes messages of any length.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::install::ministack;
use crate::process::Process;
use crate::wait;

/// A second or two of work, the first time some more, on a machine that may have other things to do.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// A question on the loopback interface.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// A running emulator. It takes any credentials; everything in it belongs to the account [`Ministack::ACCOUNT`].
#[derive(Debug)]
pub struct Ministack {
    process: Process,
    port: u16,
}

impl Ministack {
    /// What a client must have in its environment; any words would do.
    pub const CREDENTIALS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "beam"), ("AWS_SECRET_ACCESS_KEY", "beam")];
    /// The account that those credentials are of.
    pub const ACCOUNT: &str = "000000000000";

    /// Starts one, its log in `dir`. It is fetched first if it is missing.
    ///
    /// # Errors
    /// When it cannot be had, or does not start.
    pub async fn start(dir: &Path, progress: impl Fn(&str)) -> Result<Self> {
        let home = ministack(progress).await?;
        let log = dir.join("ministack.log");
        // What an earlier one said of its port is not to be taken for this one's.
        let said = fs::metadata(&log).map_or(0, |log| log.len());
        let mut python = Command::new(home.join("bin/python"));
        // By itself it would listen on all addresses. Port 0: the kernel gives it one of its own, which it then tells. No workers:
        // one process.
        python.args([
            "-u",
            "-m",
            "hypercorn",
            "ministack.app:app",
            "--bind",
            "127.0.0.1:0",
            "--workers",
            "0",
        ]);
        // Longer than a client keeps a connection that is idle.
        python.args(["--keep-alive", "75"]).current_dir(dir);
        // Whoever runs the tests may have settings of their own, for Python or for the emulator.
        let own = |name: &str| {
            ["PYTHON", "MINISTACK_", "LOCALSTACK_", "AWS_"].iter().any(|prefix| name.starts_with(prefix))
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| own(&name.to_string_lossy())) {
            python.env_remove(name);
        }
        // Its listener for IoT is open to the world.
        python.env("SERVICES", "kms").env("IOT_MTLS_ENABLED", "0").env("TMPDIR", dir);
        let mut process = Process::spawn(python, &log, &[&home])?;
        let started = wait::until("ministack to listen", READY_WITHIN, || {
            let (port, ended) = (port(&log, said), process.ended());
            std::future::ready(match (port, ended) {
                (Some(port), _) => Ok(Some(port)),
                (None, None) => Ok(None),
                (None, Some(status)) => Err(anyhow::anyhow!("it ended ({status})")),
            })
        });
        let port = started
            .await
            .with_context(|| format!("ministack did not start; its log ends:\n{}", process.log_tail()))?;
        Ok(Self { process, port })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
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
        let body = request.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: kms\r\nx-amz-target: TrentService.{action}\r\ncontent-type: application/x-amz-json-1.1\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=beam/20260101/{region}/kms/aws4_request, SignedHeaders=host, Signature=0\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let asked = async {
            let mut stream = TcpStream::connect(self.address()).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = timeout(ANSWERS_WITHIN, asked).await.context("ministack does not answer")??;
        let (head, body) = answer.split_once("\r\n\r\n").context("ministack answered no HTTP")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "{action} was refused: {body}");
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(body)?) }
    }
}

/// What it said of its port, after so many bytes of the log.
fn port(log: &Path, after: u64) -> Option<u16> {
    let bytes = fs::read(log).ok()?;
    let said = String::from_utf8_lossy(bytes.get(usize::try_from(after).ok()?..)?).into_owned();
    // A line that is whole.
    let whole = said.rsplit_once('\n')?.0;
    whole.lines().find_map(|line| {
        line.split_once("Running on http://127.0.0.1:")?.1.split_whitespace().next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::to_stderr;

    #[test]
    fn a_port_counts_when_its_line_is_whole_and_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        assert_eq!(port(&log, 0), None);
        fs::write(&log, "x\n[INFO] Running on http://127.0.0.1:123").unwrap();
        assert_eq!(port(&log, 0), None);
        fs::write(&log, "x\n[INFO] Running on http://127.0.0.1:1234 (CTRL + C to quit)\n").unwrap();
        assert_eq!(port(&log, 0), Some(1234));
        assert_eq!(port(&log, 10), None);
    }

    /// The sockets on which a process listens, as the kernel lists them.
    fn listening(pid: u32) -> Vec<String> {
        let held = |inode: &str| {
            let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
            let mut links = links.filter_map(|link| fs::read_link(link.path()).ok());
            links.any(|link| link.to_string_lossy() == format!("socket:[{inode}]"))
        };
        let of = |file: &str| {
            let table = fs::read_to_string(file).unwrap_or_default();
            let rows = table.lines().skip(1).map(|row| {
                let words: Vec<_> = row.split_whitespace().map(str::to_owned).collect();
                (words[1].clone(), words[3].clone(), words[9].clone())
            });
            rows.filter(|(_, state, inode)| state == "0A" && held(inode)).map(|row| row.0).collect::<Vec<_>>()
        };
        [of("/proc/net/tcp"), of("/proc/net/tcp6")].concat()
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

        let listening = listening(ministack.pid());
        assert_eq!(listening, [format!("0100007F:{:04X}", ministack.address().port())]);
        let address = ministack.address();
        drop(ministack);
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
