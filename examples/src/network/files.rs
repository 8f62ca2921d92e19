//! The files of a node: made by `cometbft testnet`, then edited to be one lab's network.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::process::Command;
use toml_edit::{DocumentMut, Item, value};

use super::{NetworkPlan, Node, Validator};

/// A CometBFT command that only writes files.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);
/// The voting power of each validator. More than one: with powers of 1 a quarter of them already
/// makes integer thirds, and CometBFT then treats a single validator as able to block the chain.
const POWER: &str = "10";

/// Runs `cometbft` with `arguments` and returns what it printed.
///
/// # Errors
/// When it cannot run, fails, or takes longer than a minute.
pub(super) async fn cometbft(program: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(COMMAND_WITHIN, command.output())
        .await
        .with_context(|| format!("`cometbft {}` did not end within {COMMAND_WITHIN:?}", arguments.join(" ")))?
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("`cometbft {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Sets chain id and powers in the genesis that `testnet` wrote, and returns its new text together
/// with the validator that Beam will run.
///
/// # Errors
/// When the file is not the genesis `testnet` writes.
pub(super) fn edit_genesis(path: &Path, chain_id: &str) -> Result<(String, Validator)> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut genesis: Value = serde_json::from_str(&text)?;
    set(&mut genesis, "chain_id", chain_id)?;
    let validators =
        genesis.get_mut("validators").and_then(Value::as_array_mut).context("genesis without validators")?;
    for validator in validators.iter_mut() {
        set(validator, "power", POWER)?;
    }
    let text_of = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let address = validators
        .iter()
        .find(|validator| text_of(validator, "name").as_deref() == Some("node0"))
        .and_then(|validator| text_of(validator, "address"))
        .context("genesis without node0")?;
    // At equal power CometBFT orders the set by address, and commits name validators by that order.
    let before = |other: &&Value| text_of(other, "address").is_some_and(|other| other < address);
    let index = validators.iter().filter(before).count();
    Ok((serde_json::to_string_pretty(&genesis)?, Validator { address, index }))
}

fn set(object: &mut Value, key: &str, text: &str) -> Result<()> {
    *object.get_mut(key).with_context(|| format!("genesis without {key}"))? = Value::from(text);
    Ok(())
}

/// Writes the settings of one node: its ports, its peers and the plan's times.
///
/// # Errors
/// When the file cannot be read, parsed or written.
pub(super) fn edit_config(node: &Node, peers: &str, plan: &NetworkPlan) -> Result<()> {
    let path = node.home.join("config/config.toml");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut config: DocumentMut = text.parse().with_context(|| path.display().to_string())?;
    let millis = |time: Duration| format!("{}ms", time.as_millis());
    let mut put = |section: &str, key: &str, item: Item| -> Result<()> {
        let table = match section {
            "" => config.as_table_mut(),
            _ => config.get_mut(section).and_then(Item::as_table_mut).context("config without a section")?,
        };
        // A key CometBFT does not know would be ignored in silence: only known ones are set.
        *table.get_mut(key).with_context(|| format!("config without {section}.{key}"))? = item;
        Ok(())
    };
    put("", "moniker", value(node.name.as_str()))?;
    put("", "log_level", value(plan.log_level.as_str()))?;
    put("", "proxy_app", value("kvstore"))?;
    put("rpc", "laddr", value(format!("tcp://127.0.0.1:{}", node.rpc_port)))?;
    put("rpc", "pprof_laddr", value(""))?;
    // A watcher that falls behind is thrown out; room for many heights makes that a rare thing.
    put("rpc", "experimental_subscription_buffer_size", value(4_000))?;
    put("rpc", "experimental_websocket_write_buffer_size", value(4_000))?;
    put("p2p", "laddr", value(format!("tcp://127.0.0.1:{}", node.p2p_port)))?;
    put("p2p", "persistent_peers", value(peers))?;
    put("p2p", "addr_book_strict", value(false))?;
    put("p2p", "allow_duplicate_ip", value(true))?;
    put("p2p", "pex", value(false))?;
    put("consensus", "timeout_commit", value(millis(plan.block_time)))?;
    put("consensus", "timeout_propose", value(millis(plan.timeout_propose)))?;
    put("consensus", "double_sign_check_height", value(0))?;
    put("instrumentation", "prometheus", value(false))?;
    fs::write(&path, config.to_string()).with_context(|| path.display().to_string())
}

/// Moves the key of validator 0 out of its home, to a file only its owner can read.
///
/// # Errors
/// When the file cannot be moved.
pub(super) fn take_key(home: &Path, to: &Path) -> Result<()> {
    fs::rename(home.join("config/priv_validator_key.json"), to).context("cannot move the validator key")?;
    fs::set_permissions(to, Permissions::from_mode(0o600))?;
    fs::remove_dir_all(home).context("cannot remove the home of node0")
}

/// The path of a node's own validator key.
pub(super) fn validator_key(node: &Node) -> PathBuf {
    node.home.join("config/priv_validator_key.json")
}
