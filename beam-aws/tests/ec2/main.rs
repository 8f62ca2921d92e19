//! The cloud on moto, an emulator; and with `BEAM_AWS_LIVE=1` on a real account.
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
mod emulated;
mod endpoint;
mod wire;
