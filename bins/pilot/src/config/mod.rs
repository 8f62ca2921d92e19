//! `node.toml`: what one machine must know.

mod check;
mod fields;
mod keys;
mod peers;
mod sections;
mod template;

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use beam_core::roster::Roster;
use beam_core::takeover::TakeoverConfig;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

pub(crate) use check::{Mistake, read};
pub(crate) use keys::{Keys, StrangeTables, UnknownKey};
pub(crate) use sections::{
    AgentSection, Chain, DynamoDb, HealthSection, KeyAt, Kms, LogsSection, Node, P2p, PinnedKey, RegisterAt,
    RegisterSection, Role, S3, SignerSection,
};
pub(crate) use template::{Answers, KeyAnswer, RegisterAnswer, SignerAnswers, render};

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

/// The text of the `node.toml` at that path.
///
/// # Errors
/// With what to do about it.
pub(crate) fn text_of(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!(
                "there is no {}; say --home if it is elsewhere, or make it with `beam init`",
                path.display()
            )
        }
        text => text.with_context(|| format!("{} could not be read", path.display())),
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
        let text = text_of(&path)?;
        let mut config = read(&text).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
            anyhow::anyhow!("{}:\n  {}", path.display(), lines.join("\n  "))
        })?;
        config.home = std::path::absolute(home)?;
        let own = [Some(&mut config.node.home)]
            .into_iter()
            .chain([config.signer.as_mut().and_then(|signer| signer.key.as_mut())])
            .chain([config.register.as_mut().and_then(|register| register.sqlite.as_mut())]);
        own.flatten().for_each(|path| *path = config.home.join(&*path));
        Ok(config)
    }

    /// All that is wrong with the values, at once. Each sentence begins with its key, or its table in brackets.
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
        if let Some(register) = &self.register {
            mistakes.extend(register.mistakes());
        }
        let wrong = self.health.references.iter().filter(|url| Self::rpc_address(url).is_err());
        mistakes.extend(wrong.map(|url| {
            format!("health.references has {url:?}: each must be like \"http://10.0.0.7:26657\"")
        }));
        mistakes.extend(self.agent.mistakes());
        mistakes.extend(peers::mistakes(&self.p2p));
        if let Err(error) = self.logs.level.parse::<EnvFilter>() {
            mistakes.push(format!("logs.level = {:?}: {error}", self.logs.level));
        }
        mistakes.extend(self.logs.mistakes());
        mistakes
    }

    fn mistakes_of_signer(signer: &SignerSection) -> Vec<String> {
        let mut mistakes: Vec<String> = signer.mistakes_of_key().into_iter().collect();
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
        self.signer.as_ref().with_context(|| {
            format!("{} is a sentry: it signs nothing; ask on a validator's machine", self.name)
        })
    }

    /// Where the validator's key is.
    ///
    /// # Errors
    /// On a sentry, which has none.
    pub(crate) fn key(&self) -> Result<KeyAt<'_>> {
        self.signer()?.key().context("[signer] names no key, or two")
    }

    /// Where the register is.
    ///
    /// # Errors
    /// On a sentry, which has none.
    pub(crate) fn register(&self) -> Result<RegisterAt<'_>> {
        self.register.as_ref().and_then(RegisterSection::at).with_context(|| {
            format!("{} is a sentry: it has no register; ask on a validator's machine", self.name)
        })
    }

    /// A file of the pilot's own.
    pub(crate) fn own(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Where the node's RPC listens.
    pub(crate) fn rpc(&self) -> Result<SocketAddr> {
        Self::rpc_address(&self.node.rpc).with_context(|| {
            format!("node.rpc must be like \"http://127.0.0.1:26657\", not {:?}", self.node.rpc)
        })
    }

    /// The address in an RPC's URL.
    pub(crate) fn rpc_address(url: &str) -> Result<SocketAddr> {
        let authority = url.strip_prefix("http://").unwrap_or_default().trim_end_matches('/');
        Ok(authority.parse()?)
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
impl Config {
    /// A validator's configuration with nothing special about it.
    pub(crate) fn for_tests() -> Self {
        let text = "name = \"a\"\nchain.id = \"test-1\"\nnode = { home = \"n\", command = [\"n\"], rpc = \"http://127.0.0.1:1\" }\n\
                    signer = { key = \"k\", laddr = \"unix:///s\" }\nregister.sqlite = \"r\"\n";
        toml::from_str(text).unwrap()
    }
}

#[cfg(test)]
mod tests;
