//! The files of a node: made by the chain's own commands, then edited to be one lab's network.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use base64ct::{Base64, Encoding as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use toml_edit::{DocumentMut, Item, value};

use super::plan::{App, NetworkPlan};
use super::{Node, Validator};

/// A node's genesis.
pub(super) fn genesis(home: &Path) -> PathBuf {
    home.join("config/genesis.json")
}

/// The settings of an SDK chain's application.
pub(super) fn app_config(home: &Path) -> PathBuf {
    home.join("config/app.toml")
}

/// The path of a node's own validator key.
pub(super) fn validator_key(home: &Path) -> PathBuf {
    home.join("config/priv_validator_key.json")
}

/// Whose key a file holds.
///
/// # Errors
/// When it is not a key in CometBFT's format.
pub(super) fn validator(key: &Path) -> Result<Validator> {
    let read = read_json(key)?;
    let address = read.get("address").and_then(Value::as_str);
    Ok(Validator { address: address.with_context(|| format!("{}: no address", key.display()))?.to_owned() })
}

/// Whose a public key is, given in base64.
///
/// # Errors
/// When it is none.
pub(super) fn validator_of(public: &str) -> Result<Validator> {
    const ADDRESS_LEN: usize = 20;
    let mut key = [0; 32];
    let read =
        Base64::decode(public, &mut key).map_err(|error| anyhow!("{public:?} is no public key: {error}"))?;
    let digest = Sha256::digest(read);
    Ok(Validator { address: digest.iter().take(ADDRESS_LEN).map(|byte| format!("{byte:02X}")).collect() })
}

/// Moves the key of validator 0 out of its home, to a file only its owner can read.
///
/// # Errors
/// When the file cannot be moved.
pub(super) fn take_key(home: &Path, to: &Path) -> Result<()> {
    fs::rename(validator_key(home), to).context("cannot move the validator key")?;
    fs::set_permissions(to, Permissions::from_mode(0o600))?;
    fs::remove_dir_all(home).context("cannot remove the home of node0")
}

pub(super) fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// A file of settings that is being edited.
pub(super) struct Settings(DocumentMut);

impl Settings {
    /// Sets a key that is there already: one that the node does not know would be ignored in silence.
    pub(super) fn put(&mut self, section: &str, key: &str, item: Item) -> Result<()> {
        let table = match section {
            "" => self.0.as_table_mut(),
            _ => self.0.get_mut(section).and_then(Item::as_table_mut).context("config without a section")?,
        };
        *table.get_mut(key).with_context(|| format!("config without {section}.{key}"))? = item;
        Ok(())
    }

    /// Sets a key of no section, whether it is there or not.
    pub(super) fn add(&mut self, key: &str, item: Item) {
        self.0.insert(key, item);
    }
}

/// Edits a file of settings.
///
/// # Errors
/// When it cannot be read, parsed or written, or `change` fails.
pub(super) fn edit(path: &Path, change: impl FnOnce(&mut Settings) -> Result<()>) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut settings = Settings(text.parse().with_context(|| path.display().to_string())?);
    change(&mut settings).with_context(|| path.display().to_string())?;
    fs::write(path, settings.0.to_string()).with_context(|| path.display().to_string())
}

/// Writes the settings of one node: its ports, its peers and the plan's times.
///
/// # Errors
/// When the file cannot be read, parsed or written.
pub(super) fn edit_config(node: &Node, peers: &str, plan: &NetworkPlan) -> Result<()> {
    let millis = |time: Duration| format!("{}ms", time.as_millis());
    edit(&node.home.join("config/config.toml"), |config| {
        config.put("", "moniker", value(node.name.as_str()))?;
        config.put("", "log_level", value(plan.log_level.as_str()))?;
        if plan.app == App::Kvstore {
            config.put("", "proxy_app", value("kvstore"))?;
        }
        config.put("rpc", "laddr", value(format!("tcp://127.0.0.1:{}", node.rpc_port)))?;
        config.put("rpc", "pprof_laddr", value(""))?;
        // A watcher that falls behind is thrown out; room for many heights makes that a rare thing.
        config.put("rpc", "experimental_subscription_buffer_size", value(4_000))?;
        config.put("rpc", "experimental_websocket_write_buffer_size", value(4_000))?;
        config.put("p2p", "laddr", value(format!("tcp://127.0.0.1:{}", node.p2p_port)))?;
        config.put("p2p", "persistent_peers", value(peers))?;
        config.put("p2p", "addr_book_strict", value(false))?;
        config.put("p2p", "allow_duplicate_ip", value(true))?;
        config.put("p2p", "pex", value(false))?;
        config.put("consensus", "timeout_commit", value(millis(plan.block_time)))?;
        config.put("consensus", "timeout_propose", value(millis(plan.timeout_propose)))?;
        config.put("consensus", "double_sign_check_height", value(0))?;
        config.put("instrumentation", "prometheus", value(false))
    })
}
