//! The example of a daemon that is not gaiad: every number is said, once, and by the one who should.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::process::Command;

#[test]
fn every_number_is_said_once_though_a_machine_dies() {
    let output = Command::new(env!("CARGO_BIN_EXE_odd_daemon")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said: Vec<_> = text.lines().filter(|line| line.contains(" dollars, ")).map(str::trim).collect();
    let expected: Vec<_> = (1..=12)
        .map(|number| {
            let speaker = if number <= 6 { "a" } else { "b" };
            format!("{number}  {} dollars, as {speaker} sees it", 100 * number)
        })
        .collect();
    assert_eq!(said, expected, "{text}");
    assert!(output.status.success());
}
