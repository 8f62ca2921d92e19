//! moto, running: in memory, on the loopback interface, on a port of its own, gone when dropped.
//!
//! It judges the shape of requests and answers, and S3's conditional writes one by one. It is no judge of what only a busy
//! or distant AWS does: delays, quotas, `409 ConditionalRequestConflict`.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::install::{moto, workspace_root};
use crate::process::Process;
use crate::wait;

/// A second or two of work, the first time some more, on a machine that may have other things to do.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// A question on the loopback interface.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// A running emulator. It takes any credentials; everything in it belongs to the account [`Moto::ACCOUNT`].
#[derive(Debug)]
pub struct Moto {
    process: Process,
    port: u16,
}

impl Moto {
    /// What a client must have in its environment; any words would do.
    pub const CREDENTIALS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "beam"), ("AWS_SECRET_ACCESS_KEY", "beam")];
    /// The account that those credentials are of.
    pub const ACCOUNT: &str = "123456789012";

    /// Starts one, its log in `dir`. It is fetched first if it is missing.
    ///
    /// # Errors
    /// When it cannot be had, or does not start.
    pub async fn start(dir: &Path, progress: impl Fn(&str)) -> Result<Self> {
        let home = moto(progress).await?;
        let log = dir.join("moto.log");
        // What an earlier one said of its port is not to be taken for this one's.
        let said = fs::metadata(&log).map_or(0, |log| log.len());
        let mut python = Command::new(home.join("bin/python"));
        python.arg("-u").arg(workspace_root().join("examples/moto/serve.py")).current_dir(dir);
        // Whoever runs the tests may have settings of their own, for Python or for moto.
        let own = |name: &str| name.starts_with("PYTHON") || name.starts_with("MOTO_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| own(&name.to_string_lossy())) {
            python.env_remove(name);
        }
        python.env("MOTO_EC2_LOAD_DEFAULT_AMIS", "true");
        let mut process = Process::spawn(python, &log, &[&home])?;
        let started = wait::until("moto to listen", READY_WITHIN, || {
            let (port, ended) = (port(&log, said), process.ended());
            std::future::ready(match (port, ended) {
                (Some(port), _) => Ok(Some(port)),
                (None, None) => Ok(None),
                (None, Some(status)) => Err(anyhow::anyhow!("it ended ({status})")),
            })
        });
        let port = started
            .await
            .with_context(|| format!("moto did not start; its log ends:\n{}", process.log_tail()))?;
        Ok(Self { process, port })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its URL, for every service.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Forgets all that was made in it.
    ///
    /// # Errors
    /// When it does not answer, or does not say that it has.
    pub async fn reset(&self) -> Result<()> {
        let request =
            b"POST /moto-api/reset HTTP/1.1\r\nhost: moto\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let asked = async {
            let mut stream = TcpStream::connect(self.address()).await?;
            stream.write_all(request).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = timeout(ANSWERS_WITHIN, asked).await.context("moto does not answer")??;
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            bail!("moto did not forget: {}", String::from_utf8_lossy(&answer));
        }
        Ok(())
    }
}

/// What it said of its port, after so many bytes of the log.
fn port(log: &Path, after: u64) -> Option<u16> {
    let bytes = fs::read(log).ok()?;
    let said = String::from_utf8_lossy(bytes.get(usize::try_from(after).ok()?..)?).into_owned();
    // A line that is whole.
    let whole = said.rsplit_once('\n')?.0;
    whole.lines().find_map(|line| line.strip_prefix("port ")?.trim().parse().ok())
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
        fs::write(&log, "warning\nport 123").unwrap();
        assert_eq!(port(&log, 0), None);
        fs::write(&log, "warning\nport 1234\n").unwrap();
        assert_eq!(port(&log, 0), Some(1234));
        assert_eq!(port(&log, 10), None);
    }

    /// One request of S3's, as any client would make it; moto does not look at signatures.
    async fn asked(moto: &Moto, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(moto.address()).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: s3.amazonaws.com\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn it_answers_forgets_when_told_listens_on_loopback_only_and_is_gone_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let moto = Moto::start(dir.path(), to_stderr).await.unwrap();
        assert!(asked(&moto, "GET", "/beam").await.contains(" 404 "));
        assert!(asked(&moto, "PUT", "/beam").await.contains(" 200 "));
        assert!(asked(&moto, "GET", "/beam").await.contains(" 200 "));
        moto.reset().await.unwrap();
        assert!(asked(&moto, "GET", "/beam").await.contains(" 404 "));

        let listening = |file: &str| {
            let wanted = format!(":{:04X}", moto.address().port());
            let table = fs::read_to_string(file).unwrap_or_default();
            let lines =
                table.lines().map(|line| line.split_whitespace().nth(1).unwrap_or_default().to_owned());
            lines.filter(|address| address.ends_with(&wanted)).collect::<Vec<_>>()
        };
        let (four, six) = (listening("/proc/net/tcp"), listening("/proc/net/tcp6"));
        assert!(!four.is_empty() && four.iter().all(|address| address.starts_with("0100007F:")), "{four:?}");
        assert!(six.is_empty(), "{six:?}");
        let address = moto.address();
        drop(moto);
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
