//! `--table`: the README's rows, from results that were kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use beam_benches::stats::Sorted;
use serde_json::Value;

use crate::rows::{self, Cost};

/// Blocks of files that do not say it: what the program measured with unless it was told otherwise.
const BLOCK_TIME_MS: u64 = 1_000;

/// Prints the table of all faults in the files.
///
/// # Errors
/// When a file cannot be read, or no fault is in any of them.
pub(crate) fn print(files: &[PathBuf]) -> Result<()> {
    let mut costs = Vec::new();
    let (mut judged, mut conflicts, mut stopped) = (0_u64, 0_usize, Vec::new());
    for file in files {
        let lines = lines(file)?;
        let block_time = block_time(&lines);
        for line in lines {
            costs.extend(Cost::of(&line, block_time).with_context(|| file.display().to_string())?);
            stopped.extend(line.get("stopped_ms").and_then(Value::as_u64));
            if line.get("schema").is_some() {
                let signatures = line.get("signatures").and_then(Value::as_object);
                let signatures = signatures.into_iter().flat_map(|by| by.values()).filter_map(Value::as_u64);
                judged = judged.saturating_add(signatures.sum());
                let found = ["conflicts", "evidence"]
                    .map(|key| line.get(key).and_then(Value::as_array).map_or(0, Vec::len));
                conflicts = conflicts.saturating_add(found.iter().sum());
            }
        }
    }
    ensure!(!costs.is_empty() || !stopped.is_empty(), "there is no fault in these files");
    println!("{}", rows::table(&costs));
    if !stopped.is_empty() {
        let (n, took) = (stopped.len(), rows::three(&Sorted::new(stopped)));
        println!(
            "a stranger with the key: n = {n}, Beam stopped and said so after {took} ms (median / p99 / max)"
        );
    }
    println!(
        "{} faults; {judged} signatures judged, {conflicts} conflicts and pieces of evidence",
        costs.len()
    );
    Ok(())
}

/// Of a file whose lines do not each say it: a summary did at all times.
fn block_time(lines: &[Value]) -> u64 {
    lines.iter().find_map(|line| line.get("block_time_ms").and_then(Value::as_u64)).unwrap_or(BLOCK_TIME_MS)
}

fn lines(file: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let whole = |(number, line): (usize, &str)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}, line {}", file.display(), number.saturating_add(1)))
    };
    text.lines().enumerate().map(whole).collect()
}
