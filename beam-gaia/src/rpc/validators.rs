//! The validator set of a height.

use beam_core::signing::Height;
use serde::Deserialize;
use serde_json::json;

use super::client::unreadable;
use super::raw::text;
use super::{NodeRpc, RpcError, ValidatorAddress};

/// How many validators a page has at most: the node's own bound.
const PAGE_LEN: usize = 100;
/// How many pages are read. No chain has so many validators.
const PAGES_MAX: usize = 20;

/// The validators of one height, in the order in which a commit names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidatorSet {
    /// Each one's address and voting power.
    pub seats: Vec<(ValidatorAddress, u64)>,
}

#[derive(Deserialize)]
struct Page {
    validators: Vec<Seat>,
    #[serde(deserialize_with = "text::number")]
    total: u64,
}

#[derive(Deserialize)]
struct Seat {
    address: String,
    #[serde(deserialize_with = "text::number")]
    voting_power: u64,
}

impl NodeRpc {
    /// The validators of this height.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer; [`RpcError::Rpc`] if it does not have that height, yet or any more.
    pub async fn validators(&self, height: Height) -> Result<ValidatorSet, RpcError> {
        let mut seats = Vec::new();
        for page in 1..=PAGES_MAX {
            let params = json!({
                "height": height.to_string(), "page": page.to_string(), "per_page": PAGE_LEN.to_string()
            });
            let Page { validators, total } = self.ask_raw("validators", params).await?;
            let none_left = validators.is_empty();
            for Seat { address, voting_power } in validators {
                seats.push((address.parse().map_err(unreadable)?, voting_power));
            }
            if none_left || u64::try_from(seats.len()).is_ok_and(|len| len >= total) {
                return Ok(ValidatorSet { seats });
            }
        }
        Err(unreadable("a set of too many validators"))
    }
}
