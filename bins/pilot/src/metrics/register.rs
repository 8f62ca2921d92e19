//! The register, as this machine is answered by it. No register, no signature.

use super::exposition::{Family, Value};
use crate::report::{RegisterReport, Report};

fn register<T>(report: &Report, read: impl FnOnce(&RegisterReport) -> T) -> Option<T> {
    report.signer.as_ref().map(|signer| read(&signer.register))
}

pub(super) const METRICS: &[Family] = &[
    Family::counter(
        "beam_register_operations_total",
        "Reads and writes of the register since the pilot began, by whether they were answered.",
        |report, values| {
            if let Some((answered, failed)) =
                register(report, |register| (register.answered, register.failed))
            {
                values.labelled(&[("outcome", "answered")], answered);
                values.labelled(&[("outcome", "failed")], failed);
            }
        },
    ),
    Family::gauge(
        "beam_register_latency_p50_seconds",
        "Half of the last operations took no longer than this.",
        |report, values| {
            values.one(register(report, |register| register.p50_ms).flatten().map(Value::FineMillis))
        },
    ),
    Family::gauge(
        "beam_register_latency_p99_seconds",
        "99 of 100 of the last operations took no longer than this. Every vote waits for one.",
        |report, values| {
            values.one(register(report, |register| register.p99_ms).flatten().map(Value::FineMillis))
        },
    ),
    Family::gauge(
        "beam_register_answer_timestamp_seconds",
        "When the register last answered. It is not asked while the chain stands still.",
        |report, values| {
            values.one(register(report, |register| register.last_ok_ms).flatten().map(Value::Millis))
        },
    ),
    Family::gauge(
        "beam_register_failure_timestamp_seconds",
        "When the register last did not answer.",
        |report, values| {
            values.one(register(report, |register| register.last_failed_ms).flatten().map(Value::Millis))
        },
    ),
];
