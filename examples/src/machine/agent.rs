//! What a machine's pilot says of itself, asked at its HTTP agent.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Machine;

/// An agent on the same host.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

impl Machine {
    /// The report of its pilot, asked of the pilot itself.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn report(&self) -> Result<Value> {
        let asking = async {
            let mut stream = TcpStream::connect(self.agent()).await?;
            stream.write_all(b"GET /status HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n").await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            let (_, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
            anyhow::Ok(serde_json::from_str(body)?)
        };
        let asked = timeout(ANSWERS_WITHIN, asking).await.context("no answer in time").flatten();
        asked.with_context(|| format!("the agent of {}", self.name()))
    }

    /// How many peers its node has.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn peers(&self) -> Result<u64> {
        let info = self.rpc().call("net_info", json!({})).await?;
        let count = info.get("n_peers").and_then(Value::as_str).and_then(|count| count.parse().ok());
        count.context("net_info without a number of peers")
    }
}
