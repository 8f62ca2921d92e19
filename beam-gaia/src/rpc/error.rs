//! A question that was not answered.

use std::num::NonZeroU16;

use beam_core::register::Cause;
use tendermint_rpc::{Code, ResponseError};

use super::ANSWER_WITHIN;

/// Why the node did not answer a question.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// Nobody answered, or not within [`ANSWER_WITHIN`]: the node is down, starting, or stuck.
    #[error("the node's RPC does not answer")]
    Unreachable(#[source] Cause),
    /// Something answered with an HTTP status other than 200 and no RPC answer: hardly a node.
    #[error("the node's RPC refused with HTTP status {0}")]
    Refused(u16),
    /// The answer is too long, or not what was asked for.
    #[error("the node's RPC answer cannot be read")]
    Unreadable(#[source] Cause),
    /// The node understood the question and has no answer, such as for a height that is not there yet.
    #[error("the node's RPC says no: {message} (code {code})")]
    Rpc {
        /// JSON-RPC's code.
        code: i32,
        /// What the node said.
        message: String,
    },
}

/// It took too long.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no answer within {} s", ANSWER_WITHIN.as_secs())]
pub(super) struct TooSlow;

impl From<RpcError> for tendermint_rpc::Error {
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::Unreachable(cause) => Self::io(std::io::Error::other(cause)),
            RpcError::Refused(status) => {
                NonZeroU16::new(status).map_or_else(Self::malformed_json, Self::http_request_failed)
            }
            RpcError::Unreadable(cause) => Self::parse(cause.to_string()),
            RpcError::Rpc { code, message } => {
                Self::response(ResponseError::new(Code::from(code), Some(message)))
            }
        }
    }
}
