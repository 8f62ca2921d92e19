//! One node's files, ports and command, and which validator is Beam's.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use toml_edit::value;

use super::files;
use crate::chain::Rpc;

/// The line of app.toml at which a node of `examples/hubd` fails.
const FAIL_AT: &str = "fail-at-height";

/// A validator. Beam's, unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator {
    /// Its address as CometBFT writes it: 40 hexadecimal digits, upper case.
    pub address: String,
}

/// What a node is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A validator without Beam: `v1`...
    Plain,
    /// One of the two machines that share validator 0: `a` or `b`.
    Validator,
    /// A sentry of validator 0: `s1`...
    Sentry,
}

/// The files and ports of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `v1`..., `a` or `b`, `s1`...
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// Its home, in which it has a node key of its own.
    pub home: PathBuf,
    /// Its peer id, from its own node key.
    pub id: String,
    /// The port of its RPC.
    pub rpc_port: u16,
    /// The port its peers dial.
    pub p2p_port: u16,
    /// The port of the HTTP agent of the pilot that runs it, if one does.
    pub agent_port: u16,
    pub(super) program: PathBuf,
    /// What `start` needs beside the home.
    pub(super) arguments: &'static [&'static str],
}

impl Node {
    /// A node that is only a name and a directory.
    #[cfg(test)]
    pub(crate) fn for_tests(name: &str, role: Role, home: &Path) -> Self {
        let (name, home) = (name.to_owned(), home.to_path_buf());
        let (id, program) = (String::new(), PathBuf::from("node"));
        Self { name, role, home, id, rpc_port: 1, p2p_port: 2, agent_port: 3, program, arguments: &[] }
    }

    /// The program and arguments that run it in the foreground.
    pub fn command(&self) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut command =
            vec![text(&self.program), "start".to_owned(), "--home".to_owned(), text(&self.home)];
        command.extend(self.arguments.iter().map(|argument| (*argument).to_owned()));
        command
    }

    /// The same in one line. The lab's paths hold no blanks, so splitting at blanks gives it back.
    pub fn command_line(&self) -> String {
        self.command().join(" ")
    }

    /// What it prints while the lab runs it without Beam.
    pub fn log(&self) -> PathBuf {
        self.home.join("node.log")
    }

    /// A client of its RPC.
    pub fn rpc(&self) -> Rpc {
        Rpc::new(self.rpc_port)
    }

    /// The address of its RPC as programs are told it.
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }

    /// Has the node of a Hub-like chain stop at `height` when it is started next, as operators do for an upgrade without
    /// a vote; 0 lets it go on. Its process stays up.
    ///
    /// # Errors
    /// When it is not of such a chain.
    pub fn halt_at(&self, height: u32) -> Result<()> {
        self.edit_app(|app| app.put("", "halt-height", value(i64::from(height))))
    }

    /// Has the node run into a CONSENSUS FAILURE at `height` when it is started next. It then stands there, its process
    /// up, until it is started once more; that heals it. Leave it some blocks: a node that is still catching up at that
    /// height ends instead. Only nodes of `examples/hubd` can
    /// ([`Hubd::ours`](crate::install::Hubd)).
    ///
    /// # Errors
    /// When it is not of a Hub-like chain.
    pub fn fail_at(&self, height: u32) -> Result<()> {
        self.edit_app(|app| {
            app.add(FAIL_AT, value(i64::from(height)));
            Ok(())
        })
    }

    fn edit_app(&self, change: impl FnOnce(&mut files::Settings) -> Result<()>) -> Result<()> {
        let path = files::app_config(&self.home);
        ensure!(path.is_file(), "{} has no app.toml: it is not of a Hub-like chain", self.name);
        files::edit(&path, change)
    }
}
