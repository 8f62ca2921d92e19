//! A node's p2p identity. Two nodes with one key turn each other away, and the network turns away one of them.

use std::io;
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use beam_core::id::to_hex;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The p2p id of the node whose `node_key.json` this is: 40 hexadecimal digits, the first 20 bytes of its public key's SHA-256.
///
/// # Errors
/// [`io::Error`] if it cannot be read, or is no such file.
pub fn node_id(path: &Path) -> io::Result<String> {
    const ID_LEN: usize = 20;
    let text = Zeroizing::new(std::fs::read(path)?);
    let file: NodeKey<'_> =
        serde_json::from_slice(&text).map_err(|_| io::Error::other("it is no node_key.json"))?;
    let mut pair = Zeroizing::new([0; 64]);
    Base64::decode(file.priv_key.value, &mut *pair).map_err(io::Error::other)?;
    // The seed, and behind it the public key.
    let public = pair.iter().copied().skip(32).collect::<Vec<u8>>();
    let hash = Sha256::digest(&public);
    Ok(to_hex(&hash.iter().copied().take(ID_LEN).collect::<Vec<u8>>()))
}

#[derive(Deserialize)]
struct NodeKey<'a> {
    #[serde(borrow)]
    priv_key: Value<'a>,
}

#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow)]
    value: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_one_that_the_node_shows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node_key.json");
        // The seed of 32 zero bytes; `cometbft show-node-id` prints this id for it.
        let key = include_str!("fixtures/zeros.json");
        std::fs::write(&path, key).unwrap();
        assert_eq!(node_id(&path).unwrap(), "139e3940e64b5491722088d9a0d741628fc826e0");
        std::fs::write(&path, "{}").unwrap();
        assert!(node_id(&path).is_err());
    }
}
