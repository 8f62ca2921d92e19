//! The register, and whether this machine would accept it.

use std::time::Duration;

use beam_aws::s3::Versioning;
use beam_core::signing::Above;

use super::super::facts::{Fact, Latency, RegisterFacts};
use super::super::{Finding, Severity};
use super::{if_fine, known};
use crate::assemble::register::Ground;

/// How long one read may take. Each signature needs a write, which takes longer.
const READ_WARN: Duration = Duration::from_millis(100);

pub(super) fn checks(register: &RegisterFacts) -> Vec<Finding> {
    vec![
        read(register),
        ground(register),
        record(register),
        floor(register),
        roster(register),
        names(register),
    ]
}

fn read(register: &RegisterFacts) -> Finding {
    let limit = "answers 99 of 100 reads within 100 ms";
    let ms = |took: Duration| took.as_secs_f64() * 1000.0;
    match &register.read {
        Ok(Latency { p50, p99 }) => Finding::new(
            "register",
            if_fine(*p99 < READ_WARN, Severity::Warn),
            format!("p50 {:.1} ms, p99 {:.1} ms", ms(*p50), ms(*p99)),
            limit,
        )
        .todo("every signature waits for it: a faster disk and less beside it, or a table or bucket in a region that is near"),
        Err(why) => Finding::new("register", Severity::Fail, why.clone(), limit)
            .todo("without it nothing is signed: see register in node.toml"),
    }
}

fn ground(register: &RegisterFacts) -> Finding {
    known("register-store", "it stays", &register.ground, |ground| match ground {
        Ground::File { in_memory } => file_system(in_memory),
        Ground::Table { protected, pinned, id } => table(*protected, *pinned, id.as_deref()),
        Ground::Bucket { versioning } => bucket(versioning),
    })
}

fn table(protected: bool, pinned: bool, id: Option<&str>) -> Finding {
    let limit = "a table that is protected from deletion, and whose id is pinned";
    let (found, todo) = match (protected, pinned) {
        (true, true) => ("it is", String::new()),
        (false, true) => {
            let todo = "switch its deletion protection on (in the console: Additional settings), or: aws dynamodb update-table \
                        --deletion-protection-enabled --table-name ...";
            ("it can be deleted by one call", todo.to_owned())
        }
        (_, false) => {
            let id = id.unwrap_or("its id, as `aws dynamodb describe-table` tells it");
            (
                "any table of that name is accepted",
                format!("set table_id = {id:?} in register.dynamodb of node.toml"),
            )
        }
    };
    Finding::new("register-store", if_fine(protected && pinned, Severity::Warn), found, limit).todo(todo)
}

fn bucket(versioning: &Fact<Versioning>) -> Finding {
    let limit = "a bucket that keeps what is deleted or written over by mistake";
    known("register-store", limit, versioning, |versioning| {
        let found = match versioning {
            Versioning::On => "versioning is on",
            Versioning::Suspended => "versioning is suspended",
            Versioning::Never => "versioning is off",
        };
        Finding::new("register-store", if_fine(*versioning == Versioning::On, Severity::Warn), found, limit).todo(
            "aws s3api put-bucket-versioning --versioning-configuration Status=Enabled --bucket ..., and a lifecycle rule that lets \
             former versions of the register's objects expire (NoncurrentVersionExpiration, some days): two come with every block",
        )
    })
}

fn file_system(in_memory: &Fact<bool>) -> Finding {
    let limit = "on a disk of this machine";
    known("register-store", limit, in_memory, |in_memory| {
        let found = if *in_memory { "in memory: a reboot takes it away" } else { "on a disk" };
        Finding::new("register-store", if_fine(!in_memory, Severity::Fail), found, limit)
            .todo("move the register to a disk, with every pilot stopped")
    })
}

fn record(register: &RegisterFacts) -> Finding {
    let limit = "there is a record for this validator";
    known("record", limit, &register.mark, |mark| {
        match mark {
        Some(mark) => Finding::new("record", Severity::Fine, format!("at {}", mark.in_words()), limit),
        None => Finding::new("record", Severity::Fail, "there is none", limit)
            .todo("`beam watermark import --from <state files>` or `beam watermark init` makes it, once for the validator"),
    }
    })
}

fn floor(register: &RegisterFacts) -> Finding {
    let limit = "the register is not below what this machine has seen, and of the same lineage";
    known("floor", limit, &register.above, |above| {
        let (severity, found) = match above {
            None => (Severity::Fine, "this machine has seen nothing yet"),
            Some(Above::Higher | Above::Same) => (Severity::Fine, "accepted"),
            Some(Above::PutBack) => {
                (Severity::Fail, "the register was put back: it is below this machine's floor")
            }
            Some(Above::OtherLineage) => {
                (Severity::Fail, "the record was made anew: it has another lineage than this machine's floor")
            }
        };
        Finding::new("floor", severity, found, limit)
            .todo("find out who changed the register, stop every pilot, then `beam watermark adopt`")
    })
}

fn roster(register: &RegisterFacts) -> Finding {
    let doubled = &register.doubled;
    let found = if doubled.is_empty() { "each has its own".to_owned() } else { doubled.join(", ") };
    Finding::new(
        "roster",
        if_fine(doubled.is_empty(), Severity::Warn),
        found,
        "no two machines of the roster share a signer's id",
    )
    .todo("one machine was renamed, or a roster was copied: `beam status` should show each machine once")
}

fn names(register: &RegisterFacts) -> Finding {
    let limit = "each name is one machine's";
    known("names", limit, &register.contended, |contended| {
        let found = if contended.is_empty() { "each is".to_owned() } else { contended.join(", ") };
        Finding::new("names", if_fine(contended.is_empty(), Severity::Warn), found, limit)
            .todo("two machines have this name, or one was restarted just now: name them apart in node.toml")
    })
}
