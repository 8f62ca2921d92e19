//! `beam start`: the signer, the node, and what looks after both, until told to stop.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use beam_alert::LogSink;
use beam_core::alert_sink::{Alert, AlertSink as _, Severity};
use beam_core::id::SessionId;
use beam_core::runtime::RosterWriter;
use beam_core::signing::Notice;
use beam_core::signing_key::SigningKey as _;
use beam_gaia::config::{self as node_config, NodeRole, Peers};
use beam_gaia::keys::harden_process;
use beam_gaia::privval::{Dialer, Link, LinkState, Service};
use beam_gaia::rpc::{NodeRpc, ValidatorAddress};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;

use super::Ending;
use crate::config::Config;
use crate::run_node::run_node;
use crate::watch_chain::ChainWatch;
use crate::{assemble, capture};

/// How long the signer may take to end when nobody asks it any more.
const SIGNER_ENDS_WITHIN: Duration = Duration::from_secs(3);

pub(super) async fn run(home: &Path) -> Result<Ending> {
    // Before anything is read: a core dump must never hold the key.
    for trouble in harden_process() {
        tracing::warn!("{trouble}");
    }
    let config = Config::load(home)?;
    let signer = assemble::signer(&config).await?;
    prepare_node(&config, &signer)?;
    let node = Arc::new(assemble::node(&config)?);
    let logs = capture::start(&config, Some(ValidatorAddress::of(&signer.key.public_key()).0))?;
    let logs_told = tokio::spawn(capture::tell(logs.state()));
    tracing::info!(
        machine = config.name,
        chain = %config.chain.id,
        validator = signer.key.address(),
        signer = %signer.me,
        memory_locked = signer.key.memory_locked(),
        "the signer is ready"
    );

    let (stop, stopping) = watch::channel(false);
    let (session, sessions) = watch::channel(SessionId::from_random(assemble::random()?));
    let service =
        Service::new(config.chain.id.clone(), signer.key.public_key(), signer.handle.clone(), sessions);
    let dialer = Dialer::new(config.signer()?.laddr.parse()?, service);
    let link = dialer.link();
    let notices = tokio::spawn(tell_notices(signer.handle.notices()));
    let links = tokio::spawn(tell_link(link.clone()));
    let chain = ChainWatch {
        rpc: NodeRpc::new(config.rpc()?),
        signer: signer.handle.clone(),
        roster: RosterWriter::new(
            signer.shared.register.clone(),
            signer.shared.cells.roster.clone(),
            config.name.clone(),
        ),
        me: signer.me,
        chain: config.chain.id.clone(),
        validator: ValidatorAddress::of(&signer.key.public_key()),
    };
    let chain = tokio::spawn(chain.run(link));
    // The signer outlives the node: a node that has lost its signer does not end for minutes.
    let (node_ended, node_end) = tokio::sync::oneshot::channel::<()>();
    let dialing = tokio::spawn(dialer.run(async {
        // Either way the node is gone.
        let _ = node_end.await;
    }));
    let running = tokio::spawn(run_node(node, session, config.node.stop_grace, stopping));

    let told = told_to_stop().await?;
    tracing::info!(signal = told, "stopping: first the node, then the signer");
    stop.send_replace(true);
    running.await?;
    // Nobody dials any more if this fails.
    let _ = node_ended.send(());
    dialing.await?;
    // What the node said last is written down.
    logs.stop().await;
    for task in [chain, notices, links, logs_told] {
        task.abort();
        // Aborted is how it should end.
        let _ = task.await;
    }
    // The last handle: nobody can ask any more, so the signer ends when its last write has.
    drop(signer.handle);
    if timeout(SIGNER_ENDS_WITHIN, signer.task).await.is_err() {
        tracing::warn!(within = ?SIGNER_ENDS_WITHIN, "the signer did not end");
    }
    Ok(Ending::Fine)
}

/// Makes the node's configuration right, and makes sure that it cannot sign by itself.
fn prepare_node(config: &Config, signer: &assemble::RunningSigner) -> Result<()> {
    node_config::check_no_validator_key(&config.node.home, &signer.key.public_key())?;
    let path = config.node.home.join("config/config.toml");
    let role =
        NodeRole::Validator { priv_validator_laddr: config.signer()?.laddr.clone(), peers: Peers::default() };
    let changes = node_config::apply(&path, &role)
        .with_context(|| format!("the node's configuration {} cannot be made right", path.display()))?;
    for change in changes {
        tracing::info!(key = change.key, from = ?change.from, to = %change.to, why = change.why, "node configuration changed");
    }
    Ok(())
}

async fn told_to_stop() -> Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

async fn tell_notices(mut notices: broadcast::Receiver<Notice>) {
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
        Notice::Owning { epoch, since, takeover } => {
            tracing::info!(%epoch, %since, takeover, "this machine is the owner now");
        }
        Notice::Standby { epoch, since } => tracing::info!(%epoch, %since, "this machine is a standby"),
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

async fn tell_link(mut link: watch::Receiver<Link>) {
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
