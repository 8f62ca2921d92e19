//! `beam explain`: why this machine signs, or does not, or would not take over.

mod guards;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use self::guards::{Facts, Guard, Verdict};
use super::output::push_line;
use super::{Ending, Output, output};
use crate::ask_agent;
use crate::assemble;
use crate::clock::{now_ms, utc};
use crate::config::{Config, Role};
use crate::report::Report;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: beam explain\nExit code 0: every guard holds; 1: one does not, and the validator can be signed for all the same; 2: this machine signs nothing, or it cannot be told."
)]
pub(super) struct Args {
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Serialize)]
struct Explained {
    schema: &'static str,
    machine: String,
    verdict: Verdict,
    /// Why its pilot does not tell of it, if it does not.
    silent: Option<String>,
    guards: Vec<Guard>,
}

pub(super) async fn run(home: &Path, args: Args) -> Result<Ending> {
    let config = Config::load(home)?;
    ensure!(
        config.role == Role::Validator,
        "{} is a sentry: it signs nothing, so there is nothing to explain; see `beam status`",
        config.name
    );
    let facts = gather(&config).await;
    let guards = guards::guards(&facts);
    let verdict = guards::verdict(&facts, &guards);
    let held = guards.iter().all(|guard| guard.holds != Some(false));
    let (machine, silent) = (config.name.clone(), facts.report.err());
    let explained = Explained { schema: "beam.explain/1", machine, verdict, silent, guards };
    match args.output {
        Output::Json => output::json(&explained)?,
        Output::Text => output::text(&text(&explained))?,
    }
    Ok(match verdict {
        Verdict::SignsNothing | Verdict::Unknown => Ending::Down,
        _ if held => Ending::Fine,
        Verdict::Signs | Verdict::StandsBy | Verdict::WouldNotTakeOver => Ending::Degraded,
    })
}

async fn gather(config: &Config) -> Facts<'_> {
    let words = |error: anyhow::Error| format!("{error:#}");
    let report = own_report(config).await.map_err(words);
    let floor = assemble::peek_floor(config).map_err(words);
    let shared = match assemble::shared(config).await {
        Ok(shared) => shared,
        Err(error) => {
            let why = words(error);
            let (record, owner, pause) = (Err(why.clone()), Err(why.clone()), Err(why));
            return Facts { config, record, owner, floor, pause, report };
        }
    };
    let record = shared.record().await.map_err(words);
    let owner = record.as_ref().ok().and_then(|record| record.owner);
    let roster = shared.roster().read().await.map_err(|error| words(error.into()));
    let owner = roster.map(|roster| {
        let (name, member) = roster.members.iter().find(|(_, member)| Some(member.signer) == owner)?;
        Some((name.clone(), Duration::from_millis(now_ms().saturating_sub(member.seen_ms))))
    });
    let pause = shared.pause().read().await.map(|paused| paused.at(now_ms()).cloned());
    let pause = pause.map_err(|error| words(error.into()));
    Facts { config, record, owner, floor, pause, report }
}

/// What this machine's pilot tells now.
async fn own_report(config: &Config) -> Result<Report> {
    ensure!(config.agent.enabled, "its HTTP agent is off (agent.enabled in node.toml)");
    let report = ask_agent::report(config.agent.listen, &config.name).await?;
    ensure!(!report.is_old(now_ms()), "its last report is of {}: it hangs", utc(report.updated_ms));
    Ok(report)
}

fn text(explained: &Explained) -> String {
    let mut out = String::new();
    let says = match explained.verdict {
        Verdict::Signs => "is the owner: it signs what its node asks for, without waiting",
        Verdict::StandsBy => {
            "is a standby: it repeats what the owner signed, and takes over when the owner is silent"
        }
        Verdict::WouldNotTakeOver => "is a standby and would not take over: see below",
        Verdict::SignsNothing => "signs nothing: see below",
        Verdict::Unknown => "cannot be asked, so what it does is not known",
    };
    push_line!(out, "{} {says}", explained.machine);
    if let Some(silent) = &explained.silent {
        push_line!(out, "its pilot does not tell (is `beam start` running?): {silent}");
    }
    out.push('\n');
    for guard in &explained.guards {
        let mark = match guard.holds {
            Some(true) => "ok",
            Some(false) => "NO",
            None => "?",
        };
        push_line!(out, "{mark:<3}{:<26}{}", guard.guard, guard.value);
        push_line!(out, "{:<29}wanted: {}", "", guard.limit);
    }
    out
}
