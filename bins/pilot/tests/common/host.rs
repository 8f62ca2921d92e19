//! A machine's files, and the program run on them.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

/// A key that was made for this test and has never signed anything: seed of 32 zero bytes.
const PUBLIC: &str = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=";
const PRIVATE: &str =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA7aie8zrakLWKjqNAqbw1zZTIVdx3iQ6Y6wEihi1naKQ==";
const ADDRESS: &str = "139E3940E64B5491722088D9A0D741628FC826E0";

/// A machine's files: a node's home, a key, and where Beam's home and register will be.
pub(crate) struct Host {
    pub(crate) dir: TempDir,
}

impl Host {
    pub(crate) fn new() -> Self {
        let host = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(host.path("node/config")).unwrap();
        fs::create_dir_all(host.path("node/data")).unwrap();
        fs::write(host.path("node/config/genesis.json"), r#"{"chain_id":"test-1","app_state":{}}"#).unwrap();
        fs::write(host.path("node/config/config.toml"), "# kept\n[rpc]\nladdr = \"tcp://127.0.0.1:1\"\n")
            .unwrap();
        host.write_key("key.json");
        host
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write_key(&self, name: &str) {
        let part = |kind: &str, value: &str| json!({ "type": format!("tendermint/{kind}"), "value": value });
        let key = json!({
            "address": ADDRESS,
            "pub_key": part("PubKeyEd25519", PUBLIC),
            "priv_key": part("PrivKeyEd25519", PRIVATE),
        });
        fs::write(self.path(name), key.to_string()).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn beam(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_beam"))
            .args(args)
            .arg("--home")
            .arg(self.path("beam"))
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }

    pub(crate) fn init(&self, more: &[&str]) -> Output {
        let args =
            ["init", "--node-home", "node", "--key", "key.json", "--register", "register.db", "--name", "a"];
        self.beam(&[&args[..], more].concat())
    }
}
