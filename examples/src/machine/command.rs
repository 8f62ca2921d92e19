//! Beam's own commands, run for one machine: each ends, within a minute, and is heard out.

use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Command;

use super::{KmsPlan, Machine};

/// A switchover waits for the other machine; everything else takes milliseconds.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);
/// How often the register's record is tried to be made.
const WATERMARK_ATTEMPTS: u32 = 4;

impl Machine {
    /// Makes Beam's home: `beam init` with everything it needs to know.
    ///
    /// # Errors
    /// When it fails.
    pub async fn init(&self) -> Result<()> {
        let mut arguments = vec![
            ("--name", self.name().to_owned()),
            ("--node-home", self.node.home.to_string_lossy().into_owned()),
            ("--rpc", self.node.rpc_url()),
            ("--node-command", self.node.command_line()),
            // Two machines on one host cannot both have the agent's usual port.
            ("--agent-listen", self.agent().to_string()),
        ];
        let more = if self.is_sentry() {
            arguments.push(("--role", "sentry".to_owned()));
            &self.plan.sentry_init_args
        } else {
            arguments.extend(self.signing_arguments());
            &self.plan.init_args
        };
        let mut words: Vec<&str> =
            arguments.iter().flat_map(|(flag, value)| [*flag, value.as_str()]).collect();
        if !self.is_sentry() {
            words.extend(self.register.flags());
        }
        words.extend(more.iter().map(String::as_str));
        self.beam(&["init"], &words).await?;
        Ok(())
    }

    /// What only a machine that signs is told.
    fn signing_arguments(&self) -> Vec<(&'static str, String)> {
        let mut arguments = vec![
            ("--chain-id", self.chain_id.clone()),
            ("--takeover-after", format!("{}ms", self.plan.takeover_after.as_millis())),
        ];
        match &self.plan.kms {
            None => arguments.push(("--key", self.key.to_string_lossy().into_owned())),
            Some(kms) => arguments.extend(kms.arguments()),
        }
        arguments.extend(self.register.arguments());
        arguments
    }

    /// Makes the register's record: this validator has never signed. Once for a register, not once a machine.
    ///
    /// # Errors
    /// When it fails, or this is a sentry.
    pub async fn init_watermark(&self) -> Result<()> {
        ensure!(!self.is_sentry(), "{} is a sentry and signs nothing", self.name());
        if self.register.has_a_record() {
            return Ok(());
        }
        for _ in 1..WATERMARK_ATTEMPTS {
            if self.beam(&["watermark", "init"], &["--height", "0"]).await.is_ok() {
                return Ok(());
            }
            // An emulator's first answers may come too late to be certain of. Then `show` tells, as Beam says.
            if self.beam(&["watermark", "show"], &[]).await.is_ok() {
                return Ok(());
            }
        }
        self.beam(&["watermark", "init"], &["--height", "0"]).await.map(|_| ())
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
        command.envs(self.register.environment());
        command
            .envs(self.plan.kms.iter().flat_map(KmsPlan::environment))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        tokio::time::timeout(COMMAND_WITHIN, command.output())
            .await
            .with_context(|| format!("{what} did not end within {COMMAND_WITHIN:?}"))?
            .with_context(|| format!("cannot run {}", self.beam.display()))
    }
}
