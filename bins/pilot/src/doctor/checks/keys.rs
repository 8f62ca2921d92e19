//! The validator's key: where it is, who can read it.

use super::super::facts::KeyFacts;
use super::super::{Finding, Severity};
use super::{if_fine, known};

pub(super) fn checks(key: &KeyFacts) -> Vec<Finding> {
    vec![usable(key), in_node_home(key), memory(key), exposure(key)]
}

fn usable(key: &KeyFacts) -> Finding {
    let limit = "an Ed25519 key that only this user can read";
    match &key.usable {
        Ok(address) => Finding::new("key-file", Severity::Fine, address.clone(), limit),
        Err(why) => Finding::new("key-file", Severity::Fail, why.clone(), limit)
            .todo("do what it says; see signer.key in node.toml"),
    }
}

fn in_node_home(key: &KeyFacts) -> Finding {
    let found = key.node_could_sign.clone().unwrap_or_else(|| "it is not there".to_owned());
    let severity = if_fine(key.node_could_sign.is_none(), Severity::Fail);
    Finding::new("key-in-node-home", severity, found, "the validator's key is nowhere in the node's home")
        .todo("stop the node and run `beam init --from <node's home> --force`, or move the file away")
}

fn memory(key: &KeyFacts) -> Finding {
    let limit = "the key is locked in memory, out of swap";
    known("key-memory", limit, &key.memory_locked, |locked| {
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
