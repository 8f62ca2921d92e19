//! The program as people meet it: what it prints, what it refuses, and how it exits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "common/host.rs"]
mod host;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use host::Host;
use serde_json::{Value, json};

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_and_version_are_fine_and_a_wrong_word_is_wrong_use() {
    let host = Host::new();
    let help = host.beam(&["--help"]);
    assert_eq!(code(&help), 0);
    assert!(out(&help).contains("beam watermark init --height"), "{}", out(&help));
    assert_eq!(code(&host.beam(&["--version"])), 0);
    for wrong in
        [&["bogus"][..], &["init"], &["watermark", "init", "--height", "-1"], &["status", "--output", "xml"]]
    {
        assert_eq!(code(&host.beam(wrong)), 64, "{wrong:?}");
    }
}

#[test]
fn version_tells_what_machines_must_agree_in() {
    let host = Host::new();
    let told = host.beam(&["version", "--output", "json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&told["schema"], &told["version"]),
        (&json!("beam.version/1"), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(
        (&told["protocols"]["record"], &told["protocols"]["roster"]),
        (&json!("beam-record 1"), &json!("beam-roster 1"))
    );
    assert!(told["sqlite"].as_str().unwrap().starts_with("3."));
    assert!(out(&host.beam(&["version"])).contains("record   beam-record 1"));
}

#[test]
fn shells_and_manuals_know_every_verb() {
    let host = Host::new();
    for shell in ["bash", "zsh", "fish"] {
        let completions = out(&host.beam(&["completions", shell]));
        assert!(
            ["watermark", "switchover", "version"].iter().all(|verb| completions.contains(verb)),
            "{shell}"
        );
    }
    assert_eq!(code(&host.beam(&["completions", "sh"])), 64);
    let folder = host.path("man").to_string_lossy().into_owned();
    assert_eq!(code(&host.beam(&["man", &folder])), 0);
    let start = fs::read_to_string(host.path("man/beam-start.1")).unwrap();
    assert!(start.contains("SIGUSR2"), "{start}");
    assert!(host.path("man/beam.1").is_file() && host.path("man/beam-watermark-init.1").is_file());
}

#[test]
fn init_finds_out_writes_once_and_says_what_is_next() {
    let host = Host::new();
    let dry = host.init(&["--dry-run"]);
    assert_eq!(code(&dry), 0);
    assert!(out(&dry).contains("id = \"test-1\"") && !host.path("beam").exists());

    let done = host.init(&[]);
    assert_eq!(code(&done), 0, "{}", err(&done));
    assert!(out(&done).contains("beam watermark init"));
    let written = fs::read_to_string(host.path("beam/node.toml")).unwrap();
    assert_eq!(written, out(&dry));
    assert!(written.contains("rpc = \"http://127.0.0.1:1\""), "from the node's configuration");
    assert_eq!(fs::metadata(host.path("beam")).unwrap().permissions().mode() & 0o777, 0o700);

    let again = host.init(&["--rank", "2"]);
    assert_eq!(code(&again), 2);
    assert!(err(&again).contains("--force"));
    assert_eq!(fs::read_to_string(host.path("beam/node.toml")).unwrap(), written);
    assert_eq!(code(&host.init(&["--rank", "2", "--force"])), 0);
}

#[test]
fn a_wrong_configuration_is_told_with_its_line_and_is_wrong_use() {
    let host = Host::new();
    assert_eq!(code(&host.beam(&["status"])), 64);
    host.init(&[]);
    let file = host.path("beam/node.toml");
    let text = fs::read_to_string(&file).unwrap().replace("takeover_after", "takeover_afther");
    fs::write(&file, text).unwrap();
    let refused = host.beam(&["start"]);
    assert_eq!(code(&refused), 64);
    assert!(err(&refused).contains("takeover_afther") && err(&refused).contains("line"), "{}", err(&refused));
}

#[test]
fn the_record_is_made_once_and_never_below_what_the_node_signed() {
    let host = Host::new();
    host.init(&[]);
    let state = r#"{"height":"100","round":0,"step":3}"#;
    fs::write(host.path("node/data/priv_validator_state.json"), state).unwrap();
    let low = host.beam(&["watermark", "init", "--height", "99"]);
    assert_eq!(code(&low), 2);
    assert!(err(&low).contains("at least 100"), "{}", err(&low));
    assert!(!host.path("register.db").exists());

    assert_eq!(code(&host.beam(&["watermark", "init", "--height", "100", "--dry-run"])), 0);
    assert!(!host.path("register.db").exists());
    assert_eq!(code(&host.beam(&["watermark", "init", "--height", "100"])), 0);
    let again = host.beam(&["watermark", "init", "--height", "500"]);
    assert_eq!(code(&again), 2);
    assert!(err(&again).contains("the end of height 100"), "{}", err(&again));

    let shown = host.beam(&["watermark", "show", "--output", "json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((&shown["schema"], &shown["mark"]["height"]), (&json!("beam.watermark/1"), &json!(100)));
    assert_eq!((&shown["epoch"], &shown["owner"], &shown["floor"]), (&json!(0), &Value::Null, &Value::Null));
    let text = out(&host.beam(&["watermark", "show"]));
    assert!(text.contains("mark     the end of height 100"), "{text}");
}

#[test]
fn nobody_there_is_down() {
    let host = Host::new();
    host.init(&[]);
    let none = host.beam(&["status"]);
    assert_eq!(code(&none), 2);
    assert!(err(&none).contains("beam watermark init"), "{}", err(&none));
    host.beam(&["watermark", "init", "--height", "0"]);
    assert_eq!(code(&host.beam(&["status"])), 2);
    assert_eq!(code(&host.beam(&["switchover"])), 2);
}

#[test]
fn start_refuses_what_would_hurt() {
    let host = Host::new();
    host.init(&[]);
    let no_register = host.beam(&["start"]);
    assert_eq!(code(&no_register), 2);
    assert!(err(&no_register).contains("beam watermark init"), "{}", err(&no_register));
    host.beam(&["watermark", "init", "--height", "0"]);

    fs::set_permissions(host.path("key.json"), fs::Permissions::from_mode(0o644)).unwrap();
    let readable = host.beam(&["start"]);
    assert_eq!(code(&readable), 2);
    assert!(err(&readable).contains("chmod 600"), "{}", err(&readable));
    fs::set_permissions(host.path("key.json"), fs::Permissions::from_mode(0o600)).unwrap();

    // The node could sign by itself, outside the fence.
    host.write_key("node/config/priv_validator_key.json");
    let in_node = host.beam(&["start"]);
    assert_eq!(code(&in_node), 2);
    assert!(err(&in_node).contains("priv_validator_key.json"), "{}", err(&in_node));
}
