//! Beam's hands on gaiad, or any node built on `CometBFT`: it touches the world and decides nothing.
//!
//! | module | what it is | of core's |
//! |---|---|---|
//! | [`privval`] | the remote signer protocol, the signer's side: dials the node, answers every request | asks `SignerHandle` |
//! | [`keys`] | `CometBFT`'s key file, and a process that holds a key | `SigningKey` |
//! | [`floor_file`] | the highest mark this machine has seen, synced | `FloorStore` |
//! | [`audit_file`] | every released signature, a line each | `AuditLog` |
//! | [`logs`] | the node's output: captured, stamped, rotated, read back | |
//! | [`process`] | the node as a process: started, adopted, watched, stopped | `NodeProcess` |
//! | [`state_files`] | what gaiad, TMKMS and Horcrux remember of what they signed | |
//! | [`config`] | the node's `config.toml`, made right for its role | |
//! | [`rpc`] | what the node says of itself and of the chain | |
//! | [`health`] | looking at a node, all at once | feeds `health::NodeHealth` and `health::missed` |

pub mod audit_file;
pub mod config;
pub mod floor_file;
pub mod health;
pub mod keys;
pub mod logs;
pub mod privval;
pub mod process;
pub mod rpc;
pub mod state_files;
