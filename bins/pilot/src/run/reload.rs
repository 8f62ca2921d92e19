//! What a changed `node.toml` means for a pilot that runs: per key, from when on it is in force.
//!
//! Every section is taken apart without `..`: a key that is added to the configuration does not compile until it has its line here.

use std::fmt;

use crate::config::{
    AgentSection, Chain, Config, HealthSection, LogsSection, Node, P2p, RegisterAt, SignerSection,
};

/// From when on a changed key is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InForce {
    /// At once.
    Now,
    /// With the node's next start; peers that were added also by dialling, if that is allowed.
    NodeRestart,
    /// With the pilot's next start, which need not touch the node (SIGUSR2).
    PilotRestart,
}

impl fmt::Display for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "in force now",
            Self::NodeRestart => "needs a restart of the node",
            Self::PilotRestart => "needs a restart of the pilot (SIGUSR2 leaves the node running)",
        })
    }
}

/// One key that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) key: &'static str,
    pub(crate) in_force: InForce,
}

/// A configuration that was read again, against the one in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reload {
    pub(crate) differences: Vec<Difference>,
    /// What is in force from now on: the old one, with all that need not wait for the pilot's next start.
    pub(crate) config: Config,
}

/// Tells for each changed key from when on it is in force.
pub(crate) fn reload(old: &Config, new: &Config) -> Reload {
    let mut config = old.clone();
    config.node.stop_grace = new.node.stop_grace;
    config.p2p.clone_from(&new.p2p);
    config.health.clone_from(&new.health);
    config.logs.clone_from(&new.logs);
    let pairs = keys(old).into_iter().zip(keys(new));
    let changed = pairs.filter(|((_, _, old), (_, _, new))| old != new);
    let differences = changed.map(|((key, in_force, _), _)| Difference { key, in_force }).collect();
    Reload { differences, config }
}

type Key = (&'static str, InForce, String);

fn key(name: &'static str, in_force: InForce, value: &impl fmt::Debug) -> Key {
    (name, in_force, format!("{value:?}"))
}

fn keys(config: &Config) -> Vec<Key> {
    let mut keys = whole(config);
    keys.extend(node(&config.node));
    keys.extend(p2p(&config.p2p));
    keys.extend(health(&config.health));
    keys.extend(logs(&config.logs));
    keys.extend(agent(&config.agent));
    keys
}

fn whole(config: &Config) -> Vec<Key> {
    use InForce::PilotRestart;
    let Chain { id } = &config.chain;
    // A sentry has neither; that one of them appears is a difference like any other.
    let signer = config.signer().ok().map(|signer| {
        let SignerSection { key, kms, laddr, takeover_after, rank } = signer;
        (key, laddr, takeover_after, rank, kms)
    });
    let (sqlite, dynamodb, s3) = match config.register().ok() {
        Some(RegisterAt::Sqlite(path)) => (Some(path), None, None),
        Some(RegisterAt::DynamoDb(table)) => (None, Some(table), None),
        Some(RegisterAt::S3(bucket)) => (None, None, Some(bucket)),
        None => (None, None, None),
    };
    vec![
        key("name", PilotRestart, &config.name),
        key("role", PilotRestart, &config.role),
        key("chain.id", PilotRestart, id),
        key("signer.key", PilotRestart, &signer.map(|signer| signer.0)),
        key("signer.kms", PilotRestart, &signer.map(|signer| signer.4)),
        key("signer.laddr", PilotRestart, &signer.map(|signer| signer.1)),
        key("signer.takeover_after", PilotRestart, &signer.map(|signer| signer.2)),
        key("signer.rank", PilotRestart, &signer.map(|signer| signer.3)),
        key("register.sqlite", PilotRestart, &sqlite),
        key("register.dynamodb", PilotRestart, &dynamodb),
        key("register.s3", PilotRestart, &s3),
    ]
}

fn node(node: &Node) -> Vec<Key> {
    use InForce::{Now, PilotRestart};
    let Node { home, command, rpc, stop_grace } = node;
    vec![
        key("node.home", PilotRestart, home),
        key("node.command", PilotRestart, command),
        key("node.rpc", PilotRestart, rpc),
        key("node.stop_grace", Now, stop_grace),
    ]
}

fn p2p(p2p: &P2p) -> Vec<Key> {
    use InForce::NodeRestart;
    let P2p {
        persistent_peers,
        unconditional_peer_ids,
        private_peer_ids,
        external_address,
        inbound_peers_max,
        outbound_peers_max,
        dial_on_reload,
    } = p2p;
    vec![
        key("p2p.persistent_peers", NodeRestart, persistent_peers),
        key("p2p.unconditional_peer_ids", NodeRestart, unconditional_peer_ids),
        key("p2p.private_peer_ids", NodeRestart, private_peer_ids),
        key("p2p.external_address", NodeRestart, external_address),
        key("p2p.inbound_peers_max", NodeRestart, inbound_peers_max),
        key("p2p.outbound_peers_max", NodeRestart, outbound_peers_max),
        key("p2p.dial_on_reload", NodeRestart, dial_on_reload),
    ]
}

fn health(health: &HealthSection) -> Vec<Key> {
    use InForce::Now;
    let HealthSection { references, still_after, lag_blocks_max, start_grace, restarts_max, restart_window } =
        health;
    vec![
        key("health.references", Now, references),
        key("health.still_after", Now, still_after),
        key("health.lag_blocks_max", Now, lag_blocks_max),
        key("health.start_grace", Now, start_grace),
        key("health.restarts_max", Now, restarts_max),
        key("health.restart_window", Now, restart_window),
    ]
}

fn logs(logs: &LogsSection) -> Vec<Key> {
    use InForce::Now;
    let LogsSection { level, rotate_mib, rotate_after, total_mib } = logs;
    vec![
        key("logs.level", Now, level),
        key("logs.rotate_mib", Now, rotate_mib),
        key("logs.rotate_after", Now, rotate_after),
        key("logs.total_mib", Now, total_mib),
    ]
}

fn agent(agent: &AgentSection) -> Vec<Key> {
    use InForce::PilotRestart;
    let AgentSection { enabled, listen, allow_public, metrics_every } = agent;
    vec![
        key("agent.enabled", PilotRestart, enabled),
        key("agent.listen", PilotRestart, listen),
        key("agent.allow_public", PilotRestart, allow_public),
        key("agent.metrics_every", PilotRestart, metrics_every),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::FILE_NAME;

    fn config(more: &str) -> Config {
        let home = tempfile::tempdir().unwrap();
        let text = format!(
            "name = \"s\"\nrole = \"sentry\"\n[chain]\nid = \"c-1\"\n\
             [node]\nhome = \"/n\"\ncommand = [\"gaiad\"]\nrpc = \"http://127.0.0.1:1\"\n{more}"
        );
        std::fs::write(home.path().join(FILE_NAME), text).unwrap();
        Config::load(home.path()).unwrap()
    }

    fn told(more: &str) -> (Vec<String>, Config) {
        let old = config("");
        let mut new = config(more);
        new.home.clone_from(&old.home);
        let Reload { differences, config } = reload(&old, &new);
        (differences.iter().map(|d| format!("{}: {}", d.key, d.in_force)).collect(), config)
    }

    #[test]
    fn nothing_changed_is_nothing_to_tell() {
        let (told, config) = told("");
        assert_eq!(told, [""; 0]);
        assert_eq!(config.name, "s");
    }

    #[test]
    fn what_need_not_wait_is_in_force() {
        let (told, config) =
            told("stop_grace = \"5s\"\n[health]\nlag_blocks_max = 9\n[logs]\nlevel = \"debug\"\n");
        let now = ["node.stop_grace", "health.lag_blocks_max", "logs.level"];
        assert_eq!(told, now.map(|key| format!("{key}: in force now")));
        assert_eq!(config.node.stop_grace, Duration::from_secs(5));
        assert_eq!((config.health.lag_blocks_max, config.logs.level.as_str()), (9, "debug"));
    }

    #[test]
    fn the_nodes_own_settings_wait_for_its_restart() {
        let (told, config) = told("[p2p]\nexternal_address = \"203.0.113.7:1\"\n");
        assert_eq!(told, ["p2p.external_address: needs a restart of the node"]);
        assert_eq!(config.p2p.external_address.as_deref(), Some("203.0.113.7:1"));
    }

    #[test]
    fn what_the_pilot_stands_on_is_told_and_stays() {
        let (told, config) = told("[agent]\nenabled = false\n");
        assert!(matches!(&told[..], [one] if one.starts_with("agent.enabled: needs a restart of the pilot")));
        assert!(config.agent.enabled, "half a change");
    }
}
