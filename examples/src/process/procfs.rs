//! What `/proc` says about a process: whose it is, and to which group it belongs.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether the command line of `pid` carries `path` as an argument or part of one.
///
/// False for a process that is gone, and for a zombie, which has no command line.
pub fn mentions(pid: i32, path: &Path) -> bool {
    let needle = path.as_os_str().as_bytes();
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // A lab at /x/1 must not take a process of the lab at /x/10 for its own.
    line.windows(needle.len().max(1)).enumerate().any(|(at, window)| {
        window == needle
            && line
                .get(at.saturating_add(needle.len()))
                .is_none_or(|next| matches!(next, 0 | b'/' | b' ' | b'\'' | b'"'))
    })
}

/// Whether a process was stopped (SIGSTOP) and has not gone on.
pub fn is_stopped(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

/// The processes of a group, zombies left out.
pub fn group_members(group: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| group_of(*pid) == Some(group))
        .collect()
}

/// The group of a process that is not a zombie.
fn group_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything, brackets too: read behind the last one.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let _parent = fields.next()?;
    let group = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(group)
}
