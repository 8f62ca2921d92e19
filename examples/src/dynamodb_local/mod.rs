//! DynamoDB Local, running: in memory, on the loopback interface, on a port of its own, gone when dropped.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

pub use crate::tap::Tap;

use crate::install::dynamodb_local;
use crate::process::Process;
use crate::wait;

/// A second or two of work, on a machine that may have other things to do.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running emulator. It takes any credentials, and each access key and region has tables of its own.
#[derive(Debug)]
pub struct DynamoDbLocal {
    process: Process,
    port: u16,
}

impl DynamoDbLocal {
    /// What a client must have in its environment; any words would do.
    pub const CREDENTIALS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "beam"), ("AWS_SECRET_ACCESS_KEY", "beam")];

    /// Starts one, its log and its files in `dir`. It is fetched first if it is missing.
    ///
    /// # Errors
    /// When it cannot be had, or does not start.
    pub async fn start(dir: &Path, progress: impl Fn(&str)) -> Result<Self> {
        let home = dynamodb_local(progress).await?;
        let lib = home.join("lib");
        let log = dir.join("dynamodb-local.log");
        // What an earlier one said of its port is not to be taken for this one's.
        let said = fs::metadata(&log).map_or(0, |log| log.len());
        let mut java = Command::new("java");
        // It lives for minutes: a small heap and quick start are worth more than fast code.
        java.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        java.arg(format!("-Djava.library.path={}", lib.display()));
        // Where it unpacks a library, and forgets it.
        java.arg(format!("-Djava.io.tmpdir={}", dir.display()));
        java.arg("-cp").arg(format!("{}:{}/*", home.display(), lib.display())).arg("OnLoopback");
        java.current_dir(dir);
        let mut process = Process::spawn(java, &log, &[&home])?;
        let started = wait::until("DynamoDB Local to listen", READY_WITHIN, || {
            let port = port(&log, said);
            let ended = process.ended();
            std::future::ready(match (port, ended) {
                (Some(port), _) => Ok(Some(port)),
                (None, None) => Ok(None),
                (None, Some(status)) => Err(anyhow::anyhow!("it ended ({status})")),
            })
        });
        let started = started.await;
        let port = started.with_context(|| {
            format!("DynamoDB Local did not start; its log ends:\n{}", process.log_tail())
        })?;
        ensure!(port != 0, "DynamoDB Local listens on no port");
        Ok(Self { process, port })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its URL, as `register.dynamodb.endpoint` wants it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
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
        fs::write(&log, "Port:\t8000\nport 123").unwrap();
        assert_eq!(port(&log, 0), None);
        fs::write(&log, "Port:\t8000\nport 1234\n").unwrap();
        assert_eq!(port(&log, 0), Some(1234));
        assert_eq!(port(&log, 21), None);
    }

    #[tokio::test]
    async fn it_listens_on_loopback_only_and_is_gone_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let local = DynamoDbLocal::start(dir.path(), to_stderr).await.unwrap();
        let listening = |file: &str| {
            let wanted = format!(":{:04X}", local.address().port());
            let table = fs::read_to_string(file).unwrap_or_default();
            let lines =
                table.lines().map(|line| line.split_whitespace().nth(1).unwrap_or_default().to_owned());
            lines.filter(|address| address.ends_with(&wanted)).collect::<Vec<_>>()
        };
        let (four, six) = (listening("/proc/net/tcp"), listening("/proc/net/tcp6"));
        let loopback = |address: &String| {
            address.starts_with("0100007F:") || address.starts_with("0000000000000000FFFF00000100007F:")
        };
        assert!(!four.is_empty() || !six.is_empty(), "it must listen somewhere");
        assert!(four.iter().chain(&six).all(loopback), "{four:?} {six:?}");
        let address = local.address();
        std::net::TcpStream::connect(address).unwrap();
        drop(local);
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
