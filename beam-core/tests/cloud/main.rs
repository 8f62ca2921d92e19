//! The simulated cloud keeps the contract in every mood, and the suite notices the clouds that do not.

#![cfg(feature = "testing")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy takes what a test calls for code that is no test"
)]

mod broken;
mod differences;
mod moods;
mod simulated;
mod stage;
