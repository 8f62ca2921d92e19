//! The node's own files.

use std::net::{IpAddr, SocketAddr};

use super::super::facts::{AppToml, ConfigToml, NodeFiles};
use super::super::{Finding, Severity};
use super::{if_fine, known};
use crate::config::Role;

pub(super) fn checks(role: Role, files: &NodeFiles) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &files.config {
        Ok(config) => {
            findings.push(laddr(role, config, files.wanted_laddr.as_deref()));
            findings.push(double_sign_check(role, config));
            findings.extend(peers(role, config, files));
            findings.extend(listeners(role, config));
        }
        Err(why) => findings.push(
            Finding::new("node-config", Severity::Fail, why.clone(), "the node's config.toml can be read")
                .todo("see node.home in node.toml"),
        ),
    }
    match &files.app {
        Ok(Some(app)) => findings.extend(app_checks(role, app)),
        Ok(None) => {}
        Err(why) => findings.push(
            Finding::new("node-app", Severity::Fail, why.clone(), "the node's app.toml can be read")
                .todo("mend it"),
        ),
    }
    findings.push(unknown_keys(files));
    findings.push(node_key(files));
    findings
}

fn laddr(role: Role, config: &ConfigToml, wanted: Option<&str>) -> Finding {
    let found = config.laddr.clone().unwrap_or_else(|| "not set".to_owned());
    let (severity, todo) = match (role, config.laddr.as_deref()) {
        (Role::Validator, None) => (
            Severity::Fail,
            "the node would sign with a key of its own, or not at all: never start it but by `beam start`, which sets it",
        ),
        (Role::Validator, there) if there != wanted => {
            (Severity::Warn, "`beam start` sets what node.toml says")
        }
        (Role::Sentry, Some(_)) => {
            (Severity::Fail, "a sentry would wait for a signer for ever: set it to \"\"")
        }
        (Role::Validator, Some(_)) | (Role::Sentry, None) => (Severity::Fine, ""),
    };
    let limit = match role {
        Role::Validator => "priv_validator_laddr is signer.laddr of node.toml",
        Role::Sentry => "priv_validator_laddr is not set",
    };
    Finding::new("priv-validator-laddr", severity, found, limit).todo(todo)
}

fn double_sign_check(role: Role, config: &ConfigToml) -> Finding {
    let height = config.double_sign_check_height;
    let bad = if role == Role::Validator { Severity::Fail } else { Severity::Warn };
    Finding::new("double-sign-check-height", if_fine(height == 0, bad), height.to_string(), "0").todo(
        "a standby would find its twin's signatures and refuse to start: set consensus.double_sign_check_height = 0; the register guards instead",
    )
}

fn peers(role: Role, config: &ConfigToml, files: &NodeFiles) -> Vec<Finding> {
    let pex = match role {
        Role::Validator => Finding::new(
            "pex",
            if_fine(!config.pex, Severity::Warn),
            config.pex.to_string(),
            "false on a validator",
        )
        .todo("a validator speaks with its sentries only: p2p.pex = false"),
        Role::Sentry => Finding::new(
            "pex",
            if_fine(config.pex, Severity::Warn),
            config.pex.to_string(),
            "true on a sentry",
        )
        .todo("a sentry finds the network by peer exchange: p2p.pex = true"),
    };
    let alone = config.persistent_peers.is_empty();
    let persistent = Finding::new(
        "persistent-peers",
        match (role, alone, config.pex) {
            (_, false, _) => Severity::Fine,
            (Role::Validator, true, false) => Severity::Fail,
            (Role::Validator, true, true) | (Role::Sentry, true, _) => Severity::Warn,
        },
        config.persistent_peers.len().to_string(),
        "a validator: its sentries and its twin; a sentry: its validators and the other sentries",
    )
    .todo("name them in p2p.persistent_peers of node.toml");
    let mut findings = vec![pex, persistent];
    if role == Role::Sentry {
        let ids = config.private_peer_ids.len();
        findings.push(
            Finding::new(
                "private-peer-ids",
                if_fine(ids > 0, Severity::Warn),
                ids.to_string(),
                "the ids of the validators behind it",
            )
            .todo("a sentry tells the network about every peer that is not named in p2p.private_peer_ids"),
        );
    }
    findings.push(
        Finding::new(
            "addr-book-strict",
            if_fine(!config.addr_book_strict, Severity::Warn),
            config.addr_book_strict.to_string(),
            "false, as the fleet's addresses are private",
        )
        .todo("p2p.addr_book_strict = false"),
    );
    if let Ok(own) = &files.node_id {
        let named =
            config.persistent_peers.iter().chain(&config.private_peer_ids).any(|peer| peer.starts_with(own));
        findings.push(
            Finding::new("own-id-among-peers", if_fine(!named, Severity::Fail), own.clone(), "no peer has this node's own id")
                .todo("two nodes share one node_key.json: remove it on the machine that was cloned, and name its new id"),
        );
    }
    findings
}

fn listeners(role: Role, config: &ConfigToml) -> Vec<Finding> {
    let bad = if role == Role::Validator { Severity::Fail } else { Severity::Warn };
    let at = |id, address: &str, bad, todo: &str| {
        let found = if address.is_empty() { "none" } else { address };
        Finding::new(id, if_fine(!is_open(address), bad), found, "this machine or a private network only")
            .todo(todo.to_owned())
    };
    let mut findings = vec![
        at("rpc-open", &config.rpc_laddr, bad, "rpc.laddr = \"tcp://127.0.0.1:26657\""),
        Finding::new(
            "rpc-unsafe",
            if_fine(!config.rpc_unsafe, Severity::Fail),
            config.rpc_unsafe.to_string(),
            "false",
        )
        .todo("anybody who reaches the RPC could change its peers: rpc.unsafe = false"),
        at("pprof-open", &config.pprof_laddr, Severity::Fail, "rpc.pprof_laddr = \"\" or \"localhost:6060\""),
    ];
    if let Some(prometheus) = &config.prometheus {
        findings.push(at(
            "prometheus-open",
            prometheus,
            Severity::Warn,
            "instrumentation.prometheus_listen_addr = \"127.0.0.1:26660\"",
        ));
    }
    findings
}

/// Whether an address of a listener can be reached from anywhere: it is a public one, or none in particular.
pub(super) fn is_open(address: &str) -> bool {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    if address.is_empty() || address.starts_with('/') {
        return false;
    }
    if address.starts_with(':') {
        return true;
    }
    let ip = match address.parse::<SocketAddr>() {
        Ok(address) => address.ip(),
        // A name: only this machine's own is known to be nobody else's.
        Err(_) => return !address.starts_with("localhost"),
    };
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

fn app_checks(role: Role, app: &AppToml) -> Vec<Finding> {
    let halts = app.halt_height != 0 || app.halt_time != 0;
    let halt = format!("halt-height {}, halt-time {}", app.halt_height, app.halt_time);
    let open: Vec<&str> = app.served.iter().map(String::as_str).filter(|address| is_open(address)).collect();
    let mut findings = vec![
        Finding::new(
            "halt-height",
            if_fine(!halts, Severity::Warn),
            halt,
            "0: the node stops by itself at no height",
        )
        .todo("if no halt is planned: halt-height = 0 and halt-time = 0 in app.toml"),
        Finding::new(
            "min-gas-prices",
            if_fine(!app.minimum_gas_prices.is_empty(), Severity::Warn),
            format!("{:?}", app.minimum_gas_prices),
            "not empty",
        )
        .todo("the node does not start without, or takes any spam: set minimum-gas-prices in app.toml"),
        Finding::new(
            "api-open",
            if_fine(open.is_empty(), Severity::Warn),
            if open.is_empty() { "none".to_owned() } else { open.join(", ") },
            "API and gRPC on this machine or a private network only",
        )
        .todo("set api.address and grpc.address in app.toml to 127.0.0.1"),
    ];
    if role == Role::Validator {
        let interval = app.snapshot_interval;
        findings.push(
            Finding::new("state-sync-snapshots", if_fine(interval == 0, Severity::Warn), interval.to_string(), "0 on a validator")
                .todo("writing them takes the disk from signing; let a sentry serve them: state-sync.snapshot-interval = 0"),
        );
    }
    findings
}

fn unknown_keys(files: &NodeFiles) -> Finding {
    let unknown = &files.unknown_keys;
    let found = if unknown.is_empty() { "none".to_owned() } else { unknown.join(", ") };
    Finding::new(
        "unknown-keys",
        if_fine(unknown.is_empty(), Severity::Warn),
        found,
        "the node knows every key in its files",
    )
    .todo("`beam check-config` tells the line and what was meant")
}

fn node_key(files: &NodeFiles) -> Finding {
    let limit = "no other home on this machine has this node's p2p key";
    known("node-key", limit, &files.node_id, |id| {
        let others: Vec<String> = files.same_node_key.iter().map(|home| home.display().to_string()).collect();
        let found =
            if others.is_empty() { id.clone() } else { format!("{id}, also in {}", others.join(", ")) };
        Finding::new("node-key", if_fine(others.is_empty(), Severity::Fail), found, limit)
            .todo("remove config/node_key.json of the copy: its node makes a new one")
    })
}
