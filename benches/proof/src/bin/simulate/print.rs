//! Summaries and failures, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use beam_core::sim::{Cost, Fault, Run, Summary, When};
use serde_json::{Value, json};

use crate::args::Args;
use crate::many::Task;

/// How many failures are told in full.
pub(crate) const STORIES_MAX: usize = 3;

/// How many are named.
const FAILED_MAX: usize = 100;

/// How much of a failure's story is told.
const LINES_MAX: usize = 60;

const MICROS: f64 = 1e6;
const YEAR: f64 = 365.25 * 24.0 * 3600.0;

macro_rules! push {
    ($out:ident, $($words:tt)*) => {
        // Writing to a string does not fail.
        let _ = writeln!($out, $($words)*);
    };
}

fn seconds(micros: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "for people: 15 digits are enough")]
    let micros = micros as f64;
    micros / MICROS
}

fn rate(count: u64, took: Duration) -> f64 {
    seconds(count) * MICROS / took.as_secs_f64().max(1e-3)
}

pub(crate) fn text(summary: &Summary, args: &Args, took: Duration) -> String {
    let mut out = String::new();
    let virtual_seconds = seconds(summary.counts.virtual_micros);
    let what = if args.sweep { "each fault at each point" } else { "faults as the seeds draw them" };
    push!(out, "runs            {} from seed {} on, {what}", summary.runs, args.first);
    push!(out, "went wrong      {}", summary.failed.len());
    for (seed, what) in summary.failed.iter().take(FAILED_MAX) {
        push!(out, "  seed {seed:<10} {what}");
    }
    push!(out, "virtual time    {virtual_seconds:.0} s, {:.3} years", virtual_seconds / YEAR);
    push!(out, "events          {}", summary.counts.events);
    push!(
        out,
        "heights         {}, {} of them not in the first round",
        summary.counts.heights,
        summary.counts.later_rounds
    );
    push!(
        out,
        "signatures      {} made, {} given to nodes",
        summary.counts.signatures,
        summary.counts.released
    );
    push!(
        out,
        "takeovers       {}, and {} handovers by a person",
        summary.counts.takeovers,
        summary.counts.switchovers
    );
    push!(
        out,
        "locks           {} prevotes at a locked height, {} prevotes refused for another session's lock, {} for nil while locked",
        summary.counts.after_lock,
        summary.counts.locked,
        summary.counts.nil_while_locked
    );
    push!(out, "stops           {} (a register put back, a stranger)", summary.counts.halts);
    push!(
        out,
        "longest wait    {:.3} s for an answer, standing still included",
        seconds(summary.counts.longest_wait)
    );
    push!(
        out,
        "took            {:.1} s, {:.0} runs a second on {} thread(s)",
        took.as_secs_f64(),
        rate(summary.runs, took),
        args.threads
    );
    push!(out, "\nfaults that struck");
    for (fault, count) in &summary.struck {
        push!(out, "  {:<24} {count:>9}", fault.name());
    }
    costs(
        &mut out,
        "blocks missed by a fault that struck alone, on the machine that signs",
        &summary.alone_on_owner,
    );
    costs(&mut out, "blocks missed by a fault that struck alone, on any machine", &summary.alone);
    out
}

fn costs(out: &mut String, title: &str, costs: &BTreeMap<Fault, Cost>) {
    push!(out, "\n{title}");
    push!(
        out,
        "  {:<24} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7} {:>5} {:>7}",
        "",
        "runs",
        "0",
        "1",
        "2",
        "3",
        "more",
        "most",
        "nil"
    );
    for (fault, cost) in costs {
        let [none, one, two, three, more @ ..] = cost.missed;
        let more: u64 = more.iter().sum();
        push!(
            out,
            "  {:<24} {:>8} {none:>8} {one:>7} {two:>7} {three:>7} {more:>7} {:>5} {:>7}",
            fault.name(),
            cost.runs,
            cost.most,
            cost.nil
        );
    }
}

pub(crate) fn json(summary: &Summary, took: Duration) -> Value {
    let costs = |costs: &BTreeMap<Fault, Cost>| -> Value {
        let one = |(fault, cost): (&Fault, &Cost)| {
            let of = json!({"runs": cost.runs, "missed": cost.missed, "most": cost.most, "nil": cost.nil});
            (fault.name().to_owned(), of)
        };
        costs.iter().map(one).collect::<serde_json::Map<_, _>>().into()
    };
    let struck: serde_json::Map<_, _> =
        summary.struck.iter().map(|(fault, count)| (fault.name().to_owned(), json!(count))).collect();
    let failed: Vec<Value> =
        summary.failed.iter().map(|(seed, what)| json!({"seed": seed, "what": what})).collect();
    json!({
        "schema": "beam.simulate/1",
        "runs": summary.runs,
        "failed": failed,
        "virtual_seconds": seconds(summary.counts.virtual_micros),
        "events": summary.counts.events,
        "heights": summary.counts.heights,
        "later_rounds": summary.counts.later_rounds,
        "signatures": summary.counts.signatures,
        "released": summary.counts.released,
        "takeovers": summary.counts.takeovers,
        "switchovers": summary.counts.switchovers,
        "prevotes_after_lock": summary.counts.after_lock,
        "prevotes_refused_by_lock": summary.counts.locked,
        "nil_while_locked": summary.counts.nil_while_locked,
        "halts": summary.counts.halts,
        "longest_wait_seconds": seconds(summary.counts.longest_wait),
        "struck": struck,
        "alone_on_owner": costs(&summary.alone_on_owner),
        "alone": costs(&summary.alone),
        "took_seconds": took.as_secs_f64(),
    })
}

/// One run in a line.
pub(crate) fn line(run: &Run) -> String {
    let struck: Vec<&str> = run.struck.iter().map(|fault| fault.name()).collect();
    let end = run.violation.as_ref().map_or("fine", |violation| &violation.what);
    format!(
        "seed {}: {end}; {} heights in {:.1} s, {} missed, {} nil, faults: {}; digest {:016x}",
        run.seed,
        run.counts.heights,
        seconds(run.counts.virtual_micros),
        run.missed(),
        run.nil(),
        if struck.is_empty() { "none".to_owned() } else { struck.join(", ") },
        run.digest
    )
}

/// A failure: the command that repeats it, and the end of its story.
pub(crate) fn failure(run: &Run, task: &Task<'_>, args: &Args) -> String {
    let mut command = format!("cargo simulate --seed {}", task.seed);
    for strike in task.strike.iter().chain(&args.strike) {
        let _ = match strike.when {
            When::Point(point) => write!(command, " --strike {}@{point}", strike.fault.name()),
            When::At(at) => write!(command, " --strike {}@{:.6}s", strike.fault.name(), seconds(at)),
        };
    }
    if let Some(mistake) = args.mistake {
        let _ = write!(command, " --mistake {}", mistake.name());
    }
    if let Some(machines) = args.machines {
        let _ = write!(command, " --machines {machines}");
    }
    let lines: Vec<&str> = run.story.lines().collect();
    let mut out = String::new();
    push!(out, "\nWRONG: {}\nrepeat it with: {command} --trace", line(run));
    for line in lines.iter().skip(lines.len().saturating_sub(LINES_MAX)) {
        push!(out, "{line}");
    }
    out
}
