//! CometBFT's own file signer: a small Go program (benches/filepv) that signs when told to.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use beam_examples::install::target_dir;

/// The key that the Go program makes, in the format that Beam reads.
pub(crate) fn key_file(dir: &Path) -> PathBuf {
    dir.join("filepv/key.json")
}

/// The program, running.
pub(crate) struct FilePv {
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl FilePv {
    /// Builds it (once; go keeps what it built), and starts it in a folder under `dir`.
    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let built = build()?;
        let home = dir.join("filepv");
        std::fs::create_dir(&home)?;
        let mut program = Command::new(built)
            .arg(&home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run the file signer")?;
        let orders = program.stdin.take().context("no way to tell it anything")?;
        let answers = program.stdout.take().context("no way to hear it")?;
        Ok(Self { program, orders, answers: BufReader::new(answers) })
    }

    /// Has `count` votes signed, and tells how long each took.
    pub(crate) fn sign(&mut self, count: usize) -> Result<Vec<Duration>> {
        writeln!(self.orders, "{count}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let nanos = line.split_whitespace().map(|text| Ok(Duration::from_nanos(text.parse()?)));
        let latencies = nanos.collect::<Result<Vec<_>>>()?;
        ensure!(latencies.len() == count, "the file signer made {} votes of {count}", latencies.len());
        Ok(latencies)
    }
}

impl Drop for FilePv {
    fn drop(&mut self) {
        // It would end by itself when its input closes; this is sooner.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn build() -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("filepv");
    let tools = target_dir().join("tools");
    std::fs::create_dir_all(&tools)?;
    let program = tools.canonicalize()?.join("filepv");
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(source)
        .env("CGO_ENABLED", "0")
        .status()
        .context("cannot run go, which builds CometBFT's file signer")?;
    ensure!(status.success(), "go could not build the file signer; its errors are above");
    Ok(program)
}
