//! The register on moto, an emulator of S3; what moto does not do, on answers of AWS's own shape; and with `BEAM_AWS_LIVE=1` on a
//! real account.
//!
//! Where S3 differs from moto:
//!
//! | S3 | moto | shown by |
//! |---|---|---|
//! | may refuse a conditional PUT with 409 while another is under way | never does | `answers.rs` |
//! | refuses a bucket of another account (`ExpectedBucketOwner`), with 403 | does not look | `answers.rs` |
//! | sends who asks in another region away (301, 307, 400) | answers | `answers.rs` |
//! | judges a condition and writes in one step | in two | `examples/moto/serve.py` lets requests wait for one another |
//! | asks who you are | takes any credentials and rights | `answers.rs` |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod answers;
mod buckets;
mod common;
#[path = "../shared/contract.rs"]
mod contract;
mod edited;
#[path = "../shared/wire.rs"]
mod wire;
