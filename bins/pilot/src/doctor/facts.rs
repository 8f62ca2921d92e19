//! What the doctor looks at, as plain data. An `Err` says why something is not known.

use std::path::PathBuf;
use std::time::Duration;

use beam_core::signing::{Above, Mark};

use crate::assemble::register::Ground;
use crate::config::Role;

/// Something that was looked at, or why it could not be.
pub(super) type Fact<T> = Result<T, String>;

/// Everything that was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(super) role: Role,
    /// On validators.
    pub(super) key: Option<KeyFacts>,
    pub(super) files: NodeFiles,
    pub(super) running: Running,
    pub(super) host: HostFacts,
    /// On validators.
    pub(super) register: Option<RegisterFacts>,
    pub(super) chain: ChainFacts,
}

#[derive(Clone, Debug)]
pub(super) struct KeyFacts {
    /// The key's address, or why it cannot be used.
    pub(super) usable: Fact<String>,
    /// Where it is.
    pub(super) kept: KeptFacts,
    /// What is wrong with the node's own key file, if anything.
    pub(super) node_could_sign: Option<String>,
    /// In which ways memory of a hardened process could still get out.
    pub(super) exposures: Vec<String>,
    pub(super) swap: Fact<bool>,
}

/// Where the key is.
#[derive(Clone, Debug)]
pub(super) enum KeptFacts {
    /// In a file.
    File {
        /// Whether it could be locked in memory.
        memory_locked: Fact<bool>,
    },
    /// In KMS.
    Kms {
        /// How long a signature takes, or why there was none.
        sign: Fact<Latency>,
    },
}

/// The node's own configuration.
#[derive(Clone, Debug)]
pub(super) struct NodeFiles {
    /// The values that are looked at; `None` if the file does not have them.
    pub(super) config: Fact<ConfigToml>,
    /// `None` if the node has no app.toml.
    pub(super) app: Fact<Option<AppToml>>,
    /// How many keys the node would pass over.
    pub(super) unknown_keys: Vec<String>,
    /// This node's p2p id.
    pub(super) node_id: Fact<String>,
    /// Other homes on this machine with the same p2p key.
    pub(super) same_node_key: Vec<PathBuf>,
    /// What node.toml wants as `priv_validator_laddr`.
    pub(super) wanted_laddr: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ConfigToml {
    pub(super) laddr: Option<String>,
    pub(super) double_sign_check_height: i64,
    pub(super) pex: bool,
    pub(super) addr_book_strict: bool,
    /// From config.toml, or from node.toml, which overrides it.
    pub(super) persistent_peers: Vec<String>,
    pub(super) private_peer_ids: Vec<String>,
    pub(super) rpc_laddr: String,
    pub(super) rpc_unsafe: bool,
    pub(super) pprof_laddr: String,
    /// `None` if there is no Prometheus listener.
    pub(super) prometheus: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct AppToml {
    pub(super) halt_height: i64,
    pub(super) halt_time: i64,
    pub(super) minimum_gas_prices: String,
    pub(super) snapshot_interval: i64,
    /// Addresses of its API and gRPC, if they are switched on.
    pub(super) served: Vec<String>,
}

/// What runs on this machine.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) pilot: bool,
    /// The node's process, if it runs.
    pub(super) node: Option<u32>,
    /// What its command is, and what it says its version is.
    pub(super) program: Fact<PathBuf>,
    pub(super) version: Fact<String>,
    /// Limits on open files: of this process, of the running node.
    pub(super) files_here: Fact<u64>,
    pub(super) files_of_node: Fact<u64>,
    /// Ports that this machine's node or agent needs while neither runs, and that somebody else has.
    pub(super) ports_taken: Vec<String>,
    pub(super) socket: SocketFacts,
    pub(super) unit: Fact<UnitFacts>,
}

/// The socket between node and signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SocketFacts {
    /// TCP, or a sentry.
    None,
    Absent,
    Listening,
    /// It is there and nobody listens.
    Stale,
    /// Something else stands there.
    InTheWay,
    TooLong(usize),
}

/// The systemd unit that runs the pilot.
#[derive(Clone, Debug)]
pub(super) struct UnitFacts {
    pub(super) file: PathBuf,
    pub(super) limit_nofile: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct HostFacts {
    pub(super) disks: Vec<DiskFacts>,
    /// How long one write and flush takes in the pilot's home: the median.
    pub(super) flush: Fact<Duration>,
    /// Whether the clock is kept in step, by what this machine's own time service says.
    pub(super) clock_synchronized: Fact<bool>,
    /// Permission bits of the pilot's home and its run folder, of those that are there.
    pub(super) folders: Vec<(PathBuf, u32)>,
}

#[derive(Clone, Debug)]
pub(super) struct DiskFacts {
    pub(super) what: &'static str,
    pub(super) free_bytes: u64,
    pub(super) total_bytes: u64,
}

/// How long something takes, of several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Latency {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct RegisterFacts {
    /// How long reads take, or why they were not answered.
    pub(super) read: Fact<Latency>,
    /// What it stands on.
    pub(super) ground: Fact<Ground>,
    /// Where the record is; `Ok(None)` if there is none.
    pub(super) mark: Fact<Option<Mark>>,
    /// How the record compares with this machine's floor; `Ok(None)` without a floor.
    pub(super) above: Fact<Option<Above>>,
    /// Machines of the roster that share one signer's id.
    pub(super) doubled: Vec<String>,
    /// Names under which several signers noted themselves while we looked; only looked for while the pilot runs.
    pub(super) contended: Fact<Vec<String>>,
}

/// The nodes under `health.references`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReferenceFacts {
    /// How many were asked: as many as are named, up to a few.
    pub(super) asked: usize,
    /// How many of them answered, as nodes of our chain.
    pub(super) answered: usize,
}

#[derive(Clone, Debug)]
pub(super) struct ChainFacts {
    /// The chain's id that the node's RPC tells, and the one that node.toml says.
    pub(super) network: Fact<String>,
    pub(super) wanted: String,
    pub(super) peers: Fact<u64>,
    pub(super) references: ReferenceFacts,
    /// How far this machine's clock is behind the newest block's time, of all nodes that answered.
    pub(super) clock_behind: Fact<Duration>,
}
