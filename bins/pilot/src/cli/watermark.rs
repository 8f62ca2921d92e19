//! `beam watermark`: making the register's record, and showing it.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use beam_core::id::Lineage;
use beam_core::register::{Register, SwapError};
use beam_core::signing::{Height, Mark, Record};
use beam_core::sqlite::SqliteRegister;
use serde::Serialize;

use super::{Ending, Output, output};
use crate::assemble;
use crate::config::Config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Makes the record, once for a validator. Everything up to and including the height counts as signed.
    ///
    /// Give the highest height at which this key may ever have signed anything: the chain's newest height if it was ever
    /// a validator, 0 if it never was.
    Init {
        /// The highest height that may have been signed.
        #[arg(long)]
        height: u64,
        /// Say what would be done, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Shows the record and this machine's floor.
    Show {
        /// How to write it.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

pub(super) async fn run(home: &Path, verb: Verb) -> Result<Ending> {
    let config = Config::load(home)?;
    match verb {
        Verb::Init { height, dry_run } => init(&config, Height(height), dry_run).await,
        Verb::Show { output } => show(&config, output).await,
    }
}

async fn init(config: &Config, height: Height, dry_run: bool) -> Result<Ending> {
    ensure!(height <= Height::MAX, "--height {height}: no chain gets that high");
    let keys = assemble::cells(config)?;
    if let Some(signed) = assemble::signed_by_node(config)? {
        ensure!(
            Mark::end_of(height) >= signed,
            "the node's own state file says that it signed at {signed}; --height must be at least {}",
            signed.height
        );
    }
    let record = Record::begin(Lineage::from_random(assemble::random()?), Mark::end_of(height));
    let path = config.register()?.sqlite.display();
    if dry_run {
        println!(
            "would make the record {} in {path}: everything up to height {height} counts as signed",
            keys.signing
        );
        return Ok(Ending::Fine);
    }
    let register = SqliteRegister::create(&config.register()?.sqlite)
        .await
        .with_context(|| format!("the register {path} could not be made"))?;
    match register.swap(&keys.signing, None, record.encode()).await {
        Ok(_) => {
            println!("made the record {} in {path}", keys.signing);
            println!("everything up to and including height {height} counts as signed");
            Ok(Ending::Fine)
        }
        Err(SwapError::Conflict { current }) => {
            let mark = current.and_then(|cell| Record::decode(&cell.value).ok()).map(|record| record.mark);
            let mark = mark.map_or_else(|| "unreadable".to_owned(), |mark| format!("at {}", mark.in_words()));
            bail!("there is a record already ({mark}); it is not replaced. Nothing was changed");
        }
        Err(error) => Err(error).context("the record may not have been made; `beam watermark show` tells"),
    }
}

#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    key: String,
    lineage: Lineage,
    mark: Mark,
    epoch: u64,
    owner: Option<String>,
    owner_name: Option<String>,
    since: Mark,
    handover: beam_core::signing::Handover,
    lock: Option<String>,
    floor: Option<Mark>,
}

async fn show(config: &Config, format: Output) -> Result<Ending> {
    let shared = assemble::shared(config).await?;
    let record = shared.record().await?;
    let roster = shared.roster().read().await.unwrap_or_default();
    let floor = assemble::peek_floor(config)?;
    let shown = Shown {
        schema: "beam.watermark/1",
        key: shared.cells.signing.to_string(),
        lineage: record.lineage,
        mark: record.mark,
        epoch: record.epoch.0,
        owner: record.owner.map(|owner| owner.to_string()),
        owner_name: record.owner.and_then(|owner| roster.name_of(owner)).map(str::to_owned),
        since: record.since,
        handover: record.handover,
        lock: record.lock.map(|lock| format!("{}/{} by {}", lock.height, lock.round, lock.session)),
        floor: floor.map(|floor| floor.mark),
    };
    if format == Output::Json {
        output::json(&shown)?;
        return Ok(Ending::Fine);
    }
    let dash = || "-".to_owned();
    println!("record   {}", shown.key);
    println!("mark     {}", shown.mark.in_words());
    println!("epoch    {} since {} ({})", shown.epoch, shown.since.in_words(), shown.handover);
    println!("owner    {} {}", shown.owner_name.unwrap_or_else(dash), shown.owner.unwrap_or_default());
    println!("lock     {}", shown.lock.unwrap_or_else(dash));
    println!("lineage  {}", shown.lineage);
    println!("floor    {}", shown.floor.map_or_else(dash, |mark| mark.in_words()));
    Ok(Ending::Fine)
}
