//! The operators' command line: the keys of the validators, and the transactions that people send with them.
//!
//! Everything goes through the chain's own program, as people do it. A transaction is only done once a block holds it:
//! a node that takes one has not run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use super::{Modules, UpgradePlan};
use crate::chain::Rpc;
use crate::judge::canonical::unhex;
use crate::network::command;
use crate::wait;

/// The unit of the chain's coins.
pub(crate) const DENOM: &str = "uatom";
/// The account of x/gov, which carries out what is decided: derived from the module's name, so the same on every chain
/// with this prefix.
const GOVERNANCE: &str = "cosmos10d07y265gmmuvt4z0w9aw880jnsr700j6zn9kn";
/// Keys in plain files.
pub(crate) const KEYRING: [&str; 2] = ["--keyring-backend", "test"];
/// Enough for each transaction here (a proposal takes some 120,000), at ten times the fee that the nodes ask for.
const GAS: &str = "400000";
const FEES: &str = "4000uatom";
/// What a proposal asks for to be voted on at once; [`HubPlan`](crate::network::HubPlan)'s genesis sets the same.
pub(crate) const DEPOSIT: u64 = 1_000;
/// From a node's taking a transaction to the block that holds it: some blocks of a second, on a machine that is busy.
const INCLUDED_WITHIN: Duration = Duration::from_secs(30);
/// How much longer than the voting lasts a decision may take to be seen.
const DECIDED_WITHIN: Duration = Duration::from_secs(20);

/// The operators of all validators of one network. Each key has its validator's name; `v0` is Beam's.
#[derive(Debug, Clone)]
pub struct Operators {
    pub(crate) program: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) chain_id: String,
    pub(crate) voting_period: Duration,
    pub(crate) voters: Vec<String>,
    pub(crate) rpc: Rpc,
    pub(crate) rpc_url: String,
}

impl Operators {
    /// Proposes the upgrade `name` at `height`, has every plain validator vote for it, and waits until it is decided.
    /// `info` is what the proposal tells operators. The height must still be ahead when the voting ends.
    ///
    /// # Errors
    /// When a transaction fails, or the chain did not decide it; mostly because the height was too near.
    pub async fn pass_upgrade(&self, name: &str, height: u64, info: &str) -> Result<UpgradePlan> {
        let upgrade = json!({
            "@type": "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade",
            "authority": GOVERNANCE,
            "plan": { "name": name, "height": height.to_string(), "info": info },
        });
        let proposal = self.propose(&format!("Upgrade to {name}"), &[upgrade]).await?;
        self.vote(&proposal).await?;
        let modules = Modules::new(self.rpc.clone());
        let what = format!("the upgrade {name} at height {height} to be decided");
        wait::until(&what, self.voting_period.saturating_add(DECIDED_WITHIN), || async {
            Ok(modules.upgrade_plan().await.ok().flatten().filter(|plan| plan.name == name))
        })
        .await
    }

    /// Sends a proposal from the first plain validator, with its deposit, and returns its number.
    ///
    /// # Errors
    /// When the chain refuses it.
    pub async fn propose(&self, title: &str, messages: &[Value]) -> Result<String> {
        let proposal = json!({
            "messages": messages,
            "metadata": "",
            "deposit": format!("{DEPOSIT}{DENOM}"),
            "title": title,
            "summary": title,
        });
        let file = self.home.join("proposal.json");
        fs::write(&file, proposal.to_string()).with_context(|| file.display().to_string())?;
        let from = self.voters.first().context("nobody to propose")?;
        let done = self.send(from, &["gov", "submit-proposal", &file.to_string_lossy()]).await?;
        attribute(&done, "submit_proposal", "proposal_id").context("a proposal without a number")
    }

    /// Has every plain validator vote yes: three quarters of the stake or more.
    ///
    /// # Errors
    /// When a vote does not get into a block.
    pub async fn vote(&self, proposal: &str) -> Result<()> {
        let message = ["gov", "vote", proposal, "yes"];
        let votes = self.voters.iter().map(|voter| self.send(voter, &message));
        futures_util::future::try_join_all(votes).await?;
        Ok(())
    }

    /// Lets a jailed validator back in. Its node should sign again by then.
    ///
    /// # Errors
    /// When the chain refuses: it is not jailed, must stay longer, or is tombstoned.
    pub async fn unjail(&self, validator: &str) -> Result<()> {
        self.send(validator, &["slashing", "unjail"]).await.map(|_| ())
    }

    /// `tx <message> --from <validator>`: returns the result once a block holds it.
    ///
    /// # Errors
    /// With what the chain said, when it refuses it at once or in the block; or when no block takes it in time.
    pub async fn send(&self, validator: &str, message: &[&str]) -> Result<Value> {
        let what = message.join(" ");
        let mut arguments = vec!["tx"];
        arguments.extend(message);
        arguments.extend(["--from", validator, "--chain-id", &self.chain_id, "--node", &self.rpc_url]);
        arguments.extend(["--gas", GAS, "--fees", FEES, "--yes", "--output", "json"]);
        arguments.extend(KEYRING);
        let said = self.run(&arguments).await?;
        let taken: Value = serde_json::from_str(&said).with_context(|| format!("{what}: {said}"))?;
        refused(&taken).with_context(|| what.clone())?;
        let hash = taken.get("txhash").and_then(Value::as_str).context("a transaction without a hash")?;
        let hash = json!({ "hash": Base64::encode_string(&unhex(hash)?) });
        let included = wait::until(&format!("a block with: {what}"), INCLUDED_WITHIN, || async {
            Ok(self.rpc.call("tx", hash.clone()).await.ok())
        })
        .await?;
        let done = included.get("tx_result").context("a transaction without a result")?.clone();
        refused(&done).with_context(|| what)?;
        Ok(done)
    }

    /// Any command of the chain's program, in the operators' home.
    ///
    /// # Errors
    /// When it fails.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut all = arguments.to_vec();
        let home = self.home.to_string_lossy();
        all.extend(["--home", &home]);
        command::run(&self.program, &all).await
    }

    /// Makes a validator's key and returns its address.
    pub(crate) async fn add_key(program: &Path, home: &Path, name: &str) -> Result<String> {
        let home = home.to_string_lossy();
        let mut arguments = vec!["keys", "add", name, "--home", &home, "--output", "json"];
        arguments.extend(KEYRING);
        let said = command::run(program, &arguments).await?;
        let key: Value = serde_json::from_str(&said).context("`keys add` printed no JSON")?;
        Ok(key.get("address").and_then(Value::as_str).context("a key without an address")?.to_owned())
    }
}

/// An error with what the chain said if it did not want a transaction.
fn refused(result: &Value) -> Result<()> {
    let code = result.get("code").and_then(Value::as_u64).unwrap_or(0);
    let said = ["log", "raw_log"].into_iter().find_map(|key| result.get(key).and_then(Value::as_str));
    ensure!(code == 0, "the chain refused it with code {code}: {}", said.unwrap_or_default());
    Ok(())
}

/// An attribute of the first event of a kind.
fn attribute(result: &Value, kind: &str, key: &str) -> Option<String> {
    let is = |value: &Value, field: &str, text: &str| value.get(field).and_then(Value::as_str) == Some(text);
    let events = result.get("events")?.as_array()?;
    let attributes = events.iter().filter(|event| is(event, "type", kind));
    let mut attributes = attributes.filter_map(|event| event.get("attributes")?.as_array()).flatten();
    Some(attributes.find(|attribute| is(attribute, "key", key))?.get("value")?.as_str()?.to_owned())
}
