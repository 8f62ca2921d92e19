//! `beam switchover` and `beam failover`: handing the validator to another machine, and telling what really happened.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use beam_core::history::{Cost, Entry};
use beam_core::runtime::{HistoryCell, SwitchError, SwitchPlan, SwitchReport, Switchover};
use beam_core::signing::{Handover, Height, Mark};
use beam_gaia::rpc::{NodeRpc, ValidatorAddress, Vote};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::output::push_line;
use super::who::who;
use super::{Ending, Output, output};
use crate::assemble;
use crate::clock::{millis, now_ms};
use crate::config::Config;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  beam switchover --to b --reason \"kernel update on a\"\n  beam switchover --at-height 12345678\nThe target must follow the chain; that is looked at first. What really happened is looked at afterwards.\nExit code 0: the new owner signs; 1: the switch was made and it does not (yet); 2: nothing was changed."
)]
pub(super) struct Args {
    /// The machine that shall own; may be left out if there is only one other.
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// The first height that the new owner signs; Ctrl-C gives up while it waits.
    #[arg(long, value_name = "HEIGHT")]
    at_height: Option<u64>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: beam failover --to b --reason \"a answers nobody\"\nNobody looks whether the target is ready: use `beam switchover` if there is time for that. It cannot make anybody sign twice.\nExit code 0: the new owner signs; 1: the switch was made and it does not (yet); 2: nothing was changed."
)]
pub(super) struct FailoverArgs {
    /// The machine that shall own, whatever state it is in.
    #[arg(long, value_name = "NAME")]
    to: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Why, for the history.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
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
    /// `switchover` or `failover`.
    how: Handover,
    done: bool,
    from: Option<String>,
    to: String,
    epoch: u64,
    since: Mark,
    /// What the new owner signed first; nothing if it did not sign in time.
    first_signed: Option<Mark>,
    took_ms: Option<u64>,
    /// What it cost, by the chain; unknown if this machine's node did not tell in time.
    cost: Option<Cost>,
    /// What went wrong after the switch was made.
    trouble: Option<String>,
}

/// How close to its height a switch is planned, so that the target is known to be ready then.
const PLAN_HEIGHTS_BEFORE: u64 = 3;
/// How long the chain is given to tell what a switch cost.
const COST_WITHIN: Duration = Duration::from_secs(20);
/// How often it is asked.
const COST_POLL: Duration = Duration::from_millis(200);

pub(super) async fn switchover(home: &Path, args: Args) -> Result<Ending> {
    let desk = Desk::open(home, args.common).await?;
    let plan = match args.at_height {
        None => desk.switchover.plan(args.to.as_deref()).await?,
        Some(height) => desk.plan_at(args.to.as_deref(), height).await?,
    };
    desk.hand_over(plan).await
}

pub(super) async fn failover(home: &Path, args: FailoverArgs) -> Result<Ending> {
    let desk = Desk::open(home, args.common).await?;
    let plan = desk.switchover.plan_forced(&args.to).await?;
    desk.hand_over(plan).await
}

/// What handing over needs.
struct Desk {
    switchover: Switchover,
    history: HistoryCell,
    node: NodeRpc,
    validator: ValidatorAddress,
    common: Common,
}

impl Desk {
    async fn open(home: &Path, common: Common) -> Result<Self> {
        let config = Config::load(home)?;
        let shared = assemble::shared(&config).await?;
        let (roster, history) = (shared.roster(), shared.history());
        let signing = shared.cells.signing.clone();
        Ok(Self {
            switchover: Switchover { register: shared.register, signing, roster },
            history,
            node: NodeRpc::new(config.rpc()?),
            validator: assemble::validator(&config)?.parse()?,
            common,
        })
    }

    /// Waits for the height, looks at the target shortly before it, and gives the plan when everything below it is signed.
    async fn plan_at(&self, to: Option<&str>, height: u64) -> Result<SwitchPlan> {
        let quiet = self.common.dry_run || self.common.output == Output::Json;
        let tell = |mark: Mark| {
            if !quiet {
                eprintln!("waiting for height {height}: the register is at {mark}");
            }
        };
        if !self.common.dry_run {
            let near = Height(height.saturating_sub(PLAN_HEIGHTS_BEFORE));
            match self.switchover.wait_for(near, tell).await {
                // It is nearer than that already.
                Ok(()) | Err(SwitchError::Over { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let plan = self.switchover.plan(to).await?;
        if !self.common.dry_run {
            self.switchover.wait_for(Height(height), tell).await?;
        }
        Ok(plan)
    }

    async fn hand_over(self, plan: SwitchPlan) -> Result<Ending> {
        if self.common.dry_run {
            return self.tell(&would(plan));
        }
        let report = match self.switchover.carry_out(plan.clone()).await {
            Ok(done) => self.done(&plan, done).await,
            Err(error @ (SwitchError::NotSigning { epoch, .. } | SwitchError::Overtaken { epoch, .. })) => {
                let trouble = Some(error.to_string());
                self.note(entry(&plan, epoch.0, plan.mark)).await;
                Report { epoch: epoch.0, done: true, trouble, ..would(plan) }
            }
            Err(error) => return Err(error.into()),
        };
        self.tell(&report)
    }

    async fn done(&self, plan: &SwitchPlan, done: SwitchReport) -> Report {
        let (swapped_ms, signed_ms) = (millis(done.swapped_within), millis(done.signed_within));
        let mut entry = entry(plan, done.epoch.0, done.since);
        (entry.swapped_ms, entry.signed_ms) = (Some(swapped_ms), Some(signed_ms));
        // Who and why is noted at once; what it cost can only be known some blocks later.
        self.note(entry.clone()).await;
        let heights = (done.since.height.0.max(1), done.first_signed.height.0);
        let cost = timeout(COST_WITHIN, self.cost(heights)).await.ok();
        if cost.is_some() {
            self.note(Entry { cost, ..entry }).await;
        }
        Report {
            epoch: done.epoch.0,
            since: done.since,
            done: true,
            first_signed: Some(done.first_signed),
            took_ms: Some(swapped_ms.saturating_add(signed_ms)),
            cost,
            ..would(plan.clone())
        }
    }

    /// What the chain shows of our votes at these heights, once it shows them all.
    async fn cost(&self, (from_height, to_height): (u64, u64)) -> Cost {
        let mut cost = Cost { from_height, to_height, missed: 0, nil: 0 };
        for height in from_height..=to_height {
            loop {
                // Canonical: it stands in the next block, so that nothing is added to it any more.
                match self.node.commit(Height(height)).await {
                    Ok(commit) if commit.canonical => {
                        match commit.vote(&self.validator) {
                            Vote::Absent => cost.missed = cost.missed.saturating_add(1),
                            Vote::Nil => cost.nil = cost.nil.saturating_add(1),
                            Vote::Block => {}
                        }
                        break;
                    }
                    _ => sleep(COST_POLL).await,
                }
            }
        }
        cost
    }

    /// The history is for people: a switch that is not noted was made all the same.
    async fn note(&self, mut entry: Entry) {
        entry.by = who();
        entry.reason.clone_from(&self.common.reason);
        if let Err(error) = self.history.change(|history| history.tell(entry.clone())).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "not noted in the history");
        }
    }

    fn tell(&self, report: &Report) -> Result<Ending> {
        match self.common.output {
            Output::Json => output::json(report)?,
            Output::Text => output::text(&text(report))?,
        }
        Ok(if report.trouble.is_some() { Ending::Degraded } else { Ending::Fine })
    }
}

fn would(plan: SwitchPlan) -> Report {
    Report {
        schema: "beam.switchover/1",
        how: plan.how,
        done: false,
        from: plan.from,
        to: plan.to,
        epoch: plan.epoch.0,
        since: plan.mark,
        first_signed: None,
        took_ms: None,
        cost: None,
        trouble: None,
    }
}

fn entry(plan: &SwitchPlan, epoch: u64, since: Mark) -> Entry {
    Entry {
        epoch: beam_core::signing::Epoch(epoch),
        how: plan.how,
        at_ms: now_ms(),
        from: plan.from.clone(),
        to: plan.to.clone(),
        was: Some(plan.mark),
        since,
        waited_ms: None,
        swapped_ms: None,
        signed_ms: None,
        cost: None,
        by: String::new(),
        reason: String::new(),
    }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    let Report { to, epoch, since, .. } = report;
    let from = report.from.as_deref().unwrap_or("nobody");
    let verb = if report.how == Handover::Failover { "failed over" } else { "switched" };
    match (report.done, report.first_signed, report.took_ms, &report.trouble) {
        (false, ..) if report.how == Handover::Failover => {
            push_line!(out, "would fail over from {from} to {to}, ready or not (epoch {epoch} now)");
        }
        (false, ..) => {
            push_line!(out, "would switch from {from} to {to}, which is ready (epoch {epoch} now)")
        }
        (true, Some(first), Some(took), None) => push_line!(
            out,
            "{verb} from {from} to {to} (epoch {epoch}, since {since}); it first signed at {first}, {took} ms later"
        ),
        (true, .., trouble) => push_line!(
            out,
            "{verb} from {from} to {to} (epoch {epoch}): {}",
            trouble.as_deref().unwrap_or("what came of it is not known")
        ),
    }
    match report.cost {
        Some(Cost { from_height, to_height, missed, nil }) => {
            push_line!(
                out,
                "the chain shows {missed} missed and {nil} nil at heights {from_height} to {to_height}"
            );
        }
        None if report.done => push_line!(out, "what it cost is not known yet: `beam history` will tell"),
        None => {}
    }
    out
}
