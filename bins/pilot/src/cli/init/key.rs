//! Which key it shall be, and what must be asked of KMS before node.toml can name one there.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use beam_aws::kms::{Access, KeyPlace, KmsKey, region_of_environment};
use beam_core::signing_key::SigningKey as _;

use super::Args;
use crate::assemble::key::price;
use crate::cli::WrongUse;
use crate::config::{Answers, KeyAnswer, Kms, PinnedKey};

/// What `--key` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeySaid {
    File(PathBuf),
    Kms { key: String, region: Option<String> },
}

/// What the month's price is told for: the blocks of the Cosmos Hub.
const BLOCK_TIME: Duration = Duration::from_secs(6);

/// Why a validator's home cannot be adopted with a key in KMS.
pub(super) const NOT_INTO_KMS: &str = "a key that is in a file cannot be moved into KMS, which takes key material only into a key that was made for that (origin \
     EXTERNAL). Say --key FILE, or no --key; for a validator whose key was made in KMS say --node-home instead of --from";

/// How a key in KMS is told from a file.
const SCHEME: &str = "kms:";

pub(super) fn parse(text: &str) -> Result<KeySaid, String> {
    let Some(rest) = text.strip_prefix(SCHEME) else { return Ok(KeySaid::File(text.into())) };
    let (key, region) = match rest.split_once('@') {
        Some((key, region)) => (key, Some(region)),
        // An ARN tells its own.
        None => (rest, KeyPlace::region_of(rest)),
    };
    if key.is_empty() || region.is_some_and(str::is_empty) {
        return Err(format!("{text:?}: say {SCHEME}KEY or {SCHEME}KEY@REGION"));
    }
    Ok(KeySaid::Kms { key: key.to_owned(), region: region.map(str::to_owned) })
}

/// Looks at the key, if it is in KMS, and pins it: its ARN, and its public half. Tells what was found.
pub(super) async fn settle(found: &mut Answers, args: &Args) -> Result<Option<String>> {
    let kms = found.signer.as_mut().map(|signer| &mut signer.key);
    let Some(KeyAnswer::Kms(kms)) = kms else {
        return match &args.key_endpoint {
            Some(_) => Err(WrongUse(format!("--key-endpoint goes with --key {SCHEME}KEY")).into()),
            None => Ok(None),
        };
    };
    if args.from.is_some() {
        return Err(WrongUse(NOT_INTO_KMS.to_owned()).into());
    }
    if kms.region.is_empty() {
        let unknown = || {
            let key = &kms.key;
            WrongUse(format!(
                "neither the environment nor this machine says which region: say --key {SCHEME}{key}@REGION"
            ))
        };
        kms.region = region_of_environment().await.ok_or_else(unknown)?;
    }
    kms.place().check().map_err(|wrong| WrongUse(format!("--key: {wrong}")))?;
    pin(kms).await.map(Some)
}

async fn pin(kms: &mut Kms) -> Result<String> {
    let key = KmsKey::open(kms.place(), None, &Access::patient()).await;
    let key = key.context("the key in KMS cannot be used; nothing was written")?;
    kms.public_key = PinnedKey(key.public_key());
    key.arn().clone_into(&mut kms.key);
    Ok(format!("sign with {} in KMS, whose public key is {}: {}", kms.key, kms.public_key, price(BLOCK_TIME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_kms_is_told_from_a_file() {
        let kms = |key: &str, region: Option<&str>| {
            Ok(KeySaid::Kms { key: key.to_owned(), region: region.map(str::to_owned) })
        };
        assert_eq!(parse("kms:alias/beam"), kms("alias/beam", None));
        assert_eq!(parse("kms:alias/beam@eu-central-1"), kms("alias/beam", Some("eu-central-1")));
        let arn = "arn:aws:kms:us-east-1:111122223333:alias/beam";
        assert_eq!(parse(&format!("kms:{arn}")), kms(arn, Some("us-east-1")));
        assert_eq!(parse("/var/lib/beam/key.json"), Ok(KeySaid::File("/var/lib/beam/key.json".into())));
        assert_eq!(parse("./kms:x"), Ok(KeySaid::File("./kms:x".into())));
        for wrong in ["kms:", "kms:@eu-central-1", "kms:alias/beam@"] {
            parse(wrong).unwrap_err();
        }
    }
}
