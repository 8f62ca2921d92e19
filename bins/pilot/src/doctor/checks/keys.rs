//! The validator's key: where it is, who can read it, how long it takes to sign.

use std::time::Duration;

use super::super::facts::{Fact, KeptFacts, KeyFacts, Latency};
use super::super::{Finding, Severity};
use super::{if_fine, known};
use crate::assemble::key::price;

/// How long one signature may take. It comes on top of the register's write.
const SIGN_WARN: Duration = Duration::from_millis(100);
/// What the month's price is told for: the blocks of the Cosmos Hub.
const BLOCK_TIME: Duration = Duration::from_secs(6);

pub(super) fn checks(key: &KeyFacts) -> Vec<Finding> {
    let kept = match &key.kept {
        KeptFacts::File { memory_locked } => memory(key, memory_locked),
        KeptFacts::Kms { sign } => signs(sign),
    };
    vec![usable(key), in_node_home(key), kept, exposure(key)]
}

fn usable(key: &KeyFacts) -> Finding {
    let (id, limit, todo) = match &key.kept {
        KeptFacts::File { .. } => (
            "key-file",
            "an Ed25519 key that only this user can read",
            "do what it says; see signer.key in node.toml",
        ),
        KeptFacts::Kms { .. } => (
            "key-kms",
            "an enabled Ed25519 key of the pinned public key, which this machine's role may use",
            "do what it says; see signer.kms in node.toml",
        ),
    };
    match &key.usable {
        Ok(address) => Finding::new(id, Severity::Fine, address.clone(), limit),
        Err(why) => Finding::new(id, Severity::Fail, why.clone(), limit).todo(todo),
    }
}

fn signs(sign: &Fact<Latency>) -> Finding {
    let limit = "signs 99 of 100 times within 100 ms";
    let ms = |took: Duration| took.as_secs_f64() * 1000.0;
    match sign {
        Ok(Latency { p50, p99 }) => Finding::new(
            "key-sign",
            if_fine(*p99 < SIGN_WARN, Severity::Warn),
            format!("sign: p50 {:.1} ms, p99 {:.1} ms; {}", ms(*p50), ms(*p99), price(BLOCK_TIME)),
            limit,
        )
        .todo("each vote waits for it after the register's write: keep the key in a region that is near, or in a file"),
        Err(why) => Finding::new("key-sign", Severity::Fail, why.clone(), limit)
            .todo("without it nothing is signed: do what it says; see signer.kms in node.toml"),
    }
}

fn in_node_home(key: &KeyFacts) -> Finding {
    let found = key.node_could_sign.clone().unwrap_or_else(|| "it is not there".to_owned());
    let severity = if_fine(key.node_could_sign.is_none(), Severity::Fail);
    Finding::new("key-in-node-home", severity, found, "the validator's key is nowhere in the node's home")
        .todo("stop the node and run `beam init --from <node's home> --force`, or move the file away")
}

fn memory(key: &KeyFacts, memory_locked: &Fact<bool>) -> Finding {
    let limit = "the key is locked in memory, out of swap";
    known("key-memory", limit, memory_locked, |locked| {
        let swap = key.swap.clone().unwrap_or(true);
        let severity = match (locked, swap) {
            (true, _) => Severity::Fine,
            (false, true) => Severity::Fail,
            (false, false) => Severity::Warn,
        };
        let found = match (locked, swap) {
            (true, _) => "locked",
            (false, true) => "not locked, and this machine swaps",
            (false, false) => "not locked; this machine does not swap",
        };
        Finding::new("key-memory", severity, found, limit)
            .todo("raise the limit on locked memory: LimitMEMLOCK=1M in beam's unit (`ulimit -l`)")
    })
}

fn exposure(key: &KeyFacts) -> Finding {
    let found = if key.exposures.is_empty() { "neither".to_owned() } else { key.exposures.join("; ") };
    let severity = if_fine(key.exposures.is_empty(), Severity::Warn);
    Finding::new("core-dumps", severity, found, "no core dumps, and no other process looks in")
        .todo("let nothing raise RLIMIT_CORE of the pilot, nor make it dumpable")
}
