//! The cloud on moto, an emulator; and with `BEAM_AWS_LIVE=1` on a real account.
#![cfg(feature = "ec2")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod answers;
mod common;
mod contract;
mod differences;
mod emulated;
mod endpoint;
mod harness;
mod http;
mod line;
mod live;
mod wire;
