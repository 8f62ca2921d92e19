//! The signer: who signs, how far, and who would take over.

use super::exposition::{Family, Value};
use crate::report::{Report, SignerReport};

fn signer<T>(report: &Report, read: impl FnOnce(&SignerReport) -> T) -> Option<T> {
    report.signer.as_ref().map(read)
}

pub(super) const METRICS: &[Family] = &[
    Family::gauge(
        "beam_signer_owner",
        "1 if this machine believes that it is the owner, who signs without waiting. The register alone knows, so two that believe it are no double sign.",
        |report, values| values.one(signer(report, |signer| signer.owns)),
    ),
    Family::gauge(
        "beam_signer_epoch",
        "How often the validator's owner has changed, as this machine last saw it.",
        |report, values| values.one(signer(report, |signer| signer.epoch).flatten()),
    ),
    Family::gauge(
        "beam_signer_mark_height",
        "The height of the mark, above which nobody has signed, as this machine last saw it in the register.",
        |report, values| values.one(signer(report, |signer| signer.mark).flatten().map(|mark| mark.height.0)),
    ),
    Family::gauge(
        "beam_signer_signed_height",
        "The height of the last signature that this machine released.",
        |report, values| {
            values.one(signer(report, |signer| signer.signed).flatten().map(|mark| mark.height.0))
        },
    ),
    Family::gauge(
        "beam_signer_halted",
        "1 if the signer has stopped for good, because going on could mean a double sign. It stays so until a person acts.",
        |report, values| values.one(signer(report, |signer| signer.halted.is_some())),
    ),
    Family::gauge(
        "beam_signer_connected",
        "1 if the node is connected to its signer. Without that this machine neither signs nor could take over.",
        |report, values| values.one(signer(report, |signer| signer.connected)),
    ),
    Family::counter(
        "beam_signer_released_total",
        "Signatures that left this machine since the pilot began.",
        |report, values| values.one(signer(report, |signer| signer.released)),
    ),
    Family::counter(
        "beam_signer_refused_total",
        "Requests of the node that were refused since the pilot began. A few after a takeover or a restart are as they should be.",
        |report, values| values.one(signer(report, |signer| signer.refused)),
    ),
    Family::counter(
        "beam_signer_handovers_total",
        "Changes of the owner that this machine saw since the pilot began: takeovers and switches.",
        |report, values| values.one(signer(report, |signer| signer.handovers)),
    ),
    Family::gauge(
        "beam_signer_takeover_after_seconds",
        "How long this machine waits for the owner now before it takes over. It grows with each takeover and falls back as blocks go by.",
        |report, values| {
            values.one(signer(report, |signer| signer.takeover_after_ms).flatten().map(Value::Millis))
        },
    ),
    Family::gauge(
        "beam_takeover_paused",
        "1 while takeovers by this validator's machines are paused: if the owner dies, nobody follows.",
        |report, values| values.one(report.signer.as_ref().map(|_| report.pause.is_some())),
    ),
    Family::gauge(
        "beam_takeover_pause_start_timestamp_seconds",
        "Since when takeovers are paused.",
        |report, values| values.one(report.pause.as_ref().map(|pause| Value::Millis(pause.since_ms))),
    ),
    Family::gauge(
        "beam_takeover_pause_end_timestamp_seconds",
        "Until when takeovers are paused.",
        |report, values| values.one(report.pause.as_ref().map(|pause| Value::Millis(pause.until_ms))),
    ),
];
