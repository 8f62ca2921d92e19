//! `libfaketime`, from Debian's package: a library that a program is started with and that gives it another wall clock.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::debian;

/// The library's file name, without a thread-safe variant's suffix.
const FILE: &str = "libfaketimeMT.so.1";

/// The library.
///
/// # Errors
/// When the package cannot be had; the message says what to do.
pub async fn faketime(progress: impl Fn(&str)) -> Result<PathBuf> {
    let home = debian::package("libfaketime", &progress).await;
    let home =
        home.context("there is no libfaketime; run this where `apt-get download libfaketime` works")?;
    find(&home).context("the package `libfaketime` has no library")
}

/// It lies in a folder named after the processor.
fn find(dir: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
    entries.into_iter().find_map(|path| match path.is_dir() {
        true => find(&path),
        false => path.ends_with(FILE).then_some(path),
    })
}
