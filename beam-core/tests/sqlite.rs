//! What is special about the register in a file: which files it takes, what it makes, when its thread ends.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy takes what a test calls for code that is no test"
)]

use std::error::Error;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use beam_core::register::{Cell, Register as _, RegisterError, RegisterKey, Version};
use beam_core::sqlite::SqliteRegister;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn key() -> RegisterKey {
    RegisterKey::signing(&"sqlite-1".parse().unwrap(), &"B".repeat(40)).unwrap()
}

async fn refusal(path: &Path) -> RegisterError {
    SqliteRegister::open(path).await.unwrap_err()
}

/// Asserts that opening is refused as unfit, with these words.
async fn unfit(path: &Path, words: &str) {
    match refusal(path).await {
        RegisterError::Unfit(text) => assert!(text.contains(words), "{text:?} does not say {words:?}"),
        other => panic!("{other:?} is not `Unfit`"),
    }
}

fn sqlite(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_missing_register_is_refused_and_the_refusal_says_what_makes_one() {
    let folder = folder();
    unfit(&folder.path().join("register.db"), "beam watermark init").await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "opening made something");
}

#[tokio::test]
async fn a_made_register_is_its_owners_only_and_so_are_its_companions() {
    let folder = folder();
    let path = folder.path().join("register.db");
    let register = SqliteRegister::create(&path).await.unwrap();
    register.swap(&key(), None, vec![1]).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", path.display()));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn making_one_that_is_there_opens_it_as_it_is() {
    let folder = folder();
    let path = folder.path().join("register.db");
    let first = SqliteRegister::create(&path).await.unwrap();
    first.swap(&key(), None, vec![1]).await.unwrap();
    let second = SqliteRegister::create(&path).await.unwrap();
    assert_eq!(second.read(&key()).await.unwrap(), Some(Cell { version: Version(1), value: vec![1] }));
}

#[tokio::test]
async fn a_register_is_found_through_a_symbolic_link_and_shared_with_its_real_name() {
    let folder = folder();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    std::fs::create_dir(&real).unwrap();
    let one = SqliteRegister::create(real.join("register.db")).await.unwrap();
    symlink(real.join("register.db"), &link).unwrap();
    let other = SqliteRegister::open(&link).await.unwrap();
    one.swap(&key(), None, vec![1]).await.unwrap();
    assert!(other.read(&key()).await.unwrap().is_some());
    assert_eq!(one.path(), other.path());
}

#[tokio::test]
async fn hard_links_folders_and_empty_files_are_refused() {
    let folder = folder();
    let path = folder.path().join("register.db");
    drop(SqliteRegister::create(&path).await.unwrap());
    std::fs::hard_link(&path, folder.path().join("other")).unwrap();
    unfit(&path, "hard links").await;
    unfit(folder.path(), "not a file").await;
    let empty = folder.path().join("empty");
    std::fs::write(&empty, []).unwrap();
    unfit(&empty, "no register").await;
    unfit(&empty, "empty file").await;
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_as_it_was() {
    let folder = folder();
    let path = folder.path().join("theirs.db");
    sqlite(&path, "PRAGMA application_id = 7; CREATE TABLE cells(key, version, value)");
    let before = std::fs::read(&path).unwrap();
    unfit(&path, "application id 0x7").await;
    assert!(matches!(SqliteRegister::create(&path).await, Err(RegisterError::Unfit(_))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let folder = folder();
    let path = folder.path().join("register.db");
    closed(SqliteRegister::create(&path).await.unwrap()).await;
    sqlite(&path, "PRAGMA user_version = 2");
    unfit(&path, "format 2").await;
}

#[tokio::test]
async fn what_is_no_database_is_damaged() {
    let folder = folder();
    let path = folder.path().join("register.db");
    std::fs::write(&path, "beam-record 1\n".repeat(1000)).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, RegisterError::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn a_damaged_page_is_noticed_when_opening() {
    let folder = folder();
    let path = folder.path().join("register.db");
    let register = SqliteRegister::create(&path).await.unwrap();
    register.swap(&key(), None, vec![1; 9000]).await.unwrap();
    closed(register).await;
    let mut bytes = std::fs::read(&path).unwrap();
    let page = 4096..8192;
    bytes[page].fill(0x5A);
    std::fs::write(&path, bytes).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, RegisterError::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn a_register_without_its_table_is_damaged() {
    let folder = folder();
    let path = folder.path().join("register.db");
    closed(SqliteRegister::create(&path).await.unwrap()).await;
    sqlite(&path, "DROP TABLE cells");
    let error = refusal(&path).await;
    assert!(matches!(error, RegisterError::Damaged(_)), "{error:?}");
    let cause = error.source().and_then(Error::source).unwrap().to_string();
    assert!(cause.contains("cells"), "{cause}");
}

#[tokio::test]
async fn the_thread_ends_with_the_register() {
    let folder = folder();
    let path = folder.path().join("register.db");
    let register = SqliteRegister::create(&path).await.unwrap();
    register.swap(&key(), None, vec![1]).await.unwrap();
    closed(register).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the log is still there");
}

/// Drops a register and waits until its connection is closed: the last one takes the log with it.
async fn closed(register: SqliteRegister) {
    let log = PathBuf::from(format!("{}-wal", register.path().display()));
    assert!(log.exists());
    drop(register);
    for _ in 0..500 {
        if !log.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} is still there", log.display());
}
