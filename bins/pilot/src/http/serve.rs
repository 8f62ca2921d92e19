//! Taking connections, and answering one request on each, within the limits.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Instant;

use http_body_util::Full;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::limits::{
    ACCEPT_WINDOW, ACCEPTS_PER_WINDOW, CONNECTION_WITHIN, CONNECTIONS_MAX, CONNECTIONS_PER_SOURCE_MAX,
    HEADER_BYTES_MAX, HEADERS_MAX, HEADERS_WITHIN,
};
use super::listen::Waits;
use super::pace::Pace;
use super::page::Page;
use super::route::{Question, answer};
use super::seats::Seats;

/// What each connection is answered from.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) pages: watch::Receiver<Arc<Page>>,
    /// See [`answer`]. A reload changes it.
    pub(super) lag_blocks_max: watch::Receiver<u64>,
}

/// Takes connections for ever.
pub(super) async fn serve(listener: TcpListener, answers: Answers) {
    let seats = Seats::new(CONNECTIONS_MAX, CONNECTIONS_PER_SOURCE_MAX);
    let mut pace = Pace::new(ACCEPT_WINDOW, ACCEPTS_PER_WINDOW, Instant::now());
    let mut waits = Waits::default();
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                waits = Waits::default();
                // Without a seat the connection is closed here, unread.
                if let Some(seat) = seats.take(from.ip()) {
                    let answers = answers.clone();
                    tokio::spawn(async move {
                        talk(stream, answers).await;
                        drop(seat);
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the agent cannot take a connection");
                sleep(waits.another()).await;
            }
        }
        if let Some(wait) = pace.one_more(Instant::now()) {
            sleep(wait).await;
        }
    }
}

/// One connection, from its first byte to its end.
pub(super) async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, answers: Answers) {
    let service = service_fn(move |request| ready(reply(&request, &answers)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // Whatever goes wrong here is the other side's doing, and a flood must not fill the log.
    match timeout(CONNECTION_WITHIN, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the agent was given up"),
        Err(_) => tracing::debug!(within = ?CONNECTION_WITHIN, "a connection to the agent took too long"),
    }
}

fn reply(request: &Request<Incoming>, answers: &Answers) -> Result<Response<Full<Bytes>>, Infallible> {
    let question = Question {
        method: request.method(),
        path: request.uri().path(),
        query: request.uri().query(),
        has_body: !request.body().is_end_stream(),
    };
    let page = answers.pages.borrow().clone();
    let lag_blocks_max = *answers.lag_blocks_max.borrow();
    Ok(answer(question, &page, Instant::now(), lag_blocks_max).into())
}

#[cfg(test)]
mod tests;
