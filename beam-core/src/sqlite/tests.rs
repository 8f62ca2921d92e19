//! What only the inside can see: errors at a chosen point of a swap, files replaced under an open register.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::create::create;
use super::files::beside;
use super::store::Store;
use crate::register::{Cell, RegisterError, RegisterKey, SwapError, Version};

fn key() -> RegisterKey {
    RegisterKey::signing(&"sqlite-1".parse().unwrap(), &"A".repeat(40)).unwrap()
}

fn made() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.db");
    create(&path).unwrap();
    (folder, path)
}

fn cell(version: u64, value: &[u8]) -> Option<Cell> {
    Some(Cell { version: Version(version), value: value.to_vec() })
}

/// The error and all its causes, as a log shows them.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[test]
fn a_full_disk_is_named_and_nothing_is_written_and_the_register_goes_on() {
    let (_folder, path) = made();
    let mut store = Store::open(&path).unwrap();
    let version = store.swap(&key(), None, b"small").unwrap();
    store.fill_up();
    let error = store.swap(&key(), Some(version), &[7; Cell::LEN_MAX]).unwrap_err();
    assert!(matches!(error, SwapError::Failed(_)), "{error:?}");
    assert!(told(&error).contains("full"), "{}", told(&error));
    assert_eq!(store.read(&key()).unwrap(), cell(1, b"small"));
    // What needs no more room still works.
    assert_eq!(store.swap(&key(), Some(version), b"other").unwrap(), Version(2));
    assert_eq!(Store::open(&path).unwrap().read(&key()).unwrap(), cell(2, b"other"));
}

#[test]
fn a_lock_held_too_long_fails_the_swap_within_a_second() {
    let (_folder, path) = made();
    let (holder, mut store) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    holder.connection().execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::Instant::now();
    let error = store.swap(&key(), None, b"waits").unwrap_err();
    assert!(matches!(error, SwapError::Failed(_)), "{error:?}");
    assert!(told(&error).contains("lock"), "{}", told(&error));
    let took = began.elapsed().as_millis();
    assert!((800..1500).contains(&took), "{took} ms");
    // Readers do not wait for a writer.
    assert_eq!(store.read(&key()).unwrap(), None);
    holder.connection().execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.swap(&key(), None, b"goes").unwrap(), Version::FIRST);
}

#[test]
fn a_transaction_left_open_is_ended_before_anything_else() {
    let (_folder, path) = made();
    let mut store = Store::open(&path).unwrap();
    store.connection().execute_batch("BEGIN IMMEDIATE; INSERT INTO cells VALUES('x', 1, x'00')").unwrap();
    assert_eq!(store.read(&key()).unwrap(), None);
    assert_eq!(store.swap(&key(), None, b"goes").unwrap(), Version::FIRST);
    let rows: i64 = store.connection().query_row("SELECT count(*) FROM cells", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn a_file_replaced_or_deleted_while_open_is_used_no_more() {
    for (suffix, replace) in [("", true), ("", false), ("-wal", false), ("-shm", false)] {
        let (_folder, path) = made();
        let mut store = Store::open(&path).unwrap();
        store.swap(&key(), None, b"before").unwrap();
        let victim = beside(&path, suffix);
        std::fs::remove_file(&victim).unwrap();
        if replace {
            create(&path).unwrap();
        }
        for _ in 0..2 {
            let error = store.swap(&key(), Some(Version::FIRST), b"after").unwrap_err();
            assert!(matches!(error, SwapError::Failed(_)), "{error:?}");
            let error = store.read(&key()).unwrap_err();
            assert!(matches!(error, RegisterError::Unfit(_)), "{error:?}");
            assert!(told(&error).contains(victim.to_str().unwrap()), "{}", told(&error));
        }
    }
}

#[test]
fn a_version_that_is_none_is_damage() {
    let (_folder, path) = made();
    let mut store = Store::open(&path).unwrap();
    store.connection().execute("INSERT INTO cells VALUES(?1, -1, x'00')", [key().as_str()]).unwrap();
    assert!(matches!(store.read(&key()), Err(RegisterError::Damaged(_))));
    assert!(matches!(store.swap(&key(), Some(Version(7)), b"no"), Err(SwapError::Failed(_))));
}

#[test]
fn the_last_version_of_all_is_not_passed() {
    let (_folder, path) = made();
    let mut store = Store::open(&path).unwrap();
    let last = i64::MAX.unsigned_abs();
    store
        .connection()
        .execute("INSERT INTO cells VALUES(?1, ?2, x'00')", (key().as_str(), i64::MAX))
        .unwrap();
    assert!(matches!(store.swap(&key(), Some(Version(last)), b"no"), Err(SwapError::Failed(_))));
    assert_eq!(store.read(&key()).unwrap(), cell(last, &[0]));
}

#[test]
fn another_journal_mode_is_put_right() {
    let (_folder, path) = made();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
    drop(connection);
    let store = Store::open(&path).unwrap();
    let setting = |name| -> String {
        store
            .connection()
            .query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!((setting("journal_mode").as_str(), setting("synchronous").as_str()), ("wal", "1"));
}

#[test]
fn the_log_is_folded_in_time_and_does_not_grow_for_ever() {
    let (_folder, path) = made();
    let mut store = Store::open(&path).unwrap();
    store.connection().pragma_update(None, "synchronous", 0).unwrap();
    let mut expected = None;
    for count in 0..3500_u32 {
        expected = Some(store.swap(&key(), expected, &count.to_be_bytes()).unwrap());
        store.tidy();
    }
    let log = std::fs::metadata(beside(&path, "-wal")).unwrap().len();
    assert!(log < 1100 * 4200, "the log has {log} bytes");
}

#[test]
fn two_makers_at_once_make_one_register_and_leave_no_draft() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.db");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| create(&path).unwrap());
        }
    });
    assert_eq!(names(folder.path()), ["register.db"]);
    Store::open(&path).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
