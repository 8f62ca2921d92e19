//! The `node.toml` that `beam init` writes: every key with what it means.

use std::path::PathBuf;
use std::time::Duration;

use beam_core::id::ChainId;

/// What `beam init` found out or was told.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(crate) name: String,
    pub(crate) chain_id: ChainId,
    pub(crate) node_home: PathBuf,
    pub(crate) command: Vec<String>,
    pub(crate) rpc: String,
    pub(crate) key: PathBuf,
    pub(crate) laddr: String,
    pub(crate) takeover_after: Duration,
    pub(crate) rank: u32,
    pub(crate) register: PathBuf,
}

/// The file's text.
pub(crate) fn render(answers: &Answers) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let path = |path: &PathBuf| quoted(&path.to_string_lossy());
    format!(
        r#"# Beam: one machine of a validator. Paths that are not absolute are relative to this file's folder.

# This machine's name: its line in `beam status`, the target of `beam switchover --to`.
# It guards nothing: who may sign is decided by the register, by ids drawn anew at each start.
name = {name}

[chain]
id = {chain_id}

[node]
# The node's home, with config/config.toml in it.
home = {node_home}
# What to run: gaiad or any node built on CometBFT.
command = {command}
# Its RPC on this machine.
rpc = {rpc}
# How long it may take to end when asked, before it is killed.
stop_grace = "30s"

[signer]
# CometBFT's key file (priv_validator_key.json), readable by this user only, and never in the node's home.
key = {key}
# Where the node listens for its signer (its priv_validator_laddr, which Beam sets). unix:// stays on this machine.
laddr = {laddr}
# How long this machine, while it is the standby, waits for the owner's vote before it takes over.
# Too short costs a harmless change of owner now and then; too long costs a block when the owner dies.
# 300ms suits blocks of about 1 s, 1s blocks of 5 s and more.
takeover_after = {takeover_after}
# 1 for the first standby, 2 for the second, who waits twice as long.
rank = {rank}

[register]
# The one thing that all machines of this validator share. A SQLite file serves machines on one host; it is refused on
# a network file system.
sqlite = {register}
"#,
        name = quoted(&answers.name),
        chain_id = quoted(answers.chain_id.as_str()),
        node_home = path(&answers.node_home),
        command = toml::Value::from(answers.command.clone()),
        rpc = quoted(&answers.rpc),
        key = path(&answers.key),
        laddr = quoted(&answers.laddr),
        takeover_after = quoted(&humantime::format_duration(answers.takeover_after).to_string()),
        rank = answers.rank,
        register = path(&answers.register),
    )
}
