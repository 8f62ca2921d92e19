//! `node.toml`: what one machine must know.

mod template;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use beam_core::id::ChainId;
use beam_core::roster::Roster;
use beam_core::takeover::TakeoverConfig;
use serde::{Deserialize, Deserializer};

pub(crate) use template::{Answers, render};

/// The name of the configuration file in the pilot's home.
pub(crate) const FILE_NAME: &str = "node.toml";

/// One machine's configuration. Paths that are not absolute are relative to the pilot's home.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// This machine's name in the roster.
    pub(crate) name: String,
    pub(crate) chain: Chain,
    pub(crate) node: Node,
    pub(crate) signer: SignerSection,
    pub(crate) register: Register,
    /// The pilot's home, where the file was found.
    #[serde(skip)]
    pub(crate) home: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chain {
    pub(crate) id: ChainId,
}

/// The node that the pilot runs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// Its home, with `config/config.toml` in it.
    pub(crate) home: PathBuf,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// Its RPC, on this machine.
    pub(crate) rpc: String,
    /// How long it may take to end when asked, before it is killed.
    #[serde(default = "stop_grace", deserialize_with = "duration")]
    pub(crate) stop_grace: Duration,
}

/// The signer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignerSection {
    /// `CometBFT`'s key file, outside the node's home.
    pub(crate) key: PathBuf,
    /// Where the node listens for its signer: `unix:///path` or `tcp://127.0.0.1:port`.
    pub(crate) laddr: String,
    /// How long the owner is waited for.
    #[serde(default = "takeover_after", deserialize_with = "duration")]
    pub(crate) takeover_after: Duration,
    /// 1 for the first standby, 2 for the second.
    #[serde(default = "rank")]
    pub(crate) rank: u32,
}

/// The shared register.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    /// A `SQLite` file that all machines share: for machines on one host.
    pub(crate) sqlite: PathBuf,
}

fn stop_grace() -> Duration {
    Duration::from_secs(30)
}

fn takeover_after() -> Duration {
    TakeoverConfig::default().takeover_after
}

fn rank() -> u32 {
    TakeoverConfig::default().rank
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!("{text:?} is no duration such as \"300ms\": {error}"))
    })
}

/// Marks an error that only a change of the configuration mends.
#[derive(Debug)]
pub(crate) struct WrongConfig;

impl fmt::Display for WrongConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong")
    }
}

impl Config {
    /// The shortest wait for the owner that makes sense: below it a healthy owner is overtaken all the time.
    const TAKEOVER_AFTER_MIN: Duration = Duration::from_millis(100);

    /// Reads and checks the configuration in `home`.
    pub(crate) fn load(home: &Path) -> Result<Self> {
        Self::load_checked(home).context(WrongConfig)
    }

    fn load_checked(home: &Path) -> Result<Self> {
        let path = home.join(FILE_NAME);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} could not be read; `beam init` makes it", path.display()))?;
        let mut config: Self =
            toml::from_str(&text).with_context(|| format!("{} is not as it should be", path.display()))?;
        config.home = std::path::absolute(home)?;
        let mistakes = config.mistakes();
        ensure!(mistakes.is_empty(), "{}:\n  {}", path.display(), mistakes.join("\n  "));
        for path in [&mut config.node.home, &mut config.signer.key, &mut config.register.sqlite] {
            *path = config.home.join(&*path);
        }
        Ok(config)
    }

    /// All that is wrong with the values, at once.
    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !Roster::is_name(&self.name) {
            mistakes.push(format!(
                "name = {:?}: 1 to {} letters, digits, '-', '_' or '.'",
                self.name,
                Roster::NAME_LEN_MAX
            ));
        }
        if self.node.command.is_empty() {
            mistakes
                .push("node.command is empty: say what to run, such as [\"gaiad\", \"start\"]".to_owned());
        }
        if let Err(error) = self.rpc() {
            mistakes.push(format!("{error:#}"));
        }
        if let Err(error) = self.socket() {
            mistakes.push(format!("{error:#}"));
        }
        let cap = TakeoverConfig::default().cap;
        if !(Self::TAKEOVER_AFTER_MIN..=cap).contains(&self.signer.takeover_after) {
            mistakes.push(format!(
                "signer.takeover_after = {:?}: between {:?} and {cap:?}",
                self.signer.takeover_after,
                Self::TAKEOVER_AFTER_MIN
            ));
        }
        if self.signer.rank == 0 {
            mistakes.push("signer.rank = 0: the first standby has rank 1".to_owned());
        }
        mistakes
    }

    /// A file of the pilot's own.
    pub(crate) fn own(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Where the node's RPC listens.
    pub(crate) fn rpc(&self) -> Result<SocketAddr> {
        let authority = self.node.rpc.strip_prefix("http://").unwrap_or_default().trim_end_matches('/');
        authority.parse().with_context(|| {
            format!("node.rpc must be like \"http://127.0.0.1:26657\", not {:?}", self.node.rpc)
        })
    }

    /// The path of the node's signer socket, if it is one.
    pub(crate) fn socket(&self) -> Result<Option<PathBuf>> {
        if let Some(path) = self.signer.laddr.strip_prefix("unix://") {
            ensure!(path.starts_with('/'), "signer.laddr must be unix:// and an absolute path");
            return Ok(Some(PathBuf::from(path)));
        }
        if !self.signer.laddr.starts_with("tcp://") {
            bail!("signer.laddr must begin with unix:// or tcp://, not {:?}", self.signer.laddr);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        Answers {
            name: "a".to_owned(),
            chain_id: "cosmoshub-4".parse().unwrap(),
            node_home: "/home/gaia/.gaia".into(),
            command: vec!["gaiad".to_owned(), "start".to_owned()],
            rpc: "http://127.0.0.1:26657".to_owned(),
            key: "validator_key.json".into(),
            laddr: "unix:///home/gaia/.beam/run/privval.sock".to_owned(),
            takeover_after: Duration::from_millis(300),
            rank: 1,
            register: "/var/lib/beam/register.db".into(),
        }
    }

    fn load(text: &str) -> Result<Config> {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE_NAME), text).unwrap();
        Config::load(home.path())
    }

    #[test]
    fn what_init_writes_is_read_back() {
        let config = load(&render(&answers())).unwrap();
        assert_eq!(config.name, "a");
        assert_eq!(config.node.command, ["gaiad", "start"]);
        assert_eq!(config.signer.takeover_after, Duration::from_millis(300));
        assert_eq!(config.signer.key, config.home.join("validator_key.json"));
    }

    #[test]
    fn quotes_and_backslashes_in_answers_do_not_break_the_file() {
        let odd = Answers { node_home: "/odd \"home\"\\x".into(), ..answers() };
        assert_eq!(load(&render(&odd)).unwrap().node.home, PathBuf::from("/odd \"home\"\\x"));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = render(&answers()).replace("rank =", "rnak =");
        let error = format!("{:#}", load(&text).unwrap_err());
        assert!(error.contains("rnak") && error.contains("line"), "{error}");
    }

    #[test]
    fn all_wrong_values_are_told_at_once() {
        let text = render(&Answers { name: "a b".to_owned(), rank: 0, command: vec![], ..answers() });
        let error = format!("{:#}", load(&text).unwrap_err());
        assert!(["name", "rank", "command"].iter().all(|key| error.contains(key)), "{error}");
    }
}
