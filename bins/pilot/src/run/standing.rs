//! One line on how this machine stands, for `systemctl status`: made anew when something in it changes. The first one with a running
//! node is what makes the service ready.

use std::error::Error;
use std::time::Duration;

use beam_core::runtime::{SignerHandle, SignerState};
use beam_gaia::rpc::NodeRpc;
use tokio::sync::watch;
use tokio::time::sleep;

use super::node::NodeRun;
use super::{Live, notify};

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A look asks the node's RPC once, which has a bound of 2 s.
const LOOKS_WITHIN: Duration = Duration::from_secs(15);

/// Tells how the machine stands for as long as it runs.
pub(super) async fn tell(mut live: Live, signer: Option<SignerHandle>) {
    let pulse = live.pulses.of("standing", LOOKS_WITHIN);
    let state = signer.map(|signer| signer.state());
    let (mut ready, mut told) = (false, String::new());
    loop {
        pulse.beat();
        let run = live.node.borrow_and_update().clone();
        let line = line(&run, state.as_ref(), height(&live).await);
        if !ready && run.pid.is_some() {
            ready = true;
            notify::ready(&line);
        } else if line != told {
            notify::status(&line);
        }
        told = line;
        tokio::select! {
            () = sleep(LOOK_EVERY) => {}
            // So that a node that has just started is told at once. An error means that the pilot ends.
            _ = live.node.changed() => {}
        }
    }
}

async fn height(live: &Live) -> Option<u64> {
    let rpc = live.config.borrow().rpc().ok()?;
    match NodeRpc::new(rpc).status().await {
        Ok(status) => Some(status.height.0),
        Err(error) => {
            tracing::debug!(error = &error as &dyn Error, "the node's RPC does not answer");
            None
        }
    }
}

fn line(run: &NodeRun, state: Option<&watch::Receiver<SignerState>>, height: Option<u64>) -> String {
    let role = state.map_or("sentry", |state| word(&state.borrow()));
    let node = match (&run.pid, height, &run.trouble) {
        (Some(_), Some(height), _) => format!("height {height}"),
        (Some(_), None, _) => "the node does not answer yet".to_owned(),
        (None, _, Some(trouble)) => format!("the node could not be started: {trouble}"),
        (None, _, None) => "the node does not run".to_owned(),
    };
    let pending = match &run.pending_restart[..] {
        [] => String::new(),
        keys => format!(", pending restart of the node: {}", keys.join(" ")),
    };
    format!("{role}, {node}{pending} (beam {})", env!("CARGO_PKG_VERSION"))
}

fn word(state: &SignerState) -> &'static str {
    match state {
        SignerState { halted: Some(_), .. } => "SIGNER STOPPED, see the log",
        SignerState { owns: true, .. } => "owner",
        _ => "standby",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_who_where_and_what_is_pending() {
        let (_sender, state) = watch::channel(SignerState { owns: true, ..SignerState::default() });
        let mut run = NodeRun { pid: Some(7), ..NodeRun::default() };
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(line(&run, Some(&state), Some(12)), format!("owner, height 12 (beam {version})"));
        run.pending_restart = vec!["p2p.pex".to_owned()];
        let told = line(&run, None, Some(12));
        assert_eq!(told, format!("sentry, height 12, pending restart of the node: p2p.pex (beam {version})"));
        (run.pid, run.trouble) = (None, Some("no such file".to_owned()));
        assert!(line(&run, None, None).contains("could not be started: no such file"));
    }
}
