//! Who types a command, for the history.

use std::env;

/// `user@host`, as far as the system says; behind `sudo`, the user who used it.
pub(super) fn who() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| env::var(name).ok());
    let user =
        user.filter(|user| !user.is_empty()).or_else(from_passwd).unwrap_or_else(|| "somebody".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => user,
        host => format!("{user}@{host}"),
    }
}

/// The name of this process's user in `/etc/passwd`.
fn from_passwd() -> Option<String> {
    let id = rustix::process::getuid().as_raw().to_string();
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut users = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    users.find(|fields| fields.get(2) == Some(&id.as_str()))?.first().map(|name| (*name).to_owned())
}
