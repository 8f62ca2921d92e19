//! A signer in memory and a dialer that runs.

use std::future::pending;
use std::time::Duration;

use async_trait::async_trait;
use beam_core::id::SessionId;
use beam_core::signing::{Epoch, Mark, Refusal, Release, Signatures, Statement};
use beam_core::signing_key::PublicKey;
use beam_gaia::privval::{Dialer, Link, Service, Sign};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) const CHAIN: &str = "cosmoshub-4";
/// How soon a signer is back once a node listens.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(200);

/// Signs everything but round 9.
struct Memory;

#[async_trait]
impl Sign for Memory {
    async fn sign(
        &self,
        _: SessionId,
        asked: Statement,
        extension: Option<Vec<u8>>,
    ) -> Result<Release, Refusal> {
        let mark: Mark = asked.mark();
        if mark.round.0 == 9 {
            return Err(Refusal::Conflicting(mark));
        }
        let signatures = Signatures { statement: vec![1; 64], extension: extension.map(|_| vec![2; 64]) };
        Ok(Release { mark, bytes: asked.bytes().to_vec(), signatures, epoch: Epoch(1), repeated: false })
    }
}

/// A dialer in a task of its own.
pub(crate) struct Running {
    pub(crate) link: watch::Receiver<Link>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

pub(crate) fn run(address: &str) -> Running {
    let (_, session) = watch::channel(SessionId::from_random(1));
    let service = Service::new(CHAIN.parse().unwrap(), PublicKey([9; 32]), Memory, session);
    let dialer = Dialer::new(address.parse().unwrap(), service);
    let link = dialer.link();
    let (stop, stopped) = oneshot::channel();
    let until = async move {
        if stopped.await.is_err() {
            pending::<()>().await;
        }
    };
    Running { link, stop, task: tokio::spawn(dialer.run(until)) }
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}
