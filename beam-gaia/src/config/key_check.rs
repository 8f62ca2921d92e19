//! The validator's key must not lie where the node could use it.
//!
//! A node reads or makes a key file of its own even when it has a remote signer. If `priv_validator_laddr` is ever emptied,
//! it signs with that file and asks no register. So the file may hold any key but the validator's.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use beam_core::signing_key::PublicKey;
use serde::Deserialize;
use toml_edit::DocumentMut;
use zeroize::Zeroizing;

/// Why a node must not be started with this home.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyCheckError {
    /// Its key file holds the validator's key.
    #[error("{} holds the validator's own key: the node could sign without the register; move the file away", .0.display())]
    ValidatorKey(PathBuf),
    /// There is a key file, and whose key it holds cannot be told.
    #[error("whose key {} holds cannot be told", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Refuses a node home whose key file holds the validator's key. No file is fine: the node makes one with a key of its own.
///
/// Looks at `config/priv_validator_key.json` and, if `config.toml` names another file, there too. Only the public part is used; what
/// had to be read of the rest is wiped.
///
/// # Errors
/// [`KeyCheckError`]; the node must not be started then.
pub fn check_no_validator_key(node_home: &Path, validator: &PublicKey) -> Result<(), KeyCheckError> {
    let usual = node_home.join(USUAL_FILE);
    let configured = configured_file(node_home)?;
    for path in configured.into_iter().chain([usual]) {
        match public_key(&path) {
            Ok(Some(key)) if key == validator.0 => return Err(KeyCheckError::ValidatorKey(path)),
            Ok(_) => {}
            Err(source) => return Err(KeyCheckError::Unreadable { path, source }),
        }
    }
    Ok(())
}

const USUAL_FILE: &str = "config/priv_validator_key.json";

/// A key file is about 350 bytes.
const KEY_FILE_LEN_MAX: u64 = 64 * 1024;

fn configured_file(node_home: &Path) -> Result<Option<PathBuf>, KeyCheckError> {
    let path = node_home.join("config/config.toml");
    let unreadable = |source| KeyCheckError::Unreadable { path: path.clone(), source };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let document: DocumentMut =
        text.parse().map_err(|error| unreadable(io::Error::other::<toml_edit::TomlError>(error)))?;
    let named = document.get("priv_validator_key_file").and_then(|item| item.as_str());
    // An absolute path stands for itself when joined.
    Ok(named.filter(|name| !name.is_empty()).map(|name| node_home.join(name)))
}

/// The Ed25519 key of a key file; `None` if there is no file, or a key of another kind.
fn public_key(path: &Path) -> io::Result<Option<[u8; 32]>> {
    let mut text = Zeroizing::new(Vec::new());
    match File::open(path) {
        Ok(file) => {
            // Room for all of it at once: a buffer that grows leaves copies behind that nobody wipes.
            let len = file.metadata()?.len().min(KEY_FILE_LEN_MAX);
            text.reserve_exact(usize::try_from(len).unwrap_or(0).saturating_add(64));
            file.take(KEY_FILE_LEN_MAX).read_to_end(&mut text)?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let file: KeyFile = serde_json::from_slice(&text)?;
    if file.pub_key.kind != ED25519 {
        return Ok(None);
    }
    let mut key = [0; 32];
    match Base64::decode(&file.pub_key.value, &mut key).map(<[u8]>::len) {
        Ok(32) => Ok(Some(key)),
        Ok(_) => Err(io::Error::other("the public key is too short")),
        Err(error) => Err(io::Error::other(error)),
    }
}

const ED25519: &str = "tendermint/PubKeyEd25519";

/// The public part. The private one is passed over unread.
#[derive(Deserialize)]
struct KeyFile {
    pub_key: KeyText,
}

#[derive(Deserialize)]
struct KeyText {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A key that `cometbft init` made, and its bytes.
    const FILE: &str = r#"{
      "address": "1B9E85204C626F96DDC354AFE0C4744278B7E927",
      "pub_key": { "type": "tendermint/PubKeyEd25519", "value": "AbPcRv+4lkNrpgysX3JL2RfLJPwo7HzwZzMY4itrQNU=" },
      "priv_key": { "type": "tendermint/PrivKeyEd25519", "value": "left out" }
    }"#;
    const KEY: &str = "01b3dc46ffb896436ba60cac5f724bd917cb24fc28ec7cf0673318e22b6b40d5";

    fn validator() -> PublicKey {
        PublicKey(beam_core::id::from_hex(KEY).unwrap().try_into().unwrap())
    }

    fn home(config: &str, keys: &[(&str, &str)]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("config")).unwrap();
        if !config.is_empty() {
            fs::write(home.path().join("config/config.toml"), config).unwrap();
        }
        for (name, text) in keys {
            fs::write(home.path().join(name), text).unwrap();
        }
        home
    }

    #[test]
    fn the_validators_key_is_found_in_the_usual_place() {
        let home = home("", &[(USUAL_FILE, FILE)]);
        let refused = check_no_validator_key(home.path(), &validator());
        assert!(matches!(refused, Err(KeyCheckError::ValidatorKey(_))), "{refused:?}");
        check_no_validator_key(home.path(), &PublicKey([7; 32])).unwrap();
    }

    #[test]
    fn the_validators_key_is_found_where_the_configuration_says() {
        let home =
            home("priv_validator_key_file = \"config/elsewhere.json\"\n", &[("config/elsewhere.json", FILE)]);
        let refused = check_no_validator_key(home.path(), &validator());
        assert!(
            matches!(refused, Err(KeyCheckError::ValidatorKey(path)) if path.ends_with("elsewhere.json"))
        );
    }

    #[test]
    fn no_file_and_another_kind_of_key_are_fine() {
        check_no_validator_key(home("", &[]).path(), &validator()).unwrap();
        let other = FILE.replace("PubKeyEd25519", "PubKeySecp256k1");
        check_no_validator_key(home("", &[(USUAL_FILE, &other)]).path(), &validator()).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_refused() {
        for text in ["", "{}", "not json", &FILE.replace("AbPc", "!!!!"), &FILE.replace("AbPc", "")] {
            let refused = check_no_validator_key(home("", &[(USUAL_FILE, text)]).path(), &validator());
            assert!(matches!(refused, Err(KeyCheckError::Unreadable { .. })), "{text}: {refused:?}");
        }
        let refused = check_no_validator_key(home("[p2p\n", &[]).path(), &validator());
        assert!(matches!(refused, Err(KeyCheckError::Unreadable { .. })), "{refused:?}");
    }
}
