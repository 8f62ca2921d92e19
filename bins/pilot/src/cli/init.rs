//! `beam init`: finds out what it can, and writes node.toml.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use beam_core::id::ChainId;
use beam_core::takeover::TakeoverConfig;
use serde::Deserialize;

use super::Ending;
use crate::config::{Answers, FILE_NAME, render};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The node's home.
    #[arg(long, value_name = "DIR", default_value = "~/.gaia")]
    node_home: PathBuf,
    /// The validator's key file (CometBFT's priv_validator_key.json), moved out of the node's home;
    /// validator_key.json in the pilot's home if it is not given.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The register that all machines share.
    #[arg(long, value_name = "FILE")]
    register: PathBuf,
    /// This machine's name; the host's if it is not given.
    #[arg(long)]
    name: Option<String>,
    /// The chain's id; taken from the node's genesis.json if it is not given.
    #[arg(long, value_name = "ID")]
    chain_id: Option<ChainId>,
    /// What runs the node, in one string; `gaiad start --home <node-home>` if it is not given.
    #[arg(long, value_name = "COMMAND")]
    node_command: Option<String>,
    /// The node's RPC; taken from its config.toml if it is not given.
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// How long this machine waits for the owner before it takes over.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    takeover_after: Option<Duration>,
    /// 1 for the first standby, 2 for the second.
    #[arg(long, default_value_t = 1)]
    rank: u32,
    /// Replace a node.toml that is there.
    #[arg(long)]
    force: bool,
    /// Print the file instead of writing it.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(home: &Path, args: Args) -> Result<Ending> {
    let home = std::path::absolute(home)?;
    let file = home.join(FILE_NAME);
    let (force, dry_run) = (args.force, args.dry_run);
    let text = render(&find_out(&home, args)?);
    if dry_run {
        print!("{text}");
        return Ok(Ending::Fine);
    }
    if file.exists() && !force {
        bail!("{} is there already; --force replaces it", file.display());
    }
    private_dir(&home)?;
    private_dir(&home.join("run"))?;
    write_private(&file, &text)?;
    println!("wrote {}", file.display());
    println!(
        "next, once for the validator: beam watermark init --home {} --height <last signed>",
        home.display()
    );
    println!("then, on every machine:       beam start --home {}", home.display());
    Ok(Ending::Fine)
}

fn find_out(home: &Path, args: Args) -> Result<Answers> {
    let node_home = std::path::absolute(expand(&args.node_home)?)?;
    let chain_id = match args.chain_id {
        Some(id) => id,
        None => chain_id_of(&node_home)?,
    };
    let command = match &args.node_command {
        Some(command) => words(command)?,
        None => ["gaiad", "start", "--home", &node_home.to_string_lossy()].map(str::to_owned).into(),
    };
    Ok(Answers {
        name: args.name.map_or_else(host_name, Ok)?,
        chain_id,
        rpc: args.rpc.unwrap_or_else(|| rpc_of(&node_home)),
        node_home,
        command,
        key: match args.key {
            Some(key) => std::path::absolute(expand(&key)?)?,
            None => "validator_key.json".into(),
        },
        laddr: format!("unix://{}", home.join("run/privval.sock").display()),
        takeover_after: args.takeover_after.unwrap_or(TakeoverConfig::default().takeover_after),
        rank: args.rank,
        register: std::path::absolute(expand(&args.register)?)?,
    })
}

fn expand(path: &Path) -> Result<PathBuf> {
    match path.strip_prefix("~") {
        Ok(rest) => Ok(std::env::home_dir().context("there is no home directory")?.join(rest)),
        Err(_) => Ok(path.to_owned()),
    }
}

fn words(command: &str) -> Result<Vec<String>> {
    shlex::split(command).with_context(|| format!("--node-command {command:?}: a quote is not closed"))
}

fn host_name() -> Result<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")
        .context("the host's name could not be read; say --name")?;
    Ok(name.trim().to_owned())
}

fn chain_id_of(node_home: &Path) -> Result<ChainId> {
    #[derive(Deserialize)]
    struct Genesis {
        chain_id: ChainId,
    }
    let path = node_home.join("config/genesis.json");
    let file = fs::File::open(&path)
        .with_context(|| format!("{} could not be read; say --node-home or --chain-id", path.display()))?;
    let genesis: Genesis = serde_json::from_reader(std::io::BufReader::new(file))
        .with_context(|| format!("{} has no chain id; say --chain-id", path.display()))?;
    Ok(genesis.chain_id)
}

/// The RPC's address from the node's configuration, or CometBFT's default.
fn rpc_of(node_home: &Path) -> String {
    const DEFAULT: &str = "http://127.0.0.1:26657";
    let text = fs::read_to_string(node_home.join("config/config.toml")).unwrap_or_default();
    let config: toml::Table = text.parse().unwrap_or_default();
    let laddr = config.get("rpc").and_then(|rpc| rpc.get("laddr")).and_then(toml::Value::as_str);
    let port = laddr.and_then(|laddr| laddr.rsplit_once(':')).map(|(_, port)| port);
    port.map_or_else(|| DEFAULT.to_owned(), |port| format!("http://127.0.0.1:{port}"))
}

fn private_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("{} could not be made", path.display()))
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    // Written beside and moved, so that a crash leaves the old file or the new one.
    let beside = path.with_extension("toml.new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path).with_context(|| format!("{} could not be written", path.display()))
}
