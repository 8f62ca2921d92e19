//! The node.

use beam_core::health::Condition;

use super::exposition::{Family, Value};

pub(super) const METRICS: &[Family] = &[
    Family::gauge("beam_node_info", "Always 1. The node's version is in the label.", |report, values| {
        if let Some(version) = &report.node.version {
            values.labelled(&[("version", version)], true);
        }
    }),
    Family::gauge("beam_node_up", "1 while the node's process runs.", |report, values| {
        values.one(Some(report.node.pid.is_some()));
    }),
    Family::counter(
        "beam_node_starts_total",
        "How often this pilot has started the node.",
        |report, values| values.one(Some(report.node.starts)),
    ),
    Family::gauge(
        "beam_node_heals",
        "How often the node was restarted to heal it, within the window that limits that (health.restart_window).",
        |report, values| values.one(Some(report.node.heals)),
    ),
    Family::gauge("beam_node_height", "The node's height.", |report, values| values.one(report.node.height)),
    Family::gauge(
        "beam_node_network_height",
        "How far the others are that this machine can see: sentries, peers, the register.",
        |report, values| values.one(report.node.network_height),
    ),
    Family::gauge("beam_node_lag_blocks", "How far the node is behind the others.", |report, values| {
        values.one(report.node.lag_blocks)
    }),
    Family::gauge(
        "beam_node_catching_up",
        "1 while the node says that it is catching up: it does not vote then.",
        |report, values| values.one(report.node.catching_up),
    ),
    Family::gauge(
        "beam_node_block_timestamp_seconds",
        "The time in the node's last block, as the validators agreed on it.",
        |report, values| values.one(report.node.latest_block_ms.map(Value::Millis)),
    ),
    Family::gauge("beam_node_peers", "The node's peers, by who has connected to whom.", |report, values| {
        for (direction, peers) in
            [("inbound", report.node.peers_inbound), ("outbound", report.node.peers_outbound)]
        {
            if let Some(peers) = peers {
                values.labelled(&[("direction", direction)], peers);
            }
        }
    }),
    Family::gauge(
        "beam_node_condition",
        "What the node suffers from: 1 for the condition that it is in, all 0 if there is none.",
        |report, values| values.states("condition", Condition::NAMES, report.node.condition.as_deref()),
    ),
    Family::gauge(
        "beam_node_upgrade_height",
        "The height of the upgrade that the chain has planned. The node stops there and needs the program named in the label.",
        |report, values| {
            if let Some(upgrade) = &report.node.upgrade {
                values.labelled(&[("upgrade", &upgrade.name)], upgrade.height);
            }
        },
    ),
];
