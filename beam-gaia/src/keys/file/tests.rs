use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use beam_core::testing::{Breach, KeyHarness, key_contract};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

// The first test vector of RFC 8032 and the address that CometBFT gives it.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const SIGNATURE_OF_NOTHING: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac\
                                    c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

fn hex(text: &str) -> Vec<u8> {
    beam_core::id::from_hex(text).unwrap()
}

fn good() -> String {
    let pair = [hex(SEED), hex(PUBLIC)].concat();
    let public = hex(PUBLIC).try_into().unwrap();
    format!(
        r#"{{
  "address": "{}",
  "pub_key": {{
    "type": "tendermint/PubKeyEd25519",
    "value": "{}"
  }},
  "priv_key": {{
    "type": "tendermint/PrivKeyEd25519",
    "value": "{}"
  }}
}}"#,
        address(&public),
        Base64::encode_string(&public),
        Base64::encode_string(&pair),
    )
}

fn written(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("priv_validator_key.json");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    (folder, path)
}

fn load(text: &str) -> Result<KeyFile, KeyFileError> {
    let (_folder, path) = written(text);
    KeyFile::load(path)
}

fn error(text: &str) -> KeyFileError {
    load(text).err().unwrap()
}

#[tokio::test]
async fn a_key_signs_as_rfc_8032_says() {
    let key = load(&good()).unwrap();
    assert_eq!(key.public_key().to_string(), PUBLIC);
    assert_eq!(key.sign(b"").await.unwrap(), hex(&SIGNATURE_OF_NOTHING.replace(' ', "")));
    let signature = Signature::from_slice(&key.sign(b"vote").await.unwrap()).unwrap();
    assert!(key.secret.verifying_key().verify(b"vote", &signature).is_ok());
}

#[test]
fn the_address_is_cometbfts() {
    // From a priv_validator_key.json that CometBFT 0.38 wrote.
    let public = Base64::decode_vec("hiyqsT/pq+NdvzX/M2ceRLuDXC017GJl308vpn66x3w=").unwrap();
    assert_eq!(address(&public.try_into().unwrap()), "079BC938601B42D117F7F022D7D1BC0273756A26");
}

#[test]
fn the_key_is_locked_where_that_is_allowed() {
    // Any system lets a process lock a page or two.
    assert!(load(&good()).unwrap().memory_locked());
}

#[test]
fn a_file_that_others_may_open_is_refused_with_what_to_do() {
    let (_folder, path) = written(&good());
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o777] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let error = KeyFile::load(&path).err().unwrap();
        assert!(matches!(error, KeyFileError::OpenToOthers { mode: told, .. } if told == mode), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap();
    assert!(KeyFile::load(&path).is_ok());
}

#[test]
fn a_file_of_another_user_is_refused() {
    let (_folder, path) = written(&good());
    // Only root can give a file away, so elsewhere there is nothing to see here.
    if std::os::unix::fs::chown(&path, Some(12345), None).is_ok() {
        let error = KeyFile::load(&path).err().unwrap();
        assert!(matches!(error, KeyFileError::OtherOwner { uid: 12345, .. }), "{error}");
    }
}

#[test]
fn only_a_regular_file_is_read_also_at_the_end_of_a_link() {
    let (folder, path) = written(&good());
    let error = KeyFile::load(folder.path()).err().unwrap();
    assert!(matches!(error, KeyFileError::NotAFile { .. }), "{error}");
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert!(matches!(KeyFile::load(&pipe).err().unwrap(), KeyFileError::NotAFile { .. }));
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(KeyFile::load(&link).is_ok());
    let missing = KeyFile::load(folder.path().join("none")).err().unwrap();
    assert!(matches!(missing, KeyFileError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound));
}

#[test]
fn another_kind_of_key_is_told_from_damage() {
    for kind in ["tendermint/PrivKeySecp256k1", "cometbft/PrivKeyBls12_381", "cometbft/PrivKeyMlDsa65"] {
        let error = error(&good().replace("tendermint/PrivKeyEd25519", kind));
        assert!(matches!(&error, KeyFileError::OtherKind { kind: told, .. } if told == kind), "{error}");
    }
    for kind in ["", "tendermint", "tend\u{fffd}rmint/PrivKeyEd25519", "a/b"] {
        let error = error(&good().replace("tendermint/PrivKeyEd25519", kind));
        assert!(matches!(error, KeyFileError::Damaged { .. }), "{error}");
    }
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let other_public = Base64::encode_string(&[1; 32]);
    let public = Base64::encode_string(&hex(PUBLIC));
    let pair = Base64::encode_string(&[hex(SEED), hex(PUBLIC)].concat());
    let other_half = Base64::encode_string(&[hex(SEED), vec![1; 32]].concat());
    let other_seed = Base64::encode_string(&[vec![1; 32], hex(PUBLIC)].concat());
    let address = address(&hex(PUBLIC).try_into().unwrap());
    for (from, to) in
        [(&public, &other_public), (&pair, &other_half), (&pair, &other_seed), (&address, &"00".repeat(20))]
    {
        let error = error(&good().replace(from, to));
        assert!(matches!(error, KeyFileError::Mismatch { .. }), "{error}");
    }
}

#[test]
fn a_key_of_a_wrong_length_or_in_no_base64_and_a_huge_file_are_damage() {
    let pair = Base64::encode_string(&[hex(SEED), hex(PUBLIC)].concat());
    let short = Base64::encode_string(&hex(SEED));
    let long = Base64::encode_string(&[0; 96]);
    for to in [&short, &long, "", "no base64!", &pair[1..]] {
        let error = error(&good().replace(&pair, to));
        assert!(matches!(error, KeyFileError::Damaged { .. }), "{error}");
    }
    assert!(matches!(error(&" ".repeat(1 << 20)), KeyFileError::Damaged { .. }));
}

#[test]
fn no_error_shows_anything_of_the_key() {
    let pair = Base64::encode_string(&[hex(SEED), hex(PUBLIC)].concat());
    // A quote is missing, so that a parser would show what it stumbled upon.
    for text in [good().replacen("\"type\"", "type", 1), good().replace(&format!("\"{pair}\""), &pair)] {
        let error = error(&text);
        assert!(!format!("{error} {error:?}").contains(&pair[..8]), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_cut_file_is_never_read_and_never_panics(cut in 0_usize..400) {
        let text = good();
        prop_assume!(cut < text.len());
        let cut: String = text.chars().take(cut).collect();
        prop_assert!(load(&cut).is_err());
    }
}

/// The file, loaded again by each machine.
struct OnDisk(PathBuf);

#[async_trait]
impl KeyHarness for OnDisk {
    async fn open(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        let key = KeyFile::load(&self.0).map_err(|error| KeyError::Unavailable(error.into()))?;
        Ok(Arc::new(key))
    }

    fn verifies(&self, key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
        let key = VerifyingKey::from_bytes(&key.0).unwrap();
        Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(bytes, &signature).is_ok())
    }
}

#[tokio::test]
async fn the_key_file_keeps_the_contract_of_signing_keys() -> Result<(), Breach> {
    let (_folder, path) = written(&good());
    key_contract::run_all(&OnDisk(path)).await
}
