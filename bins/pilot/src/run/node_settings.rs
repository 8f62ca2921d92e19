//! The node's `config.toml` as `node.toml` wants it, and what of it a running node does not know yet.
//!
//! A node reads its file once. So beside it, in the pilot's home, lies a copy of what the running node was started with: what
//! differs is pending, whoever changed it and whichever pilot started the node.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use beam_core::signing_key::PublicKey;
use beam_gaia::config::{self as node_config, Change, ConfigError, InForce, NodeRole, Peers};

use crate::config::{Config, P2p, Role};

/// The copy, in the pilot's home.
const STARTED_WITH: &str = "node.config.toml";

fn node_file(config: &Config) -> PathBuf {
    config.node.home.join("config/config.toml")
}

fn role(config: &Config) -> Result<NodeRole> {
    let peers = peers(&config.p2p);
    Ok(match config.role {
        Role::Validator => {
            NodeRole::Validator { priv_validator_laddr: config.signer()?.laddr.clone(), peers }
        }
        Role::Sentry => NodeRole::Sentry { peers },
    })
}

/// The peers as `node.toml` has them.
pub(crate) fn peers(p2p: &P2p) -> Peers {
    Peers {
        persistent: p2p.persistent_peers.clone(),
        unconditional_ids: p2p.unconditional_peer_ids.clone(),
        private_ids: p2p.private_peer_ids.clone(),
        external_address: p2p.external_address.clone(),
        inbound_max: p2p.inbound_peers_max,
        outbound_max: p2p.outbound_peers_max,
        dialable: p2p.dial_on_reload,
    }
}

/// Makes the node's configuration right for its next start, and makes sure that it cannot sign by itself.
///
/// # Errors
/// If its home holds the validator's key, or the file cannot be made right.
pub(crate) fn make_right(config: &Config, validator: Option<&PublicKey>) -> Result<()> {
    if let Some(key) = validator {
        node_config::check_no_validator_key(&config.node.home, key)?;
    }
    let path = node_file(config);
    let changes = node_config::apply(&path, &role(config)?)
        .with_context(|| format!("the node's configuration {} cannot be made right", path.display()))?;
    for change in changes {
        tracing::info!(key = change.key, from = ?change.from, to = %change.to, why = change.why, "node configuration changed");
    }
    Ok(())
}

/// What a node that is started now reads.
pub(crate) struct Snapshot(Vec<u8>);

impl Snapshot {
    /// To be taken before the start.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn take(config: &Config) -> io::Result<Self> {
        fs::read(node_file(config)).map(Self)
    }

    /// Notes that the node was started with this.
    ///
    /// # Errors
    /// If it cannot be written; then what is pending may be told wrong.
    pub(crate) fn keep(&self, config: &Config) -> io::Result<()> {
        let path = config.own(STARTED_WITH);
        let beside = path.with_extension("toml.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&self.0)?;
        fs::rename(&beside, &path)
    }
}

/// What the running node would take in with its next start. Nothing, if it is not known what it was started with.
///
/// # Errors
/// If the copy cannot be read.
pub(crate) fn pending(config: &Config) -> Result<Vec<Change>> {
    match node_config::missing(&config.own(STARTED_WITH), &role(config)?) {
        Err(ConfigError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        missing => Ok(missing?),
    }
}

/// Whether one of the changes can be had by dialling, and `node.toml` lets us.
pub(crate) fn may_dial(config: &Config, pending: &[Change]) -> bool {
    config.p2p.dial_on_reload && pending.iter().any(|change| change.in_force == InForce::WhenDialled)
}

/// Notes that the running node was told of all persistent peers. Those that were taken away are still connected, so then the
/// change goes on being pending.
///
/// # Errors
/// If the copy cannot be read or written.
pub(crate) fn note_dialled(config: &Config) -> Result<()> {
    let path = config.own(STARTED_WITH);
    let now = config.p2p.persistent_peers.clone().unwrap_or_default();
    let before = started_with_peers(&path)?;
    if before.iter().all(|peer| now.contains(peer)) {
        node_config::apply_dialled(&path, &role(config)?)?;
    }
    Ok(())
}

fn started_with_peers(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let config: toml::Table = text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
    let peers = config.get("p2p").and_then(|p2p| p2p.get("persistent_peers")).and_then(toml::Value::as_str);
    let peers = peers.unwrap_or_default().split(',').map(str::trim).filter(|peer| !peer.is_empty());
    Ok(peers.map(str::to_owned).collect())
}
