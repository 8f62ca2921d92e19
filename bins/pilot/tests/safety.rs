//! Moving in and finding mistakes, as people meet it: what is printed, what is refused, how it exits.
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
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::Ordering;

use offline::{ADDRESS, FakeNode, Host, KEY, OTHER_KEY};
use serde_json::json;

/// The id of some peer.
const PEER: &str = "49ee9e0075f9c2c4a66341b93e23a23446980740";
const STATE: &str = r#"{"height":"100","round":1,"step":3}"#;
const TMKMS: &str = r#"{"height":"120","round":"0","step":2,"block_id":null}"#;
const HORCRUX: &str = r#"{"height":"110","round":"0","step":3,"nonce_public":null,"signature":"AA=="}"#;

/// A home that signed by itself so far.
fn signing_home() -> Host {
    let host = Host::new();
    host.write("node/config/priv_validator_key.json", KEY);
    host.write("node/data/priv_validator_state.json", STATE);
    host
}

const ADOPT_HOME: [&str; 7] = ["init", "--from", "node", "--register", "register.db", "--name", "a"];

#[test]
fn every_verb_shows_an_example() {
    let host = Host::new();
    for verb in [
        &["init"][..],
        &["doctor"],
        &["check-config"],
        &["watermark", "init"],
        &["watermark", "import"],
        &["watermark", "adopt"],
    ] {
        let help = host.beam(&[verb, &["--help"]].concat());
        assert!(help.code() == 0 && help.out().contains("Example"), "{verb:?}: {}", help.out());
    }
}

#[test]
fn init_from_takes_the_key_out_of_the_home_and_what_it_signed_along() {
    let host = signing_home();
    let plan = host.beam(&[&ADOPT_HOME[..], &["--dry-run"]].concat());
    assert_eq!(plan.code(), 0, "{}", plan.err());
    assert!(
        plan.out().contains("# would: copy the key") && plan.out().contains("# would: remove the key"),
        "{}",
        plan.out()
    );
    assert!(!host.path("beam").exists() && host.path("node/config/priv_validator_key.json").exists());

    let done = host.beam(&[&ADOPT_HOME[..], &["--output", "json"]].concat()).json();
    assert_eq!(
        (&done["schema"], &done["done"], &done["role"]),
        (&json!("beam.init/1"), &json!(true), &json!("validator"))
    );
    assert_eq!(done["steps"].as_array().unwrap().len(), 5);
    assert!(done["next"][0].as_str().unwrap().contains("p2p.persistent_peers"), "it has no peers: {done}");
    assert!(!host.path("node/config/priv_validator_key.json").exists());
    assert_eq!(host.read("beam/validator_key.json"), KEY);
    assert_eq!(host.read("beam/adopted_state.json"), STATE);
    assert_eq!(
        fs::metadata(host.path("beam/validator_key.json")).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(host.read("node/config/config.toml").contains("privval.sock"));
    assert_eq!(host.beam(&["check-config"]).code(), 0);

    // Again: there is nothing left to do. And the node's own new beginning does not make it forget.
    host.write("node/data/priv_validator_state.json", r#"{"height":"0","round":0,"step":0}"#);
    let again = host.beam(&ADOPT_HOME);
    assert_eq!(again.code(), 0, "{}", again.err());
    let low = host.beam(&["watermark", "init", "--height", "99", "--offline"]);
    assert!(low.code() == 2 && low.err().contains("at least 100"), "{}", low.err());
}

#[test]
fn init_from_changes_nothing_where_it_cannot_be_done_safely() {
    let none = Host::new();
    assert!(none.beam(&ADOPT_HOME).err().contains("there is no key at"));
    let two = signing_home();
    fs::create_dir(two.path("beam")).unwrap();
    two.write("beam/validator_key.json", OTHER_KEY);
    let refused = two.beam(&ADOPT_HOME);
    assert!(refused.code() == 2 && refused.err().contains("different keys"), "{}", refused.err());
    assert_eq!(two.read("beam/validator_key.json"), OTHER_KEY);
    let sentry = signing_home().beam(&[&ADOPT_HOME[..], &["--role", "sentry"]].concat());
    assert_eq!(sentry.code(), 64, "{}", sentry.err());

    let remote = signing_home();
    remote.write(
        "node/config/config.toml",
        "priv_validator_laddr = \"tcp://127.0.0.1:1\"\n[p2p]\nladdr = \"tcp://127.0.0.1:1\"\n",
    );
    let refused = remote.beam(&ADOPT_HOME);
    assert!(refused.code() == 2 && refused.err().contains("another signer already"), "{}", refused.err());
    assert!(remote.path("node/config/priv_validator_key.json").exists());

    let running = signing_home();
    fs::create_dir(running.path("node/data/application.db")).unwrap();
    running.write("node/data/application.db/LOCK", "");
    let lock = fs::File::open(running.path("node/data/application.db/LOCK")).unwrap();
    lock.lock().unwrap();
    let refused = running.beam(&ADOPT_HOME);
    assert!(refused.code() == 2 && refused.err().contains("is locked"), "{}", refused.err());
    assert!(running.path("node/config/priv_validator_key.json").exists() && !running.path("beam").exists());
    drop(lock);
    assert_eq!(running.beam(&ADOPT_HOME).code(), 0);
}

#[test]
fn init_finds_the_only_home_and_asks_for_nothing_that_it_can_know() {
    let host = Host::new();
    fs::rename(host.path("node"), host.path(".someappd")).unwrap();
    let unknown = host.beam(&["init"]);
    assert!(unknown.code() == 64 && unknown.err().contains("--role"), "{}", unknown.err());
    let no_register = host.beam(&["init", "--role", "validator"]);
    assert!(no_register.code() == 64 && no_register.err().contains("--register"), "{}", no_register.err());
    let sentry = host.beam(&[
        "init",
        "--role",
        "sentry",
        "--name",
        "s1",
        "--private-peer-id",
        PEER,
        "--agent-listen",
        "10.0.0.1:9393",
    ]);
    assert_eq!(sentry.code(), 0, "{}", sentry.err());
    let written = host.read("beam/node.toml");
    for part in [".someappd", "role = \"sentry\"", PEER, "listen = \"10.0.0.1:9393\""] {
        assert!(written.contains(part), "{part}: {written}");
    }
    assert!(!written.contains("[signer]\n") && !sentry.out().contains("watermark"));

    fs::create_dir_all(host.path(".other/config")).unwrap();
    for name in ["config.toml", "genesis.json"] {
        fs::copy(host.path(&format!(".someappd/config/{name}")), host.path(&format!(".other/config/{name}")))
            .unwrap();
    }
    let two = host.beam(&["init", "--role", "sentry", "--force"]);
    assert!(
        two.code() == 64 && two.err().contains(".other") && two.err().contains("--node-home"),
        "{}",
        two.err()
    );
}

#[test]
fn import_takes_the_highest_of_all_files_and_the_chain_and_prints_each() {
    let host = Host::validator();
    host.write("node/data/priv_validator_state.json", STATE);
    host.write("tmkms.json", TMKMS);
    host.write("horcrux.json", HORCRUX);
    let files = ["--from", "tmkms.json", "horcrux.json"];
    let import = |more: &[&str]| host.beam(&[&["watermark", "import"], &files[..], more].concat());

    let nobody = import(&[]);
    assert!(nobody.code() == 2 && nobody.err().contains("--rpc"), "{}", nobody.err());
    assert_eq!(import(&["--offline"]).code(), 64);
    let low = import(&["--offline", "--height", "119", "--output", "json"]);
    assert_eq!(low.code(), 2);
    assert!(low.json()["refused"].as_str().unwrap().contains("at least 120"), "{}", low.out());
    assert!(!host.path("register.db").exists());

    let node = FakeNode::at(125);
    let dry = import(&["--rpc", &node.url(), "--dry-run"]);
    for part in
        ["tmkms.json (tmkms)", "120/0/precommit", "110/0/precommit", "100/1/precommit", "newest height"]
    {
        assert!(dry.out().contains(part), "{part}: {}", dry.out());
    }
    assert!(dry.code() == 0 && !host.path("register.db").exists());
    let made = import(&["--rpc", &node.url(), "--output", "json"]).json();
    let tip = made["proof"]["chain"]["height"].as_u64().unwrap();
    assert_eq!(made["mark"]["height"], tip + 5);
    let shown = host.beam(&["watermark", "show", "--output", "json"]).json();
    assert_eq!(shown["mark"], made["mark"]);
    assert!(shown["key"].as_str().unwrap().contains(ADDRESS));
    let again = import(&["--rpc", &node.url()]);
    assert!(again.code() == 2 && again.err().contains("there is a record already"), "{}", again.err());
}

#[test]
fn a_node_that_does_not_follow_our_chain_is_not_believed() {
    let host = Host::validator();
    host.write("tmkms.json", TMKMS);
    let import = |node: &FakeNode, more: &[&str]| {
        host.beam(&[&["watermark", "import", "--from", "tmkms.json", "--rpc", &node.url()], more].concat())
    };
    let behind = FakeNode::at(125);
    behind.catching_up.store(true, Ordering::Relaxed);
    let other = FakeNode::at(125);
    "theta-1".clone_into(&mut other.network.lock().unwrap());
    let old = FakeNode::at(125);
    old.age_s.store(600, Ordering::Relaxed);
    for (node, why) in [(&behind, "is catching up"), (&other, "a node of theta-1"), (&old, "s old")] {
        let refused = import(node, &["--height", "1000"]);
        assert!(refused.code() == 2 && refused.err().contains(why), "{why}: {}", refused.err());
    }
    let young = FakeNode::at(5);
    let far = import(&young, &[]);
    assert!(far.code() == 2 && far.err().contains("--accept-ahead"), "{}", far.err());
    assert!(!host.path("register.db").exists());
    assert_eq!(import(&young, &["--accept-ahead", "--dry-run"]).code(), 0);
    let typo = host.beam(&["watermark", "init", "--height", "1000", "--rpc", &FakeNode::at(125).url()]);
    assert!(typo.code() == 2 && typo.err().contains("wrong digit"), "{}", typo.err());
    let https =
        host.beam(&["watermark", "import", "--from", "tmkms.json", "--rpc", "https://rpc.example.org"]);
    assert!(https.err().contains("http://"), "{}", https.err());
}

#[test]
fn a_state_file_that_is_none_or_another_signers_is_refused() {
    let host = Host::validator();
    host.write("tmkms.json", TMKMS);
    host.write("broken.json", "{}");
    let import = |more: &[&str]| {
        host.beam(&[&["watermark", "import", "--offline", "--height", "1000"], more].concat())
    };
    assert_eq!(import(&[]).code(), 64, "no file at all");
    for (args, why) in [
        (&["--from", "broken.json"][..], "no state file"),
        (&["--from", "gone.json"], "cannot be read"),
        (&["--from", "tmkms.json", "--format", "gaiad"], "written by tmkms"),
    ] {
        let refused = import(args);
        assert!(refused.code() == 2 && refused.err().contains(why), "{why}: {}", refused.err());
    }
    assert_eq!(import(&["--from", "tmkms.json", "--format", "remote"]).code(), 64);
    assert_eq!(import(&["--from", "tmkms.json", "--format", "tmkms"]).code(), 0);
}

#[test]
fn check_config_tells_every_mistake_with_its_line_and_what_was_meant() {
    let host = Host::validator();
    assert_eq!(host.beam(&["check-config"]).code(), 0);
    let node_toml = host.read("beam/node.toml");
    host.write(
        "node/config/config.toml",
        "moniker = \"m\"\n[p2p]\npexx = false\n[rpc]\nladdr = \"tcp://127.0.0.1:1\"\n",
    );
    let passed_over = host.beam(&["check-config"]);
    assert!(passed_over.code() == 1 && passed_over.out().contains("config.toml:3"), "{}", passed_over.out());
    assert!(passed_over.out().contains("did you mean \"p2p.pex\"?"), "{}", passed_over.out());
    assert_eq!(host.beam(&["check-config", "--no-node"]).code(), 0);

    host.write("beam/node.toml", &node_toml.replace("rank =", "rnak =").replace("\"1s\"", "1"));
    let wrong = host.beam(&["check-config", "--output", "json"]);
    assert_eq!(wrong.code(), 64);
    let report = wrong.json();
    assert_eq!((&report["schema"], &report["state"]), (&json!("beam.check-config/1"), &json!("wrong")));
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{report}");
    assert!(findings.iter().all(|finding| finding["line"].as_u64().unwrap() > 1));
    assert!(findings.iter().any(|finding| finding["nearest"] == "signer.rank"), "{report}");
    // Whoever loads the configuration says the same.
    let start = host.beam(&["start"]);
    assert!(start.code() == 64 && start.err().contains("did you mean \"signer.rank\"?"), "{}", start.err());
    assert_eq!(Host::new().beam(&["check-config"]).code(), 64, "there is none");
}

#[test]
fn the_doctor_finds_what_would_hurt_and_changes_nothing() {
    let host = Host::validator();
    host.write("node/config/priv_validator_key.json", KEY);
    host.write("node/config/node_key.json", KEY);
    fs::create_dir_all(host.path("twin/config")).unwrap();
    host.write("twin/config/node_key.json", KEY);
    host.write(
        "node/config/config.toml",
        "[rpc]\nladdr = \"tcp://0.0.0.0:1\"\n[p2p]\nladdr = \"tcp://127.0.0.1:1\"\n[consensus]\ndouble_sign_check_height = 10\n",
    );
    fs::set_permissions(host.path("beam/run"), fs::Permissions::from_mode(0o755)).unwrap();
    let ill = host.beam(&["doctor", "--output", "json"]);
    assert_eq!(ill.code(), 2);
    let report = ill.json();
    assert_eq!((&report["schema"], &report["state"]), (&json!("beam.doctor/1"), &json!("down")));
    let severity = |id: &str| {
        let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id);
        found.unwrap_or_else(|| panic!("no {id}"))["severity"].clone()
    };
    for id in [
        "key-in-node-home",
        "node-key",
        "rpc-open",
        "double-sign-check-height",
        "priv-validator-laddr",
        "folders",
        "register",
        "node-program",
    ] {
        assert_eq!(severity(id), "fail", "{id}");
    }
    assert_eq!(severity("chain-id"), "unknown", "no node runs");
    assert_eq!(severity("references"), "warn", "a frozen node would be left as it is");
    assert_eq!(severity("key-file"), "fine");
    assert!(!host.path("register.db").exists() && !host.path("beam/floor").exists());
    assert_eq!(
        fs::read_dir(host.path("beam")).unwrap().count(),
        2,
        "node.toml and run, and no probe is left"
    );

    let text = host.beam(&["doctor"]).out();
    assert!(text.contains("FAIL") && text.contains("to do: "), "{text}");
    assert_eq!(Host::new().beam(&["doctor"]).code(), 64, "no configuration");
}

/// On the real register: a floor of another lineage, and one that is above the record.
#[test]
fn adopt_says_what_it_found_asks_and_raises_or_pins() {
    let host = Host::validator();
    let adopt = |more: &[&str]| host.beam(&[&["watermark", "adopt"], more].concat());
    let none = adopt(&["--offline", "--yes", "--at-least", "100"]);
    assert!(none.code() == 2 && none.err().contains("watermark init"), "{}", none.err());
    assert_eq!(host.beam(&["watermark", "init", "--height", "100", "--offline"]).code(), 0);
    let accepted = adopt(&["--offline", "--yes", "--at-least", "100"]);
    assert!(
        accepted.code() == 0 && accepted.out().contains("nothing to adopt"),
        "{}{}",
        accepted.out(),
        accepted.err()
    );
    assert_eq!(adopt(&["--offline"]).code(), 64);
    assert_eq!(adopt(&["--yes"]).code(), 64, "--yes needs --at-least");

    // Raised by hand, this machine's floor follows; then the record is made anew, lower.
    let raised = adopt(&["--offline", "--yes", "--at-least", "150", "--output", "json"]).json();
    assert_eq!((&raised["action"], &raised["mark"]["height"]), (&json!("raised"), &json!(150)));
    let floor = || host.beam(&["watermark", "show", "--output", "json"]).json();
    assert_eq!(floor()["floor"], floor()["mark"]);
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(host.path(&format!("register.db{ending}")));
    }
    let low = host.beam(&["watermark", "init", "--height", "120", "--offline"]);
    assert!(
        low.code() == 2 && low.err().contains("at least 150"),
        "the floor guards the new record: {}",
        low.err()
    );
    assert_eq!(host.beam(&["watermark", "init", "--height", "200", "--offline"]).code(), 0);
    let doctor = host.beam(&["doctor"]).out();
    assert!(doctor.contains("another lineage") && doctor.contains("beam watermark adopt"), "{doctor}");
    let unconfirmed = adopt(&["--offline", "--at-least", "100"]);
    assert!(unconfirmed.code() == 2 && unconfirmed.err().contains("made anew"), "{}", unconfirmed.err());
    let pinned = adopt(&["--offline", "--yes", "--at-least", "100", "--output", "json"]).json();
    assert_eq!((&pinned["action"], &pinned["mark"]["height"]), (&json!("repinned"), &json!(200)));
    assert_eq!(floor()["floor"], floor()["mark"]);
    assert!(adopt(&["--offline", "--yes", "--at-least", "100"]).out().contains("nothing to adopt"));
}
