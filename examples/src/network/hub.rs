//! A Hub-like chain, made as people make one: with the chain's own commands, those that gaiad has too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use toml_edit::value;

use super::plan::{HubPlan, NetworkPlan};
use super::{command, files};
use crate::hub::Operators;
use crate::hub::operators::{DENOM, DEPOSIT, KEYRING};

/// What each operator owns, and what of it is at stake: a power of 1,000 for every validator, and plenty for fees.
const FUNDS: &str = "100000000000uatom";
const STAKE: &str = "1000000000uatom";
/// The lowest fee that nodes take, for a unit of gas.
const GAS_PRICE: &str = "0.001uatom";
/// How long stake is bound and can be slashed. Longer than any test.
const UNBONDING: &str = "1800s";

/// Where the operators' keys are.
pub(super) fn operators_home(dir: &Path) -> PathBuf {
    dir.join("operators")
}

/// Makes the homes `names` and that of validator 0, `node0`, in `dir`, and the operators' keys. Returns the genesis.
///
/// # Errors
/// When a command of the chain fails.
pub(super) async fn create(
    program: &Path,
    dir: &Path,
    plan: &NetworkPlan,
    rules: &HubPlan,
    chain_id: &str,
    names: &[String],
) -> Result<String> {
    let chain = Making { program, dir, chain_id };
    let node0 = "node0".to_owned();
    let homes = std::iter::once(&node0).chain(names);
    try_join_all(homes.clone().map(|name| chain.init(name))).await?;
    for name in homes {
        edit_app(&dir.join(name), rules)?;
    }
    // The operator of `node0` is `v0`; plain validators are the first of all names.
    let plain = names.iter().take(plan.validators.saturating_sub(1));
    let validators: Vec<_> = std::iter::once((node0.as_str(), "v0"))
        .chain(plain.map(|name| (name.as_str(), name.as_str())))
        .collect();
    for (_, operator) in &validators {
        chain.fund(operator).await?;
    }
    let funded = fs::read_to_string(chain.genesis())?;
    fs::create_dir_all(dir.join("gentx"))?;
    for (home, _) in &validators {
        fs::write(files::genesis(&dir.join(home)), &funded)?;
    }
    try_join_all(validators.iter().map(|(home, operator)| chain.stake(home, operator))).await?;
    chain.collect().await?;
    edit_genesis(&chain.genesis(), rules)
}

struct Making<'a> {
    program: &'a Path,
    dir: &'a Path,
    chain_id: &'a str,
}

impl Making<'_> {
    fn genesis(&self) -> PathBuf {
        files::genesis(&self.home("node0"))
    }

    fn home(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    async fn run(&self, home: &str, arguments: &[&str]) -> Result<String> {
        let home = self.home(home);
        let mut all = arguments.to_vec();
        let home = home.to_string_lossy();
        all.extend(["--home", &home]);
        command::run(self.program, &all).await
    }

    async fn init(&self, name: &str) -> Result<()> {
        let arguments = ["init", name, "--chain-id", self.chain_id, "--default-denom", DENOM];
        self.run(name, &arguments).await.map(|_| ())
    }

    /// Makes an operator's key and gives it coins.
    async fn fund(&self, operator: &str) -> Result<()> {
        let address = Operators::add_key(self.program, &operators_home(self.dir), operator).await?;
        self.run("node0", &["genesis", "add-genesis-account", &address, FUNDS]).await.map(|_| ())
    }

    /// Signs the transaction that makes a node a validator.
    async fn stake(&self, home: &str, operator: &str) -> Result<()> {
        let keys = operators_home(self.dir);
        let (keys, file) = (keys.to_string_lossy(), self.dir.join(format!("gentx/{operator}.json")));
        let file = file.to_string_lossy();
        let mut arguments = vec!["genesis", "gentx", operator, STAKE, "--chain-id", self.chain_id];
        arguments.extend(["--keyring-dir", &keys, "--moniker", operator]);
        // Else it asks the network for this host's address.
        arguments.extend(["--ip", "127.0.0.1", "--output-document", &file]);
        arguments.extend(KEYRING);
        self.run(home, &arguments).await.map(|_| ())
    }

    async fn collect(&self) -> Result<()> {
        let gentx = self.dir.join("gentx");
        self.run("node0", &["genesis", "collect-gentxs", "--gentx-dir", &gentx.to_string_lossy()]).await?;
        Ok(())
    }
}

/// Writes the plan's rules into the genesis and returns its text.
///
/// This comes after the chain's own commands: they refuse a jail of less than a minute, which the chain itself takes.
fn edit_genesis(path: &Path, rules: &HubPlan) -> Result<String> {
    let mut genesis = files::read_json(path)?;
    let coins = |amount: u64| json!([{ "denom": DENOM, "amount": amount.to_string() }]);
    let secs = |time: std::time::Duration| Value::from(format!("{}s", time.as_secs()));
    let twice = DEPOSIT.saturating_mul(2);
    let settings = [
        ("slashing", "signed_blocks_window", Value::from(rules.window_blocks.to_string())),
        ("slashing", "min_signed_per_window", Value::from(format!("{:.18}", rules.min_signed))),
        ("slashing", "downtime_jail_duration", secs(rules.downtime_jail)),
        ("staking", "unbonding_time", Value::from(UNBONDING)),
        ("gov", "voting_period", secs(rules.voting_period)),
        ("gov", "max_deposit_period", secs(rules.voting_period)),
        // Must be shorter than the other; whoever wants to vote in a hurry can.
        ("gov", "expedited_voting_period", secs(rules.voting_period.mul_f64(0.5))),
        ("gov", "min_deposit", coins(DEPOSIT)),
        ("gov", "expedited_min_deposit", coins(twice)),
    ];
    for (module, key, setting) in settings {
        let place = genesis.pointer_mut(&format!("/app_state/{module}/params/{key}"));
        *place.with_context(|| format!("genesis without {module}.{key}"))? = setting;
    }
    Ok(serde_json::to_string_pretty(&genesis)?)
}

/// Writes one node's app.toml. REST and gRPC are off: everything is asked through CometBFT's RPC.
fn edit_app(home: &Path, rules: &HubPlan) -> Result<()> {
    files::edit(&files::app_config(home), |app| {
        app.put("", "minimum-gas-prices", value(GAS_PRICE))?;
        app.put("api", "enable", value(false))?;
        app.put("grpc", "enable", value(false))?;
        app.put("grpc-web", "enable", value(false))?;
        app.put("state-sync", "snapshot-interval", value(i64::from(rules.snapshot_interval)))
    })
}
