//! Missed blocks, exactly as the chain counts them.
//!
//! The chain knows of a vote for height `H` by the commit in block `H + 1`, and by nothing else: so does this ledger.
//! [`MissedBlocks`] says which heights it [wants](MissedBlocks::wanted), takes their commits in any order, and counts each
//! once, in order. What is missing is fetched later; what cannot be had is counted as unknown and never as signed or missed.
//!
//! * **Missed** is a validator in the set whose signature is absent. A vote for nil is not missed.
//! * **Why** it is missing ([`Cause`]) is told by what our node had seen, what our signer did, and how many others are absent.
//! * **What it costs** is told by the chain's own parameters and account ([`Window`]), carried on from height to height.

mod commit;
mod ledger;
mod tally;
#[cfg(test)]
mod tests;
mod window;

pub use commit::{Cause, Commit, Flag, Part, Share};
pub use ledger::{Missed, MissedBlocks};
pub use tally::{Account, Tally};
pub use window::{SigningInfo, SlashingParams, Window};
