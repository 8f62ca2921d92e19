//! Whatever in Beam reads bytes that others may have written, as functions that take any bytes and panic if something is wrong.
//!
//! Others are: a node (the remote signer protocol, the log), whoever can write to the register (record, roster, pause, history), a disk
//! (the floor), people (`node.toml`, `config.toml`, state files of other signers), and anybody on the network (the HTTP agent).
//!
//! | target | what reads | what must hold, besides no panic |
//! |---|---|---|
//! | [`canonical`] | sign bytes | what is read is what a protobuf library reads, and encodes back to the same bytes |
//! | [`frames`] | the stream from the node | it is cut into the same messages wherever it is cut on its way; little is held |
//! | [`service`] | a request of the node | one answer, of its kind, short; what is signed is what was asked for, and for this chain |
//! | [`record`], [`documents`] | what is in the register | only what encodes back to the same bytes is read; anything that is written is read |
//! | [`floor`] | the floor's file | of two copies the later whole one counts; a damaged one is never read |
//! | [`state_files`] | gaiad's, TMKMS' and Horcrux' memory | never a mark below what the file says; nothing doubled or trailing is passed over |
//! | [`gaiad_toml`] | the node's `config.toml` | made right once it is right; what is not asked for stays; it stays TOML |
//! | [`node_toml`] | the pilot's configuration | a configuration, or mistakes with lines that are there; what `beam init` writes is read |
//! | [`logs`] | the node's log | every line and byte is counted once; JSON is read as a JSON library reads it; nothing controls a terminal |
//! | [`agent_bytes`], [`agent_requests`] | HTTP | an answer or a closed connection, in time, of bounded length; a good request is answered as the table says |
//!
//! Each is run by libFuzzer (`cargo fuzz-all`) from the inputs in `seeds/` and `corpus/`, and over all that are kept by an ordinary
//! `cargo test` (`tests/replay.rs`). An input that found something is kept in `cases/` with a word about what it found.
//!
//! The pilot is a program and no library. Its modules `config`, `http`, `metrics` and `report` are taken in here as files, under the
//! names by which they know one another; `http` without the thread that it runs on.

// The pilot's modules would bring their tests along, and look for files beside them. What is tested here is tested from `tests/`.
#![cfg(not(test))]
// A target has found something when it panics.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
// It takes the tests that are left out for files that are taken in twice.
#![allow(clippy::duplicate_mod)]

pub mod inputs;
mod targets;

#[allow(dead_code, unused_imports, reason = "only what reads is used here")]
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/clock.rs"]
mod clock;
#[allow(dead_code, unused_imports, reason = "only what reads is used here")]
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/config/mod.rs"]
mod config;
#[allow(dead_code, unused_imports, reason = "only what reads is used here")]
mod http;
#[allow(dead_code, unused_imports, reason = "only what reads is used here")]
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/metrics/mod.rs"]
mod metrics;
#[allow(dead_code, unused_imports, reason = "only what reads is used here")]
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/report.rs"]
mod report;

pub use targets::agent::{bytes as agent_bytes, requests as agent_requests};
pub use targets::canonical::run as canonical;
pub use targets::documents::run as documents;
pub use targets::floor::run as floor;
pub use targets::frames::run as frames;
pub use targets::gaiad_toml::run as gaiad_toml;
pub use targets::logs::run as logs;
pub use targets::node_toml::run as node_toml;
pub use targets::record::run as record;
pub use targets::service::run as service;
pub use targets::state_files::run as state_files;

/// A function to be fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also of its files.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
    /// The longest input that is tried, in bytes.
    pub len_max: usize,
}

/// All of them.
pub const TARGETS: [Target; 12] = [
    Target { name: "canonical", run: canonical, len_max: 512 },
    Target { name: "frames", run: frames, len_max: 4096 },
    Target { name: "service", run: service, len_max: 2048 },
    Target { name: "record", run: record, len_max: 2048 },
    Target { name: "documents", run: documents, len_max: 4096 },
    Target { name: "floor", run: floor, len_max: 2048 },
    Target { name: "state_files", run: state_files, len_max: 2048 },
    Target { name: "gaiad_toml", run: gaiad_toml, len_max: 4096 },
    Target { name: "node_toml", run: node_toml, len_max: 4096 },
    Target { name: "logs", run: logs, len_max: 4096 },
    Target { name: "agent_bytes", run: agent_bytes, len_max: 20_000 },
    Target { name: "agent_requests", run: agent_requests, len_max: 2048 },
];
