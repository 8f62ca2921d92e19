//! The register, and whether this machine would accept it.

use std::time::Duration;

use beam_core::signing::Above;

use super::super::facts::RegisterFacts;
use super::super::{Finding, Severity};
use super::{if_fine, known};

/// How long one read may take. Each signature needs a write, which takes longer.
const READ_WARN: Duration = Duration::from_millis(100);

pub(super) fn checks(register: &RegisterFacts) -> Vec<Finding> {
    vec![
        read(register),
        file_system(register),
        record(register),
        floor(register),
        roster(register),
        names(register),
    ]
}

fn read(register: &RegisterFacts) -> Finding {
    let limit = "answers a read within 100 ms";
    match &register.read {
        Ok(took) => Finding::new(
            "register",
            if_fine(*took < READ_WARN, Severity::Warn),
            format!("{:.1} ms", took.as_secs_f64() * 1000.0),
            limit,
        )
        .todo("every signature waits for it: a faster disk, or less beside it"),
        Err(why) => Finding::new("register", Severity::Fail, why.clone(), limit)
            .todo("without it nothing is signed: see register in node.toml"),
    }
}

fn file_system(register: &RegisterFacts) -> Finding {
    let limit = "on a disk of this machine";
    known("register-file-system", limit, &register.in_memory, |in_memory| {
        let found = if *in_memory { "in memory: a reboot takes it away" } else { "on a disk" };
        Finding::new("register-file-system", if_fine(!in_memory, Severity::Fail), found, limit)
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
