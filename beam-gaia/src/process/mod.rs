//! The node as a process: started, adopted, watched, ended.
//!
//! What must always hold:
//! * A signal reaches our node or nobody. It is named by its start time and boot as well as its pid ([`Identity`]), and
//!   held by a descriptor.
//! * The node does not notice the pilot's death: its words go straight to a file, never through a pipe that would break,
//!   and a pilot that comes back adopts it.
//! * A socket is only removed when our node does not run and nobody listens ([`SocketError`]).
//!
//! Linux only: `/proc` and process descriptors (kernel 5.4 and later).

mod config;
mod gaia;
mod identity;
mod last_words;
mod restart;
mod running;
mod socket;
mod start_error;
#[cfg(test)]
mod tests;

pub use config::ProcessConfig;
pub use gaia::{GaiaProcess, KILLED_WITHIN};
pub use identity::{Identity, NoIdentity};
pub use last_words::{LAST_WORDS_CHARS_MAX, LAST_WORDS_READ_MAX, last_words};
pub use restart::RestartPolicy;
pub use socket::{SOCKET_PATH_LEN_MAX, SocketError};
pub use start_error::StartError;
