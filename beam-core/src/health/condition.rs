//! What a node can suffer from: a name that never changes, words for people, and what is to be done.

use std::fmt;

use crate::health_check::Health;
use crate::id::ChainId;
use crate::signing::Height;

/// What a node suffers from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It cannot be told. Nothing is done on this.
    Unknown(Unknown),
    /// It was started a moment ago and has not advanced yet.
    Starting,
    /// There is no process.
    NotRunning,
    /// There is a process, and its RPC is silent.
    Unreachable,
    /// Another chain's node answers.
    WrongChain(ChainId),
    /// Its disk is full.
    DiskFull,
    /// It waits for the program of an upgrade.
    UpgradeNeeded {
        /// The upgrade's name.
        name: String,
        /// The first height that the new program executes.
        height: Height,
    },
    /// It has reached the height at which it was told to halt.
    HaltHeight {
        /// That height.
        height: Height,
    },
    /// Its program is not the one for this height.
    WrongBinary,
    /// It does not agree with the network about the chain's state.
    StateDiverged,
    /// Its consensus thread has ended.
    ConsensusFailure,
    /// It fetches old blocks.
    CatchingUp {
        /// How many are missing, if known.
        lag: Option<u64>,
        /// It does not get any further.
        stalled: bool,
    },
    /// Its application works on a block for long.
    Busy {
        /// That block's height.
        height: Height,
    },
    /// It waits for our signer, which cannot reach it.
    SignerGone,
    /// It goes on without our signer.
    SignerBypassed,
    /// It has no peers, and stands.
    NoPeers,
    /// Nobody advances.
    ChainStands {
        /// Where the node stands.
        height: Height,
    },
    /// It stands, and there is nobody to compare it with.
    Stands {
        /// Where.
        height: Height,
    },
    /// Its consensus thread hangs while others advance.
    Frozen {
        /// How far the others are ahead.
        lag: u64,
    },
    /// It stands while others advance, and nothing tells why.
    Stuck {
        /// How far the others are ahead.
        lag: u64,
    },
    /// It advances, far behind the others.
    Behind {
        /// How far.
        lag: u64,
    },
    /// It advances, and our votes are not in the commits.
    NotVoting {
        /// How many in a row.
        missed: u64,
    },
}

/// Why a node's health cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It was not asked, or long ago.
    NotAsked,
    /// Something answers that is no node.
    NoNode(String),
    /// It has not been watched for long enough to see it advance.
    NotYetSeenToAdvance,
    /// It stands, and the others have not been watched for long enough.
    OthersNotYetSeen,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: it passes, or it is not the node's fault.
    Wait,
    /// A restart of the node heals it.
    Restart,
    /// A person must see to it.
    Person,
}

impl Condition {
    /// Every name that [`name`](Self::name) gives, in the order of the conditions.
    pub const NAMES: [&'static str; 22] = [
        "unknown",
        "starting",
        "not_running",
        "unreachable",
        "wrong_chain",
        "disk_full",
        "upgrade_needed",
        "halt_height",
        "wrong_binary",
        "state_diverged",
        "consensus_failure",
        "catching_up",
        "busy",
        "signer_gone",
        "signer_bypassed",
        "no_peers",
        "chain_stands",
        "stands",
        "frozen",
        "stuck",
        "behind",
        "not_voting",
    ];

    /// Its name. Never changes; what alerts, metrics and scripts go by.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown",
            Self::Starting => "starting",
            Self::NotRunning => "not_running",
            Self::Unreachable => "unreachable",
            Self::WrongChain(_) => "wrong_chain",
            Self::DiskFull => "disk_full",
            Self::UpgradeNeeded { .. } => "upgrade_needed",
            Self::HaltHeight { .. } => "halt_height",
            Self::WrongBinary => "wrong_binary",
            Self::StateDiverged => "state_diverged",
            Self::ConsensusFailure => "consensus_failure",
            Self::CatchingUp { .. } => "catching_up",
            Self::Busy { .. } => "busy",
            Self::SignerGone => "signer_gone",
            Self::SignerBypassed => "signer_bypassed",
            Self::NoPeers => "no_peers",
            Self::ChainStands { .. } => "chain_stands",
            Self::Stands { .. } => "stands",
            Self::Frozen { .. } => "frozen",
            Self::Stuck { .. } => "stuck",
            Self::Behind { .. } => "behind",
            Self::NotVoting { .. } => "not_voting",
        }
    }

    /// What heals it, if all else allows.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            // Whoever runs the process starts it again. The others pass.
            Self::Unknown(_)
            | Self::Starting
            | Self::NotRunning
            | Self::Behind { .. }
            | Self::Busy { .. }
            | Self::ChainStands { .. }
            | Self::CatchingUp { stalled: false, .. } => Remedy::Wait,
            Self::Unreachable
            | Self::ConsensusFailure
            | Self::SignerGone
            | Self::NoPeers
            | Self::Frozen { .. }
            | Self::Stuck { .. } => Remedy::Restart,
            Self::WrongChain(_)
            | Self::DiskFull
            | Self::UpgradeNeeded { .. }
            | Self::HaltHeight { .. }
            | Self::WrongBinary
            | Self::StateDiverged
            | Self::SignerBypassed
            | Self::Stands { .. }
            | Self::NotVoting { .. }
            | Self::CatchingUp { stalled: true, .. } => Remedy::Person,
        }
    }

    /// The same in the four words that every check of Beam's knows.
    #[must_use]
    pub fn health(&self) -> Health {
        let words = self.to_string();
        match self {
            Self::Unknown(_) => Health::Unknown(words),
            Self::Starting
            | Self::CatchingUp { .. }
            | Self::Busy { .. }
            | Self::ChainStands { .. }
            | Self::Behind { .. }
            | Self::NotVoting { .. } => Health::Degraded(words),
            Self::NotRunning
            | Self::Unreachable
            | Self::WrongChain(_)
            | Self::DiskFull
            | Self::UpgradeNeeded { .. }
            | Self::HaltHeight { .. }
            | Self::WrongBinary
            | Self::StateDiverged
            | Self::ConsensusFailure
            | Self::SignerGone
            | Self::SignerBypassed
            | Self::NoPeers
            | Self::Stands { .. }
            | Self::Frozen { .. }
            | Self::Stuck { .. } => Health::Down(words),
        }
    }

    /// What a person does about it; empty if nothing.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Unknown(_)
            | Self::Starting
            | Self::Busy { .. }
            | Self::Behind { .. }
            | Self::CatchingUp { stalled: false, .. } => "",
            Self::NotRunning => "the last lines of its log tell why it ended",
            Self::Unreachable => {
                "check that node.rpc is the node's [rpc] laddr, and the last lines of its log"
            }
            Self::WrongChain(_) => "correct chain.id or node.rpc",
            Self::DiskFull => "make room on the disk that holds the node's home",
            Self::UpgradeNeeded { .. } => "install the upgrade's program and start the node with it",
            Self::HaltHeight { .. } => {
                "install the new program if there is one, take halt-height away and start the node again"
            }
            Self::WrongBinary => "start the node with the program for this height: its log names the upgrade",
            Self::StateDiverged => {
                "check program and genesis; if both are right, restore the node's data from a snapshot"
            }
            Self::ConsensusFailure => "its log tells why, at CONSENSUS FAILURE",
            Self::CatchingUp { stalled: true, .. } => {
                "check its peers; a fresh snapshot is often faster than waiting"
            }
            Self::SignerGone => "check that signer.laddr and the node's priv_validator_laddr are the same",
            Self::SignerBypassed => {
                "stop the node at once and set its priv_validator_laddr: it may sign with a key of its own"
            }
            Self::NoPeers => "check its persistent_peers and the network between them",
            Self::ChainStands { .. } => "watch the chain's channels; this node is not the cause",
            Self::Stands { .. } => "name other nodes under health.references, so that they can be compared",
            Self::Frozen { .. } | Self::Stuck { .. } => {
                "its log may tell why; compare its version with the other nodes'"
            }
            Self::NotVoting { .. } => "see what the signers of all machines say: beam status",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) => why.fmt(f),
            Self::Starting => f.write_str("the node was started a moment ago and has not advanced yet"),
            Self::NotRunning => f.write_str("the node does not run"),
            Self::Unreachable => f.write_str("the node runs, but its RPC does not answer"),
            Self::WrongChain(chain) => write!(f, "a node of chain {chain} answers"),
            Self::DiskFull => f.write_str("the node's disk is full"),
            Self::UpgradeNeeded { name, height } => {
                write!(f, "the node waits for upgrade {name} at height {height}")
            }
            Self::HaltHeight { height } => write!(f, "the node has halted at height {height}, as configured"),
            Self::WrongBinary => f.write_str("the node's program is not the one for this height"),
            Self::StateDiverged => f.write_str("the node's state is not the network's"),
            Self::ConsensusFailure => f.write_str("the node's consensus has failed; it answers and is deaf"),
            Self::CatchingUp { lag, stalled } => {
                f.write_str("the node catches up")?;
                lag.map_or(Ok(()), |lag| write!(f, ", {lag} blocks to go"))?;
                if *stalled { f.write_str(", and gets no further") } else { Ok(()) }
            }
            Self::Busy { height } => write!(f, "the node works on block {height} for long, or migrates"),
            Self::SignerGone => f.write_str("the node waits for its signer, which cannot reach it"),
            Self::SignerBypassed => {
                f.write_str("the node commits blocks although our signer is not connected")
            }
            Self::NoPeers => f.write_str("the node has no peers"),
            Self::ChainStands { height } => write!(f, "the chain stands at height {height}; nobody advances"),
            Self::Stands { height } => {
                write!(f, "the node stands at height {height}, and there is nobody to compare it with")
            }
            Self::Frozen { lag } => {
                write!(f, "the node's consensus hangs; the others are {lag} blocks ahead")
            }
            Self::Stuck { lag } => write!(f, "the node stands; the others are {lag} blocks ahead"),
            Self::Behind { lag } => write!(f, "the node is {lag} blocks behind the others"),
            Self::NotVoting { missed } => {
                write!(f, "our vote was not in the last {missed} commits, though the node advances")
            }
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => f.write_str("the node has not been asked lately"),
            Self::NoNode(answer) => write!(f, "what answers at the node's RPC is no node: {answer}"),
            Self::NotYetSeenToAdvance => f.write_str("the node has not been watched for long enough"),
            Self::OthersNotYetSeen => {
                f.write_str("the node stands; the others have not been watched for long enough")
            }
        }
    }
}
