//! What the emulators of AWS have in common: each is a program that listens on a port of its own on the loopback interface, says which in
//! its log, and is gone when dropped.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::process::{Folder, Process};
use crate::wait;

/// A second or two of work, the first time some more, on a machine that may have other things to do.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// A question on the loopback interface.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// A program that is to run as an emulator.
pub(crate) struct Program<'a> {
    /// As people call it.
    pub(crate) name: &'a str,
    /// What is run.
    pub(crate) command: Command,
    /// Where it was installed: the program must be from there, or its arguments must name it.
    pub(crate) home: &'a Path,
    /// Where its log goes.
    pub(crate) log: &'a Path,
    /// The port that a line of its log names.
    pub(crate) port: fn(line: &str) -> Option<u16>,
}

/// A running emulator. It takes any credentials.
#[derive(Debug)]
pub struct Emulator {
    name: String,
    process: Process,
    port: u16,
}

impl Emulator {
    /// What a client must have in its environment; any words would do.
    pub const CREDENTIALS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "beam"), ("AWS_SECRET_ACCESS_KEY", "beam")];

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) async fn start(program: Program<'_>) -> Result<Self> {
        let Program { name, command, home, log, port } = program;
        // What an earlier one said of its port is not to be taken for this one's.
        let said = fs::metadata(log).map_or(0, |log| log.len());
        let mut process = Process::spawn(command, log, &[home])?;
        let what = format!("{name} to listen");
        let started = wait::until(&what, READY_WITHIN, || {
            let (port, ended) = (told(log, said, port), process.ended());
            std::future::ready(match (port, ended) {
                (Some(port), _) => Ok(Some(port)),
                (None, None) => Ok(None),
                (None, Some(status)) => Err(anyhow::anyhow!("it ended ({status})")),
            })
        });
        let port = started
            .await
            .with_context(|| format!("{name} did not start; its log ends:\n{}", process.log_tail()))?;
        ensure!(port != 0, "{name} listens on no port");
        Ok(Self { name: name.to_owned(), process, port })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its URL, as a setting `endpoint` wants it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Asks it in HTTP, with `head` up to and without the header lines that every request has, and gives status line, headers and body.
    pub(crate) async fn ask(&self, head: &str, body: &str) -> Result<String> {
        let request = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        let asked = async {
            let mut stream = TcpStream::connect(self.address()).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = timeout(ANSWERS_WITHIN, asked).await;
        let answer = answer.with_context(|| format!("{} does not answer", self.name))??;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// One emulator for a whole program, started by whoever asks first: it is gone when the program is.
pub(crate) type OfProgram<E> = OnceCell<(E, Folder)>;

/// It, or why it cannot be had.
pub(crate) async fn of_program<E>(
    it: &OfProgram<E>,
    start: impl AsyncFnOnce(&Path) -> Result<E>,
) -> Result<&E> {
    let begin = async || {
        let folder = Folder::new()?;
        anyhow::Ok((start(folder.path()).await?, folder))
    };
    Ok(&it.get_or_try_init(begin).await?.0)
}

/// Takes away the settings that whoever runs the tests may have for it: those that begin with one of these.
pub(crate) fn without_settings(command: &mut Command, prefixes: &[&str]) {
    for (name, _) in std::env::vars_os() {
        if prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
}

/// What it said of its port, after so many bytes of the log.
fn told(log: &Path, after: u64, port: fn(&str) -> Option<u16>) -> Option<u16> {
    let bytes = fs::read(log).ok()?;
    let said = String::from_utf8_lossy(bytes.get(usize::try_from(after).ok()?..)?).into_owned();
    // A line that is whole.
    let whole = said.rsplit_once('\n')?.0;
    whole.lines().find_map(port)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn a_port_counts_when_its_line_is_whole_and_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let port = |after| told(&log, after, |line| line.strip_prefix("port ")?.parse().ok());
        assert_eq!(port(0), None);
        fs::write(&log, "Port:\t8000\nport 123").unwrap();
        assert_eq!(port(0), None);
        fs::write(&log, "Port:\t8000\nport 1234\n").unwrap();
        assert_eq!(port(0), Some(1234));
        assert_eq!(port(21), None);
    }

    /// The addresses on which it listens, as the kernel lists them; gone when dropped.
    pub(crate) fn listens_on_loopback_only_and_is_gone(emulator: impl std::ops::Deref<Target = Emulator>) {
        let address = emulator.address();
        let listening = listening(emulator.pid());
        let port = format!(":{:04X}", address.port());
        let loopback = ["0100007F", "0000000000000000FFFF00000100007F"].map(|host| format!("{host}{port}"));
        assert!(!listening.is_empty() && listening.iter().all(|at| loopback.contains(at)), "{listening:?}");
        drop(emulator);
        assert!(std::net::TcpStream::connect(address).is_err());
    }

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
}
