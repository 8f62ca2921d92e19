//! Beam keeps a Cosmos validator signing: two machines, one key, never two signatures for one vote.
//!
//! This crate decides and does no IO. Its machines are told what time it is and what happened, and say what to do;
//! somebody else does it. The same machines run in the pilot, in tests and in your own tool.
//!
//! ```text
//!   node ──asks──▶ Signer (signing) ──swap──▶ Register      one cell per validator key, linearizable
//!                    │      ▲        ──keep──▶ FloorStore    this machine's memory of it
//!                    │   outcomes    ──sign──▶ SigningKey    a file, an HSM, a key service
//!                    └──answer──▶ node
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`signing`] | the rule that keeps two machines from signing twice, its proof, and the machine that keeps it |
//! | [`takeover`] | how long a standby waits for the owner |
//! | [`health`] | whether a node does its work and what heals it; missed blocks as the chain counts them |
//! | [`register`] | the shared cell, as a trait: two methods and a contract |
//! | [`roster`], [`pause`], [`history`] | which machines are there, whether takeovers are paused, what happened; for people and plans, never for safety |
//! | [`shared`] | what these three have in common |
//! | [`signing_key`], [`floor_store`], [`audit_log`] | what the signer needs of its machine |
//! | [`logs`] | what a node's log says: records, causes, clues |
//! | [`node_process`], [`health_check`], [`alert_sink`], [`cloud_provider`] | what a pilot and a commander need of the world |
//! | [`fleet`] | which snapshots go, how many addresses are held ready |
//! | [`machine`], [`time`], [`id`] | what all decisions share |
//! | `runtime` (feature) | the driver on tokio, and the planned switch |
//! | `sqlite` (feature) | the register in a file, for machines that share a host |
//! | `sim` (feature) | a seeded simulator: the signing machine in a world that goes wrong |
//! | `testing` (feature) | fakes that keep state, and the contract suites |
//!
//! # Invariants
//!
//! * Nothing in here reads a clock, draws a random number, opens a file or a socket, unless a feature says so. By
//!   default the crate depends on `async-trait`, `memchr`, `serde` and `thiserror` and on nothing that does IO.
//! * A signature is only ever made over bytes that the register held. See [`signing`] for the proof.
//! * No `unsafe`, no panic on any input.

pub mod alert_sink;
pub mod audit_log;
pub mod cloud_provider;
pub mod fleet;
pub mod floor_store;
pub mod health;
pub mod health_check;
pub mod history;
pub mod id;
pub mod logs;
pub mod machine;
pub mod node_process;
pub mod pause;
pub mod register;
pub mod roster;
pub mod shared;
pub mod signing;
pub mod signing_key;
pub mod takeover;
pub mod time;

#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;

/// The README's example, so that it goes on compiling.
#[cfg(all(doctest, feature = "runtime"))]
#[doc = include_str!("../../README.md")]
struct ReadMe;
