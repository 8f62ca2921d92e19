//! The driver over fakes, in virtual time: what the machines promise holds for what runs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod signer;
mod switching;
mod world;
