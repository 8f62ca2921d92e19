//! `beam watermark show`: the record and this machine's floor.

use anyhow::Result;
use beam_core::id::Lineage;
use beam_core::signing::Mark;
use serde::Serialize;

use super::{Ending, Output, output};
use crate::assemble;
use crate::cli::output::push_line;
use crate::config::Config;

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

pub(super) async fn run(config: &Config, format: Output) -> Result<Ending> {
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
    match format {
        Output::Json => output::json(&shown)?,
        Output::Text => output::text(&text(shown))?,
    }
    Ok(Ending::Fine)
}

fn text(shown: Shown) -> String {
    let (dash, mut out) = (|| "-".to_owned(), String::new());
    push_line!(out, "record   {}", shown.key);
    push_line!(out, "mark     {}", shown.mark.in_words());
    push_line!(out, "epoch    {} since {} ({})", shown.epoch, shown.since.in_words(), shown.handover);
    push_line!(out, "owner    {} {}", shown.owner_name.unwrap_or_else(dash), shown.owner.unwrap_or_default());
    push_line!(out, "lock     {}", shown.lock.unwrap_or_else(dash));
    push_line!(out, "lineage  {}", shown.lineage);
    push_line!(out, "floor    {}", shown.floor.map_or_else(dash, |mark| mark.in_words()));
    out
}
