//! Why a key file is not used. No variant holds anything of the key.

use std::io;
use std::path::PathBuf;

/// A key file that is not used, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is none, or it cannot be read.
    #[error("{path} cannot be read")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("{path} is not a regular file")]
    NotAFile {
        /// Where it should be.
        path: PathBuf,
    },
    /// Somebody else on this machine may read or change it.
    #[error("{path} is open to others (mode {mode:03o}); run `chmod 600 {path}`")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Somebody else on this machine owns it, and may read it at any time.
    #[error(
        "{path} belongs to user {uid}, who is neither the user of this process nor root; run `chown` on it"
    )]
    OtherOwner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// It is no key file, or part of it is gone.
    #[error("{path} is damaged or is no key file: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A sound key, but of a kind that Beam does not sign with.
    #[error(
        "{path} holds a key of type {kind:?}; only Ed25519 keys (tendermint/PrivKeyEd25519) are supported"
    )]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// Its type, as the file says.
        kind: String,
    },
    /// Its parts do not belong together: somebody edited it.
    #[error("{path} contradicts itself: its {what} does not belong to its private key")]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Which part.
        what: &'static str,
    },
}
