//! Nothing acknowledged is lost on kill -9: processes race on one register file and are killed at random moments.
//!
//! Each value holds the digests of the values before it, so that whoever writes bears witness to what it found. What a
//! process was told to have won must be exactly what all later ones found at that version.

#![cfg(all(feature = "sqlite", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy takes what a test calls for code that is no test"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use beam_core::register::{Register as _, RegisterKey, SwapError, Version};
use beam_core::sqlite::SqliteRegister;
use beam_core::testing::Dice;

/// Tells a process started by the test that it is a writer, and on which file.
const FILE: &str = "BEAM_TEST_KILL_FILE";
/// Makes each writer's values unlike all others.
const WRITER: &str = "BEAM_TEST_KILL_WRITER";
/// Another seed than 1, to look for more.
const SEED: &str = "BEAM_TEST_SEED";

const WRITERS: usize = 4;
const KILLS: u64 = 40;
/// How many former values a value bears witness to: more than can go unacknowledged in a row.
const WITNESSED: usize = 16;

fn key() -> RegisterKey {
    RegisterKey::signing(&"kill-1".parse().unwrap(), &"E".repeat(40)).unwrap()
}

fn digest(value: &[u8]) -> u64 {
    value
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}

/// The digests of the values before, the latest first, as they stand in a value.
fn witnessed(value: &[u8]) -> Vec<u64> {
    value[16..].chunks(8).map(|chunk| u64::from_be_bytes(chunk.try_into().unwrap())).collect()
}

/// What follows a value: who writes it, a count, and what it bears witness to.
fn successor(former: Option<&[u8]>, writer: u64, count: u64) -> Vec<u8> {
    let mut digests: Vec<u64> = former
        .map(|value| (digest(value), witnessed(value)))
        .into_iter()
        .flat_map(|(latest, older)| std::iter::once(latest).chain(older))
        .collect();
    digests.truncate(WITNESSED);
    [writer, count].into_iter().chain(digests).flat_map(u64::to_be_bytes).collect()
}

/// Not a test of its own: what the killed processes run. It swaps as fast as it can and says each time that it won.
#[tokio::test]
async fn writer() {
    let Ok(path) = std::env::var(FILE) else { return };
    let writer: u64 = std::env::var(WRITER).unwrap().parse().unwrap();
    let register = SqliteRegister::open(path).await.unwrap();
    let mut current = register.read(&key()).await.unwrap();
    // The test harness has begun a line.
    println!();
    for count in 0.. {
        let value = successor(current.as_ref().map(|cell| &*cell.value), writer, count);
        match register.swap(&key(), current.as_ref().map(|cell| cell.version), value.clone()).await {
            Ok(version) => {
                let seen: Vec<_> = witnessed(&value).iter().map(ToString::to_string).collect();
                let line = format!("won {version} {} {}\n", digest(&value), seen.join(" "));
                // One write: a line arrives whole or not at all.
                std::io::stdout().write_all(line.as_bytes()).unwrap();
                current = Some(beam_core::register::Cell { version, value });
            }
            Err(SwapError::Conflict { current: found }) => current = found,
            Err(error) => {
                println!("trouble {error:?}");
                current = register.read(&key()).await.unwrap();
            }
        }
    }
}

struct Writer {
    process: Child,
    lines: JoinHandle<Vec<String>>,
}

impl Writer {
    fn start(file: &Path, number: u64) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer", "--nocapture", "--test-threads=1"])
            .env(FILE, file)
            .env(WRITER, number.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        // Drained all the time, so that no writer waits for us.
        let lines = std::thread::spawn(move || output.lines().map_while(Result::ok).collect());
        Self { process, lines }
    }

    /// kill -9, and what it had said.
    fn kill(mut self) -> Vec<String> {
        assert!(self.process.try_wait().unwrap().is_none(), "a writer ended by itself");
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.lines.join().unwrap()
    }
}

/// What was acknowledged: by version, the digest of the value and of those before it.
#[derive(Default)]
struct Acknowledged(BTreeMap<u64, (u64, Vec<u64>)>);

impl Acknowledged {
    fn take(&mut self, lines: Vec<String>) {
        for line in lines {
            assert!(!line.starts_with("trouble"), "{line}");
            let Some(numbers) = line.strip_prefix("won ") else {
                continue;
            };
            let numbers: Vec<u64> =
                numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
            let other = self.0.insert(numbers[0], (numbers[1], numbers[2..].to_vec()));
            assert!(other.is_none(), "version {} was acknowledged twice", numbers[0]);
        }
    }

    /// Every later witness saw at each version exactly what was acknowledged there.
    fn check(&self, version: u64, former: &[u64]) -> usize {
        let seen = (1..version).rev().zip(former);
        let known =
            seen.filter_map(|(version, seen)| self.0.get(&version).map(|(told, _)| (version, told, seen)));
        known.map(|(version, told, seen)| assert_eq!(told, seen, "version {version} was not kept")).count()
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_on_kill_9() {
    let seed = std::env::var(SEED).map_or(1, |seed| seed.parse().unwrap());
    println!("to repeat: {SEED}={seed}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("register.db");
    drop(SqliteRegister::create(&file).await.unwrap());

    let mut dice = Dice::new(seed);
    let mut started = 0..;
    let mut start = || Writer::start(&file, started.next().unwrap());
    let mut writers: Vec<_> = (0..WRITERS).map(|_| start()).collect();
    let (mut acknowledged, mut killed) = (Acknowledged::default(), 0);
    while killed < KILLS {
        std::thread::sleep(Duration::from_micros(dice.below(300_000)));
        // Now and then all at once: the next one must recover the log.
        let victims = if dice.below(4) == 0 { WRITERS } else { 1 };
        for _ in 0..victims {
            let victim = usize::try_from(dice.below(u64::try_from(writers.len()).unwrap())).unwrap();
            acknowledged.take(writers.swap_remove(victim).kill());
            killed += 1;
        }
        writers.extend((0..victims).map(|_| start()));
    }
    std::thread::sleep(Duration::from_millis(500));
    for writer in writers {
        acknowledged.take(writer.kill());
        killed += 1;
    }

    let last = SqliteRegister::open(&file).await.unwrap().read(&key()).await.unwrap().unwrap();
    let (highest, (told, _)) = acknowledged.0.last_key_value().unwrap();
    assert!(last.version >= Version(*highest), "{highest} was acknowledged, and {} is there", last.version);
    if last.version == Version(*highest) {
        assert_eq!(digest(&last.value), *told);
    }
    let mut checked = acknowledged.check(last.version.0, &witnessed(&last.value));
    checked += acknowledged
        .0
        .iter()
        .map(|(version, (_, former))| acknowledged.check(*version, former))
        .sum::<usize>();

    // A process that is killed between its commit and its word leaves one version that nobody was told of.
    let told = u64::try_from(acknowledged.0.len()).unwrap();
    let untold = last.version.0 - told;
    println!("{told} acknowledged, {untold} not, {killed} killed, {checked} checks");
    assert!(untold <= killed, "{untold} versions that nobody was told of, after {killed} kills");
    assert!(told > 100, "only {told} swaps were acknowledged");
}
