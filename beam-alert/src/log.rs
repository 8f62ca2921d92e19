//! Alerts into the program's own log: the sink that is always there.

use async_trait::async_trait;
use beam_core::alert_sink::{Alert, AlertError, AlertSink, Severity};

/// Writes each alert as one log event: `error` for what must wake somebody, `warn` and `info` for the rest.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSink;

#[async_trait]
impl AlertSink for LogSink {
    fn name(&self) -> &str {
        "log"
    }

    async fn deliver(&self, alert: &Alert) -> Result<(), AlertError> {
        let Alert { key, severity, title, body, resolved } = alert;
        match severity {
            Severity::Critical => tracing::error!(alert = %key, resolved, %body, "{title}"),
            Severity::Warning => tracing::warn!(alert = %key, resolved, %body, "{title}"),
            Severity::Info => tracing::info!(alert = %key, resolved, %body, "{title}"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use beam_core::testing::{Breach, sink_contract};

    use super::*;

    #[tokio::test]
    async fn the_log_keeps_the_contract_of_a_sink() -> Result<(), Breach> {
        sink_contract::run_all(&LogSink).await
    }
}
