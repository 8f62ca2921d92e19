//! The validator's key, from the file that `CometBFT` keeps it in, and what a process that holds one should do first.
//!
//! The key must not lie where the node finds it (its `config` folder): a node that lost its `priv_validator_laddr` would
//! sign with it, past everything that guards it.

mod error;
mod file;
mod harden;
mod json;
mod node_key;
mod relocate;

pub use error::KeyFileError;
pub use file::KeyFile;
pub use harden::{Exposure, harden_process};
pub use node_key::node_id;
pub use relocate::{RelocateError, Relocation, Remains, Whereabouts};
