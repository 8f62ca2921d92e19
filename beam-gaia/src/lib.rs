//! Beam's hands on gaiad, or any node built on `CometBFT`: it touches the world and decides nothing.

pub mod audit_file;
pub mod config;
pub mod floor_file;
pub mod keys;
pub mod privval;
pub mod process;
pub mod rpc;
