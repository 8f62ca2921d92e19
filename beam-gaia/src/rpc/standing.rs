//! Where our validator stands with x/staking: the only place that tells whether it is still jailed.

use beam_core::signing_key::PublicKey;
use prost::Message as _;

use super::client::unreadable;
use super::messages::{PageRequest, PubKey, Validator, ValidatorsRequest, ValidatorsResponse};
use super::{NodeRpc, RpcError};

const PATH: &str = "/cosmos.staking.v1beta1.Query/Validators";
/// How many validators are asked for at once; each has some 600 bytes.
const PAGE_LEN: u64 = 500;
/// How many pages are read.
const PAGES_MAX: usize = 20;
/// `BOND_STATUS_BONDED`
const BONDED: i32 = 3;

/// A validator, as x/staking has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The operator's address, such as `cosmosvaloper1...`.
    pub operator: String,
    /// It is out until its operator unjails it, also after the time that it must wait.
    pub jailed: bool,
    /// It has enough stake to be in the set, and is.
    pub bonded: bool,
}

impl NodeRpc {
    /// Where the validator with this key stands; `None` if the chain knows none, or keeps no such account. Reads the list of all
    /// validators, some hundred kilobytes: to be asked when our validator is not in the set, and seldom.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer, or with something else.
    pub async fn standing(&self, key: &PublicKey) -> Result<Option<Standing>, RpcError> {
        let mut next_key = Vec::new();
        for _ in 0..PAGES_MAX {
            let pagination = Some(PageRequest { key: next_key, limit: PAGE_LEN });
            let request = ValidatorsRequest { pagination };
            let Some(answer) = self.query::<ValidatorsResponse>(PATH, &request).await? else {
                return Ok(None);
            };
            if let Some(ours) = answer.says.validators.iter().find(|validator| validator.has(key)) {
                return Ok(Some(Standing {
                    operator: ours.operator_address.clone(),
                    jailed: ours.jailed,
                    bonded: ours.status == BONDED,
                }));
            }
            next_key = answer.says.pagination.map(|page| page.next_key).unwrap_or_default();
            if next_key.is_empty() {
                return Ok(None);
            }
        }
        Err(unreadable("a list of too many validators"))
    }
}

impl Validator {
    fn has(&self, key: &PublicKey) -> bool {
        let theirs = self.consensus_pubkey.as_ref().and_then(|any| PubKey::decode(any.value.as_slice()).ok());
        theirs.is_some_and(|theirs| theirs.key == key.0)
    }
}
