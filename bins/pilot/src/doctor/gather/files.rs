//! The node's own files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use beam_gaia::config::{KNOWN_APP, KNOWN_CLIENT, KNOWN_CONFIG};
use beam_gaia::keys::node_id;
use toml::de::DeTable;

use super::super::facts::{AppToml, ConfigToml, Fact, NodeFiles};
use crate::config::{Config, Keys, StrangeTables};
use crate::node_home::NodeHome;

pub(super) fn look(config: &Config) -> NodeFiles {
    let home = NodeHome::read(&config.node.home).map_err(|error| format!("{error:#}"));
    let node_key = home.as_ref().map(NodeHome::node_key_file).map_err(Clone::clone);
    let node_id =
        node_key.and_then(|path| node_id(&path).map_err(|error| format!("{}: {error}", path.display())));
    NodeFiles {
        config: home.and_then(|home| config_toml(config, &home)),
        app: app_toml(&config.node.home),
        unknown_keys: unknown_keys(&config.node.home),
        same_node_key: node_id.as_ref().map(|id| same_node_key(&config.node.home, id)).unwrap_or_default(),
        node_id,
        wanted_laddr: config.signer().ok().map(|signer| signer.laddr.clone()),
    }
}

fn config_toml(config: &Config, home: &NodeHome) -> Fact<ConfigToml> {
    if !home.path.join("config/config.toml").is_file() {
        return Err(format!("there is no config/config.toml in {}", home.path.display()));
    }
    let text = |table, key, usual: &str| home.text(table, key).unwrap_or(usual).to_owned();
    let flag = |table, key, usual| home.value(table, key).and_then(toml::Value::as_bool).unwrap_or(usual);
    let number = |table, key| home.value(table, key).and_then(toml::Value::as_integer).unwrap_or_default();
    let listed = |own: &Option<Vec<String>>, key| own.clone().unwrap_or_else(|| list(&text("p2p", key, "")));
    Ok(ConfigToml {
        laddr: home.laddr().map(str::to_owned),
        double_sign_check_height: number("consensus", "double_sign_check_height"),
        pex: flag("p2p", "pex", true),
        addr_book_strict: flag("p2p", "addr_book_strict", true),
        persistent_peers: listed(&config.p2p.persistent_peers, "persistent_peers"),
        private_peer_ids: listed(&config.p2p.private_peer_ids, "private_peer_ids"),
        rpc_laddr: text("rpc", "laddr", "tcp://127.0.0.1:26657"),
        rpc_unsafe: flag("rpc", "unsafe", false),
        pprof_laddr: text("rpc", "pprof_laddr", ""),
        prometheus: flag("instrumentation", "prometheus", false)
            .then(|| text("instrumentation", "prometheus_listen_addr", ":26660")),
    })
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn app_toml(home: &Path) -> Fact<Option<AppToml>> {
    let path = home.join("config/app.toml");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| format!("{}: {}", path.display(), error.message()))?;
    let at = |section: &str, key: &str| table.get(section)?.get(key).cloned();
    let number = |value: Option<toml::Value>| value.and_then(|value| value.as_integer()).unwrap_or_default();
    let served = ["api", "grpc"].into_iter().filter_map(|section| {
        let on = at(section, "enable").and_then(|on| on.as_bool()).unwrap_or(false);
        at(section, "address").filter(|_| on)?.as_str().map(str::to_owned)
    });
    Ok(Some(AppToml {
        halt_height: number(table.get("halt-height").cloned()),
        halt_time: number(table.get("halt-time").cloned()),
        minimum_gas_prices: table
            .get("minimum-gas-prices")
            .and_then(|prices| prices.as_str())
            .unwrap_or_default()
            .to_owned(),
        snapshot_interval: number(at("state-sync", "snapshot-interval")),
        served: served.collect(),
    }))
}

fn unknown_keys(home: &Path) -> Vec<String> {
    let files = [
        ("config.toml", KNOWN_CONFIG, StrangeTables::Refused),
        ("app.toml", KNOWN_APP, StrangeTables::Left),
        ("client.toml", KNOWN_CLIENT, StrangeTables::Refused),
    ];
    let mut unknown = Vec::new();
    for (name, known, strange) in files {
        let Ok(text) = fs::read_to_string(home.join("config").join(name)) else { continue };
        let Ok(table) = DeTable::parse(&text) else { continue };
        let keys = Keys::in_file(known).take_unknown(&mut table.into_inner(), &text, strange);
        unknown.extend(keys.into_iter().map(|key| format!("{} in {name}", key.path)));
    }
    unknown
}

/// Other nodes' homes beside this one, and in this user's home, that have the same p2p key.
fn same_node_key(home: &Path, id: &str) -> Vec<PathBuf> {
    let own = home.canonicalize().ok();
    let around = home.parent().map(Path::to_owned).into_iter().chain(std::env::home_dir());
    let around: BTreeSet<PathBuf> = around.filter_map(|folder| folder.canonicalize().ok()).collect();
    let homes = around.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let homes: BTreeSet<PathBuf> = homes.filter_map(|entry| entry.ok()?.path().canonicalize().ok()).collect();
    homes
        .into_iter()
        .filter(|other| Some(other) != own.as_ref())
        .filter(|other| node_id(&other.join("config/node_key.json")).is_ok_and(|found| found == id))
        .collect()
}
