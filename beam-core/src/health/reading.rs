//! One look at a node and at what surrounds it: what a decision about its health is made from.

use std::collections::BTreeMap;

use crate::id::ChainId;
use crate::signing::Height;

/// One look. What is not known is `None`, missing or [`Answer::NotAsked`], and nothing is concluded from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// Whether the node's process is there; `None` if nobody watches it.
    pub running: Option<bool>,
    /// What the node's RPC says of itself.
    pub node: Answer,
    /// The height that its application has executed and committed (`abci_info`).
    pub app_height: Option<Height>,
    /// Whether its consensus thread answers.
    pub consensus: Option<Consensus>,
    /// Its peers.
    pub peers: Option<Peers>,
    /// Where its configuration tells it to halt.
    pub halt_height: Option<Height>,
    /// The upgrade that it has written into `upgrade-info.json`. The file stays when the upgrade is done.
    pub upgrade: Option<Upgrade>,
    /// The heights that others are known to have committed.
    pub others: BTreeMap<Source, Height>,
    /// The connection between the node and our signer; `None` where there is no signer.
    pub signer: Option<SignerLink>,
    /// What the chain shows of our votes; `None` where there is no signer, or nothing was counted yet.
    pub votes: Option<Votes>,
}

/// What came of asking the node's RPC for its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// It was not asked.
    #[default]
    NotAsked,
    /// Nobody answered in time.
    Silent,
    /// Something answered, but not as a node does. The text is for people.
    Odd(String),
    /// Its status.
    Status(Status),
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its chain.
    pub network: ChainId,
    /// Its latest block; 0 if it has none. A block may be stored and not yet executed.
    pub height: Height,
    /// Whether it fetches old blocks. That it does not is no sign of health: a frozen node does not either.
    pub catching_up: bool,
}

/// What came of asking for the state of consensus, which needs the lock that the consensus thread holds while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consensus {
    /// It answered: the thread waits for messages, or has ended.
    Answers,
    /// It did not, while the rest of the RPC did: the thread waits for the signer, or works on a block.
    Hangs,
}

/// How many peers the node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peers {
    /// That connected to it.
    pub inbound: u64,
    /// That it connected to.
    pub outbound: u64,
}

/// An upgrade of the chain, by the name that its new program knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Its name; on the Hub the program's tag.
    pub name: String,
    /// The first height that the new program executes.
    pub height: Height,
}

/// Somebody else whose height we know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A node that the configuration names, by its address.
    Reference(String),
    /// A peer of our node, by its id. Strangers, so only the middle of them is believed.
    Peer(String),
    /// The register: the height below its mark. It rises only while one of our own machines votes.
    Register,
    /// Another machine of the same validator, by its name.
    Twin(String),
}

/// The connection between a node and our signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignerLink {
    /// Whether the node is connected.
    pub connected: bool,
    /// How often the node was given our key: it asks with every block that it commits.
    pub keys_given: u64,
}

/// What the chain shows of our votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Votes {
    /// Whether our validator was in the set at the last height that was looked at.
    pub seated: bool,
    /// How many of its votes were missing in a row, up to that height.
    pub missed_in_a_row: u64,
}
