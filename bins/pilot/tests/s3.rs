//! Two machines that share an S3 bucket, on a real chain: what a dead owner costs, what a month costs, and what is refused.
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

use std::time::Duration;

use beam_aws::s3::cost::{PER_BLOCK, US_EAST_1, month};
use beam_examples::install::to_stderr;
use beam_examples::machine::{MachinePlan, RegisterPlan};
use beam_examples::moto::Moto;
use beam_examples::network::NetworkPlan;
use beam_examples::proxy::{Proxy, Weather};
use beam_examples::tap::Tap;
use common::{BLOCK_TIME, Trial, WITHIN};
use offline::{Host, Said};
use tempfile::TempDir;

/// Two machines and a bucket that they share, over a wire.
struct Pair {
    trial: Trial,
    /// Counts what is asked.
    tap: Tap,
    _wire: Proxy,
    _moto: Moto,
    _dir: TempDir,
}

impl Pair {
    async fn start(delay: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let moto = Moto::start(dir.path(), to_stderr).await.unwrap();
        let tap = Tap::start(moto.address()).await.unwrap();
        let wire = Proxy::start(tap.address()).unwrap();
        wire.set(Weather { delay, ..Weather::FINE });
        let endpoint = format!("http://{}", wire.address());
        let register = RegisterPlan::S3 { bucket: "beam".to_owned(), endpoint };
        let network = NetworkPlan { block_time: BLOCK_TIME, ..NetworkPlan::default() };
        let mut trial = Trial::prepare_on(network, MachinePlan { register, ..MachinePlan::default() }).await;
        trial.starts().await;
        Self { trial, tap, _wire: wire, _moto: moto, _dir: dir }
    }

    async fn the_owner_dies(self) {
        let Self { mut trial, tap: _tap, _wire, _moto, _dir } = self;
        let owner = trial.owner().await;
        let killed_at = trial.lab.chain.height().await.unwrap();
        trial.lab.machine(&owner).unwrap().kill_machine();
        trial.signs_beyond(killed_at + 3).await;
        assert_ne!(trial.owner().await, owner);
        trial.ends_well(0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_machine_killed_costs_nothing() {
    Pair::start(Duration::ZERO).await.the_owner_dies().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_machine_killed_costs_nothing_with_20_ms_on_the_wire() {
    Pair::start(Duration::from_millis(20)).await.the_owner_dies().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_takes_as_many_requests_as_the_price_is_worked_out_from() {
    const BLOCKS: u64 = 10;
    let Pair { trial, tap, _wire, _moto, _dir } = Pair::start(Duration::from_millis(20)).await;
    let from = trial.lab.chain.height().await.unwrap();
    trial.lab.chain.wait_height(from + 1, WITHIN).await.unwrap();
    let before = tap.calls();
    let to = trial.lab.chain.wait_height(from + 1 + BLOCKS, WITHIN).await.unwrap();
    let after = tap.calls();
    let per_block = |action: &str| {
        let made = after[action] - before.get(action).copied().unwrap_or_default();
        made as f64 / (to - from - 1) as f64
    };
    let (reads, writes) = (per_block("getobject"), per_block("putobject"));
    let dollars = month(&PER_BLOCK, 1, Duration::from_secs(6), &US_EAST_1);
    println!(
        "{reads:.1} reads and {writes:.1} writes a block; {dollars:.2} dollars a month of blocks of 6 s"
    );
    // A standby on a busy machine looks more often until the owner's vote is there.
    assert!(near(reads, PER_BLOCK.reads as f64, 2.5), "{reads} reads a block");
    assert!(near(writes, PER_BLOCK.writes as f64, 1.5), "{writes} writes a block");
    trial.ends_well(0).await;
}

/// Whether two numbers differ by no more than that factor.
fn near(is: f64, told: f64, factor: f64) -> bool {
    (told / factor..=told * factor).contains(&is)
}

/// A machine that knows an emulator.
struct InBucket {
    host: Host,
    moto: Moto,
    _dir: TempDir,
}

impl InBucket {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let moto = Moto::start(dir.path(), to_stderr).await.unwrap();
        Self { host: Host::new(), moto, _dir: dir }
    }

    /// Runs `beam` with the emulator's credentials, and further settings in its environment.
    fn beam(&self, args: &[&str], environment: &[(&str, &str)]) -> Said {
        let mut command = self.host.command(args);
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(Moto::CREDENTIALS);
        command.env("AWS_ENDPOINT_URL_STS", self.moto.endpoint()).envs(environment.iter().copied());
        Said::of(command)
    }

    fn init(&self, register: &str, more: &[&str]) -> Said {
        let endpoint = self.moto.endpoint();
        let args =
            ["init", "--node-home", "node", "--key", "key.json", "--name", "a", "--register", register];
        let endpoint = ["--register-endpoint", endpoint.as_str()];
        self.beam(&[&args[..], &endpoint, more].concat(), &[])
    }

    /// Makes the bucket and the record.
    fn begin(&self) -> Said {
        let made = self.init("s3:beam@eu-central-1", &["--create-bucket"]);
        assert_eq!(made.code(), 0, "{made:?}");
        let begun = self.beam(&["watermark", "init", "--height", "7"], &[]);
        assert_eq!(begun.code(), 0, "{begun:?}");
        begun
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_makes_a_bucket_when_asked_and_tells_its_price_and_a_dry_run_makes_none() {
    let machine = InBucket::new().await;
    let missing = machine.init("s3:beam@eu-central-1", &[]);
    assert_eq!(missing.code(), 2, "{missing:?}");
    assert!(missing.err().contains("--create-bucket makes one"), "{missing:?}");
    assert!(
        !machine.host.path("beam/node.toml").exists(),
        "nothing is written for a bucket that is not there"
    );

    let planned = machine.init("s3:beam@eu-central-1", &["--create-bucket", "--dry-run"]);
    assert_eq!(planned.code(), 0, "{planned:?}");
    let told = "# would: make the bucket beam in eu-central-1 of account 123456789012 (its requests come to about $14.";
    assert!(planned.out().contains(told), "{planned:?}");
    assert_eq!(machine.init("s3:beam@eu-central-1", &[]).code(), 2, "the dry run made it");

    let made = machine.init("s3:beam@eu-central-1", &["--create-bucket"]);
    assert_eq!(made.code(), 0, "{made:?}");
    assert!(made.out().contains("made the bucket beam in eu-central-1"), "{made:?}");
    let text = machine.host.read("beam/node.toml");
    let line = "s3 = { bucket = \"beam\", region = \"eu-central-1\", owner = \"123456789012\", endpoint = ";
    assert!(text.contains(line), "{text}");

    // The second machine finds it, with a folder of its own choice.
    let found = machine.init("s3:beam/prod@eu-central-1", &["--bucket-owner", "123456789012", "--force"]);
    assert!(found.code() == 0 && found.out().contains("found the bucket beam"), "{found:?}");
    assert!(machine.host.read("beam/node.toml").contains("prefix = \"prod/\""));
    for (args, said) in [
        (["--create-table", "--force"], "goes with --register dynamodb:TABLE"),
        (["--bucket-owner", "me"], "owner \"me\""),
    ] {
        let wrong = machine.init("s3:beam@eu-central-1", &args);
        let wrong = if wrong.err().contains("is there already") {
            machine.init("s3:beam@eu-central-1", &[&args[..], &["--force"]].concat())
        } else {
            wrong
        };
        assert!(wrong.code() == 64 && wrong.err().contains(said), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_bucket_is_one_line_that_says_what_to_do_and_nothing_is_signed() {
    let machine = InBucket::new().await;
    let begun = machine.begin();
    assert!(begun.out().contains("/signing in s3:beam/beam@eu-central-1"), "{begun:?}");
    let again = machine.beam(&["watermark", "init", "--height", "7"], &[]);
    assert!(again.code() == 2 && again.err().contains("there is a record already"), "{again:?}");

    let right = machine.host.read("beam/node.toml");
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let endpoint = machine.moto.endpoint();
    for (environment, wrong, right_part, said) in [
        (&none[..], "", "", "no AWS credentials: give the machine a role"),
        (&[], "bucket = \"bean\"", "bucket = \"beam\"", "there is no such bucket: check its name"),
        (&[], "\"eu-west-1\"", "\"eu-central-1\"", "it is in eu-central-1"),
        (&[], "http://127.0.0.1:1\"", &format!("{endpoint}\""), "no connection: check region, endpoint"),
        (&[], "\"12\"", "\"123456789012\"", "the 12 digits of the account"),
    ] {
        let own = |line: &str| line.starts_with("s3 = ");
        let change = |line: &str| {
            if own(line) && !wrong.is_empty() { line.replace(right_part, wrong) } else { line.to_owned() }
        };
        let text: Vec<String> = right.lines().map(change).collect();
        machine.host.write("beam/node.toml", &text.join("\n"));
        for verb in [&["start"][..], &["watermark", "show"]] {
            let ended = machine.beam(verb, environment);
            assert!([2, 64].contains(&ended.code()), "{wrong} {verb:?}: {ended:?}");
            assert!(ended.err().contains(said), "{verb:?}: {ended:?}");
        }
        assert!(!machine.host.path("beam/audit.jsonl").exists(), "{said}: something was signed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_times_the_bucket_and_asks_for_versioning() {
    let machine = InBucket::new().await;
    machine.begin();
    let found = |id: &str| {
        let report = machine.beam(&["doctor", "--output", "json"], &[]).json();
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["id"] == id).unwrap().clone()
    };
    let register = found("register")["found"].as_str().unwrap().to_owned();
    assert!(register.starts_with("p50 ") && register.contains(" ms, p99 "), "{register}");
    assert_eq!(found("register-store")["severity"], "fine");
    assert_eq!(found("record")["severity"], "fine");
    machine.moto.suspend_versioning("beam").await.unwrap();
    let store = found("register-store");
    assert_eq!(store["severity"], "warn");
    assert_eq!(store["found"], "versioning is suspended");
    assert!(store["todo"].as_str().unwrap().contains("put-bucket-versioning"));
}
