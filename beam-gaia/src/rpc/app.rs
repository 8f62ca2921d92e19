//! What the node's application says of itself.

use beam_core::signing::Height;
use serde::Deserialize;
use serde_json::json;

use super::raw::text;
use super::{NodeRpc, RpcError};

/// The application of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppInfo {
    /// What it calls itself, such as `GaiaApp`; empty if it does not say.
    pub name: String,
    /// The program's version, such as `v28.0.0`; empty if it does not say.
    pub version: String,
    /// The height that it has executed and committed. The node's own height is one more while a block is executed, and for
    /// good when that failed.
    pub height: Height,
}

#[derive(Deserialize)]
struct Info {
    response: Response,
}

/// What is zero or empty is left out.
#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    data: String,
    #[serde(default)]
    version: String,
    #[serde(default, deserialize_with = "text::number")]
    last_block_height: u64,
}

impl NodeRpc {
    /// What the node's application says of itself. It may not answer while it executes a block.
    ///
    /// # Errors
    /// [`RpcError`] if it did not answer.
    pub async fn app(&self) -> Result<AppInfo, RpcError> {
        let Info { response } = self.ask_raw("abci_info", json!({})).await?;
        let Response { data, version, last_block_height } = response;
        Ok(AppInfo { name: data, version, height: Height(last_block_height) })
    }
}
