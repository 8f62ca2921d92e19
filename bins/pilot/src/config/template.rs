//! The `node.toml` that `beam init` writes: every section and every key with what it means, defaults commented out.

#[cfg(test)]
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use beam_core::id::ChainId;
use beam_core::signing_key::PublicKey;

use beam_aws::place::Bucket;

use super::{AgentSection, DynamoDb, HealthSection, Kms, LogsSection, P2p, PinnedKey, Role, S3};

/// What `beam init` found out or was told.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(crate) name: String,
    pub(crate) chain_id: ChainId,
    pub(crate) node_home: PathBuf,
    pub(crate) command: Vec<String>,
    pub(crate) rpc: String,
    /// There for a validator, and only for one.
    pub(crate) signer: Option<SignerAnswers>,
    pub(crate) p2p: P2p,
    /// Where the agent shall listen, if not where it does by default.
    pub(crate) agent_listen: Option<SocketAddr>,
}

/// What a validator's machine needs on top.
#[derive(Clone, Debug)]
pub(crate) struct SignerAnswers {
    pub(crate) key: KeyAnswer,
    pub(crate) laddr: String,
    pub(crate) takeover_after: Duration,
    pub(crate) rank: u32,
    pub(crate) register: RegisterAnswer,
}

/// Which key it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyAnswer {
    File(PathBuf),
    Kms(Kms),
}

/// Which register it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RegisterAnswer {
    Sqlite(PathBuf),
    DynamoDb(DynamoDb),
    S3(S3),
}

/// The file's text.
pub(crate) fn render(answers: &Answers) -> String {
    let mut text = head(answers);
    match &answers.signer {
        Some(signer) => text.push_str(&signing(signer)),
        None => text.push_str("\n# A sentry signs nothing: it has no [signer] and no [register].\n"),
    }
    text.push_str(&p2p(&answers.p2p));
    text.push_str(&health());
    text.push_str(&logs());
    text.push_str(&agent(answers.agent_listen));
    text
}

fn head(answers: &Answers) -> String {
    let role = if answers.signer.is_some() { Role::Validator } else { Role::Sentry };
    format!(
        r#"# Beam: one machine. Paths that are not absolute are relative to this file's folder.
# What stands behind a # at the beginning of a line is the default. `beam check-config` looks this file over.

# This machine's name: its line in `beam status`, the target of `beam switchover --to`.
# It guards nothing: who may sign is decided by the register, by ids drawn anew at each start.
name = {name}

# What it is for: "validator" (its node votes, owner and standby alike) or "sentry".
role = {role}

[chain]
# The chain's id, as in genesis.json. Nothing is signed for another.
id = {chain_id}

[node]
# The node's home, with config/config.toml in it.
home = {home}
# What to run: gaiad or any node built on CometBFT.
command = {command}
# Its RPC on this machine.
rpc = {rpc}
# How long it may take to end when asked, before it is killed.
# stop_grace = "30s"
"#,
        name = quoted(&answers.name),
        role = quoted(&role.to_string()),
        chain_id = quoted(answers.chain_id.as_str()),
        home = path(&answers.node_home),
        command = toml::Value::from(answers.command.clone()),
        rpc = quoted(&answers.rpc),
    )
}

fn signing(signer: &SignerAnswers) -> String {
    format!(
        r#"
[signer]
# The validator's key. Either CometBFT's key file (priv_validator_key.json), readable by this user only, and never in the
# node's home; or a key in AWS KMS, which signs and never leaves. With public_key another key under the same name is refused. An
# endpoint is only for VPC endpoints and for trying.
{key}
# Where the node listens for its signer (its priv_validator_laddr, which Beam sets). unix:// stays on this machine.
laddr = {laddr}
# How long this machine, while it is the standby, waits for the owner's vote before it takes over.
# Too short costs a harmless change of owner now and then; too long costs a block when the owner dies.
# 300ms suits blocks of about 1 s, 1s blocks of 5 s and more.
takeover_after = {takeover_after}
# 1 for the first standby, 2 for the second, who waits twice as long.
rank = {rank}

[register]
# The one thing that all machines of this validator share. Either a SQLite file, for machines on one host (it is refused
# on a network file system), or a DynamoDB table, for machines in several zones, or an S3 bucket: slower and dearer, and no
# table to look after. With table_id a table that was deleted and made again is refused: it would know nothing of what was
# signed. A bucket of another account than owner is refused. An endpoint is only for VPC endpoints and for trying.
{register}
"#,
        key = key(&signer.key),
        laddr = quoted(&signer.laddr),
        takeover_after = duration(signer.takeover_after),
        rank = signer.rank,
        register = register(&signer.register),
    )
}

fn key(key: &KeyAnswer) -> String {
    match key {
        KeyAnswer::File(file) => {
            let example = in_kms(&Kms {
                key: "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
                    .to_owned(),
                region: "eu-central-1".to_owned(),
                public_key: PinnedKey(PublicKey([0; 32])),
                endpoint: Some("https://kms.eu-central-1.amazonaws.com".to_owned()),
            });
            format!("key = {}\n# kms = {example}", path(file))
        }
        KeyAnswer::Kms(kms) => format!("kms = {}\n# key = \"validator_key.json\"", in_kms(kms)),
    }
}

fn in_kms(Kms { key, region, public_key, endpoint }: &Kms) -> String {
    let public_key = public_key.to_string();
    inline(&[
        ("key", Some(key)),
        ("region", Some(region)),
        ("public_key", Some(&public_key)),
        ("endpoint", endpoint.as_ref()),
    ])
}

/// The one that it is, and the others as examples.
fn register(register: &RegisterAnswer) -> String {
    let line = |kind: &str, value: Option<String>, example: String| match value {
        Some(value) => (0, format!("{kind} = {value}")),
        None => (1, format!("# {kind} = {example}")),
    };
    let (file, dynamodb, s3) = match register {
        RegisterAnswer::Sqlite(file) => (Some(path(file)), None, None),
        RegisterAnswer::DynamoDb(at) => (None, Some(table(at)), None),
        RegisterAnswer::S3(at) => (None, None, Some(bucket(at))),
    };
    let mut lines = [
        line("sqlite", file, quoted("/var/lib/beam/register.db")),
        line("dynamodb", dynamodb, table(&example_table())),
        line("s3", s3, bucket(&example_bucket())),
    ];
    lines.sort_by_key(|(rank, _)| *rank);
    lines.map(|(_, line)| line).join("\n")
}

fn example_table() -> DynamoDb {
    DynamoDb {
        table: "beam".to_owned(),
        region: "eu-central-1".to_owned(),
        table_id: Some("12345678-90ab-cdef-1234-567890abcdef".to_owned()),
        endpoint: Some("https://dynamodb.eu-central-1.amazonaws.com".to_owned()),
    }
}

fn example_bucket() -> S3 {
    S3 {
        bucket: "beam-123456789012".to_owned(),
        region: "eu-central-1".to_owned(),
        prefix: Some(Bucket::PREFIX.to_owned()),
        owner: "123456789012".to_owned(),
        endpoint: Some("https://s3.eu-central-1.amazonaws.com".to_owned()),
    }
}

fn table(DynamoDb { table, region, table_id, endpoint }: &DynamoDb) -> String {
    inline(&[
        ("table", Some(table)),
        ("region", Some(region)),
        ("table_id", table_id.as_ref()),
        ("endpoint", endpoint.as_ref()),
    ])
}

fn bucket(S3 { bucket, region, prefix, owner, endpoint }: &S3) -> String {
    inline(&[
        ("bucket", Some(bucket)),
        ("region", Some(region)),
        ("prefix", prefix.as_ref()),
        ("owner", Some(owner)),
        ("endpoint", endpoint.as_ref()),
    ])
}

/// What is given, in one line.
fn inline(keys: &[(&str, Option<&String>)]) -> String {
    let given = keys.iter().filter_map(|(key, value)| Some(format!("{key} = {}", quoted((*value)?))));
    format!("{{ {} }}", given.collect::<Vec<_>>().join(", "))
}

fn p2p(p2p: &P2p) -> String {
    let list = |key: &str, value: &Option<Vec<String>>, example: &str| match value {
        Some(value) => format!("{key} = {}", toml::Value::from(value.clone())),
        None => format!("# {key} = [{example}]"),
    };
    let number = |key: &str, value: Option<u32>, example: u32| match value {
        Some(value) => format!("{key} = {value}"),
        None => format!("# {key} = {example}"),
    };
    let external = match &p2p.external_address {
        Some(address) => format!("external_address = {}", quoted(address)),
        None => "# external_address = \"203.0.113.7:26656\"".to_owned(),
    };
    format!(
        r#"
[p2p]
# Whom the node knows. What is not given is left as the node's own config.toml has it.
# Nodes it connects to and stays connected to, as "id@host:port": a validator's sentries and its twin, a sentry's
# validators and the other sentries.
{persistent}
# Ids of nodes it accepts however many there are.
{unconditional}
# Ids of nodes it tells nobody about: a sentry's validators.
{private}
# The address that it tells others to dial.
{external}
# How many peers may connect to it (unconditional ones are on top), and how many it connects to.
{inbound}
{outbound}
# Lets a peer that is added here be dialled when the pilot reloads, without a restart of the node. It opens the unsafe
# calls of the node's RPC to every program on this machine, and is refused if the RPC listens elsewhere.
# dial_on_reload = {dial_on_reload}
"#,
        dial_on_reload = p2p.dial_on_reload,
        persistent = list(
            "persistent_peers",
            &p2p.persistent_peers,
            "\"0123456789abcdef0123456789abcdef01234567@10.0.0.5:26656\""
        ),
        unconditional = list(
            "unconditional_peer_ids",
            &p2p.unconditional_peer_ids,
            "\"0123456789abcdef0123456789abcdef01234567\""
        ),
        private =
            list("private_peer_ids", &p2p.private_peer_ids, "\"0123456789abcdef0123456789abcdef01234567\""),
        inbound = number("inbound_peers_max", p2p.inbound_peers_max, 40),
        outbound = number("outbound_peers_max", p2p.outbound_peers_max, 10),
    )
}

fn health() -> String {
    let default = HealthSection::default();
    format!(
        r#"
[health]
# RPC addresses of other nodes of the chain, such as your sentries: what this node's height is compared with.
# references = []
# For how long a height may stand before it is a reason to look closer: a few blocks' time.
# still_after = {still_after}
# How many heights the node may be behind the others before that is told.
# lag_blocks_max = {lag_blocks_max}
# How long a node that was just started is left alone.
# start_grace = {start_grace}
# How often a deaf node is restarted within restart_window; after that it is left to a person.
# restarts_max = {restarts_max}
# restart_window = {restart_window}
"#,
        still_after = duration(default.still_after),
        lag_blocks_max = default.lag_blocks_max,
        start_grace = duration(default.start_grace),
        restarts_max = default.restarts_max,
        restart_window = duration(default.restart_window),
    )
}

fn logs() -> String {
    let default = LogsSection::default();
    format!(
        r#"
[logs]
# What the pilot itself tells: error, warn, info, debug or trace, or a list such as "info,beam_core=debug". BEAM_LOG wins.
# level = {level}
# What the node says is kept in logs/. A file that has grown so large, in MiB, or become so old, is closed and compressed.
# rotate_mib = {rotate_mib}
# rotate_after = {rotate_after}
# All of them together may be so large, in MiB; the oldest go.
# total_mib = {total_mib}
"#,
        level = quoted(&default.level),
        rotate_mib = default.rotate_mib,
        rotate_after = duration(default.rotate_after),
        total_mib = default.total_mib,
    )
}

fn agent(listen: Option<SocketAddr>) -> String {
    let default = AgentSection::default();
    let listen = match listen {
        Some(listen) => format!("listen = \"{listen}\""),
        None => format!("# listen = \"{}\"", default.listen),
    };
    format!(
        r#"
[agent]
# The HTTP agent answers /livez, /readyz, /status and /metrics, to whoever asks.
# enabled = {enabled}
# Where it listens: an address of your private network lets others look, 127.0.0.1 this machine only.
{listen}
# A public address is refused unless this says otherwise.
# allow_public = {allow_public}
# How often the metrics are written to metrics.prom beside this file as well.
# metrics_every = {metrics_every}
"#,
        enabled = default.enabled,
        allow_public = default.allow_public,
        metrics_every = duration(default.metrics_every),
    )
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

fn duration(duration: Duration) -> String {
    quoted(&humantime::format_duration(duration).to_string())
}

/// The text with every key that is commented out taken in.
#[cfg(test)]
pub(super) fn with_defaults_taken_in(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let bare = line.strip_prefix("# ").filter(|rest| {
            let key: &str = rest.split(" = ").next().unwrap_or_default();
            rest.contains(" = ")
                && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        });
        let _ = writeln!(all, "{}", bare.unwrap_or(line));
        all
    })
}
