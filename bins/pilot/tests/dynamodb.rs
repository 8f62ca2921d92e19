//! Two machines that share a DynamoDB table, on a real chain: what a dead owner costs, what a month costs, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;
mod offline;

use std::time::{Duration, Instant};

use beam_aws::dynamodb::cost::{PER_BLOCK, US_EAST_1, month};
use beam_examples::dynamodb_local::DynamoDbLocal;
use beam_examples::install::to_stderr;
use beam_examples::machine::{MachinePlan, RegisterPlan};
use beam_examples::network::NetworkPlan;
use beam_examples::proxy::{Proxy, Weather};
use beam_examples::tap::Tap;
use common::{BLOCK_TIME, Trial, WITHIN};
use offline::{Host, Said};
use tempfile::TempDir;

/// From one zone to another is 1 ms; this is from one region to the next.
const DELAY: Duration = Duration::from_millis(20);

/// Two machines and, far away, a table that they share.
struct Far {
    trial: Trial,
    /// Counts what is asked.
    tap: Tap,
    _wire: Proxy,
    _local: DynamoDbLocal,
    _dir: TempDir,
}

impl Far {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = DynamoDbLocal::start(dir.path(), to_stderr).await.unwrap();
        let tap = Tap::start(local.address()).await.unwrap();
        let wire = Proxy::start(tap.address()).unwrap();
        wire.set(Weather { delay: DELAY, ..Weather::FINE });
        let endpoint = format!("http://{}", wire.address());
        let register = RegisterPlan::DynamoDb { table: "beam".to_owned(), endpoint };
        let network = NetworkPlan { block_time: BLOCK_TIME, ..NetworkPlan::default() };
        let mut trial = Trial::prepare_on(network, MachinePlan { register, ..MachinePlan::default() }).await;
        trial.starts().await;
        Self { trial, tap, _wire: wire, _local: local, _dir: dir }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_machine_killed_costs_nothing_with_20_ms_on_the_wire() {
    let Far { mut trial, tap: _tap, _wire, _local, _dir } = Far::start().await;
    let owner = trial.owner().await;
    let killed_at = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&owner).unwrap().kill_machine();
    trial.signs_beyond(killed_at + 3).await;
    assert_ne!(trial.owner().await, owner);
    trial.ends_well(0).await;
}

/// A table with more calls than it has capacity for refuses some of them, here a third, for whoever asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_table_costs_nothing_and_a_takeover_with_it_neither() {
    let Far { mut trial, tap, _wire, _local, _dir } = Far::start().await;
    tap.refuse(33);
    let throttled_at = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(throttled_at + 5).await;
    let owner = trial.owner().await;
    let killed_at = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&owner).unwrap().kill_machine();
    trial.signs_beyond(killed_at + 3).await;
    assert!(tap.refused() > 20, "{} calls were refused", tap.refused());
    tap.refuse(0);
    assert_ne!(trial.owner().await, owner);
    trial.ends_well(0).await;
}

/// Nobody can sign while nobody reaches the table; when it answers again, signing goes on by itself, and nothing was signed twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_half_a_minute_ends_by_itself() {
    const OUTAGE: Duration = Duration::from_secs(30);
    let Far { mut trial, tap: _tap, _wire: wire, _local, _dir } = Far::start().await;
    wire.set(Weather::BLACK_HOLE);
    tokio::time::sleep(OUTAGE).await;
    let out_at = trial.lab.chain.height().await.unwrap();
    wire.set(Weather { delay: DELAY, ..Weather::FINE });
    let back = Instant::now();
    trial.signs_beyond(out_at).await;
    println!("signed again {:?} after the table answered again", back.elapsed());
    trial.both_in_step().await;
    // The outage's own blocks cannot be had.
    trial.from = trial.lab.chain.height().await.unwrap() + 1;
    let next = trial.from;
    trial.signs_beyond(next + 2).await;
    trial.ends_well(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_takes_as_many_calls_as_the_price_is_worked_out_from() {
    const BLOCKS: u64 = 10;
    let Far { trial, tap, _wire, _local, _dir } = Far::start().await;
    let from = trial.lab.chain.height().await.unwrap();
    trial.lab.chain.wait_height(from + 1, WITHIN).await.unwrap();
    let before = tap.calls();
    let to = trial.lab.chain.wait_height(from + 1 + BLOCKS, WITHIN).await.unwrap();
    let after = tap.calls();
    let per_block = |action: &str| {
        let made = after[action] - before.get(action).copied().unwrap_or_default();
        made as f64 / (to - from - 1) as f64
    };
    let (reads, writes) = (per_block("getitem"), per_block("updateitem"));
    let dollars = month(&PER_BLOCK, 1, Duration::from_secs(6), &US_EAST_1);
    println!(
        "{reads:.1} reads and {writes:.1} writes a block; {dollars:.2} dollars a month of blocks of 6 s"
    );
    // A standby on a busy machine looks more often until the owner's vote is there.
    assert!(near(reads, PER_BLOCK.read_units as f64, 2.5), "{reads} reads a block");
    assert!(near(writes, PER_BLOCK.write_units as f64, 1.5), "{writes} writes a block");
    trial.ends_well(0).await;
}

/// Whether two numbers differ by no more than that factor.
fn near(is: f64, told: f64, factor: f64) -> bool {
    (told / factor..=told * factor).contains(&is)
}

/// A machine that knows an emulator.
struct OnTable {
    host: Host,
    local: DynamoDbLocal,
    _dir: TempDir,
}

impl OnTable {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = DynamoDbLocal::start(dir.path(), to_stderr).await.unwrap();
        Self { host: Host::new(), local, _dir: dir }
    }

    /// Runs `beam` with the emulator's credentials, and further settings in its environment.
    fn beam(&self, args: &[&str], environment: &[(&str, &str)]) -> Said {
        let mut command = self.host.command(args);
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(DynamoDbLocal::CREDENTIALS);
        command.envs(environment.iter().copied());
        Said::of(command)
    }

    fn init(&self, register: &str, more: &[&str]) -> Said {
        let endpoint = self.local.endpoint();
        let args =
            ["init", "--node-home", "node", "--key", "key.json", "--name", "a", "--register", register];
        let endpoint = ["--register-endpoint", endpoint.as_str()];
        self.beam(&[&args[..], &endpoint, more].concat(), &[])
    }

    /// Makes the table and the record.
    fn begin(&self) -> Said {
        let made = self.init("dynamodb:beam@local-1", &["--create-table"]);
        assert_eq!(made.code(), 0, "{made:?}");
        let begun = self.beam(&["watermark", "init", "--height", "7"], &[]);
        assert_eq!(begun.code(), 0, "{begun:?}");
        begun
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_makes_a_table_when_asked_and_tells_its_price_and_a_dry_run_makes_none() {
    let machine = OnTable::new().await;
    let missing = machine.init("dynamodb:beam@local-1", &[]);
    assert_eq!(missing.code(), 2, "{missing:?}");
    assert!(missing.err().contains("--create-table makes one"), "{missing:?}");
    assert!(
        !machine.host.path("beam/node.toml").exists(),
        "nothing is written for a table that is not there"
    );

    let planned = machine.init("dynamodb:beam@local-1", &["--create-table", "--dry-run"]);
    assert_eq!(planned.code(), 0, "{planned:?}");
    let told = "# would: make the table beam in local-1, billed by the request (about $2.";
    assert!(planned.out().contains(told), "{planned:?}");
    assert_eq!(machine.init("dynamodb:beam@local-1", &[]).code(), 2, "the dry run made it");

    let made = machine.init("dynamodb:beam@local-1", &["--create-table"]);
    assert_eq!(made.code(), 0, "{made:?}");
    assert!(made.out().contains("made the table beam in local-1"), "{made:?}");
    let text = machine.host.read("beam/node.toml");
    assert!(text.contains("dynamodb = { table = \"beam\", region = \"local-1\", endpoint = "), "{text}");

    let file = machine.host.command(&[
        "init",
        "--key",
        "key.json",
        "--node-home",
        "node",
        "--register",
        "r.db",
        "--create-table",
        "--force",
    ]);
    let wrong = Said::of(file);
    assert!(wrong.code() == 64 && wrong.err().contains("goes with --register dynamodb:"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_table_is_one_line_that_says_what_to_do_and_nothing_is_signed() {
    let machine = OnTable::new().await;
    let begun = machine.begin();
    assert!(begun.out().contains("/signing in dynamodb:beam@local-1"), "{begun:?}");
    let again = machine.beam(&["watermark", "init", "--height", "7"], &[]);
    assert!(again.code() == 2 && again.err().contains("there is a record already"), "{again:?}");

    let right = machine.host.read("beam/node.toml");
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let endpoint = machine.local.endpoint();
    for (environment, wrong, right_part, said) in [
        (&none[..], "", "", "no AWS credentials: give the machine a role"),
        (&[], "\"bean\"", "\"beam\"", "there is no such table here"),
        (&[], "\"local-2\"", "\"local-1\"", "there is no such table here"),
        (&[], "http://127.0.0.1:1\"", &format!("{endpoint}\""), "no connection: check region, endpoint"),
        (&[], "\"beam\", table_id = \"12\"", "\"beam\"", "not the pinned 12"),
    ] {
        let text = if wrong.is_empty() { right.clone() } else { right.replace(right_part, wrong) };
        machine.host.write("beam/node.toml", &text);
        for verb in [&["start"][..], &["watermark", "show"]] {
            let ended = machine.beam(verb, environment);
            assert_eq!(ended.code(), 2, "{wrong} {verb:?}: {ended:?}");
            let errors = ended.err();
            let line = errors.lines().find(|line| line.starts_with("beam: ")).expect(said);
            assert!(line.contains(said), "{verb:?}: {line}");
        }
        assert!(!machine.host.path("beam/audit.jsonl").exists(), "{said}: something was signed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_times_the_table_and_asks_for_its_pin() {
    let machine = OnTable::new().await;
    machine.begin();
    let report = machine.beam(&["doctor", "--output", "json"], &[]).json();
    let findings = report["findings"].as_array().unwrap();
    let found = |id: &str| findings.iter().find(|finding| finding["id"] == id).unwrap();
    let register = found("register")["found"].as_str().unwrap();
    assert!(register.starts_with("p50 ") && register.contains(" ms, p99 "), "{register}");
    // The emulator gives its tables no ids, so there is nothing to pin.
    assert_eq!(found("register-store")["severity"], "warn");
    assert!(found("register-store")["todo"].as_str().unwrap().contains("table_id"));
    assert_eq!(found("record")["severity"], "fine");
}
