//! The register, read once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use beam_core::signing::Record;
use beam_core::sqlite::{FileSystem, SqliteRegister};

use super::super::facts::{Fact, RegisterFacts};
use super::in_full;
use crate::assemble::{self, Shared};
use crate::config::Config;

pub(super) async fn look(config: &Config) -> RegisterFacts {
    let nothing = |why: &str| RegisterFacts {
        read: Err(why.to_owned()),
        in_memory: in_memory(config),
        mark: Err("the register was not read".to_owned()),
        above: Err("the register was not read".to_owned()),
        doubled: Vec::new(),
    };
    match read(config).await {
        Ok(facts) => facts,
        Err(why) => nothing(&why),
    }
}

async fn read(config: &Config) -> Fact<RegisterFacts> {
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
    Ok(RegisterFacts { read: Ok(took), in_memory: in_memory(config), mark, above, doubled })
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
