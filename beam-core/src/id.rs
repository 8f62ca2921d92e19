//! Names of things. Each is its own type, so that one cannot stand where another belongs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {why}")]
pub struct ParseError {
    /// What was expected, in words.
    pub what: &'static str,
    /// What was found (cut to a readable length).
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl ParseError {
    pub(crate) fn new(what: &'static str, text: &str, why: &'static str) -> Self {
        const SHOWN_CHARS: usize = 80;
        Self { what, text: text.chars().take(SHOWN_CHARS).collect(), why }
    }
}

/// 128 random bits, drawn by whoever starts the thing and written as 32 hexadecimal digits.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(u128);

        impl $name {
            /// Takes 128 random bits. The caller draws them: core has no source of randomness.
            #[must_use]
            pub const fn from_random(bits: u128) -> Self {
                Self(bits)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:032x})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let well_formed = text.len() == 32
                    && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if !well_formed {
                    return Err(ParseError::new($what, text, "expected 32 lower-case hexadecimal digits"));
                }
                u128::from_str_radix(text, 16)
                    .map(Self)
                    .map_err(|_| ParseError::new($what, text, "expected 32 lower-case hexadecimal digits"))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseError;

            fn try_from(text: String) -> Result<Self, ParseError> {
                text.parse()
            }
        }
    };
}

random_id!(
    /// One start of one signer's process. Ownership is by this id and never by a machine's name, so that a clone
    /// of a machine, or the same machine started again, is somebody else.
    SignerId,
    "signer id"
);
random_id!(
    /// One run of one node. What a node has seen (and locked on) lives in its memory, so it ends with the run.
    SessionId,
    "session id"
);
random_id!(
    /// One making of a register's record. A record that was deleted and made again has another lineage.
    Lineage,
    "lineage"
);

/// A chain's id, such as `cosmoshub-4`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ChainId(String);

impl ChainId {
    /// CometBFT's own bound (`MaxChainIDLen`), in bytes.
    pub const LEN_MAX: usize = 50;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ChainId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() || text.len() > Self::LEN_MAX {
            return Err(ParseError::new("chain id", text, "expected 1 to 50 bytes"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '/') {
            return Err(ParseError::new(
                "chain id",
                text,
                "spaces, slashes and control characters are not allowed",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<ChainId> for String {
    fn from(id: ChainId) -> Self {
        id.0
    }
}

impl TryFrom<String> for ChainId {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    // By table: this stands in the way of every vote, and formatting each byte takes ten times as long.
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// The bytes that a text of hexadecimal digits (either case) stands for.
///
/// # Errors
/// [`ParseError`] if the text has an odd length or another character.
pub fn from_hex(text: &str) -> Result<Vec<u8>, ParseError> {
    let bad = || ParseError::new("hexadecimal text", text, "expected pairs of hexadecimal digits");
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return Err(bad());
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            if pair.starts_with('+') {
                return Err(bad());
            }
            u8::from_str_radix(pair, 16).map_err(|_| bad())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        let id = SignerId::from_random(0x00ff_1234);
        assert_eq!(id.to_string().parse::<SignerId>().unwrap(), id);
    }

    #[test]
    fn a_short_an_upper_case_or_a_signed_id_is_refused() {
        for text in ["", "ff", "+0000000000000000000000000000000", "FF000000000000000000000000000000"] {
            assert!(text.parse::<SignerId>().is_err(), "{text}");
        }
    }

    #[test]
    fn hex_reads_back_and_refuses_what_is_not_hex() {
        assert_eq!(from_hex(&to_hex(&[0, 1, 0xfe])).unwrap(), [0, 1, 0xfe]);
        for text in ["0", "0g", "+1", "é"] {
            assert!(from_hex(text).is_err(), "{text}");
        }
    }
}
