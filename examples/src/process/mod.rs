//! One child process of the lab: a group of its own, its output in a file, dead when dropped.
//!
//! A group, because the pilot's node is a child of the pilot: signals meant for the whole machine
//! must reach both. Two things could go wrong, and each has its guard:
//!
//! * **The lab is killed before it can kill.** A watchdog, `sh` reading a pipe whose other end only
//!   the lab holds, kills the group when the pipe closes.
//! * **A number is used again.** While the leader is not reaped, nobody else can have its number.
//!   Afterwards the group is signalled only if `/proc` shows a member whose command line carries
//!   this process's marks: paths no other lab has.

mod folder;
pub mod procfs;

pub use folder::Folder;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::wait;

/// How many bytes of a log are shown in an error.
const LOG_TAIL: usize = 2_000;

/// A running or ended child, and the group it leads.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Pid,
    ended: Option<ExitStatus>,
    watchdog: Child,
    marks: Vec<PathBuf>,
    log: PathBuf,
}

impl Process {
    /// Starts `command` in a process group of its own, its output appended to `log`.
    ///
    /// `marks` are paths of which at least one stands in the command line of every member of the
    /// group; they tell our processes from strangers.
    ///
    /// # Errors
    /// When the program, its log or its watchdog cannot be started.
    pub fn spawn(mut command: Command, log: &Path, marks: &[&Path]) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let output =
            File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let (group, watchdog) = match guard(&child) {
            Ok(guarded) => guarded,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        let marks = marks.iter().map(|mark| mark.to_path_buf()).collect();
        Ok(Self { child, group, ended: None, watchdog, marks, log: log.to_path_buf() })
    }

    /// The leader's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file that holds its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How the leader ended, or `None` while it runs. Reaps it.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Whether any process of the group still runs, the leader or what it left behind.
    pub fn group_lives(&mut self) -> bool {
        self.ended().is_none() || self.has_member()
    }

    /// Sends `signal` to the leader alone; nothing happens if it has ended.
    pub fn signal_leader(&mut self, signal: Signal) {
        if self.ended().is_none() {
            let _ = kill_process(self.group, signal);
        }
    }

    /// Sends `signal` to every process of the group in one call.
    pub fn signal_group(&mut self, signal: Signal) {
        if self.group_lives() {
            let _ = kill_process_group(self.group, signal);
        }
    }

    /// Kills the whole group and reaps the leader. Stopped processes die too.
    pub fn kill_group(&mut self) {
        self.signal_group(Signal::KILL);
        self.reap();
    }

    /// Kills the leader alone and reaps it; the rest of the group runs on.
    pub fn kill_leader(&mut self) {
        self.signal_leader(Signal::KILL);
        self.reap();
    }

    /// Asks the leader to end, and kills the group once `within` has passed. True if it ended by
    /// itself.
    pub async fn terminate(&mut self, within: Duration) -> bool {
        self.signal_leader(Signal::TERM);
        let ended =
            wait::until("a process to end", within, || std::future::ready(Ok(self.ended().map(|_| ()))));
        let graceful = ended.await.is_ok();
        self.kill_group();
        graceful
    }

    /// The end of its output, for error messages.
    pub fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let tail = text.get(text.len().saturating_sub(LOG_TAIL)..).unwrap_or_default();
        String::from_utf8_lossy(tail).into_owned()
    }

    fn has_member(&self) -> bool {
        procfs::group_members(self.group.as_raw_nonzero().get())
            .into_iter()
            .any(|pid| self.marks.iter().any(|mark| procfs::mentions(pid, mark)))
    }

    /// Only called after a kill that cannot be refused, so the wait is short.
    fn reap(&mut self) {
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
        // The watchdog goes last and by SIGKILL: it must not act on its closing pipe now, when the
        // group's number may already belong to somebody else.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}

/// The child's group, and a watchdog over it.
fn guard(child: &Child) -> Result<(Pid, Child)> {
    use std::os::unix::process::CommandExt;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("not a process id")?;
    let watchdog = Command::new("/bin/sh")
        .args(["-c", "read -r _; kill -s KILL -- \"-$0\""])
        .arg(child.id().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot start a watchdog")?;
    Ok((group, watchdog))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A leader with a child of its own, both carrying the mark in their command lines.
    fn family(dir: &Path) -> Process {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sh -c 'while :; do sleep 0.05; done' \"$0\" & wait"]).arg(dir);
        Process::spawn(command, &dir.join("log"), &[dir]).unwrap()
    }

    fn members(process: &Process) -> Vec<i32> {
        let mut members = procfs::group_members(process.group.as_raw_nonzero().get());
        members.retain(|pid| procfs::mentions(*pid, &process.marks[0]));
        members
    }

    async fn both_run(process: &Process) {
        wait::until("two members", Duration::from_secs(5), || {
            std::future::ready(Ok((members(process).len() == 2).then_some(())))
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_dropped_process_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let process = family(dir.path());
        both_run(&process).await;
        let group = process.group.as_raw_nonzero().get();
        drop(process);
        let gone = || procfs::group_members(group).iter().all(|pid| !procfs::mentions(*pid, dir.path()));
        wait::until("the group to be gone", Duration::from_secs(5), || {
            std::future::ready(Ok(gone().then_some(())))
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn what_a_killed_leader_leaves_behind_is_still_killed() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = family(dir.path());
        both_run(&process).await;
        process.kill_leader();
        assert!(process.ended().is_some());
        assert!(process.group_lives(), "the leader's child must survive its parent");
        process.kill_group();
        let started = Instant::now();
        while process.group_lives() {
            assert!(started.elapsed() < Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn the_watchdog_kills_the_group_when_the_lab_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = family(dir.path());
        both_run(&process).await;
        drop(process.watchdog.stdin.take());
        wait::until("the watchdog to act", Duration::from_secs(5), || {
            std::future::ready(Ok((!process.group_lives()).then_some(())))
        })
        .await
        .unwrap();
    }
}
