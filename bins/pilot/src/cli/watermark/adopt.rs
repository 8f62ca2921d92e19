//! `beam watermark adopt`: a person lets this machine go on with a register that was put back.
//!
//! Decided by `beam_core::signing::adopt`. The register is written first, then the floor: a crash in between leaves a machine that
//! still refuses, or accepts what it would have accepted anyway, and the verb can be run again.
//!
//! A register that was put back counts its versions again. A write of a pilot that was stopped a moment ago may still be on its way,
//! and might find just the version that it expects: not the one that was read, but the one after. So the verb waits until all
//! such writes are over ([`LATE_WRITES_ARE_OVER_AFTER`]), and only then writes over what it read before.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use beam_core::floor_store::FloorStore as _;
use beam_core::id::Lineage;
use beam_core::register::{SwapError, Version};
use beam_core::signing::{Above, Adoption, Floor, Height, Known, Mark, Record, Unsure, Wish, adopt};
use beam_gaia::floor_file::FloorFile;
use beam_gaia::rpc::ValidatorAddress;
use serde::Serialize;

use super::evidence;
use super::proof::Proof;
use super::{Chain, Ending, Output, output};
use crate::assemble::{self, Shared};
use crate::cli::WrongUse;
use crate::cli::output::push_line;
use crate::config::Config;

/// Several times as long as a signer waits for the register (a second) and a store's own bound on one call.
const LATE_WRITES_ARE_OVER_AFTER: Duration = Duration::from_secs(4);

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    done: bool,
    record: String,
    /// `accepted`: nothing had to be done. `repinned`: this machine's floor. `raised`: the register, and this machine's floor.
    action: &'static str,
    /// What this machine found wrong with the register.
    found: &'static str,
    lineage: Lineage,
    floor_lineage: Option<Lineage>,
    mark_before: Mark,
    mark: Mark,
    epoch: u64,
    /// Machines that noted themselves while we looked: pilots that run.
    running: Vec<String>,
    proof: Proof,
}

pub(super) async fn run(config: &Config, at_least: Option<u64>, yes: bool, chain: Chain) -> Result<Ending> {
    if chain.offline && at_least.is_none() {
        bail!(WrongUse(
            "--offline needs --at-least HEIGHT, above everything that this key may have signed".to_owned()
        ));
    }
    // Held until the end: no pilot of this machine can start meanwhile.
    let floor_file = FloorFile::open(config.own("floor"))
        .context("this machine's pilot must be stopped first (systemctl stop beam); nothing was changed")?;
    let floor = floor_file.load().await?;
    let shared = assemble::shared(config).await?;
    let before = shared.roster().read().await.unwrap_or_default();
    // The chain before the register: what a healthy register's owner signs meanwhile is then in the register too.
    let mut proof = gather(config, &chain).await?;
    let after = shared.roster().read().await.unwrap_or_default();
    let noted = after.members.iter().filter(|(name, member)| before.members.get(*name) != Some(member));
    let running = noted.map(|(name, _)| name.clone()).collect();

    let (version, record) = read(&shared).await?;
    proof.floor = floor.as_ref().map(|floor| floor.mark);
    proof.register = Some(record.mark);
    let adoption = decide(&record, floor.as_ref(), &proof, at_least, &chain)?;
    let report = report(&shared, &record, floor.as_ref(), &adoption, proof, running, &chain);
    if chain.output == Output::Text || !chain.dry_run {
        explain(&report);
    }
    if adoption != Adoption::Accepted && !chain.dry_run {
        confirm(&report, yes)?;
        carry_out(&shared, &floor_file, version, adoption).await?;
    }
    match chain.output {
        Output::Json => output::json(&report)?,
        Output::Text => output::text(&conclusion(&report, chain.dry_run))?,
    }
    Ok(Ending::Fine)
}

async fn gather(config: &Config, chain: &Chain) -> Result<Proof> {
    let mut proof = Proof { files: evidence::files(config, &[], None)?, ..Proof::default() };
    if chain.offline {
        proof.chain_unknown = Some("--offline".to_owned());
        return Ok(proof);
    }
    let validator: ValidatorAddress = assemble::validator(config)?.parse()?;
    let view = evidence::chain(config, chain.rpc.as_deref(), &validator).await.context(
        "the chain must be asked: give --rpc URL of a node that follows it (this machine's own is stopped), or --offline and \
         --at-least HEIGHT; nothing was changed",
    )?;
    proof.chain = Some(view);
    Ok(proof)
}

async fn read(shared: &Shared) -> Result<(Version, Record)> {
    let cell = shared.register.read(&shared.cells.signing).await?;
    let cell = cell.context(
        "the register has no record to adopt; `beam watermark init` or `import` makes one, above this machine's floor",
    )?;
    Ok((
        cell.version,
        Record::decode(&cell.value).context("the register's record is damaged; nothing was changed")?,
    ))
}

fn decide(
    record: &Record,
    floor: Option<&Floor>,
    proof: &Proof,
    at_least: Option<u64>,
    chain: &Chain,
) -> Result<Adoption> {
    let remembered = proof.remembered();
    let known = Known { remembered: &remembered, tip: proof.tip() };
    let wish = at_least.map_or(Wish::Lowest, |height| Wish::AtLeast(Height(height)));
    let safe = known.begin_at(wish, chain.accept_ahead).map_err(|unsure| {
        let what =
            if matches!(unsure, Unsure::FarAhead { .. }) { "; --accept-ahead if it is meant" } else { "" };
        anyhow::anyhow!("{unsure}{what}. Nothing was changed. What is known:\n{}", proof.table().trim_end())
    })?;
    let files = proof.files.iter().filter_map(|file| file.mark);
    let seen = proof.chain.as_ref().and_then(|chain| chain.our_last_vote).into_iter().chain(files).max();
    let raise = at_least.is_some_and(|height| Mark::end_of(Height(height)) > record.mark);
    adopt(record, floor, seen, safe, raise).context("the register's epochs have run out")
}

fn report(
    shared: &Shared,
    record: &Record,
    floor: Option<&Floor>,
    adoption: &Adoption,
    proof: Proof,
    running: Vec<String>,
    chain: &Chain,
) -> Report {
    let (action, mark, epoch) = match adoption {
        Adoption::Accepted => ("accepted", record.mark, record.epoch),
        Adoption::Repin(_) => ("repinned", record.mark, record.epoch),
        Adoption::Raise(raised) => ("raised", raised.mark, raised.epoch),
    };
    let found = match floor.map(|floor| floor.compare(record)) {
        None => "no floor on this machine",
        Some(Above::Higher | Above::Same) => "the register is not below this machine's floor",
        Some(Above::PutBack) => {
            "the register was put back: it is below this machine's floor, or went another way"
        }
        Some(Above::OtherLineage) => "the register's record was made anew: it has another lineage",
    };
    Report {
        schema: "beam.watermark.adopt/1",
        done: !chain.dry_run,
        record: shared.cells.signing.to_string(),
        action,
        found,
        lineage: record.lineage,
        floor_lineage: floor.map(|floor| floor.lineage),
        mark_before: record.mark,
        mark,
        epoch: epoch.0,
        running,
        proof,
    }
}

/// To stderr: it is read before the answer, and is no result.
fn explain(report: &Report) {
    eprintln!("record   {}", report.record);
    eprintln!("found    {}", report.found);
    eprintln!("lineage  {} in the register", report.lineage);
    eprintln!(
        "         {} in this machine's floor",
        report.floor_lineage.map_or_else(|| "none".to_owned(), |l| l.to_string())
    );
    eprint!("{}", report.proof.table());
    if !report.running.is_empty() {
        eprintln!("WARNING  these pilots run: {}. Stop them first", report.running.join(", "));
    }
}

fn confirm(report: &Report, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    ensure!(
        std::io::stdin().is_terminal(),
        "nobody is there to confirm; give --yes and --at-least HEIGHT (here {}). Nothing was changed",
        report.mark.height
    );
    eprintln!();
    eprintln!(
        "Everything up to and including height {} will count as signed; this cannot be taken back.",
        report.mark.height
    );
    eprint!(
        "If all pilots of this validator are stopped and you know why the register went back, type {}: ",
        report.mark.height
    );
    std::io::stderr().flush()?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    if typed.trim() != report.mark.height.to_string() {
        bail!("not confirmed; nothing was changed");
    }
    Ok(())
}

async fn carry_out(shared: &Shared, file: &FloorFile, version: Version, adoption: Adoption) -> Result<()> {
    let floor = match adoption {
        Adoption::Accepted => return Ok(()),
        Adoption::Repin(floor) => floor,
        Adoption::Raise(record) => {
            tokio::time::sleep(LATE_WRITES_ARE_OVER_AFTER).await;
            let value = record.encode();
            match shared.register.swap(&shared.cells.signing, Some(version), value.clone()).await {
                Ok(_) => {}
                Err(SwapError::Conflict { current: Some(cell) }) if cell.value == value => {}
                Err(SwapError::Conflict { .. }) => {
                    bail!(
                        "somebody wrote to the register meanwhile: stop every pilot and run this again. Nothing was changed"
                    )
                }
                Err(error) => {
                    return Err(error).context("the register may not have been raised; run this again");
                }
            }
            Floor::of(&record)
        }
    };
    file.replace(floor)
        .await
        .context("the register was written, and this machine's floor was not: run this again")
}

fn conclusion(report: &Report, dry_run: bool) -> String {
    let mut out = String::new();
    let would = if dry_run { "would be " } else { "" };
    match report.action {
        "accepted" => push_line!(
            out,
            "this machine accepts the register as it is (at {}); nothing to adopt",
            report.mark.in_words()
        ),
        "repinned" => push_line!(
            out,
            "this machine's floor {would}pinned to the register's lineage, at {}",
            report.mark.in_words()
        ),
        _ => push_line!(
            out,
            "the register {would}raised from {} to {}, epoch {}, owned by nobody",
            report.mark_before.in_words(),
            report.mark.in_words(),
            report.epoch
        ),
    }
    if report.action != "accepted" && !dry_run {
        push_line!(out, "next: `beam watermark adopt` on every other machine, then start the pilots again");
    }
    out
}
