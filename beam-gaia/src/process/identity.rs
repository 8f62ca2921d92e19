//! Which process a number means. The kernel gives a dead process's id to another one, and starts again at every boot, so
//! a pid alone names nothing: a pid, the clock tick at which it started and the boot together do.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::str::FromStr;

/// One process, told apart from every other that had or will have its pid.
///
/// Written as `pid start_ticks boot_id` on one line, so that the first word of a pid file is what everybody expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pid: u32,
    start_ticks: u64,
    boot_id: String,
}

/// What `/proc` says of a pid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) identity: Identity,
    /// It has ended and only its parent has not asked how.
    pub(super) zombie: bool,
}

impl Identity {
    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether this very process runs.
    ///
    /// # Errors
    /// [`io::Error`] if `/proc` cannot be read.
    pub fn is_alive(&self) -> io::Result<bool> {
        Ok(see(self.pid)?.is_some_and(|seen| seen.identity == *self && !seen.zombie))
    }

    /// The process that a pid file names, whether or not it runs; `None` if there is no such file, or it holds something
    /// else (a bare pid, for one: nobody can say which process that was).
    ///
    /// # Errors
    /// [`io::Error`] if the file is there and cannot be read.
    pub fn read(pid_file: &Path) -> io::Result<Option<Self>> {
        let mut text = Vec::new();
        match File::open(pid_file) {
            Ok(file) => file.take(TEXT_LEN_MAX).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()))
    }

    /// Writes the pid file in one step: a reader sees the old or the new one. It is not synced, as it means nothing after the
    /// machine has been down.
    pub(super) fn write(&self, pid_file: &Path) -> io::Result<()> {
        let mut fresh = pid_file.as_os_str().to_owned();
        fresh.push(".new");
        fs::write(&fresh, format!("{self}\n"))?;
        fs::rename(&fresh, pid_file)
    }
}

/// Far more than a pid file ever has.
const TEXT_LEN_MAX: u64 = 256;

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.pid, self.start_ticks, self.boot_id)
    }
}

impl FromStr for Identity {
    type Err = NoIdentity;

    fn from_str(text: &str) -> Result<Self, NoIdentity> {
        let mut words = text.split_whitespace();
        let (Some(pid), Some(ticks), Some(boot_id), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(NoIdentity);
        };
        Ok(Self {
            pid: pid.parse().map_err(|_| NoIdentity)?,
            start_ticks: ticks.parse().map_err(|_| NoIdentity)?,
            boot_id: boot_id.to_owned(),
        })
    }
}

/// A text that names no process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `pid start_ticks boot_id`")]
pub struct NoIdentity;

/// The process that has this pid now, if any.
pub(super) fn see(pid: u32) -> io::Result<Option<Seen>> {
    let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        // ESRCH: it went away between opening and reading.
        Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let (state, start_ticks) = state_and_start(&stat)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unreadable line in /proc/PID/stat"))?;
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    Ok(Some(Seen { identity: Identity { pid, start_ticks, boot_id }, zombie: matches!(state, "Z" | "X") }))
}

const ESRCH: i32 = rustix::io::Errno::SRCH.raw_os_error();

/// Fields 3 and 22 of `/proc/PID/stat`. Field 2 is the program's name in parentheses and may itself hold spaces and
/// parentheses, so the fields are counted from the last closing one.
fn state_and_start(stat: &str) -> Option<(&str, u64)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    let start_ticks = fields.nth(18)?.parse().ok()?;
    Some((state, start_ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "77 (a) S (b c)) R 1 77 77 0 -1 4194304 95 0 0 0 0 0 0 0 20 0 1 0 123456 3000000 200 18446744073709551615";
        assert_eq!(state_and_start(stat), Some(("R", 123_456)));
        assert_eq!(state_and_start("77 (cut"), None);
        assert_eq!(state_and_start("77 (cut) R 1 2"), None);
    }

    #[test]
    fn our_own_process_is_alive_and_another_start_of_its_pid_is_not() {
        let own = see(std::process::id()).unwrap().unwrap().identity;
        assert!(own.is_alive().unwrap());
        assert!(!Identity { start_ticks: own.start_ticks + 1, ..own.clone() }.is_alive().unwrap());
        assert!(!Identity { boot_id: "another".into(), ..own }.is_alive().unwrap());
    }

    #[test]
    fn a_pid_file_reads_back_and_anything_else_names_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node.pid");
        assert_eq!(Identity::read(&file).unwrap(), None);

        let own = see(std::process::id()).unwrap().unwrap().identity;
        own.write(&file).unwrap();
        assert_eq!(Identity::read(&file).unwrap(), Some(own));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.split_whitespace().next(), Some(std::process::id().to_string().as_str()));

        for text in ["", "1234", "1234 5", "x 5 boot", "1 2 boot more", "\u{0}"] {
            fs::write(&file, text).unwrap();
            assert_eq!(Identity::read(&file).unwrap(), None, "{text:?}");
        }
    }
}
