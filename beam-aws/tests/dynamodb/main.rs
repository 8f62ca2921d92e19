//! The register on DynamoDB Local, AWS's own emulator; and with `BEAM_AWS_LIVE=1` on a real account.
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
#[path = "../shared/contract.rs"]
mod contract;
mod edited;
mod far;
mod live;
mod policy;
mod tables;
#[path = "../shared/wire.rs"]
mod wire;
