//! Whether a node runs on a home: asked of the kernel, as files alone do not tell.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::node_home::NodeHome;

/// How long a port on this machine may take to answer.
const CONNECTS_WITHIN: Duration = Duration::from_millis(500);

/// What shows that a node runs there, a sentence each; nothing if nothing does.
pub(crate) fn signs_of_life(node: &NodeHome) -> Vec<String> {
    let mut signs = Vec::new();
    if let Some(lock) = held_lock(&node.data()) {
        signs.push(format!("{} is locked", lock.display()));
    }
    let pids = processes_in(&node.data());
    if !pids.is_empty() {
        let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
        signs.push(format!("process {} has files of it open", pids.join(", ")));
    }
    for table in ["rpc", "p2p"] {
        let usual = if table == "rpc" { 26657 } else { 26656 };
        let laddr = node.text(table, "laddr").map(str::to_owned);
        let port =
            laddr.as_deref().and_then(|laddr| laddr.rsplit_once(':')).and_then(|(_, port)| port.parse().ok());
        let port: u16 = port.unwrap_or(usual);
        if somebody_listens(SocketAddr::from(([127, 0, 0, 1], port))) {
            signs.push(format!("somebody listens on its {table} port {port}"));
        }
    }
    signs
}

/// Whether a connection to this address is taken.
pub(crate) fn somebody_listens(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, CONNECTS_WITHIN).is_ok()
}

/// A database's lock that somebody holds.
fn held_lock(data: &Path) -> Option<PathBuf> {
    let held = held_inodes();
    let mut locks = fs::read_dir(data).ok()?.filter_map(|entry| Some(entry.ok()?.path().join("LOCK")));
    locks.find(|lock| fs::metadata(lock).is_ok_and(|found| held.contains(&found.ino())))
}

/// Whether somebody holds a lock on this file. The lock is not tried: nobody is ever kept from it by our looking.
pub(crate) fn is_locked(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| held_inodes().contains(&found.ino()))
}

/// The inodes that are locked, by `flock` (as goleveldb does it) or `fcntl` (as Pebble does):
/// `1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF`. Two file systems may share a number; then we refuse once too often.
fn held_inodes() -> BTreeSet<u64> {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.split_whitespace().filter_map(|word| word.splitn(3, ':').nth(2)?.parse().ok()).collect()
}

/// Processes that have files below this folder open, of those that we may look into.
pub(crate) fn processes_in(folder: &Path) -> Vec<u32> {
    let Ok(folder) = folder.canonicalize() else { return Vec::new() };
    let pids = fs::read_dir("/proc").into_iter().flatten();
    let pids = pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id() && has_open(*pid, &folder)).collect()
}

fn has_open(pid: u32, folder: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).any(|path| path.starts_with(folder))
}
