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

/// Whom a node knows, and what it tells others of itself. What is `None` is left as the file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Those it connects to and stays connected to, each as `id@host:port`.
    pub persistent: Option<Vec<String>>,
    /// Ids of those it accepts however many there are.
    pub unconditional_ids: Option<Vec<String>>,
    /// Ids of those it tells nobody about.
    pub private_ids: Option<Vec<String>>,
    /// The address that others are told to dial, `host:port`. Nobody checks that it is this node's.
    pub external_address: Option<String>,
    /// How many may connect to it, unconditional ones aside.
    pub inbound_max: Option<u32>,
    /// How many it connects to, persistent ones aside.
    pub outbound_max: Option<u32>,
    /// Whether its RPC shall take [`dial_peers`](crate::rpc::NodeRpc::dial_peers), which opens all of its unsafe calls to whoever
    /// reaches it. `false` leaves the file as it is.
    pub dialable: bool,
}

/// When a change of the file is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InForce {
    /// With the node's next start: `CometBFT` reads its file once.
    AtNextStart,
    /// As well, but what was added can be dialled meanwhile ([`dial_peers`](crate::rpc::NodeRpc::dial_peers)). What was taken
    /// away stays connected until the next start.
    WhenDialled,
}

/// One key as a role wants it.
pub(super) struct Setting {
    /// `None` for a key outside any table.
    pub(super) table: Option<&'static str>,
    pub(super) key: &'static str,
    pub(super) value: Value,
    pub(super) why: &'static str,
    pub(super) in_force: InForce,
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

    /// Whom the node knows.
    #[must_use]
    pub fn peers(&self) -> &Peers {
        match self {
            Self::Validator { peers, .. } | Self::Sentry { peers } => peers,
        }
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
        set(
            Some("p2p"),
            "persistent_peers_max_dial_period",
            "30s",
            "by default the wait between two tries for a lost peer grows to hours",
        ),
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
    fn settings(&self) -> Vec<Setting> {
        let p2p = |key, value: Value, why| set(Some("p2p"), key, value, why);
        let list = |peers: &Vec<String>| Value::from(peers.join(","));
        let mut settings = Vec::new();
        settings.extend(self.persistent.as_ref().map(|peers| Setting {
            in_force: InForce::WhenDialled,
            ..p2p("persistent_peers", list(peers), "the fleet's own nodes")
        }));
        settings.extend(self.unconditional_ids.as_ref().map(|ids| {
            p2p("unconditional_peer_ids", list(ids), "the fleet's own nodes are never turned away")
        }));
        settings.extend(
            self.private_ids.as_ref().map(|ids| {
                p2p("private_peer_ids", list(ids), "the validators are not to be found by others")
            }),
        );
        settings.extend(self.external_address.as_ref().map(|address| {
            p2p("external_address", address.into(), "the address that others are told to dial")
        }));
        for (max, key) in
            [(self.inbound_max, "max_num_inbound_peers"), (self.outbound_max, "max_num_outbound_peers")]
        {
            settings.extend(max.map(|max| p2p(key, i64::from(max).into(), "how many peers it has room for")));
        }
        if self.share_a_host() {
            settings.push(p2p(
                "allow_duplicate_ip",
                true.into(),
                "several of its peers have one address, and all but the first would be turned away",
            ));
        }
        if self.dialable {
            settings.push(set(
                Some("rpc"),
                "unsafe",
                true,
                "so that an added peer is dialled without a restart of the node",
            ));
        }
        settings
    }

    /// Whether two of the persistent peers have the same host.
    fn share_a_host(&self) -> bool {
        let host = |peer: &String| {
            let (_, address) = peer.rsplit_once('@')?;
            address.rsplit_once(':').map(|(host, _)| host.to_owned())
        };
        let hosts: Vec<String> = self.persistent.iter().flatten().filter_map(host).collect();
        hosts.iter().enumerate().any(|(at, host)| hosts.iter().take(at).any(|other| other == host))
    }
}

fn set(
    table: Option<&'static str>,
    key: &'static str,
    value: impl Into<Value>,
    why: &'static str,
) -> Setting {
    Setting { table, key, value: value.into(), why, in_force: InForce::AtNextStart, only_if_there: false }
}
