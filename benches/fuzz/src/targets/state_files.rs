//! What other signers remember: Beam's importer against a plain JSON reader.

use std::fmt;

use beam_core::id::from_hex;
use beam_core::signing::canonical::Canonical;
use beam_core::signing::{Mark, Step};
use beam_gaia::state_files::{StateFile, StateFormat, parse};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// A file's text, read as each of the forms and as that which it looks like.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let named = [StateFormat::Gaiad, StateFormat::Tmkms, StateFormat::Horcrux];
    for format in named.into_iter().map(Some).chain([None]) {
        match parse(text, format) {
            Ok(state) => believed(text, format, &state),
            Err(why) => assert!(!why.is_empty()),
        }
    }
}

fn believed(text: &str, asked_as: Option<StateFormat>, state: &StateFile) {
    let Pairs(pairs) = serde_json::from_str(text).expect("what is read is JSON, and nothing follows it");
    let said = |name: &str| {
        let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let value = values.next();
        assert!(values.next().is_none(), "{name} was given twice");
        value
    };
    let number = |name| number(said(name).unwrap_or_else(|| panic!("{name} was not given")));
    let (height, round, step) = (number("height"), number("round"), number("step"));
    let (tmkms, horcrux) = (said("block_id").is_some(), said("nonce_public").is_some());
    assert!(!(tmkms && horcrux), "whose file it is cannot be told");
    // Who alone writes a key is who wrote it, whatever is asked for.
    let writer = match (tmkms, horcrux) {
        (true, _) => Some(StateFormat::Tmkms),
        (_, true) => Some(StateFormat::Horcrux),
        _ => None,
    };
    assert!(
        writer.is_none_or(|writer| writer == state.format) && asked_as.is_none_or(|as_| as_ == state.format)
    );

    let Some(mark) = state.mark else {
        assert_eq!(height, 0, "something was signed");
        return;
    };
    assert_eq!((mark.height.0, u64::from(mark.round.0)), (height, round));
    assert!(mark.step >= least(state.format, step), "{mark} is below step {step} of {}", state.format);
    if let Some(signed) = signed(said("signbytes")) {
        assert!(mark >= signed, "{mark} is below what the file says was signed: {signed}");
    }
}

/// The numbers as each signer's source has them.
fn least(format: StateFormat, number: u64) -> Step {
    match (format, number) {
        (_, 0) => Step::Proposal,
        (StateFormat::Tmkms, 1) | (_, 2) if format != StateFormat::Tmkms || number == 1 => Step::Prevote,
        (StateFormat::Tmkms, 2 | 6) => Step::Precommit,
        (StateFormat::Tmkms, 3) | (_, 1) => Step::Proposal,
        _ => Step::Precommit,
    }
}

fn signed(bytes: Option<&Value>) -> Option<Mark> {
    let bytes = from_hex(bytes?.as_str()?).ok()?;
    Canonical::read(&bytes).ok().map(|read| read.mark)
}

fn number(value: &Value) -> u64 {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.unwrap_or_else(|| panic!("{value} was taken for a number"))
}

/// The keys whose values are looked at.
const READ: [&str; 4] = ["height", "round", "step", "signbytes"];

/// The outermost keys, also those that come twice, with the values of some.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    // The rest may hold what is JSON and no value of any type here, as a number beyond all floats.
                    let value = if READ.contains(&key.as_str()) {
                        map.next_value()?
                    } else {
                        map.next_value::<IgnoredAny>()?;
                        Value::Null
                    };
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(All)
    }
}
