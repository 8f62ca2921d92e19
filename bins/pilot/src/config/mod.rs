//! `node.toml`: what one machine must know.

mod peers;
mod sections;
mod template;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use beam_core::roster::Roster;
use beam_core::takeover::TakeoverConfig;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

pub(crate) use sections::{
    AgentSection, Chain, HealthSection, LogsSection, Node, P2p, RegisterSection, Role, SignerSection,
};
pub(crate) use template::{Answers, render};

/// The name of the configuration file in the pilot's home.
pub(crate) const FILE_NAME: &str = "node.toml";

/// One machine's configuration. Paths that are not absolute are relative to the pilot's home.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// This machine's name in the roster.
    pub(crate) name: String,
    /// What it is for.
    #[serde(default)]
    pub(crate) role: Role,
    pub(crate) chain: Chain,
    pub(crate) node: Node,
    /// There for a validator, and only for one.
    signer: Option<SignerSection>,
    /// As [`signer`](Self::signer).
    register: Option<RegisterSection>,
    #[serde(default)]
    pub(crate) p2p: P2p,
    #[serde(default)]
    pub(crate) health: HealthSection,
    #[serde(default)]
    pub(crate) logs: LogsSection,
    #[serde(default)]
    pub(crate) agent: AgentSection,
    /// The pilot's home, where the file was found.
    #[serde(skip)]
    pub(crate) home: PathBuf,
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
        let own = [Some(&mut config.node.home)]
            .into_iter()
            .chain([config.signer.as_mut().map(|signer| &mut signer.key)])
            .chain([config.register.as_mut().map(|register| &mut register.sqlite)]);
        own.flatten().for_each(|path| *path = config.home.join(&*path));
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
        for (section, there) in [("signer", self.signer.is_some()), ("register", self.register.is_some())] {
            match (self.role, there) {
                (Role::Validator, false) => {
                    mistakes.push(format!("[{section}] is missing: a validator needs it"))
                }
                (Role::Sentry, true) => {
                    mistakes.push(format!("[{section}] is there: a sentry signs nothing"))
                }
                (Role::Validator, true) | (Role::Sentry, false) => {}
            }
        }
        if let Some(signer) = &self.signer {
            mistakes.extend(Self::mistakes_of_signer(signer));
        }
        mistakes.extend(peers::mistakes(&self.p2p));
        if let Err(error) = self.logs.level.parse::<EnvFilter>() {
            mistakes.push(format!("logs.level = {:?}: {error}", self.logs.level));
        }
        mistakes
    }

    fn mistakes_of_signer(signer: &SignerSection) -> Vec<String> {
        let mut mistakes = Vec::new();
        let cap = TakeoverConfig::default().cap;
        if !(Self::TAKEOVER_AFTER_MIN..=cap).contains(&signer.takeover_after) {
            mistakes.push(format!(
                "signer.takeover_after = {:?}: between {:?} and {cap:?}",
                signer.takeover_after,
                Self::TAKEOVER_AFTER_MIN
            ));
        }
        if signer.rank == 0 {
            mistakes.push("signer.rank = 0: the first standby has rank 1".to_owned());
        }
        mistakes
    }

    /// The signer's section.
    ///
    /// # Errors
    /// On a sentry, which has none.
    pub(crate) fn signer(&self) -> Result<&SignerSection> {
        self.signer.as_ref().with_context(|| format!("{} is a sentry: it signs nothing", self.name))
    }

    /// The register's section.
    ///
    /// # Errors
    /// On a sentry, which has none.
    pub(crate) fn register(&self) -> Result<&RegisterSection> {
        self.register.as_ref().with_context(|| format!("{} is a sentry: it has no register", self.name))
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
        let Some(signer) = &self.signer else {
            return Ok(None);
        };
        if let Some(path) = signer.laddr.strip_prefix("unix://") {
            ensure!(path.starts_with('/'), "signer.laddr must be unix:// and an absolute path");
            return Ok(Some(PathBuf::from(path)));
        }
        if !signer.laddr.starts_with("tcp://") {
            bail!("signer.laddr must begin with unix:// or tcp://, not {:?}", signer.laddr);
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
        assert_eq!(config.signer().unwrap().takeover_after, Duration::from_millis(300));
        assert_eq!(config.signer().unwrap().key, config.home.join("validator_key.json"));
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
