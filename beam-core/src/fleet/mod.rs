//! What a fleet keeps of what costs money while nobody needs it: old snapshots, spare addresses.
//!
//! Pure: lists of the cloud and a time go in, names of what to make or to give back come out. A list of the cloud may be
//! late, so each rule is such that a late list makes it do less, or something that the cloud refuses or that is mended
//! by the next look; never something that cannot be taken back.

mod pruning;
mod spare_addresses;

pub use pruning::{PruningConfig, prunable};
pub use spare_addresses::{SpareConfig, SparePlan, spare_plan};
