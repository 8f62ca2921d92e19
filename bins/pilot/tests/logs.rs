//! `beam logs` as people meet it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use beam_core::logs::{Limits, Stamp};
use beam_gaia::logs::{Capture, CaptureConfig, LogFolder, now};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const WITHIN: Duration = Duration::from_secs(60);

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../beam-core/src/logs/fixtures")
        .join(name)
        .with_extension("log")
}

/// A machine on which a node's output is captured.
struct Host {
    home: TempDir,
    capture: Capture,
}

impl Host {
    fn new(rotate_bytes: u64) -> Self {
        let home = tempfile::tempdir().unwrap();
        let limits =
            Limits { rotate_bytes, rotate_after: Duration::from_secs(86_400), total_bytes: u64::MAX };
        let folder = LogFolder::new(home.path().join("logs"));
        let capture = Capture::open(CaptureConfig { folder, limits, own: None }).unwrap();
        Self { home, capture }
    }

    /// The node says this, and it is captured.
    fn say_at(&mut self, now: Stamp, words: &str) {
        let raw = OpenOptions::new().append(true).create(true).open(self.home.path().join("logs/node.raw"));
        raw.unwrap().write_all(words.as_bytes()).unwrap();
        while self.capture.pass(now, &mut |_, _| {}).unwrap() {}
    }

    fn say(&mut self, words: &str) {
        self.say_at(now(), words);
    }

    fn command(&self, args: &[&str]) -> Command {
        command(self.home.path(), args)
    }

    fn beam(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}

fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beam"));
    command.arg("logs").args(args).arg("--home").arg(home).stdin(Stdio::null());
    command
}

/// On a machine on which nothing is captured.
fn elsewhere(args: &[&str]) -> Output {
    command(Path::new("/nowhere"), args).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The texts of the lines, without stamp and mark.
fn texts(output: &Output) -> Vec<String> {
    out(output).lines().map(|line| line[Stamp::LEN + 3..].to_owned()).collect()
}

#[test]
fn causes_are_named_and_the_exit_code_says_how_bad_it_is() {
    for (name, exit, code_of_cause) in [
        ("plain-upgrade-needed", 2, "CRITICAL  upgrade-needed"),
        ("json-signer-lost", 2, "CRITICAL  signer-gone"),
        ("plain-disk-full", 2, "CRITICAL  disk-full"),
        ("plain-bad-peers", 1, "warning   bad-address"),
        ("json-wrong-network", 1, "warning   wrong-network"),
        ("plain-foreign-knock", 0, "info      foreign-knocks"),
        ("plain-clean-stop", 0, "nothing found"),
    ] {
        let output = elsewhere(&["analyze", fixture(name).to_str().unwrap()]);
        assert_eq!(code(&output), exit, "{name}: {}{}", out(&output), err(&output));
        assert!(out(&output).contains(code_of_cause), "{name}: {}", out(&output));
        assert_eq!(err(&output), "", "data alone");
    }
    let text = out(&elsewhere(&["analyze", fixture("plain-upgrade-needed").to_str().unwrap()]));
    assert!(
        text.contains("height 497") && text.contains("do:   stop the node, put the upgrade's binary"),
        "{text}"
    );
}

#[test]
fn several_files_are_one_log_plain_or_compressed_or_from_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    // Named as if it were plain: what counts is what is in it.
    let packed = dir.path().join("old.log");
    let mut gz = GzEncoder::new(File::create(&packed).unwrap(), Compression::fast());
    gz.write_all(&fs::read(fixture("plain-upgrade-needed")).unwrap()).unwrap();
    gz.finish().unwrap();
    let mut child =
        command(Path::new("/nowhere"), &["analyze", packed.to_str().unwrap(), "-", "--output", "json"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let after = fs::read(fixture("plain-upgrade-applied")).unwrap();
    child.stdin.take().unwrap().write_all(&after).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 1);
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&result["schema"], &result["whole"]), (&"beam.logs.analysis/1".into(), &true.into()));
    let needed = &result["findings"][0];
    assert_eq!((needed["code"].as_str(), needed["over"].as_bool()), (Some("upgrade-needed"), Some(true)));
    assert_eq!((needed["severity"].as_str(), needed["last_height"].as_u64()), (Some("warning"), Some(497)));
    assert_eq!(needed["subjects"][0]["name"], "v2");
    assert_eq!(result["lines"]["all"], 20 + 40);
}

#[test]
fn what_cannot_be_read_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    for (args, words) in [
        (vec!["analyze", "/nowhere/x.log"], "/nowhere/x.log cannot be read"),
        (vec!["analyze", folder], "is a folder; name the files in it"),
        (vec!["analyze"], "name a FILE"),
        (vec!["analyze", "-", "--since", "yesterday"], "say how long ago (2h, 30m)"),
        (vec!["analyze", "-", "--validator", "me"], "neither 40 hexadecimal digits"),
        (vec!["-f", "--until", "1h"], "leave one out"),
        (vec!["--level", "silly"], "possible values"),
    ] {
        let output = elsewhere(&args);
        assert_eq!(code(&output), 64, "{args:?}: {}", err(&output));
        assert!(err(&output).contains(words) && out(&output).is_empty(), "{args:?}: {}", err(&output));
    }
    let plain = fixture("plain-chain-halted");
    let untimed = elsewhere(&["analyze", plain.to_str().unwrap(), "--since", "1h"]);
    assert_eq!(code(&untimed), 64);
    assert!(err(&untimed).contains("carry no time"), "{}", err(&untimed));
    let none = elsewhere(&[]);
    assert_eq!(code(&none), 2);
    assert!(err(&none).contains("`beam start` captures"), "{}", err(&none));

    // A compressed log that was cut short: what is there counts, and that there was more is said.
    let cut = dir.path().join("cut.gz");
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&fs::read(fixture("plain-clean-stop")).unwrap()).unwrap();
    let whole = gz.finish().unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let output = elsewhere(&["analyze", cut.to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("was not read to its end"), "{}", err(&output));
}

#[test]
fn the_last_lines_come_in_order_through_rotated_and_compressed_files() {
    let mut host = Host::new(2000);
    for number in 0..500 {
        host.say(&format!("{number}\n"));
    }
    assert!(fs::read_dir(host.home.path().join("logs")).unwrap().count() > 5, "it was rotated");
    let expected = |from: usize| (from..500).map(|number| number.to_string()).collect::<Vec<_>>();
    assert_eq!(texts(&host.beam(&[])), expected(450));
    assert_eq!(texts(&host.beam(&["-n", "300"])), expected(200));
    assert_eq!(texts(&host.beam(&["-n", "9999"])), expected(0));
    assert_eq!(texts(&host.beam(&["--since", "1h"])), expected(0));
    assert_eq!(texts(&host.beam(&["-n", "0"])), expected(500));
}

#[test]
fn lines_are_selected_by_time_level_and_words() {
    let mut host = Host::new(1 << 20);
    let at = |minute: u64| Stamp::at_ms(1_795_332_800_000 + minute * 60_000);
    for minute in 0..10 {
        host.say_at(at(minute), &format!("7:31AM \u{1b}[32mINF\u{1b}[0m minute {minute} module=p2p\n"));
    }
    host.say_at(at(10), "7:31AM \u{1b}[31mERR\u{1b}[0m bad module=consensus\npanic: worse\n\tat x.go:1\n");
    let (five, nine) = (at(5).to_string(), at(9).to_string());
    let some = host.beam(&["--since", &five, "--until", &nine]);
    assert_eq!(texts(&some).len(), 5);
    assert!(texts(&some)[0].contains("INF minute 5") && !out(&some).contains('\u{1b}'), "{}", out(&some));
    let loud = texts(&host.beam(&["--level", "error"]));
    assert_eq!(loud, ["7:31AM ERR bad module=consensus", "panic: worse", "\tat x.go:1"]);
    assert_eq!(texts(&host.beam(&["--grep", "minute 7"])).len(), 1);

    let analysis = host.beam(&["analyze", "--since", &nine]);
    assert_eq!(code(&analysis), 2, "{}", out(&analysis));
    assert!(
        out(&analysis).contains("CRITICAL  panic") && out(&analysis).contains("9 of them outside"),
        "{}",
        out(&analysis)
    );
}

/// A program that follows, and what it prints.
struct Following {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Following {
    fn start(host: &Host, args: &[&str]) -> Self {
        let mut child = host.command(args).stdout(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(WITHIN).expect("a line")[Stamp::LEN + 3..].to_owned()
    }
}

#[test]
fn following_shows_every_line_across_rotations_and_ends_well_on_ctrl_c() {
    let mut host = Host::new(2000);
    host.say("before\n");
    let mut following = Following::start(&host, &["-f", "-n", "1"]);
    assert_eq!(following.next(), "before");
    for number in 0..300 {
        host.say(&format!("{number}\n"));
    }
    for number in 0..300 {
        assert_eq!(following.next(), number.to_string());
    }
    let pid = Pid::from_raw(following.child.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(following.child.wait().unwrap().code(), Some(0));
}

#[test]
fn whoever_has_seen_enough_may_close_the_pipe() {
    let mut host = Host::new(1 << 30);
    host.say(&"many lines that fill a pipe\n".repeat(20_000));
    let mut child =
        host.command(&["--since", "1h"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), err(&output).as_str()), (0, ""));
    assert!(first.ends_with("many lines that fill a pipe\n"));
}

#[test]
fn help_has_an_example() {
    for args in [&["--help"][..], &["analyze", "--help"]] {
        let output = elsewhere(args);
        assert_eq!(code(&output), 0);
        assert!(out(&output).contains("beam logs analyze"), "{}", out(&output));
    }
}
