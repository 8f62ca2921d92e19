//! `cargo mistakes`: shows the proofs deliberate mistakes, which they must catch.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use beam_proof::mistakes::{self, Copy, Mistake, Proof};
use clap::Parser;

/// Shows the proofs deliberate mistakes in the signing rule, one at a time, each of which they must catch.
///
/// Exit code 0: all were caught by every proof that must. 1: one was not. 2: wrong use, or a mistake that does not fit the source any more.
#[derive(Debug, Parser)]
#[command(name = "cargo mistakes", bin_name = "cargo mistakes", max_term_width = 100)]
struct Args {
    /// The smallest bounds that show each mistake, instead of the quick preset.
    #[arg(long)]
    quick: bool,
    /// Show them to the signing machine's own tests as well, whether or not these must catch them, if they are
    /// made in `beam-core`.
    #[arg(long)]
    tests: bool,
    /// Only mistakes whose name has this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Say what they are, and do nothing.
    #[arg(long)]
    list: bool,
}

struct Row {
    mistake: String,
    proof: &'static str,
    result: String,
    after: String,
    seconds: f64,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("there is no root")?;
    let mut all = mistakes::all(&root.join("benches/proof/mistakes"))?;
    if let Some(only) = &args.only {
        all.retain(|mistake| mistake.name.contains(only.as_str()));
    }
    if args.list {
        for Mistake { name, rule, danger, .. } in &all {
            writeln!(io::stdout(), "{name} (rule {rule})\n  {danger}")?;
        }
        return Ok(true);
    }
    let copy = Copy::make(root, &target().join("mistakes"))?;
    let (mut rows, mut survived) = (Vec::new(), 0_usize);
    for mistake in &all {
        let found = show(args, &copy, mistake, &mut rows);
        copy.mend(mistake)?;
        survived += found.with_context(|| mistake.name.clone())?;
    }
    print(&rows, survived)?;
    Ok(survived == 0)
}

/// Shows one mistake to its proofs; how many that must catch it do not.
fn show(args: &Args, copy: &Copy, mistake: &Mistake, rows: &mut Vec<Row>) -> anyhow::Result<usize> {
    copy.commit(mistake)?;
    // A mistake made around the signing machine is none that its own tests could see.
    let in_core = mistake.edit.iter().any(|edit| edit.file.starts_with("beam-core/"));
    let must = |proof: Proof| mistake.caught_by.contains(&proof);
    let mut survived = 0;
    for proof in [Proof::Model, Proof::Simulate, Proof::Tests] {
        let shown = must(proof) || (args.tests && proof == Proof::Tests && in_core);
        if !shown {
            continue;
        }
        let begun = Instant::now();
        let verdict = proof.run(copy, mistake, args.quick)?;
        survived += usize::from(must(proof) && verdict.caught.is_none());
        let result = verdict.caught.unwrap_or_else(|| "NOT CAUGHT".to_owned());
        let _ = writeln!(
            io::stderr(),
            "{} / {}: {result}, {:.0} s with the build",
            mistake.name,
            proof.name(),
            begun.elapsed().as_secs_f64()
        );
        let seconds = verdict.took.as_secs_f64();
        let (mistake, after) = (mistake.name.clone(), verdict.after);
        rows.push(Row { mistake, proof: proof.name(), result, after, seconds });
    }
    Ok(survived)
}

fn print(rows: &[Row], survived: usize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let width = rows.iter().map(|row| row.mistake.len()).max().unwrap_or_default();
    writeln!(out, "{:<width$}  {:<8}  {:>7}  {:<16}  what it broke", "mistake", "proof", "seconds", "after")?;
    for Row { mistake, proof, result, after, seconds } in rows {
        writeln!(out, "{mistake:<width$}  {proof:<8}  {seconds:>7.1}  {after:<16}  {result}")?;
    }
    match survived {
        0 => writeln!(out, "\nEvery mistake was caught by every proof that must catch it."),
        survived => writeln!(out, "\n{survived} NOT CAUGHT"),
    }
}

/// The target folder that this program was built in.
fn target() -> PathBuf {
    let own = std::env::current_exe().ok();
    let folder = own.as_deref().and_then(|own| own.ancestors().nth(2)).map(Path::to_owned);
    folder.unwrap_or_else(|| PathBuf::from("target"))
}
