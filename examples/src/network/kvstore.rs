//! A chain on CometBFT's kvstore, made by `cometbft testnet`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::plan::NetworkPlan;
use super::{Validator, command, files};

/// The voting power of each validator. More than one: with powers of 1 a quarter of them already
/// makes integer thirds, and CometBFT then treats a single validator as able to block the chain.
const POWER: &str = "10";

/// Makes the homes `names` and that of validator 0, `node0`, in `dir`. Returns the genesis.
///
/// # Errors
/// When `cometbft` fails, or makes something else than it used to.
pub(super) async fn create(
    program: &Path,
    dir: &Path,
    plan: &NetworkPlan,
    chain_id: &str,
    names: &[String],
) -> Result<String> {
    let validators = plan.validators.to_string();
    // The rest have no place in the set, so their validator keys are throw-away ones by construction.
    let others = names.len().saturating_add(1).saturating_sub(plan.validators).to_string();
    let mut testnet = vec!["testnet", "--v", &validators, "--n", &others];
    let text = dir.to_string_lossy();
    testnet.extend(["--o", &text, "--populate-persistent-peers=false"]);
    command::run(program, &testnet).await?;
    for (number, name) in (1_u32..).zip(names) {
        fs::rename(dir.join(format!("node{number}")), dir.join(name))?;
    }
    edit_genesis(&files::genesis(&dir.join("node0")), chain_id)
}

/// Sets chain id and powers in the genesis that `testnet` wrote, and returns its new text.
fn edit_genesis(path: &Path, chain_id: &str) -> Result<String> {
    let mut genesis = files::read_json(path)?;
    set(&mut genesis, "chain_id", chain_id)?;
    let validators = genesis.get_mut("validators").and_then(Value::as_array_mut);
    for validator in validators.context("genesis without validators")? {
        set(validator, "power", POWER)?;
    }
    Ok(serde_json::to_string_pretty(&genesis)?)
}

/// The same genesis, with that public key in place of a validator's.
///
/// # Errors
/// When it has no such validator.
pub(super) fn with_key(genesis: &str, of: &Validator, public: &str, is: &Validator) -> Result<String> {
    let mut genesis: Value = serde_json::from_str(genesis)?;
    let validators = genesis.get_mut("validators").and_then(Value::as_array_mut);
    let mut validators = validators.context("genesis without validators")?.iter_mut();
    let found = validators.find(|one| one.get("address").and_then(Value::as_str) == Some(&of.address));
    let found = found.with_context(|| format!("genesis without validator {}", of.address))?;
    set(found, "address", &is.address)?;
    set(found.get_mut("pub_key").context("a validator without a key")?, "value", public)?;
    Ok(serde_json::to_string_pretty(&genesis)?)
}

fn set(object: &mut Value, key: &str, text: &str) -> Result<()> {
    *object.get_mut(key).with_context(|| format!("genesis without {key}"))? = Value::from(text);
    Ok(())
}
