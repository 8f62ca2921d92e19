//! Copies of a machine: a clone that runs beside it, and its own old home put back.
//!
//! Everything that a machine knows is in one folder tree then: the home of its node, with Beam's own in it. What a disk does not hold,
//! such as who has a file locked, is not copied; nor is the name of the process that runs the node, which means nothing on another host
//! and would mean too much on this one. Audit files are the judge's, and outlive the homes that they were written in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Machine;
use crate::network::{Network, Node};

/// What a running host has and its disk has not.
const NOT_ON_A_DISK: [&str; 3] = ["node.pid", "privval.sock", "ballast"];
/// What a copy does not need: what the node said, which may be long.
const NOT_NEEDED: [&str; 3] = ["logs", "node.log", "beam.log"];

/// A home as it was.
#[derive(Debug, Clone)]
pub struct OldHome {
    folder: PathBuf,
    /// The chain's height when it was put aside.
    pub height: u64,
}

impl Machine {
    /// A third machine with a copy of everything this one has on disk, as a snapshot taken now would give it, and an address of its own.
    /// Its node gets a new name among peers: with the old one the others would take it for this one and hang up. It does not run yet.
    ///
    /// # Errors
    /// When this machine's two homes are not one tree, or cannot be copied.
    pub fn copy(&mut self, network: &Network, name: &str) -> Result<Self> {
        ensure!(
            self.home.starts_with(&self.node.home),
            "only a machine with its homes in one folder is copied"
        );
        let home = network.dir().join(name);
        // All at one instant, as a snapshot does it; the machine notices a moment's pause at most.
        self.freeze();
        let copied = copy_tree(&self.node.home, &home);
        self.thaw();
        copied.with_context(|| format!("cannot copy {}", self.node.home.display()))?;
        let ports = network.more_ports()?;
        let [rpc_port, p2p_port, agent_port] = ports.each_ref().map(|held| held.port);
        let mut node = self.node.clone();
        node.home.clone_from(&home);
        (node.rpc_port, node.p2p_port, node.agent_port) = (rpc_port, p2p_port, agent_port);
        let beam_home = home.join(self.home.strip_prefix(&self.node.home)?);
        for file in [beam_home.join("node.toml"), home.join("config/config.toml")] {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            fs::write(&file, self.readdressed(&text, &node))?;
        }
        fs::remove_file(home.join("config/node_key.json")).context("a copy without a node key")?;
        Ok(Self {
            beam: self.beam.clone(),
            home: beam_home,
            node,
            chain_id: self.chain_id.clone(),
            key: self.key.clone(),
            register: self.register.clone(),
            register_wire: self.register_wire.clone(),
            plan: self.plan.clone(),
            pilots: Vec::new(),
            disk: None,
        })
    }

    /// Puts a copy of everything on this machine's disk aside. It must not run.
    ///
    /// # Errors
    /// When it runs, or the copy fails.
    pub fn put_aside(&mut self, to: &Path, height: u64) -> Result<OldHome> {
        ensure!(!self.anything_lives(), "{} runs: its disk is not at rest", self.name());
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        copy_tree(&self.node.home, to)?;
        Ok(OldHome { folder: to.to_path_buf(), height })
    }

    /// Puts an old home back in the place of the present one, whose audit file goes to `audit`. It must not run.
    ///
    /// # Errors
    /// When it runs, or a file cannot be moved.
    pub fn put_back(&mut self, old: &OldHome, audit: &Path) -> Result<()> {
        ensure!(!self.anything_lives(), "{} runs: its disk is not at rest", self.name());
        fs::copy(self.audit(), audit).context("the judge's copy of the audit file")?;
        for entry in fs::read_dir(&self.node.home)? {
            let path = entry?.path();
            match path.file_name().and_then(|name| name.to_str()) {
                Some("lost+found") => {}
                _ if path.is_dir() => fs::remove_dir_all(path)?,
                _ => fs::remove_file(path)?,
            }
        }
        copy_tree(&old.folder, &self.node.home)
    }

    /// A file of settings with the folders and ports of `node` in the place of this machine's.
    fn readdressed(&self, text: &str, node: &Node) -> String {
        let (from, to) = (self.node.home.to_string_lossy(), node.home.to_string_lossy());
        let mut text = text.to_owned();
        for end in ["/", "\"", " "] {
            text = text.replace(&format!("{from}{end}"), &format!("{to}{end}"));
        }
        let ports = [
            (self.node.rpc_port, node.rpc_port),
            (self.node.p2p_port, node.p2p_port),
            (self.node.agent_port, node.agent_port),
        ];
        for (from, to) in ports {
            text = text.replace(&format!(":{from}\""), &format!(":{to}\""));
        }
        text
    }
}

/// Copies a folder with everything in it that is on a disk.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let is = |list: &[&str]| list.iter().any(|listed| name == *listed);
        if is(&NOT_ON_A_DISK) || is(&["lost+found"]) {
            continue;
        }
        if kind.is_dir() {
            if is(&NOT_NEEDED) {
                fs::create_dir_all(to.join(&name))?;
            } else {
                copy_tree(&entry.path(), &to.join(&name))?;
            }
        } else if kind.is_file() && !is(&NOT_NEEDED) {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
