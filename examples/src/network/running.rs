//! Running nodes without Beam: started, stopped, killed, and given another program.

use std::fs;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::slot::Slot;
use super::{MACHINES, Network, files};
use crate::process::Process;

/// How long a plain node may take to end when asked. An SDK chain that stands at an upgrade needs more than 8 s.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
/// How often a network is tried on other ports when one was taken in the meantime.
const START_ATTEMPTS: u32 = 3;

impl Network {
    /// Starts the plain validators and waits until each answers. Call it before making machines: if
    /// a port was taken meanwhile, all nodes get new ones.
    ///
    /// # Errors
    /// When a node ends or does not answer in time; the message carries the end of its log.
    pub async fn start_validators(&mut self) -> Result<()> {
        for attempt in 1.. {
            match self.start_all(&self.validators()).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let taken = self.slots.iter().any(|slot| slot.port_was_taken());
                    self.kill();
                    if !taken || attempt >= START_ATTEMPTS {
                        return Err(error);
                    }
                    self.assign_ports()?;
                }
            }
        }
        Ok(())
    }

    /// Runs machine `name` as a plain node that signs with validator 0's real key, without Beam.
    ///
    /// With one machine this is an ordinary validator. With both it is the accident Beam exists to
    /// prevent: the control that shows the judge can find somebody guilty.
    ///
    /// # Errors
    /// When the key cannot be copied, or the node does not answer in time.
    pub async fn start_unfenced(&mut self, name: &str) -> Result<()> {
        ensure!(MACHINES.contains(&name), "{name} is not a machine of validator 0");
        fs::copy(self.validator_key(), files::validator_key(&self.node(name)?.home))?;
        self.start_node(name).await
    }

    /// Runs a node without Beam, with the validator key that is in its home, and waits until it answers.
    ///
    /// # Errors
    /// When it does not in time; the message carries the end of its log.
    pub async fn start_node(&mut self, name: &str) -> Result<()> {
        self.node(name)?;
        self.start_all(&[name.to_owned()]).await
    }

    /// Asks a node that the lab runs to end, and kills it if it does not in time. Returns how it ended.
    ///
    /// # Errors
    /// When the lab does not run it.
    pub async fn stop_node(&mut self, name: &str) -> Result<ExitStatus> {
        let mut process = self.take_process(name)?;
        process.terminate(STOPS_WITHIN).await;
        process.ended().context("a killed process that goes on")
    }

    /// Kills a node that the lab runs.
    ///
    /// # Errors
    /// When the lab does not run it.
    pub fn kill_node(&mut self, name: &str) -> Result<()> {
        self.take_process(name).map(drop)
    }

    /// Whether the lab runs a node and its process lives; a node that consensus has stopped in lives on.
    pub fn is_running(&mut self, name: &str) -> bool {
        let slot = self.slots.iter_mut().find(|slot| slot.node.name == name);
        slot.and_then(|slot| slot.process.as_mut()).is_some_and(|process| process.ended().is_none())
    }

    /// Has `name` run another program from its next start on, as after an upgrade.
    ///
    /// # Errors
    /// When there is no node of that name.
    pub fn use_program(&mut self, name: &str, program: &Path) -> Result<()> {
        self.slot(name)?.node.program = program.to_path_buf();
        Ok(())
    }

    /// Asks every node the lab runs to end, and kills those that do not in time.
    pub async fn stop(&mut self) {
        for process in self.slots.iter_mut().filter_map(|slot| slot.process.as_mut()) {
            process.signal_leader(rustix::process::Signal::TERM);
        }
        for mut process in self.slots.iter_mut().filter_map(|slot| slot.process.take()) {
            process.terminate(STOPS_WITHIN).await;
        }
    }

    /// Kills every node the lab runs, at once.
    pub fn kill(&mut self) {
        for slot in &mut self.slots {
            slot.process = None;
        }
    }

    fn slot(&mut self, name: &str) -> Result<&mut Slot> {
        let slot = self.slots.iter_mut().find(|slot| slot.node.name == name);
        slot.with_context(|| format!("the network has no node {name}"))
    }

    fn take_process(&mut self, name: &str) -> Result<Process> {
        self.slot(name)?.process.take().with_context(|| format!("the lab does not run {name}"))
    }

    async fn start_all(&mut self, names: &[String]) -> Result<()> {
        for slot in self.slots.iter_mut().filter(|slot| names.contains(&slot.node.name)) {
            slot.spawn()?;
        }
        for slot in self.slots.iter_mut().filter(|slot| names.contains(&slot.node.name)) {
            slot.answers().await?;
        }
        Ok(())
    }
}
