//! `beam pause` and `beam resume`: takeovers, while people work on the machines.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use beam_core::pause::{Pause, Paused};
use beam_core::shared::one_line;
use serde::Serialize;
use tokio::time::timeout;

use super::output::push_line;
use super::who::who;
use super::{Ending, Output, WrongUse, output};
use crate::assemble;
use crate::clock::{length, millis, now_ms, utc};
use crate::config::{Config, Role};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: beam pause --for 2h --reason \"new disk in a\"\nThe fence holds as ever, the owner signs on, and switchover and failover work. If the owner dies meanwhile, blocks are missed until the pause is over.\nExit code 0: takeovers are paused; 2: they are not; 64: too long, or no reason."
)]
pub(super) struct PauseArgs {
    /// How long, such as 30m or 2h; at most a week. It ends by itself.
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    length: Duration,
    /// Why: others will read it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Say what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: beam resume\nExit code 0: takeovers are not paused; 2: the pause could not be ended."
)]
pub(super) struct ResumeArgs {
    /// Say what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    done: bool,
    /// What holds now; what would, for a dry run.
    pause: Option<Pause>,
    /// What held before.
    before: Option<Pause>,
}

pub(super) async fn pause(home: &Path, args: PauseArgs) -> Result<Ending> {
    let config = Config::load(home)?;
    if let Some(wrong) = wrong(&args) {
        bail!(WrongUse(wrong));
    }
    let since_ms = now_ms();
    let until_ms = since_ms.saturating_add(millis(args.length));
    let pause = Pause { by: who(), reason: args.reason, since_ms, until_ms };
    change(&config, Some(pause), args.dry_run, args.output).await
}

fn wrong(args: &PauseArgs) -> Option<String> {
    if args.length.is_zero() {
        return Some("--for 0: a pause of no length pauses nothing; say how long, such as 30m".to_owned());
    }
    if args.length > Pause::LEN_MAX {
        let (said, most) = (length(args.length), length(Pause::LEN_MAX));
        return Some(format!(
            "--for {said}: say at most {most}, so that a pause cannot be forgotten for long"
        ));
    }
    let silent = args.reason.trim().is_empty();
    silent.then(|| "--reason is empty: say why, since somebody will wonder why nobody took over".to_owned())
}

pub(super) async fn resume(home: &Path, args: ResumeArgs) -> Result<Ending> {
    change(&Config::load(home)?, None, args.dry_run, args.output).await
}

async fn change(config: &Config, pause: Option<Pause>, dry_run: bool, format: Output) -> Result<Ending> {
    let cell = assemble::shared(config).await?.pause();
    let before = cell.read().await?.at(now_ms()).cloned();
    if !dry_run {
        cell.change(|paused| *paused = Paused(pause.clone())).await?;
    }
    let report = Report { schema: "beam.pause/1", done: !dry_run, pause, before };
    match format {
        Output::Json => output::json(&report)?,
        Output::Text => output::text(&text(&report))?,
    }
    Ok(Ending::Fine)
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    let would = if report.done { "" } else { "would be: " };
    match (&report.pause, &report.before) {
        (Some(pause), before) => {
            if let Some(before) = before {
                push_line!(out, "{would}instead of {}", in_words(before));
            }
            push_line!(out, "{would}takeovers {}", in_words(pause));
            if report.done {
                push_line!(
                    out,
                    "every pilot learns of it within a few seconds; `beam resume` ends it before its time"
                );
            }
        }
        (None, Some(before)) => push_line!(out, "{would}takeovers resumed; they were {}", in_words(before)),
        (None, None) => push_line!(out, "takeovers were not paused; nothing to resume"),
    }
    out
}

/// The longest reminder, in bytes.
const REMINDER_LEN_MAX: usize = 600;
/// How long a verb waits for the register to say whether there is a pause.
const REMIND_WITHIN: Duration = Duration::from_secs(1);

/// Reminds of a pause, on stderr. What cannot be found out is the verb's own business to tell.
pub(super) async fn remind(home: &Path) {
    let read = async {
        let config = Config::load(home).ok().filter(|config| config.role == Role::Validator)?;
        assemble::shared(&config).await.ok()?.pause().read().await.ok()
    };
    let paused = timeout(REMIND_WITHIN, read).await.ok().flatten().unwrap_or_default();
    if let Some(pause) = paused.at(now_ms()) {
        // Anybody may have written it: it must not steer the terminal.
        eprintln!("beam: takeovers are {}", one_line(&in_words(pause), REMINDER_LEN_MAX));
    }
}

/// A pause in a sentence, from "paused" on.
pub(super) fn in_words(pause: &Pause) -> String {
    let left = Duration::from_millis(pause.until_ms.saturating_sub(now_ms()));
    format!("paused until {} ({} left) by {}: {}", utc(pause.until_ms), length(left), pause.by, pause.reason)
}
