//! Whose form a file has, and what its step means there.

use std::fmt;
use std::str::FromStr;

use beam_core::signing::Step;
use serde::Serialize;

/// Who wrote a state file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StateFormat {
    /// gaiad, or any node built on `CometBFT`: `data/priv_validator_state.json`. `cosmos/kms` writes the same.
    Gaiad,
    /// TMKMS: the `state_file` of a chain in its `tmkms.toml`.
    Tmkms,
    /// Horcrux: `<chain>_priv_validator_state.json` of a cluster's leader, `<chain>_share_sign_state.json` of a cosigner.
    Horcrux,
}

/// A name that is none of theirs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format of a state file: gaiad, tmkms or horcrux")]
pub struct UnknownFormat(String);

impl FromStr for StateFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "gaiad" => Ok(Self::Gaiad),
            "tmkms" => Ok(Self::Tmkms),
            "horcrux" => Ok(Self::Horcrux),
            other => Err(UnknownFormat(other.to_owned())),
        }
    }
}

impl fmt::Display for StateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gaiad => "gaiad",
            Self::Tmkms => "tmkms",
            Self::Horcrux => "horcrux",
        })
    }
}

impl StateFormat {
    /// What a number stands for; `None` if this signer never writes it.
    pub(super) fn step(self, number: u64) -> Option<Step> {
        match (self, number) {
            // 0 is written before anything was signed at that height; read as the first step it is never too low.
            (Self::Gaiad | Self::Horcrux, 0 | 1) | (Self::Tmkms, 0 | 3) => Some(Step::Proposal),
            (Self::Gaiad | Self::Horcrux, 2) | (Self::Tmkms, 1) => Some(Step::Prevote),
            // 3 and 6: tendermint-rs' own numbers for a proposal and for either vote, which older TMKMS kept.
            (Self::Gaiad | Self::Horcrux, 3) | (Self::Tmkms, 2 | 6) => Some(Step::Precommit),
            _ => None,
        }
    }
}
