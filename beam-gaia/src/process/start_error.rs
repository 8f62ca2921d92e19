//! A node that was not started.

use std::io;
use std::path::PathBuf;

use super::SocketError;

/// Why a node was not started; the source of [`NodeError::Start`](beam_core::node_process::NodeError::Start).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its socket is not to be had.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Its log cannot be written.
    #[error("the log {} cannot be opened", .path.display())]
    Log {
        /// The log file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program, or the working directory, is not there or may not be used.
    #[error("the program cannot be run")]
    Program(#[source] io::Error),
    /// It ran and was ended again, as the next pilot would not have found it.
    #[error("the pid file {} cannot be written", .path.display())]
    PidFile {
        /// The pid file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ran and was ended again, as it could not be watched.
    #[error("the new process cannot be watched")]
    Watch(#[source] io::Error),
}
