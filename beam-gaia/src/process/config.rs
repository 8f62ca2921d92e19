//! What there is to know about a node before it is started.

use std::path::PathBuf;

/// How a node is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessConfig {
    /// The program: an absolute path, or a name to be found in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where it runs; the pilot's own working directory if not given.
    pub working_dir: Option<PathBuf>,
    /// Variables of the pilot's environment that the node must not see, its own secrets above all. See
    /// [`ProcessConfig::SERVICE_MANAGER_ENV`].
    pub env_removed: Vec<String>,
    /// The unix socket on which the node waits for its signer (`priv_validator_laddr`), without `unix://`. A stale one is removed
    /// before each start, and its folder is made private.
    pub socket: Option<PathBuf>,
    /// Where the running node is noted down, for the next pilot to find.
    pub pid_file: PathBuf,
    /// Where everything the node says is appended, never through a pipe: the raw file that [`logs`](crate::logs) reads from behind.
    pub log_file: PathBuf,
}

impl ProcessConfig {
    /// What a service manager tells the pilot and only the pilot: a node that answered would be taken for it.
    pub const SERVICE_MANAGER_ENV: [&str; 7] = [
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_FDNAMES",
        "INVOCATION_ID",
    ];
}
