//! `beam explain`: why this machine signs, or does not, or would not take over.

mod guards;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use self::guards::{Facts, Guard, Verdict};
use super::{Ending, Output, output};
use crate::ask_agent;
use crate::assemble;
use crate::clock::now_ms;
use crate::config::{Config, Role};

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
    let explained = Explained { schema: "beam.explain/1", machine: config.name.clone(), verdict, guards };
    match args.output {
        Output::Json => output::json(&explained)?,
        Output::Text => print(&explained),
    }
    Ok(match verdict {
        Verdict::SignsNothing | Verdict::Unknown => Ending::Down,
        _ if held => Ending::Fine,
        Verdict::Signs | Verdict::StandsBy | Verdict::WouldNotTakeOver => Ending::Degraded,
    })
}

async fn gather(config: &Config) -> Facts<'_> {
    let words = |error: anyhow::Error| format!("{error:#}");
    let report = match config.agent.enabled {
        true => ask_agent::report(config.agent.listen).await.map_err(words),
        false => Err("the HTTP agent is off".to_owned()),
    };
    let floor = assemble::peek_floor(config).map_err(words);
    let shared = match assemble::shared(config).await {
        Ok(shared) => shared,
        Err(error) => {
            return Facts { config, record: Err(words(error)), owner: None, floor, pause: None, report };
        }
    };
    let record = shared.record().await.map_err(words);
    let roster = shared.roster().read().await.unwrap_or_default();
    let owner = record.as_ref().ok().and_then(|record| record.owner);
    let owner = owner.and_then(|owner| roster.members.iter().find(|(_, member)| member.signer == owner));
    let owner = owner
        .map(|(name, member)| (name.clone(), Duration::from_millis(now_ms().saturating_sub(member.seen_ms))));
    let pause = shared.pause().read().await.ok().and_then(|paused| paused.at(now_ms()).cloned());
    Facts { config, record, owner, floor, pause, report }
}

fn print(explained: &Explained) {
    let says = match explained.verdict {
        Verdict::Signs => "is the owner: it signs what its node asks for, without waiting",
        Verdict::StandsBy => {
            "is a standby: it repeats what the owner signed, and takes over when the owner is silent"
        }
        Verdict::WouldNotTakeOver => "is a standby and would not take over: see below",
        Verdict::SignsNothing => "signs nothing: see below",
        Verdict::Unknown => "cannot be asked: its pilot does not answer",
    };
    println!("{} {says}\n", explained.machine);
    for guard in &explained.guards {
        let mark = match guard.holds {
            Some(true) => "ok",
            Some(false) => "NO",
            None => "?",
        };
        println!("{mark:<3}{:<26}{}", guard.guard, guard.value);
        println!("{:<29}wanted: {}", "", guard.limit);
    }
}
