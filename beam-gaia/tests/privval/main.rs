//! The remote signer against a node that is played here: a listener, and frames written out by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod node;
mod signer;
#[cfg(feature = "tcp")]
mod tcp;
mod unix;
