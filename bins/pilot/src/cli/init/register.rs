//! Which register it shall be, and what must be asked of AWS before node.toml can name a table or a bucket.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use beam_aws::access::region_of_environment;
use beam_aws::s3::account_of_environment;

use super::Args;
use crate::assemble::register::{
    create_bucket, create_table, dollars_of_bucket, dollars_of_table, look_at_bucket, open_bucket, open_table,
};
use crate::cli::WrongUse;
use crate::config::{Answers, DynamoDb, RegisterAnswer, S3};

/// What `--register` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Table { table: String, region: Option<String> },
    Bucket { bucket: String, prefix: Option<String>, region: Option<String> },
}

/// What the month's price is told for: the blocks of the Cosmos Hub.
const BLOCK_TIME: Duration = Duration::from_secs(6);

/// How a table is told from a file.
const TABLE: &str = "dynamodb:";
/// How a bucket is.
const BUCKET: &str = "s3:";

pub(super) fn parse(text: &str) -> Result<Place, String> {
    let (scheme, rest) = match (text.strip_prefix(TABLE), text.strip_prefix(BUCKET)) {
        (Some(rest), _) => (TABLE, rest),
        (None, Some(rest)) => (BUCKET, rest),
        (None, None) => return Ok(Place::File(text.into())),
    };
    let (name, region) = match rest.split_once('@') {
        Some((name, region)) => (name, Some(region.to_owned())),
        None => (rest, None),
    };
    let (bucket, prefix) = match name.split_once('/') {
        // As people write folders, with the slash at the end or without.
        Some((bucket, prefix)) => (bucket, Some(format!("{}/", prefix.trim_end_matches('/')))),
        None => (name, None),
    };
    let empty = prefix.as_deref() == Some("/") || region.as_deref().is_some_and(str::is_empty);
    match scheme {
        TABLE if !name.is_empty() && !empty => Ok(Place::Table { table: name.to_owned(), region }),
        BUCKET if !bucket.is_empty() && !empty => {
            Ok(Place::Bucket { bucket: bucket.to_owned(), prefix, region })
        }
        TABLE => Err(format!("{text:?}: say {TABLE}TABLE or {TABLE}TABLE@REGION")),
        _ => Err(format!(
            "{text:?}: say {BUCKET}BUCKET, {BUCKET}BUCKET@REGION or {BUCKET}BUCKET/PREFIX@REGION"
        )),
    }
}

/// Flags that only one kind of register has a use for must not be said for another.
fn no_idle_flags(register: Option<&RegisterAnswer>, args: &Args) -> Result<(), WrongUse> {
    let (table, bucket) = match register {
        Some(RegisterAnswer::DynamoDb(_)) => (true, false),
        Some(RegisterAnswer::S3(_)) => (false, true),
        Some(RegisterAnswer::Sqlite(_)) | None => (false, false),
    };
    let flags = [
        ("--create-table", args.create_table, table, format!("{TABLE}TABLE")),
        ("--create-bucket", args.create_bucket, bucket, format!("{BUCKET}BUCKET")),
        ("--bucket-owner", args.bucket_owner.is_some(), bucket, format!("{BUCKET}BUCKET")),
        (
            "--register-endpoint",
            args.register_endpoint.is_some(),
            table || bucket,
            format!("{TABLE}TABLE or {BUCKET}BUCKET"),
        ),
    ];
    match flags.into_iter().find(|(_, said, used, _)| *said && !used) {
        Some((flag, _, _, with)) => Err(WrongUse(format!("{flag} goes with --register {with}"))),
        None => Ok(()),
    }
}

/// Finds what was not said: the region of a table or bucket, and the account of a bucket.
pub(super) async fn find_rest(found: &mut Answers, args: &Args) -> Result<()> {
    let mut register = found.signer.as_mut().map(|signer| &mut signer.register);
    no_idle_flags(register.as_deref(), args)?;
    match &mut register {
        Some(RegisterAnswer::DynamoDb(table)) => find_region(&mut table.region, TABLE, &table.table).await,
        Some(RegisterAnswer::S3(bucket)) => {
            find_region(&mut bucket.region, BUCKET, &bucket.bucket).await?;
            if bucket.owner.is_empty() {
                let account = account_of_environment(&bucket.region).await;
                bucket.owner = account
                    .context("say --bucket-owner: which account the credentials are of is not known")?;
            }
            Ok(())
        }
        Some(RegisterAnswer::Sqlite(_)) | None => Ok(()),
    }
}

async fn find_region(region: &mut String, scheme: &str, name: &str) -> Result<()> {
    if region.is_empty() {
        let unknown = || {
            WrongUse(format!(
                "neither the environment nor this machine says which region: say --register {scheme}{name}@REGION"
            ))
        };
        *region = region_of_environment().await.ok_or_else(unknown)?;
    }
    Ok(())
}

/// Makes the table or bucket if that was asked for, and looks whether it can be used; finds the table's id, which is pinned from here
/// on. Tells what was done, or would be.
pub(super) async fn settle(found: &mut Answers, args: &Args) -> Result<Vec<String>> {
    match found.signer.as_mut().map(|signer| &mut signer.register) {
        Some(RegisterAnswer::DynamoDb(table)) if args.create_table => make_table(table, args.dry_run).await,
        Some(RegisterAnswer::DynamoDb(table)) => pin(table).await.map(|()| Vec::new()),
        Some(RegisterAnswer::S3(bucket)) => settle_bucket(bucket, args).await.map(|told| vec![told]),
        Some(RegisterAnswer::Sqlite(_)) | None => Ok(Vec::new()),
    }
}

async fn pin(table: &mut DynamoDb) -> Result<()> {
    let register =
        open_table(table).await.context("the register's table cannot be used; --create-table makes one")?;
    table.table_id.clone_from(&register.table().id);
    Ok(())
}

async fn make_table(table: &mut DynamoDb, dry_run: bool) -> Result<Vec<String>> {
    let DynamoDb { table: name, region, .. } = &*table;
    let what = format!(
        "the table {name} in {region}, billed by the request (about ${:.2} a month at blocks of 6 s, by the prices of us-east-1) and \
         protected from deletion",
        dollars_of_table(BLOCK_TIME)
    );
    if dry_run {
        return Ok(vec![format!("make {what}, unless it is there")]);
    }
    let register = create_table(table).await.context("the register's table could not be made")?;
    let said = format!("made {what}, or found it there");
    table.table_id.clone_from(&register.table().id);
    Ok(vec![said])
}

async fn settle_bucket(bucket: &S3, args: &Args) -> Result<String> {
    let S3 { bucket: name, region, owner, .. } = bucket;
    let what = format!(
        "the bucket {name} in {region} of account {owner} (its requests come to about ${:.2} a month at blocks of 6 s, by the prices of \
         us-east-1)",
        dollars_of_bucket(BLOCK_TIME)
    );
    let unusable = "the register's bucket cannot be used; --create-bucket makes one";
    Ok(match (args.create_bucket, args.dry_run) {
        (true, true) => format!("make {what}, unless it is there"),
        (true, false) => {
            create_bucket(bucket).await.context("the register's bucket could not be made")?;
            format!("made {what}, or found it there")
        }
        (false, true) => {
            look_at_bucket(bucket).await.context(unusable)?;
            format!("use {what}")
        }
        (false, false) => {
            open_bucket(bucket).await.context(unusable)?;
            format!("found {what}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_or_a_bucket_is_told_from_a_file() {
        let table = |table: &str, region: Option<&str>| {
            Ok(Place::Table { table: table.to_owned(), region: region.map(str::to_owned) })
        };
        assert_eq!(parse("dynamodb:beam"), table("beam", None));
        assert_eq!(parse("dynamodb:beam@eu-central-1"), table("beam", Some("eu-central-1")));
        assert_eq!(parse("/var/lib/beam/register.db"), Ok(Place::File("/var/lib/beam/register.db".into())));
        assert_eq!(parse("./dynamodb:x"), Ok(Place::File("./dynamodb:x".into())));
        let bucket = |bucket: &str, prefix: Option<&str>, region: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Ok(Place::Bucket { bucket: bucket.to_owned(), prefix: owned(prefix), region: owned(region) })
        };
        assert_eq!(parse("s3:beam"), bucket("beam", None, None));
        assert_eq!(parse("s3:beam@eu-central-1"), bucket("beam", None, Some("eu-central-1")));
        for prefix in ["a/b", "a/b/"] {
            let said = format!("s3:beam/{prefix}@eu-central-1");
            assert_eq!(parse(&said), bucket("beam", Some("a/b/"), Some("eu-central-1")));
        }
        for wrong in [
            "dynamodb:",
            "dynamodb:@eu-central-1",
            "dynamodb:beam@",
            "s3:",
            "s3:@eu-central-1",
            "s3:beam@",
            "s3:beam/",
            "s3:/beam",
        ] {
            parse(wrong).unwrap_err();
        }
    }
}
