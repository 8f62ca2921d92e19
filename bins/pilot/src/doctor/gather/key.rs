//! The key, looked at as `beam start` looks at it, in a process that is hardened first.

use std::fs;

use beam_aws::kms::Access;
use beam_core::signing_key::{PublicKey, SigningKey as _};
use beam_gaia::config::check_no_validator_key;
use beam_gaia::keys::{KeyFile, harden_process};
use beam_gaia::rpc::ValidatorAddress;

use super::super::facts::{Fact, KeptFacts, KeyFacts};
use super::{in_full, latency};
use crate::assemble::key::{open_kms, time_signatures};
use crate::config::{Config, KeyAt, Kms};

/// How many signatures are timed: they cost a thirtieth of a cent.
const SIGNATURES: usize = 20;

pub(super) async fn look(config: &Config) -> KeyFacts {
    let exposures = harden_process().iter().map(ToString::to_string).collect();
    let (public, kept) = match config.key() {
        Ok(KeyAt::File(path)) => {
            let key = KeyFile::load(path).map_err(|error| in_full(&error));
            let locked = key.as_ref().map(KeyFile::memory_locked);
            let memory_locked = locked.map_err(|_| "there is no key to look at".to_owned());
            (key.map(|key| key.public_key()), KeptFacts::File { memory_locked })
        }
        Ok(KeyAt::Kms(kms)) => in_kms(kms).await,
        Err(error) => (Err(format!("{error:#}")), KeptFacts::File { memory_locked: Err(error.to_string()) }),
    };
    KeyFacts {
        node_could_sign: public.as_ref().ok().and_then(|public| {
            check_no_validator_key(&config.node.home, public).err().map(|error| in_full(&error))
        }),
        usable: public.map(|public| ValidatorAddress::of(&public).to_string()),
        kept,
        exposures,
        swap: fs::read_to_string("/proc/swaps")
            .map(|text| text.lines().count() > 1)
            .map_err(|error| error.to_string()),
    }
}

/// Asks KMS what the key is, and for a few signatures over what is no vote.
async fn in_kms(kms: &Kms) -> (Fact<PublicKey>, KeptFacts) {
    let key = match open_kms(kms, &Access::patient()).await {
        Ok(key) => key,
        Err(error) => {
            let sign = Err("the key was not opened".to_owned());
            return (Err(in_full(&error)), KeptFacts::Kms { sign });
        }
    };
    let took = time_signatures(&key, SIGNATURES).await.map_err(|error| in_full(&error));
    (Ok(key.public_key()), KeptFacts::Kms { sign: took.and_then(latency) })
}
