//! The policies in `examples/aws`: each call that the code makes is allowed, and what must never happen is denied.
//!
//! * [`code`] finds the calls: it reads this package's sources and knows what is a call from the SDK's own sources. So a new call that no
//!   policy allows turns this red.
//! * [`allowed`] says for each of them who makes it, on what, and how; [`denied`] what nobody may.
//! * [`judge`] judges as IAM does, with `iam-rs`, and shows first that it knows what these policies ask of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod allowed;
mod code;
mod denied;
mod files;
mod judge;
mod world;
