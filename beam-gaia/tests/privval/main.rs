//! The remote signer against a node that is played here: a listener, and frames written out by hand.

mod node;
mod signer;
#[cfg(feature = "tcp")]
mod tcp;
mod unix;
