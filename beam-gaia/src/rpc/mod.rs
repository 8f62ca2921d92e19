//! Asking the node: of itself, of its peers, of the chain.
//!
//! [`NodeRpc`] speaks plain HTTP to the node on the same machine, or to one's own nodes over a private network; there is no TLS, so it
//! must not go further. Every question is bounded in time ([`ANSWER_WITHIN`]) and every answer in length ([`ANSWER_LEN_MAX`]).
//! Where `tendermint-rpc` reads the answer, it is read in the dialect of `CometBFT` 0.38, and [`NodeRpc`] is one of that crate's
//! [`Client`](tendermint_rpc::client::Client)s.
//!
//! What its parsers cannot read must not be asked through it: `/consensus_state` of a node in the middle of a vote, and events
//! other than new blocks. Such answers are read here, and of each only what is needed: fewer fields, fewer surprises.

mod app;
mod bech32;
mod chain;
mod client;
mod commit;
mod connections;
mod consensus;
mod error;
mod messages;
mod raw;
mod standing;
mod transport;
mod validators;

pub use app::AppInfo;
pub use client::{NodeRpc, NodeStatus};
pub use commit::{Committed, ValidatorAddress, Vote};
pub use connections::Dialing;
pub use consensus::{CONSENSUS_WITHIN, ConsensusThread};
pub use error::RpcError;
pub use standing::Standing;
pub use transport::{ANSWER_LEN_MAX, ANSWER_WITHIN};
pub use validators::ValidatorSet;

#[cfg(test)]
pub(crate) mod test_server;
#[cfg(test)]
mod tests;
