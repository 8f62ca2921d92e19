//! The program as people meet it: what it prints, what it refuses, and how it exits.
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
use std::os::unix::fs::PermissionsExt;

use offline::{ADDRESS, Host, KEY};
use serde_json::{Value, json};

#[test]
fn help_and_version_are_fine_and_a_wrong_word_is_wrong_use() {
    let host = Host::new();
    let help = host.beam(&["--help"]);
    assert_eq!(help.code(), 0);
    assert!(help.out().contains("beam watermark init --height"), "{}", help.out());
    assert_eq!(host.beam(&["--version"]).code(), 0);
    for wrong in
        [&["bogus"][..], &["init"], &["watermark", "init", "--height", "-1"], &["status", "--output", "xml"]]
    {
        assert_eq!(host.beam(wrong).code(), 64, "{wrong:?}");
    }
}

#[test]
fn version_tells_what_machines_must_agree_in() {
    let host = Host::new();
    let told = host.beam(&["version", "--output", "json"]);
    let told: Value = told.json();
    assert_eq!(
        (&told["schema"], &told["version"]),
        (&json!("beam.version/1"), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(
        (&told["protocols"]["record"], &told["protocols"]["roster"]),
        (&json!("beam-record 1"), &json!("beam-roster 1"))
    );
    assert!(told["sqlite"].as_str().unwrap().starts_with("3."));
    assert!(host.beam(&["version"]).out().contains("record   beam-record 1"));
}

/// Whoever stops reading has seen enough; a disk that is full is told in a line.
#[test]
fn a_reader_that_is_gone_and_a_full_disk_are_no_panic() {
    let host = Host::validator();
    assert_eq!(host.beam(&["watermark", "init", "--height", "7"]).code(), 0);
    for verb in [
        &["version"][..],
        &["version", "--output", "json"],
        &["completions", "bash"],
        &["check-config"],
        &["explain"],
        &["history"],
        &["status"],
        &["watermark", "show"],
        &["pause", "--for", "1h", "--reason", "x", "--dry-run"],
        &["init", "--role", "sentry", "--node-home", "node", "--dry-run"],
    ] {
        let usual = host.beam(verb).code();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let gone = host.command(verb).stdout(writer).output().unwrap();
        let said = String::from_utf8_lossy(&gone.stderr);
        assert_eq!((gone.status.code(), said.contains("panicked")), (Some(usual), false), "{verb:?}: {said}");

        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let full = host.command(verb).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&full.stderr);
        assert_eq!(full.status.code(), Some(2), "{verb:?}: {said}");
        assert!(
            said.starts_with("beam: the result could not be written") && said.lines().count() == 1,
            "{said}"
        );
    }
}

#[test]
fn what_was_said_wrongly_is_wrong_use_in_one_line_and_changes_nothing() {
    let host = Host::validator();
    for wrong in [
        &["pause", "--for", "0s", "--reason", "x"][..],
        &["pause", "--for", "2weeks", "--reason", "x"],
        &["pause", "--for", "1h", "--reason", " "],
        &["watermark", "init", "--offline"],
        &["watermark", "adopt", "--offline"],
        &["logs", "--follow", "--until", "1h"],
        &["logs", "analyze", "no-such-file"],
    ] {
        let said = host.beam(wrong);
        assert_eq!(said.code(), 64, "{wrong:?}: {said:?}");
        assert!(said.out().is_empty() && said.err().lines().count() == 1, "{wrong:?}: {said:?}");
    }
    for wrong in [&["status", "-w", "0"], &["history", "-n", "0"]] {
        assert_eq!(host.beam(wrong).code(), 64, "{wrong:?}");
    }
    assert!(!host.path("register.db").exists());
}

#[test]
fn init_writes_nothing_that_start_would_refuse() {
    let host = Host::new();
    for (wrong, named) in [
        (["--name", "a b"], "name"),
        (["--rpc", "localhost:26657"], "node.rpc"),
        (["--persistent-peer", "10.0.0.1:26656"], "persistent_peers"),
        (["--node-command", "gaiad 'start"], "--node-command"),
    ] {
        let args = [&["init", "--role", "sentry", "--node-home", "node"], &wrong[..]].concat();
        let said = host.beam(&args);
        assert_eq!(said.code(), 64, "{wrong:?}: {said:?}");
        assert!(said.err().contains(named) && said.err().lines().count() == 1, "{wrong:?}: {said:?}");
        assert!(!host.path("beam/node.toml").exists());
    }
}

#[test]
fn a_pause_is_told_by_every_verb_that_tells_of_the_validator() {
    let host = Host::validator();
    assert_eq!(host.beam(&["watermark", "init", "--height", "7"]).code(), 0);
    let (to_stderr, in_the_result) = (
        [&["history"][..], &["watermark", "show"], &["failover", "--to", "b"], &["switchover"], &["doctor"]],
        [&["status"][..], &["explain"], &["resume", "--dry-run"]],
    );
    for verb in to_stderr {
        assert!(!host.beam(verb).err().contains("paused"), "{verb:?}");
    }
    assert_eq!(host.beam(&["pause", "--for", "1h", "--reason", "new disk"]).code(), 0);
    for verb in to_stderr {
        let said = host.beam(verb);
        assert!(
            said.err().contains("takeovers are paused until") && said.err().contains("new disk"),
            "{said:?}"
        );
        assert!(!said.out().contains("new disk"), "the result stays data: {said:?}");
    }
    for verb in in_the_result {
        assert!(host.beam(verb).out().contains("new disk"), "{verb:?}");
    }
}

#[test]
fn what_is_shared_and_damaged_is_told_with_what_to_do_and_the_rest_still_shows() {
    let host = Host::validator();
    assert_eq!(host.beam(&["watermark", "init", "--height", "7"]).code(), 0);
    let register = rusqlite::Connection::open(host.path("register.db")).unwrap();
    let cells = ["roster", "pause", "history"];
    for cell in cells {
        let key = format!("test-1/{ADDRESS}/{cell}");
        register.execute("INSERT INTO cells VALUES (?1, 1, X'FF')", [key]).unwrap();
    }
    let status = host.beam(&["status", "--output", "json"]);
    let reasons = status.json()["reasons"].to_string();
    assert_eq!(status.json()["mark"]["height"], 7);
    assert!(
        ["roster", "pause"].iter().all(|cell| reasons.contains(&format!("{cell} and it begins anew"))),
        "{reasons}"
    );
    assert!(host.beam(&["explain"]).out().contains("?  takeovers not paused"));
    let history = host.beam(&["history"]);
    assert_eq!(history.code(), 2);
    assert!(history.err().contains("/history and it begins anew"), "{history:?}");

    register.execute("DELETE FROM cells WHERE key LIKE '%/history'", []).unwrap();
    assert_eq!(host.beam(&["history"]).code(), 0);
}

#[test]
fn shells_and_manuals_know_every_verb() {
    let host = Host::new();
    for shell in ["bash", "zsh", "fish"] {
        let completions = host.beam(&["completions", shell]).out();
        assert!(
            ["watermark", "switchover", "version"].iter().all(|verb| completions.contains(verb)),
            "{shell}"
        );
    }
    assert_eq!(host.beam(&["completions", "sh"]).code(), 64);
    let folder = host.path("man").to_string_lossy().into_owned();
    assert_eq!(host.beam(&["man", &folder]).code(), 0);
    let start = fs::read_to_string(host.path("man/beam-start.1")).unwrap();
    assert!(start.contains("SIGUSR2"), "{start}");
    assert!(host.path("man/beam.1").is_file() && host.path("man/beam-watermark-init.1").is_file());
}

#[test]
fn init_finds_out_writes_once_and_says_what_is_next() {
    let host = Host::new();
    let dry = host.init(&["--dry-run"]);
    assert_eq!(dry.code(), 0);
    assert!(dry.out().contains("id = \"test-1\"") && !host.path("beam").exists());

    let done = host.init(&[]);
    assert_eq!(done.code(), 0, "{}", done.err());
    assert!(done.out().contains("beam watermark init"));
    let written = fs::read_to_string(host.path("beam/node.toml")).unwrap();
    assert_eq!(written, dry.out());
    assert!(written.contains("rpc = \"http://127.0.0.1:1\""), "from the node's configuration");
    assert_eq!(fs::metadata(host.path("beam")).unwrap().permissions().mode() & 0o777, 0o700);

    let again = host.init(&["--rank", "2"]);
    assert_eq!(again.code(), 2);
    assert!(again.err().contains("--force"));
    assert_eq!(fs::read_to_string(host.path("beam/node.toml")).unwrap(), written);
    assert_eq!(host.init(&["--rank", "2", "--force"]).code(), 0);
}

#[test]
fn a_wrong_configuration_is_told_with_its_line_and_is_wrong_use() {
    let host = Host::new();
    assert_eq!(host.beam(&["status"]).code(), 64);
    host.init(&[]);
    let file = host.path("beam/node.toml");
    let text = fs::read_to_string(&file).unwrap().replace("takeover_after", "takeover_afther");
    fs::write(&file, text).unwrap();
    let refused = host.beam(&["start"]);
    assert_eq!(refused.code(), 64);
    assert!(refused.err().contains("takeover_afther") && refused.err().contains("line"), "{}", refused.err());
}

#[test]
fn the_record_is_made_once_and_never_below_what_the_node_signed() {
    let host = Host::new();
    host.init(&[]);
    let state = r#"{"height":"100","round":0,"step":3}"#;
    fs::write(host.path("node/data/priv_validator_state.json"), state).unwrap();
    let low = host.beam(&["watermark", "init", "--height", "99"]);
    assert_eq!(low.code(), 2);
    assert!(low.err().contains("at least 100"), "{}", low.err());
    assert!(!host.path("register.db").exists());

    assert_eq!(host.beam(&["watermark", "init", "--height", "100", "--dry-run"]).code(), 0);
    assert!(!host.path("register.db").exists());
    assert_eq!(host.beam(&["watermark", "init", "--height", "100"]).code(), 0);
    let again = host.beam(&["watermark", "init", "--height", "500"]);
    assert_eq!(again.code(), 2);
    assert!(again.err().contains("the end of height 100"), "{}", again.err());

    let shown = host.beam(&["watermark", "show", "--output", "json"]);
    let shown: Value = shown.json();
    assert_eq!((&shown["schema"], &shown["mark"]["height"]), (&json!("beam.watermark/1"), &json!(100)));
    assert_eq!((&shown["epoch"], &shown["owner"], &shown["floor"]), (&json!(0), &Value::Null, &Value::Null));
    let text = host.beam(&["watermark", "show"]).out();
    assert!(text.contains("mark     the end of height 100"), "{text}");
}

#[test]
fn nobody_there_is_down() {
    let host = Host::new();
    host.init(&[]);
    let none = host.beam(&["status"]);
    assert_eq!(none.code(), 2);
    assert!(none.err().contains("beam watermark init"), "{}", none.err());
    host.beam(&["watermark", "init", "--height", "0"]);
    assert_eq!(host.beam(&["status"]).code(), 2);
    assert_eq!(host.beam(&["switchover"]).code(), 2);
}

#[test]
fn start_refuses_what_would_hurt() {
    let host = Host::new();
    host.init(&[]);
    let no_register = host.beam(&["start"]);
    assert_eq!(no_register.code(), 2);
    assert!(no_register.err().contains("beam watermark init"), "{}", no_register.err());
    host.beam(&["watermark", "init", "--height", "0"]);

    fs::set_permissions(host.path("key.json"), fs::Permissions::from_mode(0o644)).unwrap();
    let readable = host.beam(&["start"]);
    assert_eq!(readable.code(), 2);
    assert!(readable.err().contains("chmod 600"), "{}", readable.err());
    fs::set_permissions(host.path("key.json"), fs::Permissions::from_mode(0o600)).unwrap();

    // The node could sign by itself, outside the fence.
    host.write("node/config/priv_validator_key.json", KEY);
    let in_node = host.beam(&["start"]);
    assert_eq!(in_node.code(), 2);
    assert!(in_node.err().contains("priv_validator_key.json"), "{}", in_node.err());
}
