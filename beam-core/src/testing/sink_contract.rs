//! The contract of [`AlertSink`], as a suite for any backend whose other side is there and takes alerts.

use super::Breach;
use crate::alert_sink::{Alert, AlertSink, Severity};

/// Checks every statement.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_all(sink: &dyn AlertSink) -> Result<(), Breach> {
    state_all!(sink;
        a_sink_has_a_name,
        every_severity_and_its_end_is_taken,
        the_same_alert_is_taken_twice,
        awkward_text_is_taken,
    )
}

/// It stands in configuration and logs.
///
/// # Errors
/// The [`Breach`], as for all that follow.
pub async fn a_sink_has_a_name(sink: &dyn AlertSink) -> Result<(), Breach> {
    ensure!(!sink.name().trim().is_empty(), "the name is empty");
    Ok(())
}

/// No severity is one too many, and each may end.
///
/// # Errors
/// The [`Breach`].
pub async fn every_severity_and_its_end_is_taken(sink: &dyn AlertSink) -> Result<(), Breach> {
    for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
        for resolved in [false, true] {
            sink.deliver(&Alert { severity, resolved, ..alert("contract/severity") }).await?;
        }
    }
    Ok(())
}

/// Delivering again after a lost answer is no error.
///
/// # Errors
/// The [`Breach`].
pub async fn the_same_alert_is_taken_twice(sink: &dyn AlertSink) -> Result<(), Breach> {
    sink.deliver(&alert("contract/twice")).await?;
    sink.deliver(&alert("contract/twice")).await?;
    Ok(())
}

/// Long texts, line breaks and the other side's own markup are cut or quoted, never refused.
///
/// # Errors
/// The [`Breach`].
pub async fn awkward_text_is_taken(sink: &dyn AlertSink) -> Result<(), Breach> {
    let body = "<b>& *_`[~ \\ \"@channel\" <!here> \u{1F525}\r\n".repeat(400);
    sink.deliver(&Alert { title: body.chars().take(2000).collect(), body, ..alert("contract/text") }).await?;
    sink.deliver(&Alert { body: String::new(), ..alert("contract/empty") }).await?;
    Ok(())
}

fn alert(key: &str) -> Alert {
    Alert {
        key: key.to_owned(),
        severity: Severity::Info,
        title: "a test of this alert channel".to_owned(),
        body: "Nothing happened. Nothing is to be done.".to_owned(),
        resolved: false,
    }
}
