//! `beam init`: finds out what it can, asks what it cannot, and writes node.toml.
//!
//! With `--from` it adopts a node's home: the validator's key moves out of it ([`steps`]), so that the node alone can no longer sign.

mod find;
mod key;
mod register;
mod steps;
mod write;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use beam_core::id::ChainId;
use serde::Serialize;

use super::output::push_line;
use super::{Ending, Output, WrongUse, output};
use crate::config::{self, Answers, FILE_NAME, P2p, Role, render};
use crate::node_home::NodeHome;
use key::KeySaid;
use register::Place;
use steps::Adoption;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, a validator that runs as gaiad alone so far (stop it first):
  beam init --from ~/.gaia --register /var/lib/beam/register.db
The same, with a register for machines in several zones:
  beam init --from ~/.gaia --register dynamodb:beam@eu-central-1 --create-table
  beam init --from ~/.gaia --register s3:beam-123456789012@eu-central-1 --create-bucket
Its second machine, with a synced gaiad of its own and the key copied to validator_key.json:
  beam init --role validator --node-home ~/.gaia --key validator_key.json --register /var/lib/beam/register.db --rank 1
A validator whose key was made in KMS:
  beam init --node-home ~/.gaia --key kms:alias/beam@eu-central-1 --register dynamodb:beam@eu-central-1
A sentry:
  beam init --role sentry --node-home ~/.gaia --private-peer-id <validator's node id>
Exit code 0: node.toml is written; 2: nothing was done, or an adoption was cut short (say the same again); 64: something was not said.")]
pub(super) struct Args {
    /// What this machine is for; found out from the node's home if that tells.
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// The node's home; ~/.gaia, or the only one there is.
    #[arg(long, value_name = "DIR")]
    node_home: Option<PathBuf>,
    /// Adopt this home of a validator that signed by itself so far: its key moves to the pilot's home, so that the node alone
    /// can no longer sign. The node must be stopped.
    #[arg(long, value_name = "DIR", conflicts_with = "node_home")]
    from: Option<PathBuf>,
    /// The validator's key: a file (CometBFT's priv_validator_key.json) outside the node's home, or kms:KEY@REGION for a key in AWS
    /// KMS, by its ARN, id or alias/NAME; validator_key.json in the pilot's home if it is not given. With --from: where the file goes.
    #[arg(long, value_name = "FILE|kms:KEY[@REGION]", value_parser = key::parse)]
    key: Option<KeySaid>,
    /// A VPC endpoint for KMS, or an emulator; the region's own if it is not given.
    #[arg(long, value_name = "URL")]
    key_endpoint: Option<String>,
    /// The register that all machines share: a file, for machines on one host, or dynamodb:TABLE@REGION or s3:BUCKET@REGION, for
    /// machines in several zones. Without @REGION the region of this machine. A bucket may be followed by /PREFIX; it is /beam if
    /// it is not given.
    #[arg(long, value_name = "FILE|dynamodb:TABLE[@REGION]|s3:BUCKET[/PREFIX][@REGION]", value_parser = register::parse)]
    register: Option<Place>,
    /// A VPC endpoint, or an emulator; the region's own if it is not given.
    #[arg(long, value_name = "URL")]
    register_endpoint: Option<String>,
    /// Make the register's table if it is not there: billed by the request, protected from deletion.
    #[arg(long)]
    create_table: bool,
    /// Make the register's bucket if it is not there: closed to the public, with versioning on.
    #[arg(long)]
    create_bucket: bool,
    /// The account that the bucket is of; that of the credentials if it is not given.
    #[arg(long, value_name = "ACCOUNT")]
    bucket_owner: Option<String>,
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
    /// A node it stays connected to; may be given several times.
    #[arg(long = "persistent-peer", value_name = "ID@HOST:PORT")]
    persistent_peers: Vec<String>,
    /// The id of a node that it always accepts; may be given several times.
    #[arg(long = "unconditional-peer-id", value_name = "ID")]
    unconditional_peer_ids: Vec<String>,
    /// The id of a node that it tells nobody about, such as a sentry's validators; may be given several times.
    #[arg(long = "private-peer-id", value_name = "ID")]
    private_peer_ids: Vec<String>,
    /// The address that it tells others to dial.
    #[arg(long, value_name = "HOST:PORT")]
    external_address: Option<String>,
    /// Where the HTTP agent listens; this machine only (127.0.0.1:9393) if it is not given. For others to look, an address of
    /// your private network.
    #[arg(long, value_name = "ADDR:PORT")]
    agent_listen: Option<SocketAddr>,
    /// Replace a node.toml that is there.
    #[arg(long)]
    force: bool,
    /// Print what would be done, and the file, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    done: bool,
    file: PathBuf,
    role: Role,
    chain_id: ChainId,
    node_home: PathBuf,
    /// What was done, or would be, in order.
    steps: Vec<String>,
    /// What to do next, in order.
    next: Vec<String>,
}

pub(super) async fn run(home: &Path, args: &Args) -> Result<Ending> {
    let home = std::path::absolute(home)?;
    let file = home.join(FILE_NAME);
    let in_the_way = || anyhow!("{} is there already; --force replaces it", file.display());
    let there = std::fs::read(&file).ok().filter(|_| !args.force && !args.dry_run);
    // Before anybody is asked anything.
    ensure!(there.is_none() || args.from.is_some(), in_the_way());
    let mut found = find::find_out(&home, args)?;
    let in_kms = key::settle(&mut found, args).await?;
    register::find_rest(&mut found, args).await?;
    looked_over(&render(&found))?;
    let adoption = match (&args.from, &found.signer) {
        (Some(_), Some(signer)) => Some(Adoption::look(&home, &found.node_home, signer, &found.p2p)?),
        (Some(_), None) => {
            bail!(WrongUse("a sentry has no key to adopt; say --node-home instead of --from".to_owned()));
        }
        (None, _) => None,
    };
    // Last, since a table or a bucket may be made.
    let made = register::settle(&mut found, args).await?;
    let text = render(&found);
    // An adoption that was cut short has written the very same file.
    ensure!(there.is_none_or(|there| there == text.as_bytes()), in_the_way());
    let steps = match &adoption {
        Some(adoption) if args.dry_run => adoption.plan(&file).iter().map(ToString::to_string).collect(),
        None if args.dry_run => vec![format!("write {}", file.display())],
        _ => carry_out(&home, &file, &text, adoption.as_ref())?,
    };
    let steps: Vec<String> = in_kms.into_iter().chain(made).chain(steps).collect();
    let report = Report {
        schema: "beam.init/1",
        done: !args.dry_run,
        file,
        role: if found.signer.is_some() { Role::Validator } else { Role::Sentry },
        chain_id: found.chain_id.clone(),
        node_home: found.node_home.clone(),
        steps,
        next: next(&home, args.from.is_some(), &found),
    };
    match args.output {
        Output::Json => output::json(&report)?,
        Output::Text => output::text(&told(&report, text))?,
    }
    Ok(Ending::Fine)
}

/// Nothing is written that `beam start` would refuse: what was said, or found, must make a configuration.
fn looked_over(text: &str) -> Result<()> {
    config::read(text).map(|_| ()).map_err(|mistakes| {
        let said: Vec<String> = mistakes.into_iter().map(|mistake| mistake.text).collect();
        WrongUse(format!("node.toml would be wrong, and was not written: {}", said.join("; "))).into()
    })
}

/// Makes everything, and tells each step.
fn carry_out(home: &Path, file: &Path, text: &str, adoption: Option<&Adoption>) -> Result<Vec<String>> {
    write::private_dir(home)?;
    write::private_dir(&home.join("run"))?;
    let Some(adoption) = adoption else {
        write::private(file, text.as_bytes())?;
        return Ok(vec![format!("wrote {}", file.display())]);
    };
    adoption.plan(file).iter().map(|step| adoption.carry_out(step, text)).collect()
}

/// What people read: what was done, or the file that would be written.
fn told(report: &Report, file: String) -> String {
    let mut out = String::new();
    if report.done {
        report.steps.iter().for_each(|step| push_line!(out, "{step}"));
        push_line!(out, "next:");
        report.next.iter().for_each(|next| push_line!(out, "  {next}"));
        return out;
    }
    if report.steps.len() > 1 {
        // Comments, so that what is printed is the file and can be used as one.
        report.steps.iter().for_each(|step| push_line!(out, "# would: {step}"));
    }
    out + &file
}

fn next(home: &Path, adopted: bool, found: &Answers) -> Vec<String> {
    let (home, validator) = (home.display(), found.signer.is_some());
    let mut next = Vec::new();
    if validator && peerless(found) {
        // Beam switches peer exchange off: what it lived on so far is gone.
        next.push(
            "name its sentries and its twin in p2p.persistent_peers of node.toml: it has no other peers"
                .to_owned(),
        );
    }
    if adopted {
        next.push(
            "see to it that nothing starts the node but Beam: systemctl disable --now gaiad".to_owned(),
        );
        next.push(format!(
            "once for the validator:   beam watermark import --home {home} --rpc http://<a node that follows the chain>:26657"
        ));
    } else if validator {
        next.push(format!(
            "once for the validator:   beam watermark init --home {home} --height <last signed>, or import --from <state files>"
        ));
    }
    next.push(format!("on every machine:         beam doctor --home {home}"));
    next.push(format!("on every machine:         beam start --home {home}"));
    next
}

/// Whether nobody told the node whom to connect to.
fn peerless(found: &Answers) -> bool {
    let own = NodeHome::read(&found.node_home).ok();
    let own = own.as_ref().and_then(|node| node.text("p2p", "persistent_peers")).unwrap_or_default();
    found.p2p.persistent_peers.is_none() && own.is_empty()
}

/// Whom the node shall know, of what was said.
fn peers(args: &Args) -> P2p {
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    P2p {
        persistent_peers: some(&args.persistent_peers),
        unconditional_peer_ids: some(&args.unconditional_peer_ids),
        private_peer_ids: some(&args.private_peer_ids),
        external_address: args.external_address.clone(),
        ..P2p::default()
    }
}
