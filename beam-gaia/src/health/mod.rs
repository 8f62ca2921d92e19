//! Looking at a node, for core's decisions about its health.
//!
//! [`Probe`] asks everything at once and is done within [`LOOK_WITHIN`], whatever hangs. [`fetch_missing`] brings the ledger of missed
//! blocks what it wants. Neither concludes anything.

mod disk;
mod probe;
#[cfg(test)]
mod tests;
mod upgrade_info;
mod votes;

pub use disk::{DiskSpace, disk_space};
pub use probe::{LOOK_WITHIN, Look, Probe};
pub use upgrade_info::{UPGRADE_INFO_LEN_MAX, upgrade_info};
pub use votes::{commit_counts, fetch_missing};
