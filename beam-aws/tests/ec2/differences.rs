//! What moto gets wrong of the contract, and why. Each must show, and as it says here; the suite sees to that.

use beam_core::testing::cloud_contract::Difference;

pub(crate) const MOTO: &[Difference] = &[];
