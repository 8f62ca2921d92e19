//! Asking the node: its height, its commits, its peers.
//!
//! [`NodeRpc`] speaks plain HTTP to the node on the same machine; there is no TLS, so it must not leave it. The answers are read
//! by `tendermint-rpc`, in the dialect of `CometBFT` 0.38, and [`NodeRpc`] is one of its
//! [`Client`](tendermint_rpc::client::Client)s: every question that crate knows can be asked.
//!
//! What its parsers cannot read must not be asked through it: `/consensus_state` of a node in the middle of a vote, and events
//! other than new blocks.

mod client;
mod commit;
mod dial;
mod error;
mod height_check;
mod transport;

pub use client::{NodeRpc, NodeStatus};
pub use commit::{Committed, ValidatorAddress, Vote};
pub use error::RpcError;
pub use height_check::{NodeHeight, Progress, Reading, judge};
pub use transport::{ANSWER_LEN_MAX, ANSWER_WITHIN};

#[cfg(test)]
mod test_server;
