//! What lies in a node's home: read, never written. Missing files and keys are what the node itself would take for them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use beam_core::id::ChainId;
use serde::Deserialize;

/// The state file that `init --from` brings along into the pilot's home: the node begins its own anew once its key is gone.
pub(crate) const ADOPTED_STATE: &str = "adopted_state.json";

/// A node's home, and what its `config.toml` says.
#[derive(Clone, Debug)]
pub(crate) struct NodeHome {
    pub(crate) path: PathBuf,
    config: toml::Table,
}

impl NodeHome {
    /// Reads the home's `config.toml`; an empty one if there is none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = path.join("config/config.toml");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
        };
        let config = text.parse().with_context(|| format!("{} is not TOML", file.display()))?;
        Ok(Self { path: path.to_owned(), config })
    }

    /// Whether this looks like a node's home at all.
    pub(crate) fn is_one(path: &Path) -> bool {
        path.join("config/config.toml").is_file() && path.join("config/genesis.json").is_file()
    }

    /// A key of `config.toml`; `table` is empty for one outside any table.
    pub(crate) fn value(&self, table: &str, key: &str) -> Option<&toml::Value> {
        if table.is_empty() { self.config.get(key) } else { self.config.get(table)?.get(key) }
    }

    /// As [`value`](Self::value), if it is a text.
    pub(crate) fn text(&self, table: &str, key: &str) -> Option<&str> {
        self.value(table, key)?.as_str()
    }

    /// The node's own key file.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.file("priv_validator_key_file", "config/priv_validator_key.json")
    }

    /// Where the node notes what it signed by itself.
    pub(crate) fn state_file(&self) -> PathBuf {
        self.file("priv_validator_state_file", "data/priv_validator_state.json")
    }

    /// The key of its p2p identity.
    pub(crate) fn node_key_file(&self) -> PathBuf {
        self.file("node_key_file", "config/node_key.json")
    }

    /// Where its databases are.
    pub(crate) fn data(&self) -> PathBuf {
        self.file("db_dir", "data")
    }

    /// Where it waits for its signer, if it has one.
    pub(crate) fn laddr(&self) -> Option<&str> {
        self.text("", "priv_validator_laddr").filter(|laddr| !laddr.is_empty())
    }

    /// Its RPC as a program on this machine reaches it.
    pub(crate) fn rpc(&self) -> String {
        const DEFAULT: &str = "http://127.0.0.1:26657";
        let port = self.text("rpc", "laddr").and_then(|laddr| laddr.rsplit_once(':')).map(|(_, port)| port);
        port.map_or_else(|| DEFAULT.to_owned(), |port| format!("http://127.0.0.1:{port}"))
    }

    /// The chain's id, from `genesis.json`.
    pub(crate) fn chain_id(&self) -> Result<ChainId> {
        #[derive(Deserialize)]
        struct Genesis {
            chain_id: ChainId,
        }
        let path = self.path.join("config/genesis.json");
        let file = fs::File::open(&path).with_context(|| {
            format!("{} could not be read; say --node-home or --chain-id", path.display())
        })?;
        let genesis: Genesis = serde_json::from_reader(std::io::BufReader::new(file))
            .with_context(|| format!("{} has no chain id; say --chain-id", path.display()))?;
        Ok(genesis.chain_id)
    }

    /// An absolute path in the configuration stands for itself when joined.
    fn file(&self, key: &str, usual: &str) -> PathBuf {
        self.path.join(self.text("", key).filter(|name| !name.is_empty()).unwrap_or(usual))
    }
}
