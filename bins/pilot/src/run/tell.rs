//! What the signer and its connection have to tell, as log lines and alerts.

use std::error::Error;

use beam_alert::LogSink;
use beam_core::alert_sink::{Alert, AlertSink as _, Severity};
use beam_core::signing::Notice;
use beam_gaia::privval::{Link, LinkState};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

/// Tells the signer's notices for as long as it runs.
pub(super) async fn tell_notices(mut notices: broadcast::Receiver<Notice>) {
    loop {
        match notices.recv().await {
            Ok(notice) => tell(notice).await,
            Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "notices were lost"),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn tell(notice: Notice) {
    match notice {
        Notice::Owning { epoch, since, how, takeover: _ } => {
            tracing::info!(%epoch, %since, %how, "this machine is the owner now");
        }
        Notice::Standby { epoch, since, how } => {
            tracing::info!(%epoch, %since, %how, "this machine is a standby");
        }
        Notice::Halted(halt) => {
            let alert = Alert {
                key: "signer-halted".to_owned(),
                severity: Severity::Critical,
                title: format!("the signer has stopped: {halt}"),
                body: "Nothing is signed on this machine until a person has looked. Find out who wrote to the register, or \
                       who else has the key, before anything is started again."
                    .to_owned(),
                resolved: false,
            };
            if let Err(error) = LogSink.deliver(&alert).await {
                tracing::error!(error = &error as &dyn Error, "the alert was not delivered");
            }
        }
        other => tracing::info!(?other, "notice"),
    }
}

/// Tells the connection as it changes, for as long as it is tried.
pub(super) async fn tell_link(mut link: watch::Receiver<Link>) {
    let mut told = LinkState::default();
    while link.changed().await.is_ok() {
        let now = link.borrow_and_update().clone();
        if now.state == told {
            continue;
        }
        match &now.state {
            LinkState::Connected => tracing::info!(connection = now.connections, "the node is connected"),
            LinkState::Dialing { trouble: Some(trouble) } => tracing::warn!(trouble, "dialing the node"),
            LinkState::Dialing { trouble: None } => {
                tracing::info!(last_end = now.last_end, "dialing the node");
            }
            other => tracing::info!(?other, "the connection to the node changed"),
        }
        told = now.state;
    }
}
