//! What the chain itself keeps of our validator and of its plans: questions to the application, of the SDK's modules.
//!
//! An application that does not know a question (another framework, an older SDK, a test's kvstore) is no fault of the
//! node: its answer is `None`.

use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding as _};
use beam_core::health::Upgrade;
use beam_core::health::missed::{SigningInfo, SlashingParams};
use beam_core::signing::Height;
use prost::Message;
use serde::Deserialize;
use serde_json::json;

use super::bech32::encode;
use super::client::unreadable;
use super::messages::{
    Bech32Prefix, ConfigResponse, CurrentPlanResponse, Empty, ParamsResponse, SigningInfoRequest,
    SigningInfoResponse, Timestamp,
};
use super::raw::text;
use super::{NodeRpc, RpcError, ValidatorAddress};

#[derive(Deserialize)]
struct AbciQuery {
    response: Response,
}

/// What is zero or empty is left out, or null.
#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    value: Option<String>,
    #[serde(default, deserialize_with = "text::number")]
    height: u64,
}

/// An answer of the application, and the block after which it was so.
pub(super) struct Answer<T> {
    at: Height,
    pub(super) says: T,
}

impl NodeRpc {
    /// x/slashing's parameters.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer, or with something else.
    pub async fn slashing_params(&self) -> Result<Option<SlashingParams>, RpcError> {
        let answer = self.query::<ParamsResponse>("/cosmos.slashing.v1beta1.Query/Params", &Empty {}).await?;
        let Some(params) = answer.and_then(|answer| answer.says.params) else { return Ok(None) };
        let window = u64::try_from(params.signed_blocks_window).map_err(unreadable)?;
        // A decimal of 18 places, as the text of the whole number.
        let text = std::str::from_utf8(&params.min_signed_per_window).map_err(unreadable)?;
        Ok(Some(SlashingParams { window, min_signed: text.parse().map_err(unreadable)? }))
    }

    /// x/slashing's account of this validator, after the latest block. `block_time` is about that block's time and tells
    /// whether jail is over; `prefix` is [`NodeRpc::bech32_prefix`]'s. `None` also if it was never a validator.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer, or with something else.
    pub async fn signing_info(
        &self,
        validator: &ValidatorAddress,
        prefix: &str,
        block_time: SystemTime,
    ) -> Result<Option<SigningInfo>, RpcError> {
        let request = SigningInfoRequest { cons_address: encode(&format!("{prefix}valcons"), &validator.0) };
        let path = "/cosmos.slashing.v1beta1.Query/SigningInfo";
        let Some(answer) = self.query::<SigningInfoResponse>(path, &request).await? else { return Ok(None) };
        let Some(info) = answer.says.val_signing_info else { return Ok(None) };
        Ok(Some(SigningInfo {
            at: answer.at,
            start_height: u64::try_from(info.start_height).map_err(unreadable)?,
            index_offset: u64::try_from(info.index_offset).map_err(unreadable)?,
            missed: u64::try_from(info.missed_blocks_counter).map_err(unreadable)?,
            jailed: info.jailed_until.is_some_and(|until| until.is_after(block_time)),
            tombstoned: info.tombstoned,
        }))
    }

    /// The upgrade that the chain has planned; `None` if there is none.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer, or with something else.
    pub async fn planned_upgrade(&self) -> Result<Option<Upgrade>, RpcError> {
        let path = "/cosmos.upgrade.v1beta1.Query/CurrentPlan";
        let answer = self.query::<CurrentPlanResponse>(path, &Empty {}).await?;
        let Some(plan) = answer.and_then(|answer| answer.says.plan) else { return Ok(None) };
        let height = u64::try_from(plan.height).map_err(unreadable)?;
        Ok(Some(Upgrade { name: plan.name, height: Height(height) }))
    }

    /// Where the node's configuration, or its command line, tells it to halt; `None` if nowhere.
    ///
    /// Also `None` if its API and its gRPC are both off, as on many a validator: the SDK registers this question with one of
    /// them only (`server/start.go`, 0.53). Then the node's log alone tells that it has halted.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer, or with something else.
    pub async fn halt_height(&self) -> Result<Option<Height>, RpcError> {
        let path = "/cosmos.base.node.v1beta1.Service/Config";
        let answer = self.query::<ConfigResponse>(path, &Empty {}).await?;
        Ok(answer.map(|answer| Height(answer.says.halt_height)).filter(|height| height.0 > 0))
    }

    /// The prefix of the chain's addresses, such as `cosmos`.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer, or with something else.
    pub async fn bech32_prefix(&self) -> Result<Option<String>, RpcError> {
        let answer = self.query::<Bech32Prefix>("/cosmos.auth.v1beta1.Query/Bech32Prefix", &Empty {}).await?;
        let is_prefix =
            |prefix: &String| !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_lowercase());
        Ok(answer.map(|answer| answer.says.prefix).filter(is_prefix))
    }

    /// Asks the application; `None` if it does not know the question, or has no answer to it.
    pub(super) async fn query<T: Message + Default>(
        &self,
        path: &str,
        request: &impl Message,
    ) -> Result<Option<Answer<T>>, RpcError> {
        let data = beam_core::id::to_hex(&request.encode_to_vec());
        let params = json!({ "path": path, "data": data, "prove": false });
        let AbciQuery { response } = self.ask_raw("abci_query", params).await?;
        // An application that is no SDK's may answer anything with code 0 and nothing.
        let Some(value) = response.value.filter(|value| response.code == 0 && !value.is_empty()) else {
            return Ok(None);
        };
        let bytes = Base64::decode_vec(&value).map_err(unreadable)?;
        let says = T::decode(bytes.as_slice()).map_err(unreadable)?;
        Ok(Some(Answer { at: Height(response.height), says }))
    }
}

impl Timestamp {
    fn is_after(&self, time: SystemTime) -> bool {
        let Ok(seconds) = u64::try_from(self.seconds) else { return false };
        let nanos = u32::try_from(self.nanos).unwrap_or_default();
        SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_secs(seconds))
            .and_then(|whole| whole.checked_add(Duration::from_nanos(nanos.into())))
            .is_none_or(|until| until > time)
    }
}
