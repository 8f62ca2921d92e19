//! The register, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use beam_core::id::SignerId;
use beam_core::runtime::RosterCell;
use beam_core::signing::Record;
use beam_core::sqlite::{FileSystem, SqliteRegister};

use super::super::facts::{Fact, RegisterFacts};
use super::in_full;
use crate::assemble::{self, Shared};
use crate::config::Config;

/// Each pilot notes itself with every block: long enough for one block of 6 s.
const WATCHED_FOR: Duration = Duration::from_secs(7);
const POLL_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn look(config: &Config, pilot_runs: bool) -> RegisterFacts {
    let nothing = |why: &str| RegisterFacts {
        read: Err(why.to_owned()),
        in_memory: in_memory(config),
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
    let path = &config.register().map_err(|error| format!("{error:#}"))?.sqlite;
    let register = Arc::new(SqliteRegister::open(path).await.map_err(|error| in_full(&error))?);
    let cells = assemble::cells(config)
        .map_err(|error| format!("which cell is not known without the key: {error:#}"))?;
    let shared = Shared { register, cells };
    let since = Instant::now();
    let cell = shared.register.read(&shared.cells.signing).await.map_err(|error| in_full(&error))?;
    let took = since.elapsed();
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
    Ok(RegisterFacts { read: Ok(took), in_memory: in_memory(config), mark, above, doubled, contended })
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

fn in_memory(config: &Config) -> Fact<bool> {
    let path = &config.register().map_err(|error| format!("{error:#}"))?.sqlite;
    let found = rustix::fs::statfs(path).map_err(|error| format!("{}: {error}", path.display()))?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the magic is the low 32 bits"
    )]
    let magic = found.f_type as u32;
    Ok(FileSystem::from_magic(magic) == FileSystem::Memory)
}
