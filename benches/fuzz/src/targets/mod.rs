//! One file a target.

pub(crate) mod agent;
pub(crate) mod canonical;
pub(crate) mod documents;
pub(crate) mod floor;
pub(crate) mod frames;
pub(crate) mod gaiad_toml;
pub(crate) mod logs;
pub(crate) mod node_toml;
pub(crate) mod record;
pub(crate) mod service;
pub(crate) mod state_files;
mod wire;
