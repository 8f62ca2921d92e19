//! CometBFT's JSON-RPC over its websocket.
//!
//! The same endpoint answers every call and carries the subscriptions, so one client without TLS
//! does for both, and a lab needs no second HTTP stack.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A call on the loopback interface, on a machine that may be busy.
const CALL_WITHIN: Duration = Duration::from_secs(5);

/// The RPC of one node. Each call opens a connection: the lab kills nodes, and a kept connection
/// would be one more thing to be wrong.
#[derive(Debug, Clone)]
pub struct Rpc {
    port: u16,
}

impl Rpc {
    /// The RPC at a port of the loopback interface.
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// Opens a connection for several calls.
    ///
    /// # Errors
    /// When the node does not accept it in time.
    pub async fn open(&self) -> Result<Session> {
        let url = format!("ws://127.0.0.1:{}/websocket", self.port);
        let (socket, _) = tokio::time::timeout(CALL_WITHIN, tokio_tungstenite::connect_async(&url))
            .await
            .with_context(|| format!("{url} did not accept within {CALL_WITHIN:?}"))?
            .with_context(|| format!("cannot connect to {url}"))?;
        Ok(Session { socket, calls: 0 })
    }

    /// One call on a connection of its own.
    ///
    /// # Errors
    /// When the node cannot be reached, answers too late, or answers with an error.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.open().await?.call(method, params).await
    }

    /// The height of the last block the node has committed; 0 before the first.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn height(&self) -> Result<u64> {
        let status = self.call("status", json!({})).await?;
        number(status.pointer("/sync_info/latest_block_height")).context("status without a height")
    }
}

/// An open connection to a node.
#[derive(Debug)]
pub struct Session {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    calls: u64,
}

impl Session {
    /// One call. Events of subscriptions that arrive before the answer are dropped, so subscribe on
    /// a connection that does nothing else.
    ///
    /// # Errors
    /// When the connection breaks, the answer is late, or it is an error.
    pub async fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        let id = self.request(method, params).await?;
        let answer = async {
            loop {
                let message = self.next().await?;
                if message.get("id") == Some(&Value::from(id)) {
                    return result(message);
                }
            }
        };
        tokio::time::timeout(CALL_WITHIN, answer)
            .await
            .with_context(|| format!("no answer to {method} within {CALL_WITHIN:?}"))?
            .with_context(|| format!("{method} failed"))
    }

    /// Sends a call and returns its number, which its answer carries.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) async fn request(&mut self, method: &str, params: Value) -> Result<u64> {
        self.calls = self.calls.saturating_add(1);
        let request = json!({ "jsonrpc": "2.0", "id": self.calls, "method": method, "params": params });
        self.socket.send(Message::text(request.to_string())).await?;
        Ok(self.calls)
    }

    /// The next message, an answer or an event. Waits for as long as the connection lives.
    ///
    /// # Errors
    /// When the connection ends, or sends what is no JSON.
    pub(super) async fn next(&mut self) -> Result<Value> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
                // Pings are answered by the socket itself, on the next read.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => bail!("the connection ended"),
            }
        }
    }
}

/// The result of an answer, or its error.
pub(super) fn result(mut message: Value) -> Result<Value> {
    if let Some(error) = message.get("error") {
        bail!("the node answered with an error: {error}");
    }
    message.get_mut("result").map(Value::take).context("an answer without a result")
}

/// A number that CometBFT writes as text or as a number.
pub(super) fn number(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A text, or an empty one.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
