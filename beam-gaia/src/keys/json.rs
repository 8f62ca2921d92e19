//! Reading `priv_validator_key.json`, without leaving copies of it behind.

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The private key is written as the seed and, after it, the public key again.
const PAIR_LEN: usize = 64;
const PUBLIC_LEN: usize = 32;

const PUBLIC_KIND: &str = "tendermint/PubKeyEd25519";
const PRIVATE_KIND: &str = "tendermint/PrivKeyEd25519";

/// The file. It borrows from the text that was read, so that only that has to be wiped.
#[derive(Deserialize)]
struct Json<'a> {
    #[serde(borrow)]
    address: &'a str,
    #[serde(borrow)]
    pub_key: Typed<'a>,
    #[serde(borrow)]
    priv_key: Typed<'a>,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    #[serde(borrow)]
    value: &'a str,
}

/// What is wrong with the file's text.
pub(super) enum Bad {
    Damaged(&'static str),
    OtherKind(String),
}

/// What the file says, before anybody checked whether it belongs together.
pub(super) struct Parts {
    /// Seed and public key. On the heap, where moving it leaves no copy behind.
    pub(super) pair: Zeroizing<Vec<u8>>,
    pub(super) public: Vec<u8>,
    pub(super) address: String,
}

/// Reads the file's text.
pub(super) fn read_parts(text: &[u8]) -> Result<Parts, Bad> {
    // The parser's error may quote the file, so it is not passed on.
    let json: Json<'_> = serde_json::from_slice(text).map_err(|_| {
        Bad::Damaged("expected JSON with address, pub_key and priv_key, as CometBFT writes it")
    })?;
    for (typed, kind) in [(&json.priv_key, PRIVATE_KIND), (&json.pub_key, PUBLIC_KIND)] {
        if typed.kind != kind {
            return Err(other_kind(typed.kind));
        }
    }
    let pair = Zeroizing::new(vec![0; PAIR_LEN]);
    let pair = decode(json.priv_key.value, pair, "the private key is not 64 bytes in base64")?;
    let public = decode(json.pub_key.value, vec![0; PUBLIC_LEN], "the public key is not 32 bytes in base64")?;
    Ok(Parts { pair, public, address: json.address.to_owned() })
}

/// The validator's address: 40 upper-case hexadecimal digits.
pub(super) fn address(public: &[u8; 32]) -> String {
    const ADDRESS_LEN: usize = 20;
    let hash = Sha256::digest(public);
    let address: Vec<u8> = hash.iter().copied().take(ADDRESS_LEN).collect();
    beam_core::id::to_hex(&address).to_ascii_uppercase()
}

/// Decodes into a buffer that must be filled to its end. The decoder's time does not depend on what it decodes.
fn decode<B: AsMut<[u8]>>(text: &str, mut buffer: B, why: &'static str) -> Result<B, Bad> {
    let space = buffer.as_mut();
    let len = space.len();
    match Base64::decode(text, space) {
        Ok(decoded) if decoded.len() == len => Ok(buffer),
        _ => Err(Bad::Damaged(why)),
    }
}

/// Tells a key of another kind from a word that was damaged: kinds are written as `name/Name`.
fn other_kind(kind: &str) -> Bad {
    let names: Vec<&str> = kind.split('/').collect();
    let plausible =
        names.len() == 2 && names.iter().all(|name| !name.is_empty() && name.chars().all(in_name));
    if plausible && kind.contains("Key") {
        return Bad::OtherKind(kind.chars().take(64).collect());
    }
    Bad::Damaged("the type of a key is not readable")
}

fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
