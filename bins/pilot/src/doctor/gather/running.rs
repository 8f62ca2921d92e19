//! What runs on this machine, and with which limits.

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use beam_gaia::process::{Identity, SOCKET_PATH_LEN_MAX};
use rustix::process::{Resource, getrlimit};

use super::super::facts::{Fact, Running, SocketFacts, UnitFacts};
use crate::config::Config;
use crate::node_home::NodeHome;
use crate::node_runs::{is_locked, processes_in, somebody_listens};

/// How long the node's program may take to tell its version.
const VERSION_WITHIN: Duration = Duration::from_secs(5);
/// How much of what it says is read.
const VERSION_LEN_MAX: u64 = 4096;

pub(super) fn look(config: &Config) -> Running {
    let node = node(config);
    let pilot = pilot_runs(config);
    let program = program(config);
    Running {
        pilot,
        node,
        version: program.as_ref().map_err(Clone::clone).and_then(|program| version(program)),
        program,
        files_here: getrlimit(Resource::Nofile).current.map_or(Ok(u64::MAX), Ok),
        files_of_node: node.map_or_else(|| Err("no node runs".to_owned()), files_of),
        ports_taken: ports_taken(config, pilot, node.is_some()),
        socket: socket(config),
        unit: unit(),
    }
}

/// The node that this pilot started, or whoever works in its home.
fn node(config: &Config) -> Option<u32> {
    let own = Identity::read(&config.own("node.pid")).ok().flatten();
    let own = own.filter(|node| node.is_alive().unwrap_or(false)).map(|node| node.pid());
    own.or_else(|| {
        let home = NodeHome::read(&config.node.home).ok()?;
        processes_in(&home.data()).first().copied()
    })
}

/// A validator's pilot holds a lock beside its floor file. Looked at and not tried: a pilot that starts just then would be refused.
fn pilot_runs(config: &Config) -> bool {
    is_locked(&config.own("floor.lock"))
}

fn program(config: &Config) -> Fact<PathBuf> {
    let name = config.node.command.first().ok_or("node.command is empty")?;
    let runs = |path: &Path| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let found = if name.contains('/') {
        Some(PathBuf::from(name))
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| runs(path))
    };
    match found {
        Some(path) if runs(&path) => Ok(path),
        Some(path) => Err(format!("{} is not there, or cannot be run", path.display())),
        None => Err(format!("{name} is nowhere in PATH")),
    }
}

/// What `gaiad version` says, bounded in time and length.
fn version(program: &Path) -> Fact<String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut child = Command::new(program)
        .arg("version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let (tell, told) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        // By a thread: a child that it leaves behind may hold its output open for ever.
        std::thread::spawn(move || {
            let mut said = String::new();
            let read = stdout.take(VERSION_LEN_MAX).read_to_string(&mut said);
            // Nobody hears what comes late.
            let _ = tell.send(read.map(|_| said));
        });
    }
    let answer = told.recv_timeout(VERSION_WITHIN);
    // Whether it has ended by itself or not.
    child.kill().and_then(|()| child.wait()).map_err(failed)?;
    let late = |_| format!("it did not tell within {} s", VERSION_WITHIN.as_secs());
    let said = answer.map_err(late)?.map_err(failed)?;
    let said = said.lines().next().unwrap_or_default().trim().to_owned();
    if said.is_empty() { Err("it said nothing".to_owned()) } else { Ok(said) }
}

/// The soft limit on open files of a process.
fn files_of(pid: u32) -> Fact<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).map_err(|error| error.to_string())?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line
        .and_then(|line| line.split_whitespace().next())
        .ok_or("/proc/PID/limits says nothing of open files")?;
    if soft == "unlimited" { Ok(u64::MAX) } else { soft.parse().map_err(|_| format!("{soft:?} is no limit")) }
}

/// Ports that should be free, as nothing of ours runs.
fn ports_taken(config: &Config, pilot: bool, node: bool) -> Vec<String> {
    let mut wanted: Vec<(&str, SocketAddr)> = Vec::new();
    let here = |port| SocketAddr::from(([127, 0, 0, 1], port));
    if !node && let Ok(home) = NodeHome::read(&config.node.home) {
        for (table, usual) in [("rpc", 26657), ("p2p", 26656)] {
            let port = home.text(table, "laddr").and_then(|laddr| laddr.rsplit_once(':')?.1.parse().ok());
            wanted.push((table, here(port.unwrap_or(usual))));
        }
    }
    // A sentry's pilot holds nothing that could be looked at, so there its own agent cannot be told from another's.
    if !pilot && config.signer().is_ok() && config.agent.enabled {
        wanted.push(("agent", config.agent.listen));
    }
    let taken = wanted.into_iter().filter(|(_, address)| address.port() != 0 && somebody_listens(*address));
    taken.map(|(what, address)| format!("{what} {address}")).collect()
}

fn socket(config: &Config) -> SocketFacts {
    let Ok(Some(path)) = config.socket() else { return SocketFacts::None };
    let len = path.as_os_str().as_bytes().len();
    if len > SOCKET_PATH_LEN_MAX {
        return SocketFacts::TooLong(len);
    }
    match fs::symlink_metadata(&path) {
        Err(_) => SocketFacts::Absent,
        Ok(found) if !found.file_type().is_socket() => SocketFacts::InTheWay,
        Ok(_) if held_by_a_listener(&path) => SocketFacts::Listening,
        Ok(_) => SocketFacts::Stale,
    }
}

/// Whether the kernel knows a listener of that name: asked without connecting, since each connection left in a node's queue
/// costs it a moment when its signer comes back.
fn held_by_a_listener(path: &Path) -> bool {
    /// `SO_ACCEPTCON`: this one listens.
    const LISTENS: &str = "00010000";
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    table.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.nth(3) == Some(LISTENS) && words.nth(3).is_some_and(|name| Path::new(name) == path)
    })
}

fn unit() -> Fact<UnitFacts> {
    const FILES: [&str; 3] = [
        "/etc/systemd/system/beam.service",
        "/usr/lib/systemd/system/beam.service",
        "/lib/systemd/system/beam.service",
    ];
    let file = FILES
        .iter()
        .map(Path::new)
        .find(|file| file.is_file())
        .ok_or("there is no beam.service on this machine")?;
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let limit = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("LimitNOFILE=")?.split(':').next()?.parse().ok());
    Ok(UnitFacts { file: file.to_owned(), limit_nofile: limit })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/doctor/fixtures").join(name)
    }

    #[test]
    fn a_program_tells_its_version_and_one_whose_output_does_not_end_holds_up_nobody() {
        assert_eq!(version(&fixture("tells.sh")).unwrap(), "v28.0.0");
        let began = Instant::now();
        let silent = version(&fixture("leaves-a-child.sh")).unwrap_err();
        assert!(silent.contains("did not tell within"), "{silent}");
        assert!(began.elapsed() < VERSION_WITHIN + Duration::from_secs(2), "{:?}", began.elapsed());
    }
}
