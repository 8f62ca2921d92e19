//! A commit that the disk does not take leaves doubt, and no damage.
//!
//! A process is given a limit on the size of its files, so that the log can grow no further in the midst of a commit.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy takes what a test calls for code that is no test"
)]

use std::process::Command;

use beam_core::register::{Cell, Register as _, RegisterKey, SwapError, Version};
use beam_core::sqlite::SqliteRegister;

const FILE: &str = "BEAM_TEST_FULL_DISK_FILE";

fn key() -> RegisterKey {
    RegisterKey::signing(&"full-1".parse().unwrap(), &"F".repeat(40)).unwrap()
}

/// Not a test of its own: what the limited process runs.
#[tokio::test]
async fn limited() {
    let Ok(path) = std::env::var(FILE) else { return };
    let register = SqliteRegister::open(path).await.unwrap();
    let mut expected = None;
    for count in 1..=20 {
        match register.swap(&key(), expected, vec![count; Cell::LEN_MAX]).await {
            Ok(version) => expected = Some(version),
            Err(error) => {
                assert!(matches!(error, SwapError::OutcomeUnknown(_)), "{error:?}");
                let found = register.read(&key()).await.unwrap().map(|cell| cell.version);
                assert_eq!(found, expected, "what was in doubt is not seen by a reader");
                println!("in doubt after {count}");
                return;
            }
        }
    }
    panic!("the limit does not limit");
}

#[tokio::test]
async fn a_commit_that_the_disk_does_not_take_is_in_doubt_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.db");
    let register = SqliteRegister::create(&path).await.unwrap();
    // A process over its limit gets a signal that ends it, unless it is ignored: a shell can see to both.
    let limited = Command::new("sh")
        .args(["-c", r#"trap '' XFSZ; ulimit -f 512; exec "$0" --exact limited --nocapture"#])
        .arg(std::env::current_exe().unwrap())
        .env(FILE, &path)
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success() && output.contains("in doubt"), "{output}");

    let found = register.read(&key()).await.unwrap().unwrap();
    let count = u8::try_from(found.version.0).unwrap();
    assert_eq!(found.value, vec![count; Cell::LEN_MAX]);
    let next = register.swap(&key(), Some(found.version), vec![0; Cell::LEN_MAX]).await.unwrap();
    assert_eq!(next, Version(found.version.0 + 1));
}
