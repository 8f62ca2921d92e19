//! One question, one connection, one bounded answer.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::RpcError;
use super::error::TooSlow;

/// How long a whole question may take, connecting included. A node whose consensus is frozen still answers in milliseconds.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The longest answer that is read, in bytes. A commit of 180 validators has about 50,000.
pub const ANSWER_LEN_MAX: usize = 8 * 1024 * 1024;

/// Sends a JSON-RPC question and gives the answer's HTTP status and body, within [`ANSWER_WITHIN`].
pub(super) async fn post(node: SocketAddr, question: String) -> Result<(StatusCode, Bytes), RpcError> {
    timeout(ANSWER_WITHIN, exchange(node, question))
        .await
        .unwrap_or_else(|_| Err(RpcError::Unreachable(TooSlow.into())))
}

/// The same without a bound: the caller has one.
pub(super) async fn exchange(node: SocketAddr, question: String) -> Result<(StatusCode, Bytes), RpcError> {
    let request = Request::post("/")
        .header(HOST, node.to_string())
        .header(CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(question))
        .map_err(|error| RpcError::Unreadable(error.into()))?;
    let stream = TcpStream::connect(node).await.map_err(|error| RpcError::Unreachable(error.into()))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| RpcError::Unreachable(error.into()))?;
    // The connection must be driven while the answer is awaited. Doing both here needs no task, and dropping this drops both.
    let mut answer = pin!(async move {
        let answer = sender.send_request(request).await.map_err(http_error)?;
        let status = answer.status();
        Ok((status, read(answer.into_body()).await?))
    });
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // Closed by the node; what it sent before that is still to be read.
        _ = connection => answer.await,
    }
}

async fn read(body: Incoming) -> Result<Bytes, RpcError> {
    let whole = Limited::new(body, ANSWER_LEN_MAX).collect().await;
    whole.map(http_body_util::Collected::to_bytes).map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => http_error(*error),
        Err(error) => {
            debug_assert!(error.is::<LengthLimitError>());
            RpcError::Unreadable(error)
        }
    })
}

/// What does not speak HTTP is no node; everything else is a connection that broke.
fn http_error(error: hyper::Error) -> RpcError {
    if error.is_parse() { RpcError::Unreadable(error.into()) } else { RpcError::Unreachable(error.into()) }
}
