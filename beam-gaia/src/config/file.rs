//! The file itself: read, changed, put in place in one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, TomlError};

use super::plan::{Change, NotATable, carry_out, carry_out_dialled, plan};
use super::role::NodeRole;

/// A `config.toml` that was not made right. It is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not TOML.
    #[error("{} is not TOML: line {line}: {}", .path.display(), .source.message())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        #[source]
        source: TomlError,
    },
    /// It is TOML, and no node's configuration.
    #[error("{} is not a node's configuration", .path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: NotATable,
    },
    /// Its RPC shall take unsafe calls, and others could reach it.
    #[error("{}: rpc.laddr is {laddr:?}, so others could make unsafe calls: let it be tcp://127.0.0.1 and a port, or dial no peers without a restart", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Where the RPC listens.
        laddr: String,
    },
    /// It cannot be written.
    #[error("{} cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Makes the node's `config.toml` right for its role and tells what changed. If nothing has to, the file is not touched.
///
/// # Errors
/// [`ConfigError`]; nothing is written then.
pub fn apply(path: &Path, role: &NodeRole) -> Result<Vec<Change>, ConfigError> {
    let mut document = read(path)?;
    let changes =
        carry_out(&mut document, role).map_err(|source| ConfigError::Shape { path: path.into(), source })?;
    if role.peers().dialable {
        only_for_this_machine(path, &document)?;
    }
    write_if(!changes.is_empty(), path, &document)?;
    Ok(changes)
}

/// Notes in a copy of the file that a running node was started with that it was told to dial this role's peers: of all settings
/// only those change that it then knows ([`InForce::WhenDialled`](super::InForce::WhenDialled)).
///
/// # Errors
/// [`ConfigError`]; nothing is written then.
pub fn apply_dialled(path: &Path, role: &NodeRole) -> Result<Vec<Change>, ConfigError> {
    let mut document = read(path)?;
    let changes = carry_out_dialled(&mut document, role)
        .map_err(|source| ConfigError::Shape { path: path.into(), source })?;
    write_if(!changes.is_empty(), path, &document)?;
    Ok(changes)
}

fn write_if(changed: bool, path: &Path, document: &DocumentMut) -> Result<(), ConfigError> {
    if !changed {
        return Ok(());
    }
    replace(path, document.to_string().as_bytes())
        .map_err(|source| ConfigError::Write { path: path.into(), source })
}

/// What [`apply`] would change, with nothing written: asked of a copy of the file that a running node was started with, it is
/// what that node would take in with its next start.
///
/// # Errors
/// [`ConfigError`].
pub fn missing(path: &Path, role: &NodeRole) -> Result<Vec<Change>, ConfigError> {
    plan(&read(path)?, role).map_err(|source| ConfigError::Shape { path: path.into(), source })
}

fn read(path: &Path) -> Result<DocumentMut, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
    text.parse().map_err(|source: TomlError| ConfigError::NotToml {
        path: path.into(),
        line: line_of(&text, &source),
        source,
    })
}

/// Refuses an RPC that listens on anything but loopback or a socket file.
fn only_for_this_machine(path: &Path, document: &DocumentMut) -> Result<(), ConfigError> {
    let laddr = document.get("rpc").and_then(|rpc| rpc.get("laddr")).and_then(|laddr| laddr.as_str());
    // Not there: `CometBFT` listens on loopback.
    let laddr = laddr.unwrap_or("tcp://127.0.0.1:26657");
    let authority = laddr.strip_prefix("tcp://").unwrap_or(laddr);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let own = laddr.starts_with("unix://") || host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    if own { Ok(()) } else { Err(ConfigError::Exposed { path: path.into(), laddr: laddr.to_owned() }) }
}

fn line_of(text: &str, error: &TomlError) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// Puts `bytes` in the file's place, with its rights and its owner: synced, then renamed, then the rename synced. A link is
/// followed, so that it goes on being one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let like = fs::metadata(&path)?;
    let mut fresh = path.clone().into_os_string();
    fresh.push(".new");
    // What a crash left over is of no use, and may be a link that leads elsewhere.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write_like(Path::new(&fresh), bytes, &like).and_then(|()| fs::rename(&fresh, &path));
    if written.is_err() {
        // Already failing: the first error is the one to tell.
        let _ = fs::remove_file(&fresh);
    }
    written?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn write_like(fresh: &Path, bytes: &[u8], like: &fs::Metadata) -> io::Result<()> {
    const PRIVATE: u32 = 0o600;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(fresh)?;
    file.write_all(bytes)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        fchown(&file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(like.permissions().mode() & 0o7777))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::Peers;
    use super::*;

    fn validator() -> NodeRole {
        NodeRole::Validator {
            priv_validator_laddr: "unix:///run/beam/p.sock".into(),
            peers: Peers::default(),
        }
    }

    fn home(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn the_file_is_replaced_once_with_its_rights_and_then_left_alone() {
        let (folder, path) = home(include_str!("fixtures/cometbft-0.38.toml"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        fs::write(folder.path().join("config.toml.new"), "left over by a crash").unwrap();

        assert_eq!(apply(&path, &validator()).unwrap().len(), 3);
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was left behind");

        assert_eq!(apply(&path, &validator()).unwrap(), []);
        let untouched = fs::metadata(&path).unwrap();
        assert_eq!(
            (untouched.ino(), untouched.modified().unwrap()),
            (after.ino(), after.modified().unwrap())
        );
    }

    #[test]
    fn a_link_goes_on_being_one() {
        let (folder, path) = home("");
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(!apply(&link, &validator()).unwrap().is_empty());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(apply(&path, &validator()).unwrap(), []);
    }

    #[test]
    fn what_is_not_toml_is_named_by_its_line_and_not_written() {
        let text = "moniker = \"m\"\n\n[p2p\npex = true\n";
        let (_folder, path) = home(text);
        let error = apply(&path, &validator()).unwrap_err();
        assert!(matches!(error, ConfigError::NotToml { line: 3, .. }), "{error:?}");
        assert!(error.to_string().contains("line 3"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_wrong_shape_is_not_written_either() {
        let (_folder, path) = home("p2p = 1\n");
        assert!(matches!(apply(&path, &validator()), Err(ConfigError::Shape { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "p2p = 1\n");
    }

    #[test]
    fn unsafe_calls_are_opened_to_this_machine_only() {
        let role = NodeRole::Sentry { peers: Peers { dialable: true, ..Peers::default() } };
        for own in ["tcp://127.0.0.1:26657", "tcp://[::1]:26657", "tcp://localhost:1", "unix:///run/rpc.sock"]
        {
            let (_folder, path) = home(&format!("[rpc]\nladdr = \"{own}\"\n"));
            apply(&path, &role).unwrap();
        }
        for open in ["tcp://0.0.0.0:26657", "tcp://10.0.0.1:26657", "tcp://[::]:26657", "tcp://:26657", ""] {
            let text = format!("[rpc]\nladdr = \"{open}\"\n");
            let (_folder, path) = home(&text);
            assert!(matches!(apply(&path, &role), Err(ConfigError::Exposed { .. })), "{open}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn what_is_missing_is_told_and_not_written() {
        let (_folder, path) = home("[p2p]\npex = true\n");
        let missing = missing(&path, &validator()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[p2p]\npex = true\n");
        assert_eq!(apply(&path, &validator()).unwrap(), missing);
    }

    #[test]
    fn what_was_dialled_is_noted_and_nothing_else() {
        let peers = Peers {
            persistent: Some(vec!["a@h:1".into()]),
            private_ids: Some(vec!["a".into()]),
            ..Peers::default()
        };
        let role = NodeRole::Sentry { peers };
        let (_folder, path) = home("");
        assert_eq!(apply_dialled(&path, &role).unwrap().len(), 1);
        let missing = missing(&path, &role).unwrap();
        assert!(missing.iter().any(|change| change.key == "p2p.private_peer_ids"), "{missing:?}");
        assert!(missing.iter().all(|change| change.key != "p2p.persistent_peers"), "{missing:?}");
    }

    #[test]
    fn a_missing_file_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(apply(&folder.path().join("no"), &validator()), Err(ConfigError::Read { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
