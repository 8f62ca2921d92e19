//! A node, its ports while nobody uses them, and its process while the lab runs it.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::Node;
use super::ports::Reservation;
use crate::process::Process;
use crate::wait;

/// From the start of a node to its first answer; three seconds are usual, a loaded machine takes more.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) node: Node,
    pub(super) reserved: Vec<Reservation>,
    pub(super) process: Option<Process>,
}

impl Slot {
    pub(super) fn spawn(&mut self) -> Result<()> {
        let name = &self.node.name;
        ensure!(self.process.is_none(), "{name} already runs");
        self.reserved.clear();
        let line = self.node.command();
        let (program, arguments) = line.split_first().context("an empty command")?;
        let mut command = Command::new(program);
        command.args(arguments);
        self.process = Some(Process::spawn(command, &self.node.log(), &[&self.node.home])?);
        Ok(())
    }

    pub(super) async fn answers(&mut self) -> Result<()> {
        let Self { node, process, .. } = self;
        let process = process.as_mut().context("not started")?;
        let rpc = node.rpc();
        let what = format!("{} to answer its RPC", node.name);
        let answered = wait::until(&what, ANSWERS_WITHIN, || {
            let ended = process.ended();
            let rpc = rpc.clone();
            async move {
                if let Some(status) = ended {
                    bail!("the node ended ({status})");
                }
                Ok(rpc.height().await.ok())
            }
        });
        let answered = answered.await;
        answered
            .map(|_| ())
            .with_context(|| format!("{} did not start; its log ends:\n{}", node.name, process.log_tail()))
    }

    pub(super) fn port_was_taken(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.log_tail().contains("address already in use"))
    }
}
