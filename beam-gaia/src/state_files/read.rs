//! Reading one file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use beam_core::id::from_hex;
use beam_core::signing::canonical::Canonical;
use beam_core::signing::{Height, Mark, Round};
use serde::Deserialize;
use serde_json::Value;

use super::StateFormat;

/// The longest file that is read, in bytes. A real one has less than a thousand.
pub const STATE_FILE_LEN_MAX: u64 = 256 * 1024;

/// What one signer remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateFile {
    /// Who wrote it.
    pub format: StateFormat,
    /// The last position it signed at; `None` if it never signed.
    pub mark: Option<Mark>,
}

/// A state file that is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// It cannot be read.
    #[error("{} cannot be read", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is no state file: {why}", .path.display())]
    NotAState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads a state file; of which form it is shows unless `format` says.
///
/// # Errors
/// [`StateFileError`]; nothing is guessed.
pub fn read(path: &Path, format: Option<StateFormat>) -> Result<StateFile, StateFileError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(STATE_FILE_LEN_MAX).read_to_string(&mut text))
        .map_err(|source| StateFileError::Io { path: path.to_owned(), source })?;
    parse(&text, format).map_err(|why| StateFileError::NotAState { path: path.to_owned(), why })
}

/// Reads the text of a state file.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(text: &str, format: Option<StateFormat>) -> Result<StateFile, String> {
    let state: State = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if state.block_id && state.nonce_public {
        return Err("it has what TMKMS alone writes, and what Horcrux alone writes".to_owned());
    }
    let format = match format {
        // What a form alone has is not overruled: the same numbers are other steps there.
        Some(named) if state.cannot_be(named) => {
            return Err(format!("it is written by {}, not by {named}", state.looks_like()));
        }
        Some(named) => named,
        None => state.looks_like(),
    };
    let height = number("height", &state.height, Height::MAX.0)?;
    let round = number("round", &state.round, u64::from(Round::MAX.0))?;
    let number = number("step", &state.step, 8)?;
    let step = format.step(number).ok_or_else(|| format!("{format} writes no \"step\": {number}"))?;
    let round = u32::try_from(round).map_err(|_| "its round is no round".to_owned())?;
    // Nothing is signed at height 0: every one of them begins with it.
    let mark = (height > 0).then(|| Mark::new(height, round, step));
    // gaiad and Horcrux write down what they signed as well.
    if let Some(signed) = state.signed().filter(|signed| mark.is_none_or(|mark| mark < *signed)) {
        return Err(format!("its signbytes are of {signed}, which is above the position that it names"));
    }
    Ok(StateFile { format, mark })
}

/// What all three have. Go's and Rust's libraries write numbers as numbers or as texts, each by its own rule, and people
/// who made a file by hand by theirs.
#[derive(Deserialize)]
struct State {
    height: Value,
    round: Value,
    step: Value,
    /// TMKMS always writes it, if only as null.
    #[serde(default, deserialize_with = "is_there")]
    block_id: bool,
    /// Horcrux always writes it, if only as null.
    #[serde(default, deserialize_with = "is_there")]
    nonce_public: bool,
    /// What was signed there, in hexadecimal digits.
    #[serde(default)]
    signbytes: Value,
}

impl State {
    fn cannot_be(&self, format: StateFormat) -> bool {
        (self.block_id || self.nonce_public) && self.looks_like() != format
    }

    /// The position that the sign bytes are of, if they are there and can be read.
    fn signed(&self) -> Option<Mark> {
        let bytes = from_hex(self.signbytes.as_str()?).ok()?;
        Canonical::read(&bytes).ok().map(|read| read.mark)
    }

    fn looks_like(&self) -> StateFormat {
        match (self.block_id, self.nonce_public) {
            (true, false) => StateFormat::Tmkms,
            (_, true) => StateFormat::Horcrux,
            // Made by hand for Horcrux it has no nonce, and means the same in either form.
            (false, false) => StateFormat::Gaiad,
        }
    }
}

fn is_there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

fn number(name: &str, value: &Value, max: u64) -> Result<u64, String> {
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| *number <= max).ok_or_else(|| format!("its {name} is {value}"))
}

#[cfg(test)]
mod tests {
    use beam_core::signing::Step;

    use super::*;

    /// As `CometBFT` 0.38 writes it after a precommit.
    const GAIAD: &str = r#"{"height": "361402", "round": 0, "step": 3,
        "signature": "IEOS7EJ8C6ZZxwwXiGeMhoO8mwtgTiq6VPR==", "signbytes": "6B080211BA83"}"#;
    /// As TMKMS writes it after a precommit for nil.
    const TMKMS: &str = r#"{"height":"361402","round":"0","step":2,"block_id":null}"#;
    const TMKMS_BLOCK: &str =
        r#"{"height":"5","round":"1","step":1,"block_id":{"hash":"12","parts":{"total":1,"hash":"34"}}}"#;
    /// As a cosigner of Horcrux writes it.
    const HORCRUX: &str = r#"{"height": "361402", "round": "2", "step": 3, "nonce_public": null,
        "signature": "AA==", "signbytes": "6B08", "vote_ext_signature": "AA=="}"#;

    fn mark(text: &str) -> (StateFormat, Option<Mark>) {
        let state = parse(text, None).unwrap();
        (state.format, state.mark)
    }

    #[test]
    fn each_form_is_recognised_and_its_steps_are_its_own() {
        let precommit = Some(Mark::new(361_402, 0, Step::Precommit));
        assert_eq!(mark(GAIAD), (StateFormat::Gaiad, precommit));
        assert_eq!(mark(TMKMS), (StateFormat::Tmkms, precommit));
        assert_eq!(mark(TMKMS_BLOCK), (StateFormat::Tmkms, Some(Mark::new(5, 1, Step::Prevote))));
        assert_eq!(mark(HORCRUX), (StateFormat::Horcrux, Some(Mark::new(361_402, 2, Step::Precommit))));
    }

    #[test]
    fn every_step_of_every_form_is_read_and_no_other() {
        let (proposal, prevote, precommit) = (Step::Proposal, Step::Prevote, Step::Precommit);
        for (format, steps) in [
            (StateFormat::Gaiad, &[(0, proposal), (1, proposal), (2, prevote), (3, precommit)][..]),
            (StateFormat::Horcrux, &[(0, proposal), (1, proposal), (2, prevote), (3, precommit)]),
            (
                StateFormat::Tmkms,
                &[(0, proposal), (1, prevote), (2, precommit), (3, proposal), (6, precommit)],
            ),
        ] {
            for number in 0..9 {
                let expected = steps.iter().find(|(known, _)| *known == number).map(|(_, step)| *step);
                assert_eq!(format.step(number), expected, "{format} {number}");
            }
        }
    }

    #[test]
    fn a_signer_that_never_signed_has_no_mark() {
        for text in [
            r#"{"height": "0", "round": 0, "step": 0}"#,
            r#"{"height":"0","round":"0","step":0,"block_id":null}"#,
            r#"{"height": "0", "round": "0", "step": 0, "nonce_public": null}"#,
        ] {
            assert_eq!(parse(text, None).unwrap().mark, None, "{text}");
        }
    }

    #[test]
    fn made_by_hand_for_horcrux_it_means_the_same_in_either_form() {
        let text = r#"{"height": "361402", "round": "0", "step": 3}"#;
        let either =
            [StateFormat::Gaiad, StateFormat::Horcrux].map(|format| parse(text, Some(format)).unwrap().mark);
        assert_eq!(either, [Some(Mark::new(361_402, 0, Step::Precommit)); 2]);
    }

    #[test]
    fn what_is_no_state_is_refused_and_never_taken_for_nothing_signed() {
        for text in [
            "",
            "{}",
            "null",
            r#"{"height": "", "round": 0, "step": 0}"#.replace("\"\"", "\"-5\"").as_str(),
            r#"{"height": "5", "round": -1, "step": 3}"#,
            r#"{"height": "5", "round": 0, "step": 4}"#,
            r#"{"height": "9223372036854775808", "round": 0, "step": 3}"#,
            r#"{"height": 5.5, "round": 0, "step": 3}"#,
            r#"{"height": "5", "step": 3}"#,
        ] {
            assert!(parse(text, None).is_err(), "{text}");
        }
        // A form that was named and does not fit: read as gaiad's, this precommit would be a prevote.
        let wrong = parse(TMKMS, Some(StateFormat::Gaiad)).unwrap_err();
        assert!(wrong.contains("written by tmkms"), "{wrong}");
        assert!(parse(HORCRUX, Some(StateFormat::Tmkms)).is_err());
    }

    #[test]
    fn a_file_that_could_be_of_either_is_refused() {
        // As Horcrux' it would be a prevote, as TMKMS' a precommit.
        let text = r#"{"height": "5", "round": "0", "step": 2, "block_id": null, "nonce_public": null}"#;
        for format in [None, Some(StateFormat::Tmkms), Some(StateFormat::Horcrux)] {
            assert!(parse(text, format).is_err(), "{format:?}");
        }
    }

    #[test]
    fn a_file_that_names_less_than_it_signed_is_refused() {
        // A prevote for nil at 12345/0, made with CometBFT's own Go library; gaiad writes capital digits.
        let bytes =
            "2508011139300000000000002a0b0880e2cfaa0610959aef3a320b636f736d6f736875622d34".to_uppercase();
        let file = |height: u64, step: u64| {
            format!(r#"{{"height": "{height}", "round": 0, "step": {step}, "signbytes": "{bytes}"}}"#)
        };
        for (height, step) in [(0, 0), (12_344, 3), (12_345, 1)] {
            let why = parse(&file(height, step), None).unwrap_err();
            assert!(why.contains("12345/0/prevote"), "{why}");
        }
        assert_eq!(parse(&file(12_345, 2), None).unwrap().mark, Some(Mark::new(12_345, 0, Step::Prevote)));
        assert!(parse(&file(12_346, 1), None).is_ok());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = read(Path::new("/nowhere/state.json"), None).unwrap_err();
        assert!(error.to_string().contains("/nowhere/state.json"), "{error}");
    }
}
