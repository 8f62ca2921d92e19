//! The pilot as a service: what it tells the service manager, what signals do, and what its node must not see. The node is a
//! program that does nothing: what it does is not what is asked here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod offline;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use offline::Host;
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take here.
const WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);
/// What the service manager allows between two pings.
const WATCHDOG: Duration = Duration::from_millis(1500);

/// A pilot under a service manager, which is this test.
struct Service {
    host: Host,
    socket: UnixDatagram,
    program: PathBuf,
    pilot: Child,
}

impl Service {
    fn validator() -> Self {
        let host = Host::new();
        let init = host.init(&["--node-command", "sleep 1000"]);
        assert_eq!(init.code(), 0, "{init:?}");
        assert_eq!(host.beam(&["watermark", "init", "--height", "0"]).code(), 0);
        Self::start(host)
    }

    fn sentry() -> Self {
        let host = Host::new();
        fs::create_dir(host.path("beam")).unwrap();
        write_config(&host, "");
        Self::start(host)
    }

    fn start(host: Host) -> Self {
        // A copy, as it shall be replaced.
        let program = host.path("program");
        install(&program, Path::new(env!("CARGO_BIN_EXE_beam")));
        let socket = UnixDatagram::bind(host.path("notify")).unwrap();
        socket.set_read_timeout(Some(POLL)).unwrap();
        let log = fs::File::create(host.path("log")).unwrap();
        let pilot = Command::new(&program)
            .args(["start", "--home"])
            .arg(host.path("beam"))
            .env("NOTIFY_SOCKET", host.path("notify"))
            .env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string())
            .env_remove("BEAM_LOG")
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { host, socket, program, pilot }
    }

    /// Everything told until a message holds `what`, that one included.
    fn told_until(&self, what: &str) -> Vec<String> {
        let deadline = Instant::now() + WITHIN;
        let mut told = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            assert!(Instant::now() < deadline, "no {what:?} in {told:#?}\n{}", self.log());
            match self.socket.recv(&mut buffer) {
                Ok(len) => told.push(String::from_utf8_lossy(&buffer[..len]).into_owned()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => panic!("{error}"),
            }
            if told.last().unwrap().contains(what) {
                return told;
            }
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.host.path("log")).unwrap()
    }

    fn logs(&self, what: &str) {
        let deadline = Instant::now() + WITHIN;
        while !self.log().contains(what) {
            assert!(Instant::now() < deadline, "no {what:?} in\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }

    fn node(&self) -> i32 {
        let file = fs::read_to_string(self.host.path("beam/node.pid")).unwrap();
        file.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.pilot), signal).unwrap();
    }

    fn ends(&mut self) -> Option<i32> {
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(status) = self.pilot.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the pilot goes on\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.pilot.kill();
        let _ = self.pilot.wait();
        let file = fs::read_to_string(self.host.path("beam/node.pid")).unwrap_or_default();
        let pid = file.split_whitespace().next().and_then(|pid| pid.parse().ok()).filter(|pid| is_node(*pid));
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn is_node(pid: i32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == b"sleep\x001000\0")
}

fn write_config(host: &Host, more: &str) {
    let text = format!(
        "name = \"s\"\nrole = \"sentry\"\n[chain]\nid = \"test-1\"\n[node]\nhome = {:?}\n\
         command = [\"sleep\", \"1000\"]\nrpc = \"http://127.0.0.1:1\"\n{more}",
        host.path("node")
    );
    fs::write(host.path("beam/node.toml"), text).unwrap();
}

fn exe(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap()
}

/// As a package does it: the new file takes the old one's name. Copied by another process: a child that another test starts
/// meanwhile would inherit the open file, and a program that somebody writes to cannot be run.
fn install(program: &Path, from: &Path) {
    let beside = program.with_extension("new");
    assert!(Command::new("cp").arg(from).arg(&beside).status().unwrap().success());
    fs::rename(&beside, program).unwrap();
}

#[test]
fn the_service_manager_is_told_in_order_and_the_node_hears_nothing_of_it() {
    let mut service = Service::validator();
    let ready = service.told_until("READY=1");
    assert!(ready.last().unwrap().contains("STATUS=standby"), "{ready:?}");
    assert!(ready.iter().all(|told| !told.contains("STOPPING")), "{ready:?}");

    let environment = fs::read(format!("/proc/{}/environ", service.node())).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC"] {
        assert!(!environment.contains(name), "{environment}");
    }
    assert!(environment.contains("PATH="), "it has the rest");

    for _ in 0..3 {
        let began = Instant::now();
        service.told_until("WATCHDOG=1");
        assert!(began.elapsed() < WATCHDOG, "a service manager would have killed it");
    }

    let node = service.node();
    service.signal(Signal::HUP);
    let reloading = service.told_until("RELOADING=1");
    assert!(reloading.last().unwrap().contains("MONOTONIC_USEC="), "{reloading:?}");
    service.told_until("READY=1");

    service.signal(Signal::TERM);
    let stopping = service.told_until("STOPPING=1");
    assert!(stopping.last().unwrap().contains("EXTEND_TIMEOUT_USEC=50000000"), "{stopping:?}");
    assert_eq!(service.ends(), Some(0));
    assert!(!is_node(node), "the node runs on");
}

#[test]
fn a_sentry_needs_no_key_and_no_register() {
    let mut service = Service::sentry();
    let ready = service.told_until("READY=1");
    assert!(ready.last().unwrap().contains("STATUS=sentry"), "{ready:?}");
    let config = fs::read_to_string(service.host.path("node/config/config.toml")).unwrap();
    assert!(config.contains("priv_validator_laddr = \"\"") && config.contains("pex = true"), "{config}");
    service.signal(Signal::INT);
    assert_eq!(service.ends(), Some(0));
}

#[test]
fn a_reload_tells_each_key_and_restarts_nothing() {
    let service = Service::sentry();
    service.told_until("READY=1");
    let node = service.node();
    write_config(
        &service.host,
        "stop_grace = \"5s\"\n[p2p]\nexternal_address = \"203.0.113.7:26656\"\n[logs]\nlevel = \"debug\"\n[agent]\nenabled = false\n",
    );
    service.signal(Signal::HUP);
    let status = service.told_until("pending restart of the node");
    assert!(status.last().unwrap().contains("p2p.external_address"), "{status:?}");
    let log = service.log();
    for told in [
        "changed: in force now key=\"node.stop_grace\"",
        "changed: needs a restart of the node key=\"p2p.external_address\"",
        "changed: needs a restart of the pilot (SIGUSR2 leaves the node running) key=\"agent.enabled\"",
    ] {
        assert!(log.contains(told), "no {told:?} in\n{log}");
    }
    service.logs("DEBUG");
    let config = fs::read_to_string(service.host.path("node/config/config.toml")).unwrap();
    assert!(config.contains("external_address = \"203.0.113.7:26656\""), "ready for its next start");
    assert_eq!(service.node(), node, "the node was restarted");

    // The next start takes it in.
    kill_process(Pid::from_raw(node).unwrap(), Signal::KILL).unwrap();
    let status = service.told_until("sentry, the node does not answer yet (beam");
    assert!(!status.last().unwrap().contains("pending"), "{status:?}");
    assert_ne!(service.node(), node);
}

#[test]
fn a_wrong_configuration_changes_nothing_and_is_told() {
    let service = Service::sentry();
    service.told_until("READY=1");
    let before = fs::read_to_string(service.host.path("node/config/config.toml")).unwrap();
    write_config(&service.host, "[p2p]\npersistent_peers = [\"10.0.0.1:26656\"]\n");
    service.signal(Signal::HUP);
    let told = service.told_until("node.toml is wrong");
    assert!(told.last().unwrap().contains("READY=1"), "{told:?}");
    let log = service.log();
    assert!(log.contains("no id@host:port") && log.contains("nothing has changed"), "{log}");
    assert_eq!(fs::read_to_string(service.host.path("node/config/config.toml")).unwrap(), before);
}

#[test]
fn a_second_pilot_on_the_same_home_is_refused() {
    let service = Service::sentry();
    service.told_until("READY=1");
    let mut second = Command::new(&service.program)
        .args(["start", "--home"])
        .arg(service.host.path("beam"))
        .stderr(fs::File::create(service.host.path("second")).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + WITHIN;
    let ended = loop {
        match second.try_wait().unwrap() {
            None if Instant::now() < deadline => std::thread::sleep(POLL),
            ended => break ended,
        }
    };
    let _ = second.kill();
    let _ = second.wait();
    let said = fs::read_to_string(service.host.path("second")).unwrap();
    assert_eq!(ended.and_then(|ended| ended.code()), Some(2), "{said}");
    assert!(said.contains(&format!("pid {}", service.pilot.id())), "{said}");
    assert!(is_node(service.node()));
}

#[test]
fn the_installed_program_takes_over_and_the_node_runs_on() {
    let mut service = Service::validator();
    service.told_until("READY=1");
    let node = service.node();
    install(&service.program, Path::new(env!("CARGO_BIN_EXE_beam")));
    assert!(exe(service.pilot.id()).to_string_lossy().ends_with("(deleted)"));

    service.signal(Signal::USR2);
    let told = service.told_until("RELOADING=1");
    assert!(told.last().unwrap().contains("MONOTONIC_USEC="), "{told:?}");
    service.told_until("READY=1");
    assert_eq!(
        exe(service.pilot.id()),
        service.program.canonicalize().unwrap(),
        "the new file, the same process"
    );
    assert_eq!(service.node(), node);
    assert!(is_node(node));
    service.logs("adopted=true");
    service.told_until("WATCHDOG=1");

    // Still our child: how it ends is known.
    kill_process(Pid::from_raw(node).unwrap(), Signal::KILL).unwrap();
    service.logs("exit=Killed(9)");
    service.signal(Signal::TERM);
    assert_eq!(service.ends(), Some(0));
}

#[test]
fn a_program_that_does_not_run_replaces_nothing() {
    let service = Service::sentry();
    service.told_until("READY=1");
    let before = exe(service.pilot.id());
    for wrong in ["no program at all", "#!/bin/sh\nexit 3\n", "#!/bin/sh\necho hello\n"] {
        let file = service.host.path("wrong");
        fs::write(&file, wrong).unwrap();
        fs::set_permissions(&file, fs::metadata(&service.program).unwrap().permissions()).unwrap();
        install(&service.program, &file);
        let told = service.log().matches("not replaced").count();
        service.signal(Signal::USR2);
        let deadline = Instant::now() + WITHIN;
        while service.log().matches("not replaced").count() == told {
            assert!(Instant::now() < deadline, "{wrong:?}\n{}", service.log());
            std::thread::sleep(POLL);
        }
        assert!(exe(service.pilot.id()).starts_with(before.parent().unwrap()), "it runs on");
    }
    service.told_until("WATCHDOG=1");
}
