//! Peers for a node that runs.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::client::unreadable;
use super::transport::post;
use super::{NodeRpc, RpcError};

/// The JSON-RPC code for a method that the node does not have.
const METHOD_NOT_FOUND: i64 = -32601;

/// `CometBFT`'s answer to a call whose result says nothing.
#[derive(Deserialize)]
struct Answer {
    error: Option<Said>,
}

#[derive(Deserialize)]
struct Said {
    code: i64,
    message: String,
    data: Option<String>,
}

impl NodeRpc {
    /// Tells the running node to connect to these peers and stay connected, each `id@host:port`. It begins to dial and answers at
    /// once: whether they are reached is seen in [`peers`](Self::peers).
    ///
    /// **All** persistent peers must be given: they replace those that the running node redials, while a connection to one
    /// that is not among them stays. Nothing is written to `config.toml`.
    ///
    /// # Errors
    /// [`RpcError::Rpc`] with a text that says so if the node takes no unsafe calls (`rpc.unsafe = false`), or if a peer's
    /// address is none; [`RpcError`] if it did not answer.
    pub async fn dial_peers(&self, persistent: &[String]) -> Result<(), RpcError> {
        let question = json!({
            "jsonrpc": "2.0",
            "id": 0,
            "method": "dial_peers",
            "params": { "peers": persistent, "persistent": true },
        });
        let (status, body) = post(self.address(), question.to_string()).await?;
        match serde_json::from_slice::<Answer>(&body) {
            Ok(Answer { error: Some(said) }) => Err(said.into()),
            _ if status != StatusCode::OK => Err(RpcError::Refused(status.as_u16())),
            Ok(Answer { error: None }) => Ok(()),
            Err(error) => Err(unreadable(error)),
        }
    }
}

impl From<Said> for RpcError {
    fn from(said: Said) -> Self {
        let message = match said.code {
            METHOD_NOT_FOUND => "it takes no unsafe calls (rpc.unsafe = false)".to_owned(),
            _ => said.data.unwrap_or(said.message),
        };
        Self::Rpc { code: i32::try_from(said.code).unwrap_or_default(), message }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_server::{Answer, Server};
    use super::*;

    const DIALLING: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"log":"Dialing peers in progress"}}"#;
    const NO_METHOD: &str =
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"Method not found"}}"#;
    const NO_ADDRESS: &str =
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"Internal error","data":"no id in x"}}"#;

    async fn told(answer: Answer) -> (Result<(), RpcError>, String) {
        let server = Server::start(answer).await;
        let told = NodeRpc::new(server.address).dial_peers(&["a@10.0.0.1:1".into(), "b@h:2".into()]).await;
        (told, server.asked())
    }

    #[tokio::test]
    async fn all_are_given_as_persistent() {
        let (told, asked) = told(Answer::ok(DIALLING)).await;
        told.unwrap();
        assert!(asked.contains(r#""method":"dial_peers""#), "{asked}");
        assert!(asked.contains(r#""peers":["a@10.0.0.1:1","b@h:2"],"persistent":true"#), "{asked}");
    }

    #[tokio::test]
    async fn a_node_that_takes_no_unsafe_calls_is_told_apart() {
        for (body, text) in [(NO_METHOD, "rpc.unsafe"), (NO_ADDRESS, "no id in x")] {
            let (told, _) = told(Answer::with(500, body)).await;
            let error = told.unwrap_err();
            assert!(matches!(&error, RpcError::Rpc { message, .. } if message.contains(text)), "{error:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_answer_is_refused() {
        assert!(matches!(told(Answer::with(502, "oh no")).await.0, Err(RpcError::Refused(502))));
        assert!(matches!(told(Answer::ok("oh no")).await.0, Err(RpcError::Unreadable(_))));
    }
}
