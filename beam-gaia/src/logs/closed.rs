//! One closed log.

use std::path::{Path, PathBuf};

/// A log that nothing is appended to any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its place in the order.
    pub number: u64,
    /// Whether it is gzip.
    pub compressed: bool,
}

impl ClosedFile {
    /// By its name; `None` if it is none.
    pub(super) fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (stem, compressed) = match name.strip_suffix(".log.gz") {
            Some(stem) => (stem, true),
            None => (name.strip_suffix(".log")?, false),
        };
        let number = stem.strip_prefix("node-")?.split('-').next()?.parse().ok()?;
        Some(Self { number, compressed, path })
    }

    /// Whether this is a compressed log that was never finished.
    pub(super) fn is_half(path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("node-") && name.ends_with(".log.gz.part")
    }

    /// Where it is, or will be, once it is compressed.
    pub(super) fn compressed_path(&self) -> PathBuf {
        if self.compressed { self.path.clone() } else { self.path.with_extension("log.gz") }
    }
}
