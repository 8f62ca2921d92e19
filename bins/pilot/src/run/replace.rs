//! A newer `beam` in this one's place, without the node noticing: the process stays and with it its id, what the service
//! manager knows of it, and the node as its child. Files and locks close by themselves, as all are opened close-on-exec.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::time::timeout;

/// How long the new program may take to say its version. It reads no file for that.
const TRIED_OUT_WITHIN: Duration = Duration::from_secs(10);

/// The program that this process was started from, as it will be found when it is needed.
#[derive(Clone, Debug)]
pub(crate) struct Successor {
    program: PathBuf,
    args: Vec<OsString>,
}

impl Successor {
    /// To be called at the start: once the file is replaced, the kernel knows our own program only as a deleted one.
    ///
    /// # Errors
    /// If the program's path cannot be found out.
    pub(crate) fn of_this_process() -> Result<Self> {
        let mut args = env::args_os();
        // As it was typed, if that is a whole path: a link in it may be what an upgrade changes.
        let typed = args.next().map(PathBuf::from).filter(|path| path.is_absolute());
        let program = match typed {
            Some(path) => path,
            None => env::current_exe().context("the path of this program cannot be found out")?,
        };
        Ok(Self { program, args: args.collect() })
    }

    /// Runs the new program once for its version, so that one that cannot run at all replaces nothing.
    ///
    /// # Errors
    /// If it does not answer as a `beam` does.
    pub(crate) async fn try_out(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Answer {
            version: String,
        }
        let program = self.program.display();
        let mut command = tokio::process::Command::new(&self.program);
        command.args(["version", "--output", "json"]).stdin(Stdio::null()).kill_on_drop(true);
        command.env_remove("NOTIFY_SOCKET");
        let Ok(output) = timeout(TRIED_OUT_WITHIN, command.output()).await else {
            bail!("{program} does not tell its version within {TRIED_OUT_WITHIN:?}");
        };
        let output = output.with_context(|| format!("{program} cannot be run"))?;
        ensure!(output.status.success(), "{program} version: {}", output.status);
        let answer: Answer = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{program} does not answer as beam does"))?;
        Ok(answer.version)
    }

    /// Becomes the new program. Comes back only if that failed.
    pub(crate) fn take_over(&self) -> io::Error {
        Command::new(&self.program).args(&self.args).exec()
    }
}
