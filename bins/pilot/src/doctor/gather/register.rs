//! The register, read and timed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use beam_core::id::SignerId;
use beam_core::runtime::RosterCell;
use beam_core::signing::Record;

use super::super::facts::{Fact, RegisterFacts};
use super::{in_full, latency};
use crate::assemble::{self, Shared};
use crate::config::Config;

/// Each pilot notes itself with every block: long enough for one block of 6 s.
const WATCHED_FOR: Duration = Duration::from_secs(7);
/// How many reads are timed: a second's worth where the register is slow.
const READS: usize = 20;
const POLL_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn look(config: &Config, pilot_runs: bool) -> RegisterFacts {
    let nothing = |why: &str| RegisterFacts {
        read: Err(why.to_owned()),
        ground: Err("the register was not opened".to_owned()),
        mark: Err("the register was not read".to_owned()),
        above: Err("the register was not read".to_owned()),
        doubled: Vec::new(),
        contended: Err("the register was not read".to_owned()),
    };
    match read(config, pilot_runs).await {
        Ok(facts) => facts,
        Err(why) => nothing(&why),
    }
}

async fn read(config: &Config, pilot_runs: bool) -> Fact<RegisterFacts> {
    let (register, ground) =
        assemble::register::inspect(config).await.map_err(|error| format!("{error:#}"))?;
    let cells = assemble::cells(config)
        .map_err(|error| format!("which cell is not known without the key: {error:#}"))?;
    let shared = Shared { register, cells };
    let cell = shared.register.read(&shared.cells.signing).await.map_err(|error| in_full(&error))?;
    let took = assemble::register::time_reads(&*shared.register, &shared.cells.signing, READS).await;
    let read = latency(took.map_err(|error| format!("{error:#}"))?);
    let record =
        cell.map(|cell| Record::decode(&cell.value)).transpose().map_err(|error| format!("damaged: {error}"));
    let floor = assemble::peek_floor(config).map_err(|error| format!("{error:#}"));
    let above = match (&record, floor) {
        (Ok(Some(record)), Ok(floor)) => Ok(floor.map(|floor| floor.compare(record))),
        (Ok(None), Ok(_)) => Err("there is no record to compare with".to_owned()),
        (Err(why), _) => Err(why.clone()),
        (_, Err(why)) => Err(why),
    };
    let roster = shared.roster().read().await.unwrap_or_default();
    let mut by_signer: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (name, member) in &roster.members {
        by_signer.entry(member.signer).or_default().push(name);
    }
    let doubled = by_signer.values().filter(|names| names.len() > 1).map(|names| names.join(" = ")).collect();
    let mark = record.map(|record| record.map(|record| record.mark));
    let contended = if pilot_runs {
        Ok(contended(&shared.roster()).await)
    } else {
        Err("the pilot does not run, so nobody notes itself".to_owned())
    };
    Ok(RegisterFacts { read, ground: Ok(ground), mark, above, doubled, contended })
}

/// Names under which more than one signer notes itself: two machines have one name.
async fn contended(roster: &RosterCell) -> Vec<String> {
    let mut signers: BTreeMap<String, BTreeSet<SignerId>> = BTreeMap::new();
    let until = Instant::now() + WATCHED_FOR;
    while Instant::now() < until {
        let seen = roster.read().await.unwrap_or_default();
        for (name, member) in seen.members {
            signers.entry(name).or_default().insert(member.signer);
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
    signers.into_iter().filter(|(_, signers)| signers.len() > 1).map(|(name, _)| name).collect()
}
