//! The machine: its disks, its clock, its folders.

use std::time::Duration;

use super::super::facts::{ChainFacts, DiskFacts, HostFacts};
use super::super::{Finding, Severity};
use super::{if_fine, known};

/// How much of a disk must be free, in per cent: below the first it is time to act, below the second the node may stop any day.
const FREE_WARN_PERCENT: u64 = 15;
const FREE_FAIL_PERCENT: u64 = 5;
/// How long a write and a flush may take: two stand in the way of each signature, and a vote should be out within half a second.
const FLUSH_WARN: Duration = Duration::from_millis(50);
const FLUSH_FAIL: Duration = Duration::from_millis(500);
/// How far this clock may be behind a block's time, which a third of all validators' clocks vouch for.
const CLOCK_BEHIND_MAX: Duration = Duration::from_secs(1);

pub(super) fn checks(host: &HostFacts, chain: &ChainFacts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = host.disks.iter().map(disk).collect();
    findings.extend([flush(host), synchronized(host), behind(chain), folders(host)]);
    findings
}

fn disk(disk: &DiskFacts) -> Finding {
    const GIB: u64 = 1 << 30;
    let percent = disk.free_bytes.saturating_mul(100).checked_div(disk.total_bytes).unwrap_or_default();
    let severity = match percent {
        free if free < FREE_FAIL_PERCENT => Severity::Fail,
        free if free < FREE_WARN_PERCENT => Severity::Warn,
        _ => Severity::Fine,
    };
    let found = format!("{} GiB, {percent} % free for {}", disk.free_bytes / GIB, disk.what);
    Finding::new("disk-free", severity, found, "15 % free").todo("grow the disk, or prune")
}

fn flush(host: &HostFacts) -> Finding {
    let limit = "50 ms for one write and flush";
    known("disk-flush", limit, &host.flush, |took| {
        let severity = match *took {
            took if took >= FLUSH_FAIL => Severity::Fail,
            took if took >= FLUSH_WARN => Severity::Warn,
            _ => Severity::Fine,
        };
        Finding::new("disk-flush", severity, format!("{} ms", took.as_millis()), limit)
            .todo("every signature waits for it: put the pilot's home and the register on a faster disk")
    })
}

fn synchronized(host: &HostFacts) -> Finding {
    let limit = "kept in step by chrony or systemd-timesyncd";
    known("clock-synchronized", limit, &host.clock_synchronized, |synchronized| {
        let found = if *synchronized { "yes" } else { "no" };
        Finding::new("clock-synchronized", if_fine(*synchronized, Severity::Warn), found, limit)
            .todo("start a time service: proposals from a wrong clock are refused by others")
    })
}

fn behind(chain: &ChainFacts) -> Finding {
    let limit = "not more than 1 s behind the newest block's time";
    known("clock-behind", limit, &chain.clock_behind, |behind| {
        let severity = if_fine(*behind <= CLOCK_BEHIND_MAX, Severity::Fail);
        Finding::new("clock-behind", severity, format!("{:.1} s", behind.as_secs_f64()), limit)
            .todo("set this machine's clock")
    })
}

fn folders(host: &HostFacts) -> Finding {
    let open: Vec<String> = host
        .folders
        .iter()
        .filter(|(_, mode)| mode & 0o077 != 0)
        .map(|(path, mode)| format!("{} ({mode:03o})", path.display()))
        .collect();
    let found =
        if open.is_empty() { "none is open".to_owned() } else { format!("open: {}", open.join(", ")) };
    Finding::new(
        "folders",
        if_fine(open.is_empty(), Severity::Fail),
        found,
        "the pilot's home and its run folder are this user's alone",
    )
    .todo("chmod 700 them: who can connect to the socket there is the node's signer")
}
