//! With real processes.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use beam_core::node_process::{Exit, NodeError, NodeProcess as _};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::sleep;

use super::*;

const GRACE: Duration = Duration::from_secs(10);

/// A home in a folder of its own, whose node is a shell script.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn config(&self, script: &str) -> ProcessConfig {
        ProcessConfig {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            working_dir: Some(self.0.path().into()),
            env_removed: vec![],
            socket: None,
            pid_file: self.path("node.pid"),
            log_file: self.path("logs/node.log"),
        }
    }

    fn node(&self, script: &str) -> GaiaProcess {
        GaiaProcess::new(self.config(script))
    }

    /// Waits until the node has said this.
    async fn heard(&self, words: &str) {
        let began = Instant::now();
        while !fs::read_to_string(self.path("logs/node.log")).is_ok_and(|log| log.contains(words)) {
            assert!(began.elapsed() < GRACE, "the node never said {words:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

fn is_in_proc(pid: u32) -> bool {
    PathBuf::from(format!("/proc/{pid}")).exists()
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn exits_are_told_apart_and_leave_no_zombie() {
    for (script, exit) in [
        ("exit 0", Exit::Clean),
        ("exit 1", Exit::Refused),
        ("exit 2", Exit::Panicked),
        ("exit 137", Exit::Failed(137)),
        ("kill -KILL $$", Exit::Killed(9)),
        ("kill -TERM $$", Exit::Killed(15)),
    ] {
        let home = Home::new();
        let node = home.node(script);
        let run = node.start().await.unwrap();
        assert!(!run.adopted);
        assert_eq!(node.exited().await.unwrap(), exit, "{script}");
        assert_eq!(node.exited().await.unwrap(), exit, "asked again");
        assert_eq!(node.stop(GRACE).await.unwrap(), exit, "nothing runs");
        assert!(!is_in_proc(run.pid), "{script}: a zombie");
    }
}

#[tokio::test]
async fn a_node_that_never_ran_is_neither_waited_for_nor_stopped() {
    let home = Home::new();
    let node = home.node("exit 0");
    assert_eq!(node.exited().await.unwrap(), Exit::Unknown);
    assert_eq!(node.stop(GRACE).await.unwrap(), Exit::Unknown);
    assert_eq!(node.last_words().await, None);
}

#[tokio::test]
async fn starting_twice_is_refused_and_starting_again_is_not() {
    let home = Home::new();
    let node = home.node("exec sleep 60");
    let first = node.start().await.unwrap();
    assert!(matches!(node.start().await, Err(NodeError::AlreadyRunning(pid)) if pid == first.pid));
    assert_eq!(node.stop(GRACE).await.unwrap(), Exit::Killed(15));
    let second = node.start().await.unwrap();
    assert_ne!(first.pid, second.pid);
    node.stop(GRACE).await.unwrap();
}

#[tokio::test]
async fn two_starts_at_once_make_one_node() {
    let home = Home::new();
    let node = home.node("exec sleep 60");
    let (one, other) = tokio::join!(node.start(), node.start());
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    node.stop(GRACE).await.unwrap();
}

#[tokio::test]
async fn one_that_ignores_being_asked_is_killed() {
    let home = Home::new();
    let node = home.node("trap '' TERM; echo deaf; while :; do sleep 0.05; done");
    let run = node.start().await.unwrap();
    home.heard("deaf").await;
    let began = Instant::now();
    assert_eq!(node.stop(Duration::from_millis(200)).await.unwrap(), Exit::Killed(9));
    assert!(began.elapsed() >= Duration::from_millis(200), "it was given no time");
    assert!(!is_in_proc(run.pid));
}

#[tokio::test]
async fn one_that_is_asked_ends_cleanly_while_another_task_waits_for_it() {
    let home = Home::new();
    let node = home.node("trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    node.start().await.unwrap();
    home.heard("ready").await;
    let (exited, stopped) = tokio::join!(node.exited(), node.stop(GRACE));
    assert_eq!((exited.unwrap(), stopped.unwrap()), (Exit::Clean, Exit::Clean));
}

#[tokio::test]
async fn waiting_can_be_dropped_and_taken_up_again() {
    let home = Home::new();
    let node = home.node("sleep 0.3; exit 2");
    node.start().await.unwrap();
    for _ in 0..3 {
        assert!(tokio::time::timeout(Duration::from_millis(20), node.exited()).await.is_err());
    }
    assert_eq!(node.exited().await.unwrap(), Exit::Panicked);
}

#[tokio::test]
async fn a_dropped_node_goes_on_and_is_adopted() {
    let home = Home::new();
    let former = home.node("exec sleep 60");
    let run = former.start().await.unwrap();
    drop(former);
    assert!(is_in_proc(run.pid));

    let next = home.node("exit 1");
    let adopted = next.start().await.unwrap();
    assert!(adopted.adopted);
    assert_eq!(adopted.pid, run.pid);
    assert!(matches!(next.start().await, Err(NodeError::AlreadyRunning(pid)) if pid == run.pid));
    kill(run.pid);
    assert_eq!(next.exited().await.unwrap(), Exit::Killed(9), "it is still our child");
    assert!(!is_in_proc(run.pid), "a zombie");
}

#[tokio::test]
async fn an_adopted_stranger_is_watched_and_stopped() {
    let home = Home::new();
    // The shell ends at once, so the sleep is nobody's child of ours, as after a pilot's death.
    let output = std::process::Command::new("sh")
        .args(["-c", "sleep 60 >/dev/null 2>&1 & echo $!"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let pid = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    let stranger = identity::see(pid).unwrap().unwrap().identity;
    assert!(stranger.is_alive().unwrap());
    stranger.write(&home.path("node.pid")).unwrap();

    let node = home.node("exit 1");
    assert_eq!(node.stop(GRACE).await.unwrap(), Exit::Unknown, "stopped without a start");
    assert!(!stranger.is_alive().unwrap(), "it still runs");
    assert_eq!(node.exited().await.unwrap(), Exit::Unknown);
    assert!(!node.start().await.unwrap().adopted, "the dead are not adopted");
}

#[tokio::test]
async fn a_child_that_ended_unwatched_is_reaped_and_not_adopted() {
    let home = Home::new();
    let former = home.node("exec sleep 60");
    let run = former.start().await.unwrap();
    drop(former);
    kill(run.pid);
    while identity::see(run.pid).unwrap().is_some_and(|seen| !seen.zombie) {
        sleep(Duration::from_millis(5)).await;
    }
    let next = home.node("exec sleep 60");
    let fresh = next.start().await.unwrap();
    assert!(!fresh.adopted);
    assert!(!is_in_proc(run.pid), "a zombie");
    next.stop(GRACE).await.unwrap();
}

#[tokio::test]
async fn a_reused_pid_is_neither_adopted_nor_stopped() {
    let home = Home::new();
    let mut victim = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let named = identity::see(victim.id()).unwrap().unwrap().identity.to_string();
    let ticks = named.split(' ').nth(1).unwrap();
    for wrong in [
        named.replacen(ticks, "1", 1),
        named.rsplit_once(' ').unwrap().0.to_owned() + " 00000000-another-boot",
        victim.id().to_string(),
    ] {
        fs::write(home.path("node.pid"), &wrong).unwrap();
        assert_eq!(home.node("exit 0").stop(GRACE).await.unwrap(), Exit::Unknown, "{wrong}");
        assert!(victim.try_wait().unwrap().is_none(), "{wrong}: the wrong process was ended");
        let node = home.node("exec sleep 60");
        let run = node.start().await.unwrap();
        assert!(!run.adopted, "{wrong}");
        assert_ne!(run.pid, victim.id());
        node.stop(GRACE).await.unwrap();
        assert!(victim.try_wait().unwrap().is_none(), "{wrong}: the wrong process was ended");
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
}

#[tokio::test]
async fn a_stale_socket_is_removed_and_only_while_nothing_runs() {
    let home = Home::new();
    let socket = home.path("run/privval.sock");
    let config = ProcessConfig { socket: Some(socket.clone()), ..home.config("exec sleep 60") };
    let node = GaiaProcess::new(config.clone());
    node.start().await.unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(node.start().await.is_err());
    assert!(GaiaProcess::new(config).start().await.unwrap().adopted);
    assert!(socket.exists(), "the socket of a running node was removed");
    node.stop(GRACE).await.unwrap();
    node.start().await.unwrap();
    assert!(!socket.exists(), "the stale socket is still there");
    node.stop(GRACE).await.unwrap();
}

#[tokio::test]
async fn a_file_in_the_sockets_place_is_left_alone_and_named() {
    let home = Home::new();
    let socket = home.path("run/privval.sock");
    fs::create_dir(home.path("run")).unwrap();
    fs::write(&socket, "precious").unwrap();
    let node = GaiaProcess::new(ProcessConfig { socket: Some(socket.clone()), ..home.config("exit 0") });
    let Err(NodeError::Start { source, .. }) = node.start().await else { panic!("it started") };
    assert!(source.to_string().contains("privval.sock is in the way"), "{source}");
    assert_eq!(fs::read_to_string(&socket).unwrap(), "precious");
    assert!(!home.path("node.pid").exists());
}

#[tokio::test]
async fn a_node_that_cannot_be_noted_down_does_not_stay() {
    let home = Home::new();
    fs::create_dir_all(home.path("node.pid.new")).unwrap();
    let node = home.node("echo pid $$; exec sleep 60");
    assert!(matches!(node.start().await, Err(NodeError::Start { .. })));
    // It may have been ended before it could say its pid.
    let log = fs::read_to_string(home.path("logs/node.log")).unwrap();
    assert!(log.split_whitespace().nth(1).is_none_or(|pid| !is_in_proc(pid.parse().unwrap())), "it stayed");
    fs::remove_dir(home.path("node.pid.new")).unwrap();
    node.start().await.unwrap();
    node.stop(GRACE).await.unwrap();
}

#[tokio::test]
async fn a_missing_program_is_a_plain_error() {
    let home = Home::new();
    let node = GaiaProcess::new(ProcessConfig { program: "/no/such/gaiad".into(), ..home.config("") });
    let error = node.start().await.unwrap_err();
    assert_eq!(error.to_string(), "the node could not be started: /no/such/gaiad");
    assert_eq!(node.exited().await.unwrap(), Exit::Unknown);
}

#[tokio::test]
async fn the_node_sees_no_variable_that_is_not_for_it() {
    let home = Home::new();
    // A variable that every environment has stands for the service manager's.
    let script = "echo home=$HOME path=$PATH; cat; echo stdin is empty";
    let node = GaiaProcess::new(ProcessConfig { env_removed: vec!["HOME".into()], ..home.config(script) });
    node.start().await.unwrap();
    assert_eq!(node.exited().await.unwrap(), Exit::Clean);
    let log = fs::read_to_string(home.path("logs/node.log")).unwrap();
    assert!(log.contains("home= path=/"), "{log}");
    assert!(log.contains("stdin is empty"), "{log}");
}

#[tokio::test]
async fn the_last_words_are_those_of_the_last_run() {
    let home = Home::new();
    let node = home.node("echo Usage:; echo '  gaiad start'; echo 'failed to listen' >&2; echo; exit 1");
    node.start().await.unwrap();
    assert_eq!(node.exited().await.unwrap(), Exit::Refused);
    assert_eq!(node.last_words().await.unwrap(), "failed to listen");

    let silent = home.node("exit 1");
    silent.start().await.unwrap();
    silent.exited().await.unwrap();
    assert_eq!(silent.last_words().await, None);
    assert!(fs::read_to_string(home.path("logs/node.log")).unwrap().starts_with("Usage"), "the log was cut");
}

#[tokio::test]
async fn the_node_stays_in_our_process_group() {
    let home = Home::new();
    let node = home.node("exec sleep 60");
    let run = node.start().await.unwrap();
    let group = |pid: u32| rustix::process::getpgid(Pid::from_raw(pid.try_into().unwrap())).unwrap();
    assert_eq!(group(run.pid), group(std::process::id()));
    node.stop(GRACE).await.unwrap();
}
