//! Questions whose answers `tendermint-rpc` cannot read, or has no words for.

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::unreadable;
use super::transport::{exchange, post};
use super::{NodeRpc, RpcError};

#[derive(Deserialize)]
struct Envelope<T> {
    result: Option<T>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i32,
    message: String,
    #[serde(default)]
    data: Value,
}

impl NodeRpc {
    /// Asks `method`, and reads of the answer what `T` names.
    pub(super) async fn ask_raw<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, RpcError> {
        read(post(self.address(), question(method, params)).await?)
    }

    /// The same for an answer that may take any time: the caller has a bound.
    pub(super) async fn ask_patiently<T: DeserializeOwned>(&self, method: &str) -> Result<T, RpcError> {
        read(exchange(self.address(), question(method, json!({}))).await?)
    }
}

fn question(method: &str, params: Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

fn read<T: DeserializeOwned>((status, body): (StatusCode, Bytes)) -> Result<T, RpcError> {
    match serde_json::from_slice::<Envelope<T>>(&body) {
        // An error comes with any status, depending on the version: what it says counts.
        Ok(Envelope { error: Some(refusal), .. }) => Err(RpcError::Rpc {
            code: refusal.code,
            message: refusal.data.as_str().map_or(refusal.message, str::to_owned),
        }),
        _ if status != StatusCode::OK => Err(RpcError::Refused(status.as_u16())),
        Ok(Envelope { result: Some(result), .. }) => Ok(result),
        Ok(Envelope { result: None, error: None }) => Err(unreadable("neither a result nor an error")),
        Err(error) => Err(unreadable(error)),
    }
}

/// A number that `CometBFT` writes as a text, so that no JSON reader rounds it.
pub(super) mod text {
    use serde::{Deserialize as _, Deserializer, de::Error as _};

    pub(in crate::rpc) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
