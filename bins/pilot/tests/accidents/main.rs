//! The accidents by which validators signed twice, each told in a few sentences and then done to Beam.
//!
//! Every test has two halves. In the first the accident happens to a validator under Beam, and a judge finds one value for each
//! height, round and step. In the second the same happens to what was in its place that day, or to Beam with the one guard that
//! counts taken away, and the validator contradicts itself before the same judge: the first half could have failed. What is told
//! of each accident is what has been published, and no more.
//!
//! | accident | how | what stops it |
//! |---|---|---|
//! | [`cosmos_pool`] | a primary came back beside its backup | one register for both: rules 1 to 3 |
//! | [`blockscape`] | a permission log forgot what it had permitted | a mark is never forgotten: rule 2 |
//! | [`persistence`] | a restart from snapshots without the signer's memory | the memory is not in the node's home: rules 2 and 10 |
//! | [`neutron`] | two versions of the node at one height | the first statement at a mark is the only one: rule 3 |
//! | [`validatus`] | a migration that left the key on the old server | `init --from` moves the key; a copy is noticed, not prevented |
//! | [`horcrux`] | a race between a read and a write | one swap that names the version it was decided upon: rule 1 |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../lone_pilot/mod.rs"]
mod lone_pilot;
#[path = "../offline/mod.rs"]
mod offline;

mod blockscape;
mod cosmos_pool;
mod horcrux;
mod neutron;
mod persistence;
mod scene;
mod validatus;
