//! Beam's own commands, run for one machine: each ends, within a minute, and is heard out.

use std::fs;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::process::Command;
use toml_edit::{DocumentMut, value};

use super::Machine;

/// A switchover waits for the other machine; everything else takes milliseconds.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);

impl Machine {
    /// Makes Beam's home: `beam init` with everything it needs to know.
    ///
    /// # Errors
    /// When it fails.
    pub async fn init(&self) -> Result<()> {
        let takeover_after = format!("{}ms", self.plan.takeover_after.as_millis());
        let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let mut arguments: Vec<String> = [
            ("--name", self.name().to_owned()),
            ("--chain-id", self.chain_id.clone()),
            ("--node-home", path(&self.node.home)),
            ("--key", path(&self.key)),
            ("--register", path(&self.register)),
            ("--rpc", self.node.rpc_url()),
            ("--takeover-after", takeover_after),
            ("--node-command", self.node.command_line()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect();
        arguments.extend(self.plan.init_args.iter().cloned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.beam(&["init"], &arguments).await?;
        self.give_agent_its_port()
    }

    /// Two machines on one host cannot both have the agent's usual port.
    fn give_agent_its_port(&self) -> Result<()> {
        let file = self.home().join("node.toml");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut config: DocumentMut = text.parse()?;
        let agent = config.entry("agent").or_insert(toml_edit::table());
        let agent = agent.as_table_mut().context("[agent] is no table")?;
        agent.insert("listen", value(self.agent().to_string()));
        Ok(fs::write(&file, config.to_string())?)
    }

    /// Makes the register's record: this validator has never signed. Once for a register, not once a machine.
    ///
    /// # Errors
    /// When it fails, or there is one.
    pub async fn init_watermark(&self) -> Result<()> {
        if !self.register.exists() {
            self.beam(&["watermark", "init"], &["--height", "0"]).await?;
        }
        Ok(())
    }

    /// `beam switchover`, to the machine named or to the other one.
    ///
    /// # Errors
    /// When Beam refuses, or does not end in time.
    pub async fn switchover(&self, to: Option<&str>) -> Result<String> {
        match to {
            Some(name) => self.beam(&["switchover"], &["--to", name]).await,
            None => self.beam(&["switchover"], &[]).await,
        }
    }

    /// `beam status`, as JSON, whether it is good or bad news: 1 and 2 are its exit codes for "degraded" and "down".
    ///
    /// # Errors
    /// When Beam prints something else.
    pub async fn status(&self) -> Result<Value> {
        let output = self.output(&["status"], &["--output", "json"]).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("`beam status` on {} printed no JSON: {}", self.name(), said.trim()))
    }

    /// Any command of Beam for this machine: `beam <subcommand> --home <home> <arguments>`. Returns
    /// what it printed.
    ///
    /// # Errors
    /// When it fails, with what it said on stderr, or does not end within a minute.
    pub async fn beam(&self, subcommand: &[&str], arguments: &[&str]) -> Result<String> {
        let output = self.output(subcommand, arguments).await?;
        if !output.status.success() {
            bail!(
                "`beam {}` on {} failed ({}): {}",
                subcommand.join(" "),
                self.name(),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn output(&self, subcommand: &[&str], arguments: &[&str]) -> Result<Output> {
        let what = format!("`beam {}` on {}", subcommand.join(" "), self.name());
        let mut command = Command::new(&self.beam);
        command.args(subcommand).arg("--home").arg(&self.home).args(arguments);
        command.stdin(Stdio::null()).kill_on_drop(true);
        tokio::time::timeout(COMMAND_WITHIN, command.output())
            .await
            .with_context(|| format!("{what} did not end within {COMMAND_WITHIN:?}"))?
            .with_context(|| format!("cannot run {}", self.beam.display()))
    }
}
