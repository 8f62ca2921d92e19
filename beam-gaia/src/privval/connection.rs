//! One connection, from its first request to its end.

use std::future::Future;
use std::io;

use tokio::sync::watch;
use tokio::time::timeout;

use super::limits::{FIRST_REQUEST_WITHIN, SEND_WITHIN};
use super::messages::{Message, Sum};
use super::transport::{Incoming, Transport};
use super::{Link, Service};

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("we stopped")]
    Stopped,
    #[error("the node closed it")]
    Closed,
    #[error("the node asked for nothing; it may have another signer")]
    Silent,
    #[error("the node did not take an answer")]
    NotTaken,
    #[error("what the node sent was out of step")]
    OutOfStep,
    #[error("it was lost: {0}")]
    Lost(#[from] io::Error),
}

/// Answers requests until the connection ends or `stop` says so. A request that is being answered then still is.
///
/// Once the first request has come, there is no bound on silence: the node pings every 3.3 s but may be stopped, and to
/// give up on it would only leave a dead connection in its backlog. One that is gone says so, or its kernel does.
pub(super) async fn serve(
    mut transport: Box<dyn Transport>,
    service: &Service,
    link: &watch::Sender<Link>,
    mut stop: watch::Receiver<bool>,
) -> Ended {
    let mut first = true;
    loop {
        let incoming = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Ended::Stopped,
            incoming = bounded(first, transport.receive()) => incoming,
        };
        let (answer, goes_on) = match incoming {
            None => return Ended::Silent,
            Some(Err(error)) => return error.into(),
            Some(Ok(Incoming::Closed)) => return Ended::Closed,
            Some(Ok(Incoming::Message(message))) => (service.answer(*message).await, true),
            Some(Ok(Incoming::Garbled(garbled))) => (Service::deny(&garbled.to_string()), true),
            Some(Ok(Incoming::OutOfStep(garbled))) => (Service::deny(&garbled.to_string()), false),
        };
        match timeout(SEND_WITHIN, transport.send(&answer)).await {
            Err(_) => return Ended::NotTaken,
            Ok(Err(error)) => return error.into(),
            Ok(Ok(())) if !goes_on => return Ended::OutOfStep,
            Ok(Ok(())) => {}
        }
        first = false;
        if gives_key(&answer) {
            link.send_modify(|link| link.keys_given = link.keys_given.saturating_add(1));
        }
    }
}

/// Ends when `stop` turns true, or nobody is left who could turn it.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the sender is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn bounded<T>(first: bool, receive: impl Future<Output = T>) -> Option<T> {
    if first { timeout(FIRST_REQUEST_WITHIN, receive).await.ok() } else { Some(receive.await) }
}

fn gives_key(answer: &Message) -> bool {
    matches!(&answer.sum, Some(Sum::PubKeyResponse(answer)) if answer.pub_key.is_some())
}

#[cfg(test)]
mod tests;
