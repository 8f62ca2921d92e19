//! The pilot itself.

use super::exposition::{Family, Value};
use crate::report::State;

pub(super) const METRICS: &[Family] = &[
    Family::gauge(
        "beam_pilot_info",
        "Always 1. The pilot's version and what this machine is for are in the labels.",
        |report, values| {
            let role = report.role.to_string();
            values.labelled(&[("role", &role), ("version", &report.version)], true);
        },
    ),
    Family::gauge(
        "beam_pilot_start_timestamp_seconds",
        "When the pilot started, by this machine's clock. All counters begin there.",
        |report, values| values.one(Some(Value::Millis(report.started_ms))),
    ),
    Family::gauge(
        "beam_pilot_report_timestamp_seconds",
        "When the values shown here were put together, by this machine's clock. One that stands still comes from a pilot that hangs.",
        |report, values| values.one(Some(Value::Millis(report.updated_ms))),
    ),
    Family::gauge(
        "beam_pilot_state",
        "How this machine does: 1 for the state that it is in. fine: it does its work; degraded: somebody should look; down: it does not work.",
        |report, values| {
            let is = match report.state {
                State::Fine => "fine",
                State::Degraded => "degraded",
                State::Down => "down",
            };
            values.states("state", ["fine", "degraded", "down"], Some(is));
        },
    ),
];
