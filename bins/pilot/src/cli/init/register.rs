//! Which register it shall be, and what must be asked of AWS before node.toml can name a table.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use beam_aws::dynamodb::region_of_environment;

use super::Args;
use crate::assemble::register::{create_table, dollars_a_month, open_table};
use crate::cli::WrongUse;
use crate::config::{Answers, DynamoDb, RegisterAnswer};

/// What `--register` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Table { table: String, region: Option<String> },
}

/// What the month's price is told for: the blocks of the Cosmos Hub.
const BLOCK_TIME: Duration = Duration::from_secs(6);

/// How a table is told from a file.
const SCHEME: &str = "dynamodb:";

pub(super) fn parse(text: &str) -> Result<Place, String> {
    let Some(rest) = text.strip_prefix(SCHEME) else { return Ok(Place::File(text.into())) };
    let (table, region) = match rest.split_once('@') {
        Some((table, region)) => (table, Some(region.to_owned())),
        None => (rest, None),
    };
    if table.is_empty() || region.as_deref().is_some_and(str::is_empty) {
        return Err(format!("{text:?}: say {SCHEME}TABLE or {SCHEME}TABLE@REGION"));
    }
    Ok(Place::Table { table: table.to_owned(), region })
}

/// The table, if it shall be one.
fn table(found: &mut Answers) -> Option<&mut DynamoDb> {
    match &mut found.signer.as_mut()?.register {
        RegisterAnswer::DynamoDb(table) => Some(table),
        RegisterAnswer::Sqlite(_) => None,
    }
}

/// Finds the table's region, if it was not said.
pub(super) async fn find_region(found: &mut Answers, args: &Args) -> Result<()> {
    let Some(table) = table(found) else {
        let idle = [
            ("--create-table", args.create_table),
            ("--register-endpoint", args.register_endpoint.is_some()),
        ];
        return match idle.iter().find(|(_, said)| *said) {
            Some((flag, _)) => Err(WrongUse(format!("{flag} goes with --register {SCHEME}TABLE")).into()),
            None => Ok(()),
        };
    };
    if table.region.is_empty() {
        let name = &table.table;
        let unknown = || {
            WrongUse(format!(
                "neither the environment nor this machine says which region: say --register {SCHEME}{name}@REGION"
            ))
        };
        table.region = region_of_environment().await.ok_or_else(unknown)?;
    }
    Ok(())
}

/// Finds the table's id, which is pinned from here on; makes the table first if that was asked for. Tells what was done, or
/// would be.
pub(super) async fn settle(found: &mut Answers, args: &Args) -> Result<Vec<String>> {
    match table(found) {
        None => Ok(Vec::new()),
        Some(table) if args.create_table => make(table, args.dry_run).await,
        Some(table) => pin(table).await.map(|()| Vec::new()),
    }
}

async fn pin(table: &mut DynamoDb) -> Result<()> {
    let register =
        open_table(table).await.context("the register's table cannot be used; --create-table makes one")?;
    table.table_id.clone_from(&register.table().id);
    Ok(())
}

async fn make(table: &mut DynamoDb, dry_run: bool) -> Result<Vec<String>> {
    let DynamoDb { table: name, region, .. } = &*table;
    let what = format!(
        "the table {name} in {region}, billed by the request (about ${:.2} a month at blocks of 6 s, by the prices of us-east-1) and \
         protected from deletion",
        dollars_a_month(BLOCK_TIME)
    );
    if dry_run {
        return Ok(vec![format!("make {what}, unless it is there")]);
    }
    let register = create_table(table).await.context("the register's table could not be made")?;
    let said = format!("made {what}, or found it there");
    table.table_id.clone_from(&register.table().id);
    Ok(vec![said])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_told_from_a_file() {
        let table = |table: &str, region: Option<&str>| {
            Ok(Place::Table { table: table.to_owned(), region: region.map(str::to_owned) })
        };
        assert_eq!(parse("dynamodb:beam"), table("beam", None));
        assert_eq!(parse("dynamodb:beam@eu-central-1"), table("beam", Some("eu-central-1")));
        assert_eq!(parse("/var/lib/beam/register.db"), Ok(Place::File("/var/lib/beam/register.db".into())));
        assert_eq!(parse("./dynamodb:x"), Ok(Place::File("./dynamodb:x".into())));
        for wrong in ["dynamodb:", "dynamodb:@eu-central-1", "dynamodb:beam@"] {
            parse(wrong).unwrap_err();
        }
    }
}
