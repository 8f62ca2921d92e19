//! What a Hub-like chain did to the validator: the verdict that costs money.

use anyhow::Result;

use crate::hub::Modules;
use crate::network::Validator;

/// What the chain's modules hold against a validator; nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Punishment {
    /// Every double sign in x/evidence, a readable line each. All other validators of a lab are honest.
    pub evidence: Vec<String>,
    /// Out for ever, for having signed twice.
    pub tombstoned: bool,
    /// Out until its operator lets it back in: it was tombstoned, or missed too much.
    pub jailed: bool,
}

impl Punishment {
    /// Asks x/evidence, x/slashing and x/staking.
    ///
    /// # Errors
    /// When the node does not answer, or knows no such validator.
    pub async fn ask(modules: &Modules, validator: &Validator) -> Result<Self> {
        Ok(Self {
            evidence: modules.evidence().await?,
            tombstoned: modules.signing_info(validator).await?.tombstoned,
            jailed: modules.standing(validator).await?.jailed,
        })
    }

    /// Adds what another chain did.
    pub(super) fn add(&mut self, other: Self) {
        self.evidence.extend(other.evidence);
        self.tombstoned |= other.tombstoned;
        self.jailed |= other.jailed;
    }

    /// Whether the chain holds it to be a double signer.
    pub fn is_for_double_signing(&self) -> bool {
        self.tombstoned || !self.evidence.is_empty()
    }
}
