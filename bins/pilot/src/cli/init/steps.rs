//! Adopting a validator's home: what is done, in which order, and why it may stop anywhere.
//!
//! | step | after a crash behind it |
//! |---|---|
//! | the key is copied to the pilot's home, synced, read back, compared | two copies; the node could still sign, as before |
//! | what the node signed is noted in the pilot's home | as before; the record can begin above it |
//! | the node's config.toml is made right | the node would wait for a signer and not sign |
//! | node.toml is written | `beam start` refuses: the key is still in the node's home |
//! | the key is removed from the node's home | done: the node alone cannot sign |
//!
//! The key is gone from its old place last, in one step, when all else is there. Every step looks before it does anything, so that
//! running all of them again finishes the job (`wherever_it_stops_there_is_a_key_and_running_it_again_finishes`).

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use beam_core::signing::Mark;
use beam_gaia::config::{self as node_config, NodeRole};
use beam_gaia::keys::{Relocation, Remains, Whereabouts};
use beam_gaia::state_files::{self, StateFormat};

use super::key::NOT_INTO_KMS;
use super::write;
use crate::cli::WrongUse;
use crate::config::{KeyAnswer, P2p, SignerAnswers};
use crate::node_home::{ADOPTED_STATE, NodeHome};
use crate::node_runs::signs_of_life;
use crate::run::node_settings;

/// One step, as it is told before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    CopyKey { from: PathBuf, to: PathBuf },
    NoteSigned { from: PathBuf, to: PathBuf, mark: Option<Mark> },
    ConfigureNode { file: PathBuf },
    WriteConfig { file: PathBuf },
    RemoveKey { from: PathBuf },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CopyKey { from, to } => {
                write!(
                    f,
                    "copy the key from {} to {}, readable by this user only, and compare",
                    from.display(),
                    to.display()
                )
            }
            Self::NoteSigned { to, mark, .. } => {
                let mark = mark.map_or_else(|| "never".to_owned(), |mark| mark.to_string());
                write!(f, "note what the node last signed ({mark}) in {}", to.display())
            }
            Self::ConfigureNode { file } => {
                write!(f, "make {} right for a node that signs through Beam", file.display())
            }
            Self::WriteConfig { file } => write!(f, "write {}", file.display()),
            Self::RemoveKey { from } => write!(f, "remove the key from the node's home: {}", from.display()),
        }
    }
}

/// A home to be adopted, as it was found.
pub(super) struct Adoption {
    node: NodeHome,
    key: Relocation,
    key_from: PathBuf,
    key_to: PathBuf,
    whereabouts: Whereabouts,
    signed: Option<Mark>,
    note: PathBuf,
    role: NodeRole,
}

impl Adoption {
    /// Looks at everything that could forbid it; changes nothing.
    pub(super) fn look(home: &Path, node_home: &Path, signer: &SignerAnswers, p2p: &P2p) -> Result<Self> {
        if !node_home.join("config/config.toml").is_file() {
            bail!("{} is no node's home: there is no config/config.toml in it", node_home.display());
        }
        let KeyAnswer::File(key_to) = &signer.key else {
            bail!(WrongUse(NOT_INTO_KMS.to_owned()));
        };
        let node = NodeHome::read(node_home)?;
        if let Some(other) = node.laddr().filter(|laddr| *laddr != signer.laddr) {
            bail!(
                "this node signs through another signer already (priv_validator_laddr = {other:?}), so its own key file is none of the \
                 validator's. Stop that signer for good, copy the validator's key to {}, say --node-home instead of --from, and \
                 `beam watermark import --from <its state file>`. Nothing was changed",
                home.join(key_to).display()
            );
        }
        let alive = signs_of_life(&node);
        if !alive.is_empty() {
            bail!(
                "the node runs; stop it first, for good (systemctl disable --now gaiad): {}. Nothing was changed",
                alive.join("; ")
            );
        }
        let (key_from, key_to) = (node.key_file(), home.join(key_to));
        let key = Relocation::new(&key_from, &key_to);
        let whereabouts = key.look().context("nothing was changed")?;
        let state = node.state_file();
        let signed = if state.exists() {
            state_files::read(&state, Some(StateFormat::Gaiad)).context("nothing was changed")?.mark
        } else {
            None
        };
        let note = home.join(ADOPTED_STATE);
        let peers = node_settings::peers(p2p);
        let role = NodeRole::Validator { priv_validator_laddr: signer.laddr.clone(), peers };
        Ok(Self { node, key, key_from, key_to, whereabouts, signed, note, role })
    }

    /// The steps that are left, in order. `file` is the node.toml.
    pub(super) fn plan(&self, file: &Path) -> Vec<Step> {
        let (copy, remove) = match self.whereabouts {
            Whereabouts::AtOld(_) => (true, true),
            Whereabouts::AtBoth(_) => (false, true),
            Whereabouts::AtNew(_) => (false, false),
        };
        let (from, to) = (self.key_from.clone(), self.key_to.clone());
        let steps = [
            copy.then(|| Step::CopyKey { from: from.clone(), to }),
            Some(Step::NoteSigned { from: self.node.state_file(), to: self.note.clone(), mark: self.signed }),
            Some(Step::ConfigureNode { file: self.node.path.join("config/config.toml") }),
            Some(Step::WriteConfig { file: file.to_owned() }),
            remove.then_some(Step::RemoveKey { from }),
        ];
        steps.into_iter().flatten().collect()
    }

    /// Does one step and tells what was done. `text` is what node.toml shall hold.
    pub(super) fn carry_out(&self, step: &Step, text: &str) -> Result<String> {
        Ok(match step {
            Step::CopyKey { to, .. } => {
                self.key.copy()?;
                format!("copied the key to {}, and compared it", to.display())
            }
            Step::NoteSigned { from, to, mark } => note_signed(from, to, *mark)?,
            Step::ConfigureNode { file } => {
                let changes = node_config::apply(file, &self.role)?;
                let changes: Vec<String> = changes.iter().map(|change| format!("\n    {change}")).collect();
                format!(
                    "made {} right:{}",
                    file.display(),
                    if changes.is_empty() { " it was".to_owned() } else { changes.concat() }
                )
            }
            Step::WriteConfig { file } => {
                write::private(file, text.as_bytes())?;
                format!("wrote {}", file.display())
            }
            Step::RemoveKey { from } => match self.key.remove_old()? {
                Remains::Overwritten => format!(
                    "removed the key from {}, and wrote over it as far as the file system lets one. Backups of that home still have it",
                    from.display()
                ),
                Remains::Elsewhere => format!(
                    "removed {}. WARNING: the file has another name, which was left alone: find it, and move it where no node reads it",
                    from.display()
                ),
            },
        })
    }
}

/// Keeps the node's state file where the node does not begin it anew. What was noted before is never lowered.
fn note_signed(from: &Path, to: &Path, mark: Option<Mark>) -> Result<String> {
    let noted = to.exists().then(|| state_files::read(to, Some(StateFormat::Gaiad))).transpose()?;
    let noted = noted.and_then(|state| state.mark);
    let Some(mark) = mark else {
        return Ok("the node's state file says that it never signed; if that is not so, give a --height to `beam watermark`".to_owned());
    };
    if noted.is_some_and(|noted| noted >= mark) {
        return Ok(format!("what the node last signed ({mark}) was noted before"));
    }
    let bytes = std::fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    write::private(to, &bytes)?;
    Ok(format!("noted what the node last signed: {mark}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use beam_gaia::keys::KeyFile;

    use super::*;

    const KEY: &str = include_str!("../../../../../beam-gaia/src/keys/fixtures/zeros.json");
    const STATE: &str = r#"{"height":"77","round":1,"step":3}"#;
    const TEXT: &str = "the node.toml";

    struct Host {
        dir: tempfile::TempDir,
    }

    impl Host {
        fn new() -> Self {
            let host = Self { dir: tempfile::tempdir().unwrap() };
            for folder in ["node/config", "node/data", "beam"] {
                fs::create_dir_all(host.path(folder)).unwrap();
            }
            fs::write(
                host.path("node/config/config.toml"),
                "[rpc]\nladdr = \"tcp://127.0.0.1:1\"\n[p2p]\nladdr = \"tcp://127.0.0.1:1\"\n",
            )
            .unwrap();
            fs::write(host.path("node/data/priv_validator_state.json"), STATE).unwrap();
            fs::write(host.path("node/config/priv_validator_key.json"), KEY).unwrap();
            fs::set_permissions(
                host.path("node/config/priv_validator_key.json"),
                fs::Permissions::from_mode(0o600),
            )
            .unwrap();
            host
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn look(&self) -> Adoption {
            let signer = SignerAnswers {
                key: KeyAnswer::File("validator_key.json".into()),
                laddr: "unix:///run/privval.sock".to_owned(),
                takeover_after: Duration::from_secs(1),
                rank: 1,
                register: crate::config::RegisterAnswer::Sqlite("/register.db".into()),
            };
            Adoption::look(&self.path("beam"), &self.path("node"), &signer, &P2p::default()).unwrap()
        }

        /// Does the first `steps` of what is left, as if the machine stopped then.
        fn carry_out(&self, steps: usize) -> usize {
            let adoption = self.look();
            let plan = adoption.plan(&self.path("beam/node.toml"));
            for step in plan.iter().take(steps) {
                adoption.carry_out(step, TEXT).unwrap();
            }
            plan.len()
        }

        fn key_at(&self, name: &str) -> bool {
            KeyFile::load(self.path(name))
                .is_ok_and(|key| key.address() == "139E3940E64B5491722088D9A0D741628FC826E0")
        }

        fn is_done(&self) {
            assert!(self.key_at("beam/validator_key.json"));
            assert!(!self.path("node/config/priv_validator_key.json").exists());
            assert_eq!(
                fs::read_dir(self.path("node/config")).unwrap().count(),
                1,
                "only config.toml is left"
            );
            assert_eq!(fs::read_to_string(self.path("beam/adopted_state.json")).unwrap(), STATE);
            assert_eq!(fs::read_to_string(self.path("beam/node.toml")).unwrap(), TEXT);
            let config = fs::read_to_string(self.path("node/config/config.toml")).unwrap();
            assert!(config.contains("priv_validator_laddr = \"unix:///run/privval.sock\""), "{config}");
        }
    }

    #[test]
    fn wherever_it_stops_there_is_a_key_and_running_it_again_finishes() {
        let all = Host::new().carry_out(usize::MAX);
        assert_eq!(all, 5);
        for stopped_after in 0..=all {
            for stopped_again_after in 0..=all {
                let host = Host::new();
                host.carry_out(stopped_after);
                let there = (
                    host.key_at("node/config/priv_validator_key.json"),
                    host.key_at("beam/validator_key.json"),
                );
                assert!(there.0 || there.1, "no key after step {stopped_after}");
                assert!(there.1 || stopped_after == 0, "the copy comes first");
                host.carry_out(stopped_again_after);
                host.carry_out(usize::MAX);
                host.is_done();
            }
        }
    }

    #[test]
    fn the_key_goes_last_and_only_when_all_else_is_there() {
        let host = Host::new();
        host.carry_out(4);
        assert!(host.key_at("node/config/priv_validator_key.json"));
        assert_eq!(
            host.look().plan(Path::new("x")).last(),
            Some(&Step::RemoveKey { from: host.path("node/config/priv_validator_key.json") })
        );
        host.carry_out(usize::MAX);
        host.is_done();
    }

    #[test]
    fn what_was_noted_is_never_lowered() {
        let host = Host::new();
        host.carry_out(usize::MAX);
        // The node has made itself a new key, and begun its state anew.
        fs::write(host.path("node/data/priv_validator_state.json"), STATE.replace("77", "3")).unwrap();
        host.carry_out(usize::MAX);
        host.is_done();
    }
}
