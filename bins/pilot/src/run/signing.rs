//! What a validator has and a sentry has not: the signer, and the connection over which its node asks.

use std::future::pending;
use std::time::Duration;

use anyhow::Result;
use beam_core::id::SessionId;
use beam_gaia::privval::{Dialer, Link, Service};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::assemble::{self, RunningSigner};
use crate::config::Config;

/// How long the signer may take to end when nobody asks it any more.
const SIGNER_ENDS_WITHIN: Duration = Duration::from_secs(3);

/// The signer at work.
pub(crate) struct Signing {
    pub(crate) signer: RunningSigner,
    /// The connection to the node, as it changes: with every block that the node commits, since it then asks for our key.
    pub(crate) link: watch::Receiver<Link>,
    dialing: JoinHandle<()>,
    hang_up: oneshot::Sender<()>,
}

impl Signing {
    /// Starts the signer and dials the node, which need not run yet.
    ///
    /// # Errors
    /// If the key, the register or a file of this machine cannot be used.
    pub(crate) async fn start(config: &Config, sessions: watch::Receiver<SessionId>) -> Result<Self> {
        let signer = assemble::signer(config).await?;
        let service =
            Service::new(config.chain.id.clone(), signer.key.public(), signer.handle.clone(), sessions);
        let dialer = Dialer::new(config.signer()?.laddr.parse()?, service);
        let link = dialer.link();
        let (hang_up, told) = oneshot::channel::<()>();
        let dialing = tokio::spawn(dialer.run(async {
            // Either way nobody needs the connection any more.
            let _ = told.await;
        }));
        tracing::info!(
            machine = config.name,
            chain = %config.chain.id,
            validator = signer.key.address(),
            signer = %signer.me,
            memory_locked = signer.key.memory_locked(),
            "the signer is ready"
        );
        Ok(Self { signer, link, dialing, hang_up })
    }

    /// Waits for a part of it that ends by itself, which none should. Safe to drop midway.
    pub(crate) async fn ended_by_itself(signing: Option<&mut Self>) -> &'static str {
        let Some(Self { signer, dialing, .. }) = signing else {
            return pending().await;
        };
        tokio::select! {
            _ = &mut signer.task => "the signer",
            _ = dialing => "the connection to the node",
        }
    }

    /// Answers the request that is there, if one is, and hangs up. Stop the node first: a node that has lost its signer does not
    /// end for minutes.
    pub(crate) async fn hang_up(self) -> RunningSigner {
        // Nobody dials any more if this fails.
        let _ = self.hang_up.send(());
        if !self.dialing.is_finished() {
            let _ = self.dialing.await;
        }
        self.signer
    }
}

/// Ends the signer, which it does when its last write has. Nobody else may hold a handle of it any more.
pub(crate) async fn end(signer: RunningSigner) {
    drop(signer.handle);
    if !signer.task.is_finished() && timeout(SIGNER_ENDS_WITHIN, signer.task).await.is_err() {
        tracing::warn!(within = ?SIGNER_ENDS_WITHIN, "the signer did not end");
    }
}
