//! What kind of network: which application, how many nodes, how fast, and under which rules.

use std::time::Duration;

use super::{MACHINES, Role};

/// Fewer, and the chain would stand still without validator 0.
pub(super) const VALIDATORS_MIN: usize = 4;

/// What the chain's nodes run.
#[derive(Debug, Clone, PartialEq)]
pub enum App {
    /// CometBFT's in-memory kvstore: no accounts, no stake. A restarted node replays the chain from its own block store,
    /// which takes about a second for a thousand blocks.
    Kvstore,
    /// A chain like the Cosmos Hub, which jails, tombstones and upgrades.
    Hub(HubPlan),
}

/// The rules of a Hub-like chain: the Hub's, scaled to a test's patience.
#[derive(Debug, Clone, PartialEq)]
pub struct HubPlan {
    /// x/slashing: over how many blocks misses are counted; at least 10.
    pub window_blocks: u32,
    /// The part of them that must be signed, 0 to 1.
    pub min_signed: f64,
    /// How long who signs fewer stays in jail at least.
    pub downtime_jail: Duration,
    /// How long a proposal is voted on. Votes must come in within; three or four blocks are needed for them.
    pub voting_period: Duration,
    /// A state-sync snapshot every so many blocks; 0 makes none.
    pub snapshot_interval: u32,
}

impl Default for HubPlan {
    /// Half of 50 blocks, so that a lab may take its time to start Beam's machines; a jail of 10 s, votes of 10 s, no
    /// snapshots.
    fn default() -> Self {
        Self {
            window_blocks: 50,
            min_signed: 0.5,
            downtime_jail: Duration::from_secs(10),
            voting_period: Duration::from_secs(10),
            snapshot_interval: 0,
        }
    }
}

/// A network to be made.
#[derive(Debug, Clone)]
pub struct NetworkPlan {
    /// What its nodes run.
    pub app: App,
    /// How many validators there are, Beam's among them; at least 4.
    pub validators: usize,
    /// How many sentries stand between Beam's machines and the others. With none, everybody peers with everybody.
    pub sentries: usize,
    /// CometBFT's `timeout_commit`: the pause after each block. A block takes this plus the votes.
    pub block_time: Duration,
    /// How long the others wait for a proposer that does not answer.
    pub timeout_propose: Duration,
    /// CometBFT's `log_level` for every node.
    pub log_level: String,
    /// The public key of validator 0, in base64, if its private half is not in a file: the genesis names it in place of the one that
    /// the lab made. On the kvstore alone.
    pub validator_key: Option<String>,
    /// Whether what Beam's nodes send and are sent goes through wires that can be damaged ([`Wires`](super::Wires)).
    pub wired: bool,
}

impl Default for NetworkPlan {
    /// Four validators on the kvstore, no sentry, a block a second, and two seconds for a proposal.
    fn default() -> Self {
        Self {
            app: App::Kvstore,
            validators: VALIDATORS_MIN,
            sentries: 0,
            block_time: Duration::from_secs(1),
            timeout_propose: Duration::from_secs(2),
            // The lab opens a connection a call, and the server would log each.
            log_level: "rpc-server:error,*:info".to_owned(),
            validator_key: None,
            wired: false,
        }
    }
}

impl NetworkPlan {
    /// Four validators on a Hub-like chain, else as the default.
    pub fn hub() -> Self {
        Self { app: App::Hub(HubPlan::default()), ..Self::default() }
    }

    /// All nodes by name: `v1`..., `a` and `b`, `s1`...
    pub(super) fn nodes(&self) -> Vec<(String, Role)> {
        let plain = (1..self.validators).map(|number| (format!("v{number}"), Role::Plain));
        let machines = MACHINES.into_iter().map(|name| (name.to_owned(), Role::Validator));
        let sentries = (1..=self.sentries).map(|number| (format!("s{number}"), Role::Sentry));
        plain.chain(machines).chain(sentries).collect()
    }

    /// Whether two nodes dial each other. Machines behind sentries are known to those and each other alone.
    pub(super) fn are_peers(&self, one: Role, other: Role) -> bool {
        let hidden = |role, from| role == Role::Validator && from == Role::Plain;
        self.sentries == 0 || !(hidden(one, other) || hidden(other, one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentries_hide_the_machines_from_the_others() {
        let open = NetworkPlan::default();
        assert!(open.are_peers(Role::Plain, Role::Validator) && open.are_peers(Role::Validator, Role::Plain));
        let hidden = NetworkPlan { sentries: 2, ..NetworkPlan::default() };
        assert!(!hidden.are_peers(Role::Plain, Role::Validator));
        assert!(!hidden.are_peers(Role::Validator, Role::Plain));
        assert!(hidden.are_peers(Role::Validator, Role::Validator));
        assert!(hidden.are_peers(Role::Sentry, Role::Validator));
        assert!(hidden.are_peers(Role::Sentry, Role::Plain));
    }

    #[test]
    fn every_node_has_its_name() {
        let plan = NetworkPlan { sentries: 1, ..NetworkPlan::default() };
        let names: Vec<_> = plan.nodes().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["v1", "v2", "v3", "a", "b", "s1"]);
    }
}
