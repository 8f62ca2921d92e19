//! What can be wrong, by name. The codes are fixed: people search for them and scripts match them.

use serde::{Serialize, Serializer};

use crate::alert_sink::Severity;

/// Why a node does not do what it should, as its log tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Two votes of this validator's key for one position.
    DoubleSign,
    /// Evidence of a double sign, and the log does not say whether it is this validator's.
    MaybeDoubleSign,
    /// Evidence of another validator's double sign.
    OthersDoubleSign,
    /// This validator was jailed for missing blocks.
    Jailed,
    /// A validator was jailed, and the log does not say whether it is this one.
    MaybeJailed,
    /// Another validator was jailed.
    OthersJailed,
    /// The node has no signer, and its consensus stands still.
    SignerGone,
    /// The signer answers, and refuses for a reason that is no standby's everyday.
    SignerRefused,
    /// Beam's signer had no answer from its register.
    RegisterOutOfReach,
    /// A standby's refusals: they are how it keeps from signing twice.
    StandbyRefusals,
    /// `double_sign_check_height` found this key in recent blocks.
    DoubleSignGuard,
    /// A planned upgrade is due, and this binary has not got it.
    UpgradeNeeded,
    /// An upgrade was applied.
    UpgradeApplied,
    /// The new binary was put in before the upgrade's height.
    EarlyBinary,
    /// The chain was upgraded and this binary was not.
    WrongBinary,
    /// The configured halt height was reached.
    HaltHeight,
    /// The disk is full.
    DiskFull,
    /// The process has run out of file descriptors.
    OpenFiles,
    /// The process has run out of memory.
    OutOfMemory,
    /// This node computes another state than the chain has.
    AppHash,
    /// A block was not acceptable to this node.
    BlockInvalid,
    /// The consensus log was damaged and is being repaired.
    WalDamaged,
    /// The consensus log could not be repaired or written.
    WalLost,
    /// Consensus stopped for a reason that is none of the above; the process lives on and is deaf.
    ConsensusFailure,
    /// The process panicked for a reason that is none of the above.
    Panic,
    /// Another process has the port.
    PortInUse,
    /// Another process has the node's home.
    HomeInUse,
    /// The node did not start for a reason that is none of the above.
    StartRefused,
    /// The node began anew without having been told to stop or having said why it ended.
    EndedUnheard,
    /// No block for a while.
    NoBlocks,
    /// Blocks needed more than one round.
    Rounds,
    /// No peer at all.
    NoPeers,
    /// A persistent peer cannot be reached.
    PeerUnreachable,
    /// No seed could be reached.
    SeedsUnreachable,
    /// Connections that were lost.
    PeersLost,
    /// Peers that could not be dialled.
    DialErrors,
    /// A peer that was dialled is on another chain.
    WrongNetwork,
    /// Nodes of another chain have dialled this one.
    ForeignKnocks,
    /// At a peer's address somebody with another id answers.
    WrongNodeId,
    /// A peer's address does not resolve or is malformed.
    BadAddress,
    /// A peer is too slow to sync from.
    SlowPeer,
    /// Lines of this log were dropped or cannot be dated.
    LogGap,
    /// Errors that none of the above explains.
    OtherErrors,
}

/// How a cause that was seen is known to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mends {
    /// It never is.
    Never,
    /// By the next block: while it lasts, this node commits none.
    ByBlock,
    /// By [`BLOCKS_WITHOUT`] blocks without it: while it lasts, every block shows it.
    ByBlocks,
    /// By a line that says so.
    ByWord,
}

/// After how many blocks without it, what comes up at every block counts as over.
pub(super) const BLOCKS_WITHOUT: u64 = 10;

struct Facts(&'static str, Severity, Mends, &'static str, &'static str);

impl Cause {
    /// Its fixed name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.facts().0
    }

    /// How bad it is while it lasts.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.facts().1
    }

    pub(super) const fn mends(self) -> Mends {
        self.facts().2
    }

    /// What happened, in a few words.
    #[must_use]
    pub const fn what(self) -> &'static str {
        self.facts().3
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        self.facts().4
    }

    #[rustfmt::skip]
    const fn facts(self) -> Facts {
        use Mends::{ByBlock, ByBlocks, ByWord, Never};
        use Severity::{Critical, Info, Warning};
        match self {
            Self::DoubleSign => Facts("double-sign", Critical, Never, "this validator's key has signed two votes for one position",
                "stop every node and signer that has this key, now; find out who else has it before anything is started again"),
            Self::MaybeDoubleSign => Facts("maybe-double-sign", Warning, Never, "a validator has signed twice; this log does not say whether it is yours",
                "compare the address with yours; if it is yours, stop every signer that has the key"),
            Self::OthersDoubleSign => Facts("others-double-sign", Info, Never, "another validator has signed twice", "nothing"),
            Self::Jailed => Facts("jailed", Critical, ByWord, "this validator was jailed for missing blocks",
                "find out why it did not sign, mend that, then send `tx slashing unjail`"),
            Self::MaybeJailed => Facts("maybe-jailed", Warning, Never, "a validator was jailed; this log does not say whether it is yours",
                "compare the address with yours"),
            Self::OthersJailed => Facts("others-jailed", Info, Never, "another validator was jailed", "nothing"),
            Self::SignerGone => Facts("signer-gone", Critical, ByBlock, "the node has no signer, and its whole consensus waits for one",
                "start the pilot (`beam start`); with another signer, see that it runs and can reach priv_validator_laddr"),
            Self::SignerRefused => Facts("signer-refused", Critical, ByBlocks, "the signer answers, and will not sign",
                "read the reason in the example; with Beam, `beam status` and `beam watermark show` say where each machine stands"),
            Self::RegisterOutOfReach => Facts("register-out-of-reach", Critical, ByBlocks, "the signer had no answer from its register, and signs nothing without",
                "see that the register can be reached and that its disk is neither full nor slow"),
            Self::StandbyRefusals => Facts("standby-refusals", Info, Never, "a standby left votes to the owner, as it should", "nothing"),
            Self::DoubleSignGuard => Facts("double-sign-guard", Critical, ByBlock, "the node will not join: its key has signed recent blocks",
                "if another machine signs, leave it so; with Beam, double_sign_check_height is 0 and the register guards instead"),
            Self::UpgradeNeeded => Facts("upgrade-needed", Critical, ByBlock, "the chain waits for an upgrade that this binary has not got",
                "stop the node, put the upgrade's binary in place, start it"),
            Self::UpgradeApplied => Facts("upgrade-applied", Info, Never, "an upgrade was applied", "nothing"),
            Self::EarlyBinary => Facts("early-binary", Critical, ByBlock, "the upgrade's binary was put in before its height",
                "put the former binary back until the height is reached"),
            Self::WrongBinary => Facts("wrong-binary", Critical, ByBlock, "the chain was upgraded, and this binary is the former one",
                "put the upgrade's binary in place"),
            Self::HaltHeight => Facts("halt-height", Critical, ByBlock, "the configured halt height was reached; the process lives on and does nothing",
                "do what the halt was for, then take halt-height out of app.toml and restart the node"),
            Self::DiskFull => Facts("disk-full", Critical, ByBlock, "the disk is full", "make room, then start the node again; prune snapshots and old blocks"),
            Self::OpenFiles => Facts("too-many-open-files", Critical, ByBlocks, "the process has run out of file descriptors",
                "raise LimitNOFILE of the service to 65536 or more"),
            Self::OutOfMemory => Facts("out-of-memory", Critical, ByBlock, "the process has run out of memory", "give the machine more memory, or the node smaller caches"),
            Self::AppHash => Facts("app-hash", Critical, ByBlock, "this node computes another state than the chain has",
                "see that genesis file and binary are the chain's; if they are, restore from a snapshot"),
            Self::BlockInvalid => Facts("block-invalid", Warning, ByBlocks, "this node found a proposed block invalid, and voted nil",
                "if others accept it, this node's binary or state differs from theirs"),
            Self::WalDamaged => Facts("wal-damaged", Warning, ByBlock, "the consensus log was damaged and is repaired", "look after the disk if it comes again"),
            Self::WalLost => Facts("wal-lost", Critical, ByBlock, "the consensus log cannot be repaired or written",
                "see to the disk; with a remote signer the cs.wal folder may be moved away"),
            Self::ConsensusFailure => Facts("consensus-failure", Critical, ByBlock, "consensus has stopped; the process lives on and is deaf",
                "restart the node; if it comes again at the same height, ask the chain's people"),
            Self::Panic => Facts("panic", Critical, ByBlock, "the node's process panicked", "restart it; if it comes again, report it with this log"),
            Self::PortInUse => Facts("port-in-use", Critical, ByBlock, "another process listens where the node wants to",
                "end the other process (a second node?), or change the port"),
            Self::HomeInUse => Facts("home-in-use", Critical, ByBlock, "another process has the node's home open", "end the other process before this one is started"),
            Self::StartRefused => Facts("start-refused", Critical, ByBlock, "the node did not start", "read the reason in the example"),
            Self::EndedUnheard => Facts("ended-unheard", Warning, Never, "the node began anew without a word of why it had ended: killed, or out of memory",
                "look into the kernel's log for an out-of-memory kill"),
            Self::NoBlocks => Facts("no-blocks", Critical, ByBlock, "no block for a while",
                "see whether the chain stands still for everybody; if not, this node is stuck or has lost its peers"),
            Self::Rounds => Facts("consensus-rounds", Info, Never, "blocks needed more than one round: a proposer or a third of the votes was late",
                "nothing, unless it is often: then look at the clock, the network and the load of this machine"),
            Self::NoPeers => Facts("no-peers", Critical, ByWord, "the node has no peer", "see to its persistent_peers, firewall and network"),
            Self::PeerUnreachable => Facts("peer-unreachable", Warning, ByWord, "a persistent peer cannot be reached", "see that it runs and that its address is right"),
            Self::SeedsUnreachable => Facts("seeds-unreachable", Warning, Never, "no seed could be reached", "see to the seeds' addresses and to this machine's way out"),
            Self::PeersLost => Facts("peers-lost", Info, Never, "connections to peers were lost", "nothing, unless it is the same peer over and over"),
            Self::DialErrors => Facts("dial-errors", Info, Never, "peers could not be dialled", "nothing, unless they are your own"),
            Self::WrongNetwork => Facts("wrong-network", Warning, Never, "a peer that this node dials is on another chain", "take it out of persistent_peers and the address book"),
            Self::ForeignKnocks => Facts("foreign-knocks", Info, Never, "nodes of another chain have dialled this one", "nothing"),
            Self::WrongNodeId => Facts("wrong-node-id", Warning, Never, "at a peer's address somebody with another id answers", "correct the id in persistent_peers"),
            Self::BadAddress => Facts("bad-address", Warning, Never, "a peer's address does not resolve or is malformed", "correct it in persistent_peers or seeds"),
            Self::SlowPeer => Facts("slow-peer", Info, Never, "a peer is too slow to sync from", "nothing"),
            Self::LogGap => Facts("log-gap", Warning, Never, "lines of this log were dropped", "see to the disk; what happened meanwhile is not in here"),
            Self::OtherErrors => Facts("other-errors", Info, Never, "errors that are not known here", "read them"),
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
