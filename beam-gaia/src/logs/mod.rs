//! The node's output, captured.
//!
//! ```text
//!   node ──appends──▶ node.raw ──Spool──▶ Capture ──stamps──▶ node.log ──closed──▶ node-000007-….log ──Keeper──▶ ….log.gz
//!                        ▲                   │  └──▶ clues, as they are said
//!                        └── read parts are  └──▶ node.place
//!                            given back
//! ```
//!
//! What must always hold:
//! * **The node never waits for us and never notices us.** It appends to a file of its own; no pipe that could fill or break.
//!   A pilot that dies costs no line: the next one goes on where it stopped.
//! * **Once.** [`Place`] remembers how far the raw file was read and how long the log was then. What a killed pilot wrote
//!   after that is cut off and read again, so a line is neither lost nor doubled (`no_line_is_lost_or_doubled…`).
//! * **Bounded.** Read parts of the raw file are given back to the disk by punching holes, which has no race with the writer.
//!   A file system that cannot do it (NFS, some FUSE) gets the raw file emptied when it has grown to [`SPOOL_LEN_MAX`] and is
//!   read to its end; a line that the node writes in that very moment is lost. Closed files are compressed and the oldest
//!   removed, memory has its bounds.
//! * **A full disk harms nobody.** Lines wait in memory, then the oldest are dropped and counted, and a note in the log says
//!   so. Clues are picked out before anything is written.
//! * Nothing is synced but closed files: after a power cut the last seconds may be missing.
//!
//! The raw file's length only grows, for its holes count; what it takes on the disk (`du`) stays below a few MiB.

mod capture;
mod closed;
mod folder;
mod follow;
mod keeper;
mod open_log;
mod place;
mod read;
mod spool;
#[cfg(test)]
mod tests;
mod thread;

pub use capture::{Capture, CaptureConfig, CaptureState, HELD_MAX, WAITING_LEN_MAX};
pub use closed::ClosedFile;
pub use folder::LogFolder;
pub use follow::Follow;
pub use place::Place;
pub use read::LogSource;
pub use spool::{KEPT_LEN, SPOOL_LEN_MAX};
pub use thread::{CLUES_MAX, CaptureThread, POLL};

use std::time::{SystemTime, UNIX_EPOCH};

use beam_core::logs::Stamp;

/// The time by this machine's clock.
#[must_use]
pub fn now() -> Stamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp::at_ms(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}
