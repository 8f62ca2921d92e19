//! One node's files, ports and command, and which validator is Beam's.

use std::path::{Path, PathBuf};

use crate::chain::Rpc;

/// The validator that Beam runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator {
    /// Its address as CometBFT writes it: 40 hexadecimal digits, upper case.
    pub address: String,
    /// Its place in the validator set, and so in the signatures of a commit.
    pub index: usize,
}

/// The files and ports of one CometBFT node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `v1` to `v3`, `a` or `b`.
    pub name: String,
    /// Its CometBFT home.
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
}

impl Node {
    /// A node that is only a name and a directory.
    #[cfg(test)]
    pub(crate) fn for_tests(name: &str, home: &Path) -> Self {
        let (name, home) = (name.to_owned(), home.to_path_buf());
        let program = PathBuf::from("node");
        Self { name, home, id: String::new(), rpc_port: 1, p2p_port: 2, agent_port: 3, program }
    }

    /// The program and arguments that run it in the foreground.
    pub fn command(&self) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        vec![
            text(&self.program),
            "start".to_owned(),
            "--home".to_owned(),
            text(&self.home),
            "--proxy_app=kvstore".to_owned(),
        ]
    }

    /// The same in one line. The lab's paths hold no blanks, so splitting at blanks gives it back.
    pub fn command_line(&self) -> String {
        self.command().join(" ")
    }

    /// A client of its RPC.
    pub fn rpc(&self) -> Rpc {
        Rpc::new(self.rpc_port)
    }

    /// The address of its RPC as programs are told it.
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }
}
