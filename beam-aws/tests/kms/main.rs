//! The key in KMS on ministack, an emulator whose KMS has Ed25519; and with `BEAM_AWS_LIVE=1` on a real account.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;
mod contract;
mod latency;
mod live;
mod meddler;
mod troubles;
mod wire;
