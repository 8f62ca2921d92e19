//! The sections of `node.toml`: every key, its unit, its default and why.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use beam_aws::place::{Bucket, KeyPlace, Place};
use beam_core::id::ChainId;
use beam_core::signing_key::PublicKey;
use beam_core::takeover::TakeoverConfig;
use serde::{Deserialize, Deserializer, Serialize};

use crate::http::is_private;

/// What this machine is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Its node votes, with signatures from this pilot. Owner and standby alike.
    #[default]
    Validator,
    /// Its node stands between the validators and the world. It signs nothing and needs no key.
    Sentry,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Validator => "validator",
            Self::Sentry => "sentry",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chain {
    pub(crate) id: ChainId,
}

/// The node that the pilot runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// Its home, with `config/config.toml` in it.
    pub(crate) home: PathBuf,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// Its RPC, on this machine.
    pub(crate) rpc: String,
    /// How long it may take to end when asked, before it is killed.
    #[serde(default = "stop_grace", deserialize_with = "duration")]
    pub(crate) stop_grace: Duration,
}

/// The signer. Validators only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignerSection {
    /// `CometBFT`'s key file, outside the node's home.
    pub(crate) key: Option<PathBuf>,
    /// A key in KMS, in its place.
    pub(crate) kms: Option<Kms>,
    /// Where the node listens for its signer: `unix:///path` or `tcp://127.0.0.1:port`.
    pub(crate) laddr: String,
    /// How long the owner is waited for.
    #[serde(default = "takeover_after", deserialize_with = "duration")]
    pub(crate) takeover_after: Duration,
    /// 1 for the first standby, 2 for the second.
    #[serde(default = "rank")]
    pub(crate) rank: u32,
}

/// A key in KMS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kms {
    /// The key's ARN, its id, or `alias/NAME`.
    pub(crate) key: String,
    /// Its region.
    pub(crate) region: String,
    /// The public key that it must have, in base64, as genesis.json and `gaiad comet show-validator` have it: another key under the
    /// same name is refused.
    pub(crate) public_key: PinnedKey,
    /// A VPC endpoint, or an emulator; the region's own if it is not given.
    pub(crate) endpoint: Option<String>,
}

impl Kms {
    /// Where it is.
    pub(crate) fn place(&self) -> KeyPlace {
        let Self { key, region, public_key: _, endpoint } = self;
        KeyPlace { key: key.clone(), region: region.clone(), endpoint: endpoint.clone() }
    }
}

/// A public key, written in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PinnedKey(pub(crate) PublicKey);

impl fmt::Display for PinnedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base64::encode_string(&self.0.0))
    }
}

impl<'de> Deserialize<'de> for PinnedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut key = [0; 32];
        match Base64::decode(&text, &mut key) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(PublicKey(key))),
            _ => Err(serde::de::Error::custom(format!(
                "{text:?} is no public key: 32 bytes in base64, as `gaiad comet show-validator` prints it"
            ))),
        }
    }
}

/// Where the validator's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyAt<'a> {
    /// In a file.
    File(&'a Path),
    /// In KMS.
    Kms(&'a Kms),
}

impl SignerSection {
    /// Where the key is; `None` if no place is named, or two.
    pub(super) fn key(&self) -> Option<KeyAt<'_>> {
        match (&self.key, &self.kms) {
            (Some(path), None) => Some(KeyAt::File(path)),
            (None, Some(kms)) => Some(KeyAt::Kms(kms)),
            (None, None) | (Some(_), Some(_)) => None,
        }
    }

    /// What is wrong with where the key is.
    pub(super) fn mistakes_of_key(&self) -> Option<String> {
        match self.key() {
            None => Some(
                "[signer]: exactly one of key = \"FILE\" and kms = { key, region, public_key }".to_owned(),
            ),
            Some(KeyAt::File(_)) => None,
            Some(KeyAt::Kms(kms)) => kms.place().check().err().map(|wrong| format!("signer.kms: {wrong}")),
        }
    }
}

/// The shared register, of one kind. Validators only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterSection {
    /// A `SQLite` file that all machines share: for machines on one host.
    pub(crate) sqlite: Option<PathBuf>,
    /// A table that all machines share: for machines in several zones.
    pub(crate) dynamodb: Option<DynamoDb>,
    /// A bucket that all machines share: slower and dearer than a table, and nothing to look after.
    pub(crate) s3: Option<S3>,
}

/// A DynamoDB table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DynamoDb {
    /// Its name.
    pub(crate) table: String,
    /// Its region, the same for all machines.
    pub(crate) region: String,
    /// The id that it must have: a table that was deleted and made again has another, and knows nothing of what was signed.
    pub(crate) table_id: Option<String>,
    /// A VPC endpoint, or DynamoDB Local; the region's own if it is not given.
    pub(crate) endpoint: Option<String>,
}

impl DynamoDb {
    /// Where it is.
    pub(crate) fn place(&self) -> Place {
        let Self { table, region, table_id: _, endpoint } = self;
        Place { table: table.clone(), region: region.clone(), endpoint: endpoint.clone() }
    }
}

/// An S3 bucket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3 {
    /// Its name.
    pub(crate) bucket: String,
    /// Its region, the same for all machines.
    pub(crate) region: String,
    /// What the names of all of Beam's objects in it begin with, the same for all machines; `beam/` if it is not given.
    pub(crate) prefix: Option<String>,
    /// The account that it must be of: a bucket that was deleted may be anybody's tomorrow.
    pub(crate) owner: String,
    /// A VPC endpoint, or an emulator; the region's own if it is not given.
    pub(crate) endpoint: Option<String>,
}

impl S3 {
    /// Where it is.
    pub(crate) fn place(&self) -> Bucket {
        let Self { bucket, region, prefix, owner, endpoint } = self;
        Bucket {
            name: bucket.clone(),
            prefix: prefix.clone().unwrap_or_else(|| Bucket::PREFIX.to_owned()),
            region: region.clone(),
            owner: owner.clone(),
            endpoint: endpoint.clone(),
        }
    }
}

/// Where the register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegisterAt<'a> {
    /// In a file.
    Sqlite(&'a Path),
    /// In a table.
    DynamoDb(&'a DynamoDb),
    /// In a bucket.
    S3(&'a S3),
}

impl fmt::Display for RegisterAt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::DynamoDb(DynamoDb { table, region, .. }) => write!(f, "dynamodb:{table}@{region}"),
            Self::S3(S3 { bucket, region, prefix, .. }) => {
                let prefix = prefix.as_deref().unwrap_or(Bucket::PREFIX).trim_end_matches('/');
                write!(f, "s3:{bucket}/{prefix}@{region}")
            }
        }
    }
}

impl RegisterSection {
    /// Where it is; `None` if no place is named, or several.
    pub(super) fn at(&self) -> Option<RegisterAt<'_>> {
        match (&self.sqlite, &self.dynamodb, &self.s3) {
            (Some(path), None, None) => Some(RegisterAt::Sqlite(path)),
            (None, Some(table), None) => Some(RegisterAt::DynamoDb(table)),
            (None, None, Some(bucket)) => Some(RegisterAt::S3(bucket)),
            _ => None,
        }
    }

    /// All that is wrong with it.
    pub(super) fn mistakes(&self) -> Vec<String> {
        match self.at() {
            None => vec![
                "[register]: exactly one of sqlite = \"FILE\", dynamodb = { table, region, table_id } and s3 = { bucket, region, \
                 owner }"
                    .to_owned(),
            ],
            Some(RegisterAt::Sqlite(_)) => Vec::new(),
            Some(RegisterAt::DynamoDb(table)) => {
                let wrong = table.place().check().err();
                wrong.map(|wrong| format!("register.dynamodb: {wrong}")).into_iter().collect()
            }
            Some(RegisterAt::S3(bucket)) => {
                let wrong = bucket.place().check().err();
                wrong.map(|wrong| format!("register.s3: {wrong}")).into_iter().collect()
            }
        }
    }
}

/// Whom the node knows, and what it tells others of itself. What is not given is left as the node's own configuration has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct P2p {
    /// Nodes it connects to and stays connected to, each as `id@host:port`: a validator's sentries and its twin, a sentry's
    /// validators and the other sentries.
    pub(crate) persistent_peers: Option<Vec<String>>,
    /// Ids of nodes it accepts however many there are.
    pub(crate) unconditional_peer_ids: Option<Vec<String>>,
    /// Ids of nodes it tells nobody about: a sentry's validators.
    pub(crate) private_peer_ids: Option<Vec<String>>,
    /// The address that it tells others to dial, `host:port`. For a node behind an Elastic IP, that one; for one in a private
    /// subnet that shall seem public, any public one.
    pub(crate) external_address: Option<String>,
    /// How many peers may connect to it (unconditional ones are on top).
    pub(crate) inbound_peers_max: Option<u32>,
    /// How many peers it connects to.
    pub(crate) outbound_peers_max: Option<u32>,
    /// Lets a peer that is added here be dialled when the pilot reloads, without a restart of the node. It opens the unsafe calls
    /// of the node's RPC (`rpc.unsafe`) to every program on this machine, and is refused if the RPC listens elsewhere.
    pub(crate) dial_on_reload: bool,
}

/// When the node counts as ill, and what may be done about it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HealthSection {
    /// RPC addresses of other nodes of the chain, such as one's sentries: what our height is compared with.
    pub(crate) references: Vec<String>,
    /// For how long a height may stand before it is a reason to look closer. A few blocks' time.
    #[serde(deserialize_with = "duration")]
    pub(crate) still_after: Duration,
    /// How many heights the node may be behind the others before that is told.
    pub(crate) lag_blocks_max: u64,
    /// How long a node that was just started is left alone: it opens its database, replays blocks and finds its peers.
    #[serde(deserialize_with = "duration")]
    pub(crate) start_grace: Duration,
    /// How often a deaf node is restarted within `restart_window`; after that it is left to a person.
    pub(crate) restarts_max: u32,
    /// See `restarts_max`.
    #[serde(deserialize_with = "duration")]
    pub(crate) restart_window: Duration,
}

impl Default for HealthSection {
    fn default() -> Self {
        Self {
            references: Vec::new(),
            still_after: Duration::from_secs(30),
            lag_blocks_max: 5,
            start_grace: Duration::from_secs(120),
            restarts_max: 3,
            restart_window: Duration::from_secs(60 * 60),
        }
    }
}

/// What becomes of what the node says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogsSection {
    /// What the pilot itself tells: `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,beam_core=debug`. `BEAM_LOG`
    /// in its environment wins.
    pub(crate) level: String,
    /// A file that has grown so large is closed and compressed.
    pub(crate) rotate_mib: u64,
    /// As is one that has become so old.
    #[serde(deserialize_with = "duration")]
    pub(crate) rotate_after: Duration,
    /// All of them together may be so large; the oldest go.
    pub(crate) total_mib: u64,
}

impl Default for LogsSection {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            rotate_mib: 64,
            rotate_after: Duration::from_secs(24 * 60 * 60),
            total_mib: 2048,
        }
    }
}

impl LogsSection {
    /// All that is wrong with it.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.rotate_mib == 0 {
            mistakes.push("logs.rotate_mib = 0: a file must hold something; 64 is usual".to_owned());
        }
        if self.rotate_after < Self::ROTATE_AFTER_MIN {
            let (is, min) = (self.rotate_after, Self::ROTATE_AFTER_MIN);
            mistakes.push(format!("logs.rotate_after = {is:?}: at least {min:?}"));
        }
        if self.total_mib < self.rotate_mib.saturating_mul(2) {
            let (is, rotate) = (self.total_mib, self.rotate_mib);
            mistakes
                .push(format!("logs.total_mib = {is}: at least twice logs.rotate_mib, which is {rotate}"));
        }
        mistakes
    }

    /// Files that are closed more often are a nuisance.
    const ROTATE_AFTER_MIN: Duration = Duration::from_secs(60);
}

/// The HTTP agent: `/livez`, `/readyz`, `/status`, `/metrics`. And the metrics as a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AgentSection {
    /// Whether it listens. The metrics file is written in any case.
    pub(crate) enabled: bool,
    /// Where it listens. It answers whoever asks, so a public address is refused unless `allow_public` says otherwise; "all
    /// addresses" counts as one. A port that is taken keeps nothing from working: it is logged, and tried again.
    pub(crate) listen: SocketAddr,
    /// Lets `listen` be a public address.
    pub(crate) allow_public: bool,
    /// How often the metrics are written to `metrics.prom` in the pilot's home: 1 s to 1 h.
    #[serde(deserialize_with = "duration")]
    pub(crate) metrics_every: Duration,
}

impl AgentSection {
    /// The agent's port unless another is given.
    pub(crate) const PORT: u16 = 9393;
    /// More often than each second, a disk is written to for nobody; less often than each hour, the file tells the past.
    const METRICS_EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);

    /// All that is wrong with the values.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let address = self.listen.ip();
        if self.enabled && !self.allow_public && !is_private(address) {
            mistakes.push(format!(
                "agent.listen = \"{}\": {address} may be reached by anybody, and the agent answers whoever asks; give it a \
                 private address, or set agent.allow_public = true if a firewall stands before it",
                self.listen
            ));
        }
        if self.listen.port() == 0 {
            mistakes.push("agent.listen has port 0: nobody would know where to ask".to_owned());
        }
        if !Self::METRICS_EVERY.contains(&self.metrics_every) {
            mistakes.push(format!("agent.metrics_every = {:?}: between 1s and 1h", self.metrics_every));
        }
        mistakes
    }
}

impl Default for AgentSection {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: SocketAddr::from(([127, 0, 0, 1], Self::PORT)),
            allow_public: false,
            metrics_every: Duration::from_secs(15),
        }
    }
}

fn stop_grace() -> Duration {
    Duration::from_secs(30)
}

fn takeover_after() -> Duration {
    TakeoverConfig::default().takeover_after
}

fn rank() -> u32 {
    TakeoverConfig::default().rank
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!("{text:?} is no duration such as \"300ms\": {error}"))
    })
}
