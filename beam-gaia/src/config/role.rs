//! What a node is for, and what follows for its settings.

use toml_edit::Value;

/// What a node is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeRole {
    /// It votes, with signatures from the pilot. Owner and standby alike.
    Validator {
        /// Where it waits for its signer, such as `unix:///var/lib/beam/run/privval.sock`.
        priv_validator_laddr: String,
        /// Its sentries and its twin.
        peers: Peers,
    },
    /// It stands between validators and the world.
    Sentry {
        /// The validators and the other sentries.
        peers: Peers,
    },
}

/// Whom a node knows. What is `None` is left as the file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Those it connects to and stays connected to, each as `id@host:port`.
    pub persistent: Option<Vec<String>>,
    /// Ids of those it accepts however many there are.
    pub unconditional_ids: Option<Vec<String>>,
    /// Ids of those it tells nobody about.
    pub private_ids: Option<Vec<String>>,
}

/// One key as a role wants it.
pub(super) struct Setting {
    /// `None` for a key outside any table.
    pub(super) table: Option<&'static str>,
    pub(super) key: &'static str,
    pub(super) value: Value,
    pub(super) why: &'static str,
    /// Not every version knows the key: it is set where it is and not added where it is not.
    pub(super) only_if_there: bool,
}

impl NodeRole {
    pub(super) fn settings(&self) -> Vec<Setting> {
        let (own, peers) = match self {
            Self::Validator { priv_validator_laddr, peers } => (validator(priv_validator_laddr), peers),
            Self::Sentry { peers } => (sentry(), peers),
        };
        own.into_iter().chain(common()).chain(peers.settings()).collect()
    }
}

fn validator(laddr: &str) -> Vec<Setting> {
    vec![
        set(None, "priv_validator_laddr", laddr, "the pilot signs, so that two machines never sign twice"),
        set(
            Some("p2p"),
            "pex",
            false,
            "a validator speaks with its own sentries only, and tells nobody where it is",
        ),
        set(Some("p2p"), "addr_book_strict", false, "its sentries have private addresses"),
    ]
}

fn sentry() -> Vec<Setting> {
    vec![
        set(None, "priv_validator_laddr", "", "a sentry signs nothing and would wait for a signer for ever"),
        set(Some("p2p"), "pex", true, "a sentry finds the network by peer exchange"),
        set(Some("p2p"), "addr_book_strict", false, "its validators have private addresses"),
    ]
}

fn common() -> [Setting; 2] {
    [
        set(
            Some("consensus"),
            "double_sign_check_height",
            0,
            "a standby finds its twin's signatures in the last blocks and would refuse to start; the register guards instead",
        ),
        Setting {
            only_if_there: true,
            ..set(
                Some("blocksync"),
                "adaptive_sync",
                false,
                "a validator that catches up would ask for votes at heights long decided",
            )
        },
    ]
}

impl Peers {
    fn settings(&self) -> impl Iterator<Item = Setting> {
        [
            (&self.persistent, "persistent_peers", "the fleet's own nodes"),
            (
                &self.unconditional_ids,
                "unconditional_peer_ids",
                "the fleet's own nodes are never turned away",
            ),
            (&self.private_ids, "private_peer_ids", "the validators are not to be found by others"),
        ]
        .into_iter()
        .filter_map(|(peers, key, why)| Some(set(Some("p2p"), key, peers.as_ref()?.join(","), why)))
    }
}

fn set(
    table: Option<&'static str>,
    key: &'static str,
    value: impl Into<Value>,
    why: &'static str,
) -> Setting {
    Setting { table, key, value: value.into(), why, only_if_there: false }
}
