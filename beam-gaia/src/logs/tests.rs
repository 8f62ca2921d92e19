//! With real files and, where it matters, a real child that writes.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use beam_core::logs::{Captured, Clue, Limits, Mark, Stamp};
use tempfile::TempDir;

use super::*;
use crate::process::last_words;

const WITHIN: Duration = Duration::from_secs(60);
const MIB: u64 = 1024 * 1024;
const ROOMY: Limits = Limits {
    rotate_bytes: 1024 * MIB,
    rotate_after: Duration::from_secs(24 * 3600),
    total_bytes: 4096 * MIB,
};

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> LogFolder {
        LogFolder::new(self.0.path())
    }

    fn capture(&self, limits: Limits) -> Capture {
        Capture::open(CaptureConfig { folder: self.folder(), limits, own: None }).unwrap()
    }

    /// Opened as the node's standard output is.
    fn raw(&self) -> File {
        OpenOptions::new().append(true).create(true).open(self.folder().raw()).unwrap()
    }

    fn say(&self, words: &str) {
        self.raw().write_all(words.as_bytes()).unwrap();
    }

    /// A real child that says what this script does.
    fn child(&self, script: &str) -> Child {
        Command::new("sh").args(["-c", script]).stdout(self.raw()).spawn().unwrap()
    }

    /// Everything that was captured, in order: mark and text.
    fn captured(&self) -> Vec<(Mark, String)> {
        let mut lines = Vec::new();
        for source in LogSource::captured(&self.folder()).unwrap() {
            let of_raw = matches!(&source, LogSource::Part { path, .. } if *path == self.folder().raw());
            let read = source.lines(Arc::default(), |part| {
                assert!(!of_raw, "not captured: {}", String::from_utf8_lossy(part.text));
                let line = Captured::read(part.text)
                    .unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(part.text)));
                lines.push((line.mark, String::from_utf8(line.text.to_vec()).unwrap()));
                true
            });
            read.unwrap();
        }
        lines
    }

    fn said(&self) -> Vec<String> {
        self.captured().into_iter().filter(|(mark, _)| *mark != Mark::Note).map(|(_, text)| text).collect()
    }

    fn files(&self, end: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.to_string_lossy().ends_with(end)).collect()
    }
}

fn quiet(_: Stamp, _: Clue) {}

fn all(capture: &mut Capture) {
    while capture.pass(now(), &mut quiet).unwrap() {}
}

/// Waits until this holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < WITHIN, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn no_line_is_lost_or_doubled_when_pilots_are_killed_while_the_node_writes_and_files_are_closed() {
    const LINES: usize = 400_000;
    let home = Home::new();
    // In blocks that end anywhere; each time it has said a part it waits for a pilot's turn, so that there are several.
    let script = "for n in 0 1 2 3 4 5 6 7; do seq $((n*50000+1)) $((n*50000+50000)); read _; done";
    let mut child =
        Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).stdout(home.raw()).spawn().unwrap();
    let mut turns = child.stdin.take().unwrap();
    let small = Limits { rotate_bytes: 512 * 1024, total_bytes: 4096 * MIB, ..ROOMY };
    let (ended, waited) = std::sync::mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait()));
    let mut pilots = 0;
    while waited.try_recv().is_err() {
        pilots += 1;
        // Nobody takes it when the last part is said.
        let _ = turns.write_all(b"\n");
        let mut capture = home.capture(small);
        for _ in 0..3 {
            capture.pass(now(), &mut quiet).unwrap();
        }
        let noted = Place::noted(&home.folder());
        let before = fs::read(home.folder().place()).ok();
        capture.pass(now(), &mut quiet).unwrap();
        let still =
            Place::noted(&home.folder()).map(|place| place.log_inode) == noted.map(|place| place.log_inode);
        drop(capture);
        // Every other one is killed after it wrote the log and before it noted the place.
        if let (Some(before), true, 0) = (before, still, pilots % 2) {
            fs::write(home.folder().place(), before).unwrap();
        }
    }
    let mut last = home.capture(small);
    last.finish(now(), &mut quiet).unwrap();
    drop(last);
    let said = home.said();
    assert_eq!(said.len(), LINES);
    let wrong = said.iter().zip(1_usize..).find(|(line, number)| **line != number.to_string());
    assert_eq!(wrong, None);
    assert!(pilots >= 8 && home.folder().closed().unwrap().len() > 5, "{pilots} pilots");
}

const KILLED: &str = "BEAM_TEST_KILLED_CAPTURE";

/// Not a test of its own: what is killed.
#[test]
fn captures_until_killed() {
    let Ok(path) = std::env::var(KILLED) else { return };
    let limits = Limits { rotate_bytes: 256 * 1024, ..ROOMY };
    let mut capture =
        Capture::open(CaptureConfig { folder: LogFolder::new(path), limits, own: None }).unwrap();
    loop {
        capture.pass(now(), &mut quiet).unwrap();
    }
}

#[test]
fn a_kill_at_any_moment_costs_no_line_and_doubles_none() {
    const KILLS: u64 = 40;
    let home = Home::new();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let mut raw = home.raw();
    let writer = std::thread::spawn(move || {
        let mut lines = 0_u64;
        while stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
            let some: String = (lines..lines + 50).map(|number| format!("{number}\n")).collect();
            raw.write_all(some.as_bytes()).unwrap();
            lines += 50;
            std::thread::sleep(Duration::from_micros(500));
        }
        lines
    });
    for kill in 0..KILLS {
        let mut pilot = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "logs::tests::captures_until_killed"])
            .env(KILLED, home.0.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let before = Place::noted(&home.folder());
        until("it captures", || Place::noted(&home.folder()) != before);
        // At a moment that has nothing to do with what it does.
        std::thread::sleep(Duration::from_micros(kill * 1_237 % 20_000));
        pilot.kill().unwrap();
        pilot.wait().unwrap();
    }
    drop(stop);
    let lines = writer.join().unwrap();
    let mut last = home.capture(ROOMY);
    last.finish(now(), &mut quiet).unwrap();
    let said = home.said();
    let wrong = said.iter().zip(0_u64..).find(|(line, number)| **line != number.to_string());
    assert_eq!((wrong, said.len() as u64), (None, lines));
    assert!(home.folder().closed().unwrap().len() > 3, "files were closed meanwhile");
}

#[test]
fn what_was_there_before_the_pilot_came_is_marked_and_what_comes_after_is_not() {
    let home = Home::new();
    home.say("old\nhalf");
    let mut capture = home.capture(ROOMY);
    home.say(" and half\nnew\n");
    all(&mut capture);
    let marks: Vec<_> = home.captured();
    assert_eq!(marks[0].0, Mark::Note);
    assert!(marks[0].1.starts_with("8 bytes were there"), "{}", marks[0].1);
    assert_eq!(
        marks[1..],
        [(Mark::Found, "old".into()), (Mark::Said, "half and half".into()), (Mark::Said, "new".into())]
    );
    drop(capture);
    let mut next = home.capture(ROOMY);
    home.say("next\n");
    all(&mut next);
    assert_eq!(home.captured()[4..], [(Mark::Said, "next".into())], "nothing had piled up");
}

#[test]
fn a_line_without_an_end_is_held_and_then_written_as_it_is() {
    let home = Home::new();
    home.say("");
    let mut capture = home.capture(ROOMY);
    home.say("never");
    let (began, soon) = (Stamp::at_ms(1_000_000), Stamp::at_ms(1_001_999));
    for now in [began, soon] {
        capture.pass(now, &mut quiet).unwrap();
        assert_eq!(home.files("node.log").iter().map(|log| log.metadata().unwrap().len()).sum::<u64>(), 0);
    }
    capture.pass(Stamp::at_ms(1_002_000), &mut quiet).unwrap();
    home.say(" ends\nnext\n");
    all(&mut capture);
    let expected = [(Mark::Said, "never"), (Mark::Rest, " ends"), (Mark::Said, "next")];
    assert_eq!(home.captured(), expected.map(|(mark, text)| (mark, text.to_owned())));
}

#[test]
fn stamps_are_utc_with_milliseconds_and_the_text_is_untouched() {
    let home = Home::new();
    home.say("");
    let mut capture = home.capture(ROOMY);
    let words = b"\x1b[90m7:31AM\x1b[0m \xff\r\tx";
    home.raw().write_all(&[&words[..], b"\n"].concat()).unwrap();
    capture.pass(Stamp::at_ms(1_795_332_800_123), &mut quiet).unwrap();
    let log = fs::read(home.folder().open_log()).unwrap();
    assert_eq!(log, [b"2026-11-22T07:33:20.123Z | ", &words[..], b"\n"].concat());
}

#[test]
fn files_are_closed_by_size_and_age_compressed_and_the_oldest_removed() {
    let home = Home::new();
    home.say("");
    let limits = Limits { rotate_bytes: 40_000, rotate_after: Duration::from_secs(60), total_bytes: 600_000 };
    let mut capture = home.capture(limits);
    // What a crashed keeper may leave.
    fs::write(home.0.path().join("node-000001-x.log.gz.part"), "half").unwrap();
    let noise: Vec<String> =
        (0..40_000_u64).map(|n| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    for some in noise.chunks(1000) {
        home.say(&some.concat());
        all(&mut capture);
    }
    until("everything is compressed", || {
        all(&mut capture);
        home.folder().closed().unwrap().iter().all(|file| file.compressed) && home.files(".part").is_empty()
    });
    home.say("last\n");
    all(&mut capture);
    let closed = home.folder().closed().unwrap();
    let numbers: Vec<u64> = closed.iter().map(|file| file.number).collect();
    assert!(numbers[0] > 1 && numbers.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
    let bytes: u64 = closed.iter().map(|file| file.path.metadata().unwrap().len()).sum();
    let raw = fs::metadata(home.folder().raw()).unwrap().blocks() * 512;
    let slack = 3 * limits.rotate_bytes;
    assert!(bytes + raw <= limits.total_bytes + raw.max(slack), "{bytes} + {raw}");
    let said = home.said();
    assert!(said.len() > 1000 && noise.concat().ends_with(&(said[..said.len() - 1].join("\n") + "\n")));

    // By age: the clock is a minute further.
    let before = closed.len();
    home.say("later\n");
    capture.pass(Stamp::at_ms(now().ms() + 61_000), &mut quiet).unwrap();
    let closed = home.folder().closed().unwrap();
    assert!(closed.last().unwrap().number > numbers[before - 1]);
    assert!(fs::read_to_string(home.folder().open_log()).unwrap().ends_with("| later\n"));
}

#[test]
fn what_was_read_is_given_back_and_last_words_are_still_found() {
    let home = Home::new();
    let mut capture = home.capture(ROOMY);
    let line = "x".repeat(1023) + "\n";
    for _ in 0..16 {
        home.say(&line.repeat(1024));
        all(&mut capture);
    }
    // Whenever something is given back, the words that tell are there, under their stack.
    for number in 0..40 {
        home.say(&(format!("panic: {number}\n") + &"\tx.go:1\n".repeat(6000)));
        all(&mut capture);
        assert_eq!(last_words(&home.folder().raw(), 0).unwrap().unwrap(), format!("panic: {number}"));
    }
    home.say("panic: the end\n");
    all(&mut capture);
    let raw = fs::metadata(home.folder().raw()).unwrap();
    assert!(raw.len() > 16 * MIB, "its length only grows");
    assert!(raw.blocks() * 512 < 4 * MIB, "{} bytes on the disk", raw.blocks() * 512);
    assert_eq!(last_words(&home.folder().raw(), 0).unwrap().unwrap(), "panic: the end");
    // A pilot that has lost its place begins with what is left, not with holes.
    fs::remove_file(home.folder().place()).unwrap();
    drop(capture);
    let mut next = home.capture(ROOMY);
    all(&mut next);
    assert!(home.captured().contains(&(Mark::Found, "panic: the end".to_owned())));
    assert!(!home.captured().iter().any(|(_, text)| text.contains('\0')));
}

#[test]
fn where_no_holes_can_be_made_the_raw_file_is_emptied_when_it_is_long() {
    let home = Home::new();
    home.say("");
    let mut capture = home.capture(ROOMY);
    capture.without_holes();
    let line = "x".repeat(32 * 1024 - 1) + "\n";
    let count = usize::try_from(SPOOL_LEN_MAX / (32 * 1024)).unwrap() + 10;
    for _ in 0..count / 10 + 1 {
        home.say(&line.repeat(10));
        all(&mut capture);
    }
    home.say("after\n");
    all(&mut capture);
    assert!(fs::metadata(home.folder().raw()).unwrap().len() < SPOOL_LEN_MAX / 2);
    let said = home.said();
    assert_eq!((said.len(), said.last().unwrap().as_str()), ((count / 10 + 1) * 10 + 1, "after"));
}

#[test]
fn a_raw_file_that_is_emptied_or_replaced_by_somebody_is_read_on() {
    let home = Home::new();
    home.say("one\n");
    let mut capture = home.capture(ROOMY);
    all(&mut capture);
    OpenOptions::new().write(true).open(home.folder().raw()).unwrap().set_len(0).unwrap();
    home.say("2\n");
    all(&mut capture);
    fs::rename(home.folder().raw(), home.0.path().join("away")).unwrap();
    all(&mut capture);
    home.say("three is longer\n");
    all(&mut capture);
    assert_eq!(home.said(), ["one", "2", "three is longer"]);
}

const LIMITED: &str = "BEAM_TEST_LIMITED_LOG";

/// How many lines of the node's a log has.
fn said_in(log: &str) -> u64 {
    log.lines().filter(|line| !line.contains(" # ")).count() as u64
}

/// Not a test of its own: what the limited process runs.
#[test]
fn limited() {
    let Ok(path) = std::env::var(LIMITED) else { return };
    let folder = LogFolder::new(path);
    let mut capture =
        Capture::open(CaptureConfig { folder: folder.clone(), limits: ROOMY, own: None }).unwrap();
    let (mut clues, mut failed, mut written) = (0, 0, 0);
    let began = Instant::now();
    while clues == 0 {
        failed += u64::from(capture.pass(now(), &mut |_, _| clues += 1).is_err());
        assert!(began.elapsed() < WITHIN, "no clue");
    }
    assert!(failed > 0 && capture.state().dropped > 0, "the limit does not limit");
    // Somebody makes room, a little at a time.
    let mut told = String::new();
    loop {
        let log = OpenOptions::new().write(true).open(folder.open_log()).unwrap();
        let text = fs::read_to_string(folder.open_log()).unwrap();
        written += said_in(&text);
        told.extend(text.lines().filter(|line| line.contains(" # dropped ")));
        log.set_len(0).unwrap();
        if capture.pass(now(), &mut |_, _| clues += 1).is_ok() {
            break;
        }
        assert!(began.elapsed() < WITHIN, "it does not recover");
    }
    println!("written {written} clues {clues} told {told:?} dropped {}", capture.state().dropped);
    let in_notes =
        told.split("# dropped ").skip(1).filter_map(|note| note.split(' ').next()?.parse::<u64>().ok());
    assert_eq!(in_notes.sum::<u64>(), capture.state().dropped);
    let lines = written + said_in(&fs::read_to_string(folder.open_log()).unwrap());
    println!("accounted for {}", lines + capture.state().dropped);
    assert_eq!(capture.state().lines, lines);
}

#[test]
fn a_full_disk_costs_lines_that_are_counted_and_no_clue() {
    const LINES: u64 = 120_000;
    let home = Home::new();
    let mut raw = home.raw();
    // A process over its limit gets a signal that ends it, unless it is ignored: a shell can see to both.
    let limited = Command::new("sh")
        .args(["-c", r#"trap '' XFSZ; ulimit -f 512; exec "$0" --exact logs::tests::limited --nocapture"#])
        .arg(std::env::current_exe().unwrap())
        .env(LIMITED, home.0.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    until("it has begun", || home.folder().place().exists());
    for some in 0..LINES / 1000 {
        raw.write_all((0..1000).map(|n| format!("{:060}\n", some * 1000 + n)).collect::<String>().as_bytes())
            .unwrap();
    }
    raw.write_all(b"7:31AM ERR CONSENSUS FAILURE!!! err=x\n").unwrap();
    let limited = limited.wait_with_output().unwrap();
    let output = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success() && output.contains("clues 1 "), "{output}");
    assert!(output.contains(&format!("accounted for {}", LINES + 1)), "{output}");
}

#[test]
fn a_follower_misses_no_line_across_rotations() {
    let home = Home::new();
    home.say("before\n");
    let limits = Limits { rotate_bytes: 4000, ..ROOMY };
    let mut capture = home.capture(limits);
    all(&mut capture);
    let mut follow = Follow::from_end(home.folder()).unwrap();
    let mut seen = Vec::new();
    for turn in 0..60 {
        for number in 0..40 {
            home.say(&format!("{}\n", turn * 40 + number));
        }
        all(&mut capture);
        // Sometimes it looks away for several rotations.
        if turn % 7 < 3 {
            follow.pass(|line| seen.push(String::from_utf8(line[28 - 1..].to_vec()).unwrap())).unwrap();
        }
    }
    follow.pass(|line| seen.push(String::from_utf8(line[28 - 1..].to_vec()).unwrap())).unwrap();
    let expected: Vec<String> = (0..2400).map(|number| number.to_string()).collect();
    assert!(home.folder().closed().unwrap().len() > 10);
    assert_eq!(seen, expected);
}

#[test]
fn everything_can_be_read_while_it_is_captured() {
    let home = Home::new();
    home.say("");
    let mut capture = home.capture(ROOMY);
    home.say("captured\n");
    all(&mut capture);
    home.say("not yet\n");
    let mut lines = Vec::new();
    for source in LogSource::captured(&home.folder()).unwrap() {
        source
            .lines(Arc::default(), |part| {
                lines.push(String::from_utf8(part.text.to_vec()).unwrap());
                true
            })
            .unwrap();
    }
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("| captured") && lines[1] == "not yet", "{lines:?}");
}

#[tokio::test]
async fn other_limits_hold_for_what_is_said_and_for_what_is_there() {
    let home = Home::new();
    let config = CaptureConfig { folder: home.folder(), limits: ROOMY, own: None };
    let thread = CaptureThread::start(config).unwrap();
    let said = |lines: u64| format!("for n in $(seq 200); do echo \"line $n of {lines}\"; done");
    let (closed, state) = (|| home.folder().closed().unwrap().len(), thread.state());
    let written = async |lines: u64| {
        let mut state = state.clone();
        tokio::time::timeout(WITHIN, state.wait_for(|state| state.lines >= lines)).await.unwrap().unwrap();
    };
    home.child(&said(1)).wait().unwrap();
    written(200).await;
    assert_eq!(closed(), 0, "there is room");
    thread.limit(Limits { rotate_bytes: 100, ..ROOMY });
    for burst in 2..=4 {
        home.child(&said(burst)).wait().unwrap();
        written(200 * burst).await;
    }
    assert!(closed() >= 3, "the open file was closed by the new limit, again and again: {}", closed());
    // Now for what is closed already, while nobody says anything.
    thread.limit(Limits { rotate_bytes: 100, total_bytes: 0, ..ROOMY });
    let deadline = Instant::now() + WITHIN;
    while closed() > 1 {
        assert!(Instant::now() < deadline, "{} files are left", closed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    thread.stop().await;
}

#[tokio::test]
async fn a_running_capture_tells_clues_and_writes_the_last_words_down() {
    let home = Home::new();
    let config = CaptureConfig { folder: home.folder(), limits: ROOMY, own: None };
    let thread = CaptureThread::start(config).unwrap();
    let mut clues = thread.clues();
    let mut child =
        home.child("echo '7:31AM ERR SignerListener: Ping timeout module=privval'; printf 'panic: last'");
    let (_, clue) = tokio::time::timeout(WITHIN, clues.recv()).await.unwrap().unwrap();
    assert_eq!(clue, Clue::SignerGone);
    child.wait().unwrap();
    let state = thread.state();
    thread.stop().await;
    assert_eq!(*state.borrow(), CaptureState { lines: 2, dropped: 0, trouble: None });
    assert_eq!(home.said().last().unwrap(), "panic: last");
}
