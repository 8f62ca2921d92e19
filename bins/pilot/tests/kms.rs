//! Two machines that share a key in KMS, on a real chain: what a dead owner costs, what a month costs, and what is refused.
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

use base64ct::{Base64, Encoding as _};
use beam_aws::kms::cost::{PER_BLOCK, US_EAST_1, month, signatures};
use beam_examples::dynamodb_local::Tap;
use beam_examples::install::to_stderr;
use beam_examples::machine::{KmsPlan, MachinePlan};
use beam_examples::ministack::Ministack;
use beam_examples::network::NetworkPlan;
use beam_examples::proxy::{Proxy, Weather};
use common::{BLOCK_TIME, Trial, WITHIN};
use offline::{Host, Said};
use serde_json::json;
use tempfile::TempDir;

const REGION: &str = KmsPlan::REGION;

/// An emulator with a validator's key in it.
struct Kms {
    local: Ministack,
    key: String,
    _dir: TempDir,
}

impl Kms {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = Ministack::start(dir.path(), to_stderr).await.unwrap();
        let key = local.make_key(REGION, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY").await.unwrap();
        Self { local, key, _dir: dir }
    }

    /// The public key, as CometBFT writes it. The emulator gives it as X.509 does: the key is the end of it.
    async fn public(&self) -> String {
        let told = self.local.kms(REGION, "GetPublicKey", &json!({ "KeyId": self.key })).await.unwrap();
        let der = Base64::decode_vec(told["PublicKey"].as_str().unwrap()).unwrap();
        Base64::encode_string(&der[der.len() - 32..])
    }
}

/// Two machines that share a key, some way off.
struct Far {
    trial: Trial,
    /// Counts what is asked.
    tap: Tap,
    wire: Proxy,
    kms: Kms,
}

impl Far {
    async fn start(delay: Duration) -> Self {
        let kms = Kms::start().await;
        let tap = Tap::start(kms.local.address()).await.unwrap();
        let wire = Proxy::start(tap.address()).unwrap();
        wire.set(Weather { delay, ..Weather::FINE });
        let plan = KmsPlan { key: kms.key.clone(), endpoint: format!("http://{}", wire.address()) };
        let validator_key = Some(kms.public().await);
        let network = NetworkPlan { block_time: BLOCK_TIME, validator_key, ..NetworkPlan::default() };
        let machines = MachinePlan { kms: Some(plan), ..MachinePlan::default() };
        let mut trial = Trial::prepare_on(network, machines).await;
        trial.starts().await;
        Self { trial, tap, wire, kms }
    }

    /// How often KMS was asked to sign.
    fn signed(&self) -> u64 {
        self.tap.calls().get("sign").copied().unwrap_or_default()
    }

    /// How many signatures the machines let out, by their audit files.
    fn released(&self) -> u64 {
        let audits = self
            .trial
            .lab
            .machines
            .iter()
            .map(|machine| std::fs::read_to_string(machine.audit()).unwrap_or_default());
        audits.map(|audit| audit.lines().count() as u64).sum()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_machine_killed_costs_nothing_with_a_key_in_kms_and_its_nodes_see_the_right_key() {
    let mut far = Far::start(Duration::from_millis(5)).await;
    for machine in &far.trial.lab.machines {
        let status = machine.rpc().call("status", json!({})).await.unwrap();
        assert_eq!(status["validator_info"]["pub_key"]["value"], far.kms.public().await.as_str());
    }
    let owner = far.trial.owner().await;
    let killed_at = far.trial.lab.chain.height().await.unwrap();
    far.trial.lab.machine(&owner).unwrap().kill_machine();
    far.trial.signs_beyond(killed_at + 3).await;
    assert_ne!(far.trial.owner().await, owner);
    // The key is nowhere on a machine's disk, and the signatures are KMS's.
    assert!(far.signed() > 0);
    far.trial.ends_well(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kms_silent_for_a_while_means_no_vote_from_it_and_never_a_conflict_and_then_it_goes_on() {
    let far = Far::start(Duration::ZERO).await;
    far.wire.set(Weather::BLACK_HOLE);
    let from = far.trial.lab.chain.height().await.unwrap();
    // The others go on without us.
    far.trial.lab.chain.wait_height(from + 3, WITHIN).await.unwrap();
    far.wire.set(Weather::FINE);
    let back = far.trial.lab.chain.height().await.unwrap();
    far.trial.signs_beyond(back).await;
    far.trial.ends_judged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_takes_as_many_signatures_as_the_price_is_worked_out_from() {
    const BLOCKS: u64 = 10;
    let far = Far::start(Duration::ZERO).await;
    let from = far.trial.lab.chain.height().await.unwrap();
    far.trial.lab.chain.wait_height(from + 1, WITHIN).await.unwrap();
    let before = (far.signed(), far.released());
    let to = far.trial.lab.chain.wait_height(from + 1 + BLOCKS, WITHIN).await.unwrap();
    let per_block = |now: u64, before: u64| (now - before) as f64 / (to - from - 1) as f64;
    let asked = per_block(far.signed(), before.0);
    let released = per_block(far.released(), before.1);
    let count = signatures(PER_BLOCK, Duration::from_secs(6));
    let dollars = month(count, &US_EAST_1);
    println!(
        "{asked:.1} signatures asked for a block, {released:.1} released; {count:.0} a month of blocks of 6 s, {dollars:.2} dollars, by \
         {PER_BLOCK}"
    );
    // Ours proposes each fourth block here, on both machines. Among a hundred validators that would not count.
    assert!((PER_BLOCK * 0.8..=PER_BLOCK * 1.4).contains(&asked), "{asked} signatures a block");
    far.trial.ends_well(0).await;
}

/// A machine that knows an emulator.
struct Machine {
    host: Host,
    kms: Kms,
}

impl Machine {
    async fn new() -> Self {
        Self { host: Host::new(), kms: Kms::start().await }
    }

    fn beam(&self, args: &[&str], environment: &[(&str, &str)]) -> Said {
        let mut command = self.host.command(args);
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(Ministack::CREDENTIALS);
        command.envs(environment.iter().copied());
        Said::of(command)
    }

    fn init(&self, key: &str, more: &[&str]) -> Said {
        let endpoint = self.kms.local.endpoint();
        let args = ["init", "--node-home", "node", "--name", "a", "--register", "register.db", "--key", key];
        self.beam(&[&args[..], &["--key-endpoint", &endpoint], more].concat(), &[])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_pins_the_key_and_tells_its_price_and_a_dry_run_writes_nothing() {
    let machine = Machine::new().await;
    let (key, public) = (format!("kms:{}", machine.kms.key), machine.kms.public().await);
    let planned = machine.init(&key, &["--dry-run"]);
    assert_eq!(planned.code(), 0, "{planned:?}");
    let told = "about 2628000 signatures a month at 6 s blocks: $40.42 a month";
    assert!(planned.out().contains(told) && planned.out().contains(&public), "{planned:?}");
    assert!(!machine.host.path("beam/node.toml").exists());

    // By an alias: what is pinned is what it leads to.
    let alias = json!({ "AliasName": "alias/beam", "TargetKeyId": machine.kms.key });
    machine.kms.local.kms(REGION, "CreateAlias", &alias).await.unwrap();
    let made = machine.init(&format!("kms:alias/beam@{REGION}"), &[]);
    assert_eq!(made.code(), 0, "{made:?}");
    let text = machine.host.read("beam/node.toml");
    let wanted =
        format!("kms = {{ key = \"{}\", region = \"{REGION}\", public_key = \"{public}\"", machine.kms.key);
    assert!(text.contains(&wanted), "{text}");
    assert!(text.contains("# key = \"validator_key.json\""), "{text}");

    // Commands that sign nothing ask nobody: the address is the pinned key's.
    let begun = machine.beam(&["watermark", "init", "--height", "7"], &[("AWS_ACCESS_KEY_ID", "")]);
    assert_eq!(begun.code(), 0, "{begun:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_a_file_is_not_moved_into_kms_and_init_says_so() {
    let machine = Machine::new().await;
    let key = format!("kms:{}", machine.kms.key);
    let endpoint = machine.kms.local.endpoint();
    let args =
        ["init", "--from", "node", "--register", "register.db", "--key", &key, "--key-endpoint", &endpoint];
    let refused = machine.beam(&args, &[]);
    assert_eq!(refused.code(), 64, "{refused:?}");
    assert!(refused.err().contains("a key that is in a file cannot be moved into KMS"), "{refused:?}");
    let idle = machine.init("key.json", &[]);
    assert!(idle.code() == 64 && idle.err().contains("--key-endpoint goes with --key kms:"), "{idle:?}");
    for (wrong, code, said) in [
        ("kms:alias/nobodys@local-1", 2, "there is no such key here"),
        ("kms:beam@local-1", 64, "a key's id, \"alias/NAME\", or an ARN"),
        (&format!("{key}@local-2"), 64, "the key is in region local-1"),
    ] {
        let refused = machine.init(wrong, &[]);
        assert_eq!(refused.code(), code, "{refused:?}");
        assert!(refused.err().contains(said), "{refused:?}");
        assert!(!machine.host.path("beam/node.toml").exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_key_in_kms_is_one_line_that_says_what_to_do_and_nothing_is_signed() {
    let machine = Machine::new().await;
    assert_eq!(machine.init(&format!("kms:{}", machine.kms.key), &[]).code(), 0);
    assert_eq!(machine.beam(&["watermark", "init", "--height", "7"], &[]).code(), 0);
    let right = machine.host.read("beam/node.toml");
    let other = machine.kms.local.make_key(REGION, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY").await.unwrap();
    let p256 = machine.kms.local.make_key(REGION, "ECC_NIST_P256", "SIGN_VERIFY").await.unwrap();
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let (endpoint, key) = (machine.kms.local.endpoint(), &machine.kms.key);
    for (environment, right_part, wrong, said) in [
        (&none[..], "", "", "no AWS credentials: give the machine a role"),
        (&[], key.as_str(), other.as_str(), "it is another validator's key, or was made anew"),
        (&[], key, &p256, "of kind ECC_NIST_P256 for SIGN_VERIFY"),
        (&[], key, "alias/nobodys", "there is no such key here"),
        (&[], &endpoint, "http://127.0.0.1:1", "no connection: check region, endpoint"),
    ] {
        let text = if right_part.is_empty() { right.clone() } else { right.replace(right_part, wrong) };
        machine.host.write("beam/node.toml", &text);
        let ended = machine.beam(&["start"], environment);
        assert_eq!(ended.code(), 2, "{said}: {ended:?}");
        let errors = ended.err();
        let line = errors.lines().find(|line| line.starts_with("beam: ")).expect(said);
        assert!(line.contains(said) && line.contains("the validator's key cannot be used"), "{line}");
        assert!(!machine.host.path("beam/audit.jsonl").exists(), "{said}: something was signed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_times_the_key_tells_its_price_and_finds_one_that_does_not_sign() {
    let machine = Machine::new().await;
    assert_eq!(machine.init(&format!("kms:{}", machine.kms.key), &[]).code(), 0);
    let finding = |id: &str| {
        let report = machine.beam(&["doctor", "--output", "json"], &[]).json();
        let findings = report["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["id"] == id).unwrap_or_default()
    };
    assert_eq!(finding("key-kms")["severity"], "fine");
    let sign = finding("key-sign")["found"].as_str().unwrap().to_owned();
    println!("{sign}");
    assert!(sign.starts_with("sign: p50 ") && sign.contains(" ms, p99 "), "{sign}");
    assert!(
        sign.contains("$1/key + $0.15 per 10,000 signatures, about 2628000 signatures a month"),
        "{sign}"
    );
    assert_eq!(finding("key-memory"), serde_json::Value::Null, "it is in no machine's memory");
    let id = json!({ "KeyId": machine.kms.key });
    machine.kms.local.kms(REGION, "DisableKey", &id).await.unwrap();
    let sign = finding("key-sign");
    assert_eq!(sign["severity"], "fail");
    assert!(sign["found"].as_str().unwrap().contains("the key is disabled"), "{sign}");
}
