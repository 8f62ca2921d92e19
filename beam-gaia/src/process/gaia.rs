//! gaiad, or any other node built on `CometBFT`, as a [`NodeProcess`].

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use beam_core::node_process::{Exit, NodeError, NodeProcess, Run};
use rustix::process::Signal;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::identity::{self, Identity};
use super::last_words::last_words;
use super::running::Running;
use super::socket;
use super::{ProcessConfig, StartError};

/// How long a node may take to go once it was killed. It only takes this long if the kernel is stuck on a disk.
pub const KILLED_WITHIN: Duration = Duration::from_secs(10);

/// The node of one home on this machine.
///
/// * `exited` and `stop` of a node that this value has neither started nor adopted: `exited` answers [`Exit::Unknown`]; `stop`
///   ends one that a former pilot left running.
/// * `start` dropped midway goes on: the node runs, and the next `start` says so.
/// * A node that was adopted from another parent ends as [`Exit::Unknown`]; one that is still our child (the pilot replaced itself
///   by `exec`) tells how.
#[derive(Debug)]
pub struct GaiaProcess {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: ProcessConfig,
    /// Held while starting or adopting, so that two calls cannot do it at once.
    starting: Mutex<()>,
    /// The last run, also when it is over.
    last: Mutex<Option<Arc<Running>>>,
}

impl GaiaProcess {
    /// The node that is run like this. Nothing is started yet.
    #[must_use]
    pub fn new(config: ProcessConfig) -> Self {
        let (starting, last) = (Mutex::new(()), Mutex::new(None));
        Self { shared: Arc::new(Shared { config, starting, last }) }
    }

    /// What the last run said before it went, for an error message; `None` if it said nothing that can be read.
    pub async fn last_words(&self) -> Option<String> {
        let shared = Arc::clone(&self.shared);
        let from = shared.last().map_or(0, |running| running.log_from);
        spawn_blocking(move || last_words(&shared.config.log_file, from).ok().flatten()).await.ok().flatten()
    }

    /// Does something slow with files where it holds up no other task.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, NodeError> {
        let shared = Arc::clone(&self.shared);
        spawn_blocking(move || work(&shared)).await.map_err(|error| NodeError::Io(error.into()))?
    }
}

#[async_trait]
impl NodeProcess for GaiaProcess {
    async fn start(&self) -> Result<Run, NodeError> {
        self.blocking(Shared::start).await
    }

    async fn exited(&self) -> Result<Exit, NodeError> {
        match self.shared.last() {
            Some(running) => running.ended().await.map_err(io_error),
            None => Ok(Exit::Unknown),
        }
    }

    async fn stop(&self, grace: Duration) -> Result<Exit, NodeError> {
        let Some(running) = self.blocking(Shared::adopt).await? else {
            return Ok(Exit::Unknown);
        };
        if let Some(exit) = running.exit().map_err(io_error)? {
            return Ok(exit);
        }
        for (signal, patience) in [(Signal::TERM, grace), (Signal::KILL, KILLED_WITHIN)] {
            running.signal(signal).map_err(io_error)?;
            if let Ok(exit) = timeout(patience, running.ended()).await {
                return exit.map_err(io_error);
            }
        }
        Err(NodeError::Stuck(running.run.pid))
    }
}

impl Shared {
    fn last(&self) -> Option<Arc<Running>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, running: Running) -> Arc<Running> {
        let running = Arc::new(running);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&running));
        running
    }

    fn start(&self) -> Result<Run, NodeError> {
        let _starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = self.last_if_running()? {
            return Err(NodeError::AlreadyRunning(last.run.pid));
        }
        if let Some(adopted) = self.adopt_noted()? {
            return Ok(adopted.run);
        }
        let program = || self.config.program.display().to_string();
        self.spawn().map_err(|error| NodeError::Start { program: program(), source: error.into() })
    }

    /// The run that is there, adopted if need be; the last one if none is. Waits for a start that is under way, so that the node
    /// it makes is not overlooked.
    fn adopt(&self) -> Result<Option<Arc<Running>>, NodeError> {
        let _starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = self.last_if_running()? {
            return Ok(Some(running));
        }
        Ok(self.adopt_noted()?.or_else(|| self.last()))
    }

    fn last_if_running(&self) -> Result<Option<Arc<Running>>, NodeError> {
        let Some(last) = self.last() else { return Ok(None) };
        Ok(last.exit().map_err(io_error)?.is_none().then_some(last))
    }

    /// The node that the pid file names, if it still runs.
    fn adopt_noted(&self) -> Result<Option<Arc<Running>>, NodeError> {
        let Some(identity) = Identity::read(&self.config.pid_file).map_err(io_error)? else {
            return Ok(None);
        };
        let run = Run { pid: identity.pid(), adopted: true };
        let Some(running) = Running::watch(identity, run, 0).map_err(io_error)? else {
            return Ok(None);
        };
        // Asking also reaps a child that ended unwatched, because the value that had started it was dropped.
        Ok(running.exit().map_err(io_error)?.is_none().then(|| self.keep(running)))
    }

    fn spawn(&self) -> Result<Run, StartError> {
        let config = &self.config;
        if let Some(socket) = &config.socket {
            socket::make_way(socket, &[&config.pid_file, &config.log_file])?;
        }
        let log_error = |source| StartError::Log { path: config.log_file.clone(), source };
        let log = open_log(&config.log_file).map_err(log_error)?;
        let log_from = log.metadata().map_err(log_error)?.len();

        let mut command = Command::new(&config.program);
        command.args(&config.args).stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(log_error)?).stderr(log);
        config.env_removed.iter().for_each(|name| _ = command.env_remove(name));
        if let Some(folder) = &config.working_dir {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(StartError::Program)?;
        match self.note_and_watch(&child, log_from) {
            Ok(running) => Ok(self.keep(running).run),
            Err(error) => {
                // A node that nobody can find again must not go on. The error that led here is the one to tell.
                let _ = child.kill().and_then(|()| child.wait());
                Err(error)
            }
        }
    }

    fn note_and_watch(&self, child: &Child, log_from: u64) -> Result<Running, StartError> {
        let gone = || StartError::Watch(io::ErrorKind::NotFound.into());
        // Found even if it has ended already: until it is reaped, its pid is its own.
        let seen = identity::see(child.id()).map_err(StartError::Watch)?.ok_or_else(gone)?;
        let pid_file = &self.config.pid_file;
        create_folder_of(pid_file)
            .and_then(|()| seen.identity.write(pid_file))
            .map_err(|source| StartError::PidFile { path: pid_file.clone(), source })?;
        let run = Run { pid: child.id(), adopted: false };
        Running::watch(seen.identity, run, log_from).map_err(StartError::Watch)?.ok_or_else(gone)
    }
}

fn io_error(error: io::Error) -> NodeError {
    NodeError::Io(error.into())
}

fn open_log(path: &Path) -> io::Result<File> {
    const OWNER_WRITES_GROUP_READS: u32 = 0o640;
    create_folder_of(path)?;
    OpenOptions::new().append(true).create(true).mode(OWNER_WRITES_GROUP_READS).open(path)
}

fn create_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}
