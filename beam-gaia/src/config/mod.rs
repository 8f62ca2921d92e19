//! The node's `config.toml`, made right for its role, with comments and layout kept.
//!
//! What must always hold:
//! * A validator's node signs through the pilot or not at all: `priv_validator_laddr` is set, and its own key file does not
//!   hold the validator's key ([`check_no_validator_key`]), as it would sign with that outside the fence if the setting were lost.
//! * Only keys that every `CometBFT` from 0.34 to 0.40 knows are added; what was not asked for is not touched.
//! * A file that cannot be read as TOML is not written. What is written appears in one step, and is synced before.
//!
//! A node reads the file once, when it starts: every key needs a restart. Only peers that were added can be dialled
//! meanwhile ([`InForce`]).

mod file;
mod key_check;
mod known;
mod plan;
mod role;

pub use file::{ConfigError, apply, apply_dialled, missing};
pub use key_check::{KeyCheckError, check_no_validator_key};
pub use known::{KNOWN_APP, KNOWN_CLIENT, KNOWN_CONFIG};
pub use plan::{Change, NotATable, plan};
pub use role::{InForce, NodeRole, Peers};
