//! What the chain's modules say, asked through `abci_query` over the websocket that the lab has anyway: protobuf in,
//! protobuf out, no gRPC stack.

use anyhow::{Context, Result, bail, ensure};
use base64ct::{Base64, Encoding};
use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::wire;
use crate::chain::Rpc;
use crate::network::Validator;

/// CometBFT's addresses are the first 20 bytes of the key's SHA-256.
const ADDRESS_BYTES: usize = 20;
/// `BOND_STATUS_BONDED`.
const BONDED: i32 = 3;
/// The last characters of a bech32 text are its checksum.
const CHECKSUM_CHARACTERS: usize = 6;

/// x/slashing's record of a validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningInfo {
    /// Its consensus address, in the chain's own writing (`cosmosvalcons1...`).
    pub address: String,
    /// Blocks it missed in the current window; back to 0 when it is jailed.
    pub missed_blocks: i64,
    /// How many blocks it was counted in since it last joined.
    pub index_offset: i64,
    /// Until when it must stay in jail: seconds since 1970, 0 if it was never jailed.
    pub jailed_until: i64,
    /// Caught contradicting itself: jailed for ever.
    pub tombstoned: bool,
}

/// x/staking's record of a validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its operator's address (`cosmosvaloper1...`).
    pub operator: String,
    /// Out of the set until its operator lets it back in.
    pub jailed: bool,
    /// In the set.
    pub bonded: bool,
    /// Its stake, in the chain's smallest unit.
    pub tokens: u128,
}

/// x/slashing's rules.
#[derive(Debug, Clone, PartialEq)]
pub struct SlashingParams {
    /// Over how many blocks misses are counted.
    pub window_blocks: i64,
    /// The part of them that must be signed.
    pub min_signed: f64,
    /// How long who signs fewer stays in jail at least.
    pub downtime_jail_secs: i64,
}

/// An upgrade that governance has decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradePlan {
    /// Its name.
    pub name: String,
    /// The height at which the old program stops.
    pub height: i64,
    /// What the proposal told operators: as a rule where the new program is.
    pub info: String,
}

/// Asks the modules of a chain, through one of its nodes.
#[derive(Debug, Clone)]
pub struct Modules {
    rpc: Rpc,
}

impl Modules {
    /// Asks the node behind `rpc`.
    pub fn new(rpc: Rpc) -> Self {
        Self { rpc }
    }

    /// What x/slashing holds about a validator.
    ///
    /// # Errors
    /// When the node does not answer, or knows no such validator.
    pub async fn signing_info(&self, validator: &Validator) -> Result<SigningInfo> {
        let all: wire::SigningInfos =
            self.ask("/cosmos.slashing.v1beta1.Query/SigningInfos", &wire::Nothing {}).await?;
        let ours = |info: &wire::SigningInfo| {
            bech32_data(&info.address).is_some_and(|address| hex(&address) == validator.address)
        };
        let info = all.info.into_iter().find(ours).context("x/slashing knows no such validator")?;
        Ok(SigningInfo {
            address: info.address,
            missed_blocks: info.missed_blocks_counter,
            index_offset: info.index_offset,
            jailed_until: info.jailed_until.map_or(0, |time| time.seconds),
            tombstoned: info.tombstoned,
        })
    }

    /// What x/staking holds about a validator.
    ///
    /// # Errors
    /// When the node does not answer, or knows no such validator.
    pub async fn standing(&self, validator: &Validator) -> Result<Standing> {
        let all: wire::Validators =
            self.ask("/cosmos.staking.v1beta1.Query/Validators", &wire::Nothing {}).await?;
        for candidate in all.validators {
            let key = candidate.consensus_pubkey.context("a validator without a key")?;
            if address(&wire::Ed25519::decode(key.value.as_slice())?.key) == validator.address {
                return Ok(Standing {
                    operator: candidate.operator_address,
                    jailed: candidate.jailed,
                    bonded: candidate.status == BONDED,
                    tokens: candidate.tokens.parse().context("x/staking's tokens")?,
                });
            }
        }
        bail!("x/staking knows no such validator")
    }

    /// Every double sign that x/evidence holds, a readable line each.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn evidence(&self) -> Result<Vec<String>> {
        let all: wire::AllEvidence =
            self.ask("/cosmos.evidence.v1beta1.Query/AllEvidence", &wire::Nothing {}).await?;
        let line = |proof: &wire::Any| match wire::Equivocation::decode(proof.value.as_slice()) {
            Ok(twice) => format!(
                "x/evidence holds that {} signed twice at height {}",
                twice.consensus_address, twice.height
            ),
            Err(_) => format!("x/evidence holds a {}", proof.type_url),
        };
        Ok(all.evidence.iter().map(line).collect())
    }

    /// x/slashing's rules.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn slashing_params(&self) -> Result<SlashingParams> {
        const UNITS: f64 = 1e18;
        let answer: wire::SlashingParamsAnswer =
            self.ask("/cosmos.slashing.v1beta1.Query/Params", &wire::Nothing {}).await?;
        let params = answer.params.context("x/slashing has no params")?;
        let min_signed: f64 = params.min_signed_per_window.parse().context("min_signed_per_window")?;
        Ok(SlashingParams {
            window_blocks: params.signed_blocks_window,
            min_signed: min_signed / UNITS,
            downtime_jail_secs: params.downtime_jail_duration.map_or(0, |time| time.seconds),
        })
    }

    /// The upgrade that is decided and not yet done, if there is one.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn upgrade_plan(&self) -> Result<Option<UpgradePlan>> {
        let answer: wire::CurrentPlan =
            self.ask("/cosmos.upgrade.v1beta1.Query/CurrentPlan", &wire::Nothing {}).await?;
        let plan = |plan: wire::Plan| UpgradePlan { name: plan.name, height: plan.height, info: plan.info };
        Ok(answer.plan.map(plan))
    }

    /// The height at which an upgrade was done; `None` if it was not.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn upgraded_at(&self, name: &str) -> Result<Option<i64>> {
        let request = wire::AppliedPlanRequest { name: name.to_owned() };
        let answer: wire::AppliedPlan =
            self.ask("/cosmos.upgrade.v1beta1.Query/AppliedPlan", &request).await?;
        Ok((answer.height > 0).then_some(answer.height))
    }

    async fn ask<T: Message + Default>(&self, path: &str, request: &impl Message) -> Result<T> {
        let params = json!({ "path": path, "data": hex(&request.encode_to_vec()) });
        let answer = self.rpc.call("abci_query", params).await.with_context(|| path.to_owned())?;
        let response = answer.get("response").context("an answer without a response")?;
        let code = response.get("code").and_then(serde_json::Value::as_u64).unwrap_or(0);
        ensure!(code == 0, "{path}: code {code}, {}", response.get("log").unwrap_or_default());
        let value = response.get("value").and_then(serde_json::Value::as_str).unwrap_or_default();
        let value = Base64::decode_vec(value).ok().with_context(|| format!("{path}: no base64"))?;
        T::decode(value.as_slice()).with_context(|| path.to_owned())
    }
}

/// A key's address as CometBFT writes it.
fn address(key: &[u8]) -> String {
    hex(Sha256::digest(key).get(..ADDRESS_BYTES).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The bytes in a bech32 text. The chain made it, so its checksum is not looked at.
fn bech32_data(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let (_, data) = text.rsplit_once('1')?;
    let data = data.get(..data.len().checked_sub(CHECKSUM_CHARACTERS)?)?;
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for character in data.chars() {
        let value = u32::try_from(ALPHABET.find(character)?).ok()?;
        held = ((held << 5) | value) & 0xfff;
        bits = bits.saturating_add(5);
        if let Some(left) = bits.checked_sub(8) {
            bytes.push(u8::try_from((held >> left) & 0xff).ok()?);
            bits = left;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pair that `hubd keys parse` gave.
    #[test]
    fn a_bech32_text_holds_the_bytes_that_the_chain_says_it_holds() {
        let bytes = bech32_data("cosmos125s37azjvyfxdwwcxjref6j44ev9zeu5evc9ut").unwrap();
        assert_eq!(hex(&bytes), "55211F7452611266B9D8348794EA55AE58516794");
    }

    #[test]
    fn what_is_no_bech32_holds_nothing() {
        for text in ["", "cosmos", "cosmos1", "cosmos1qqq", "cosmos1bbbbbbbbbbbb"] {
            assert_eq!(bech32_data(text).filter(|bytes| !bytes.is_empty()), None, "{text}");
        }
    }
}
