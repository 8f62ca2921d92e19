//! Made-up statements for the judge's own tests.

use std::time::Instant;

use super::audit::{Entry, How};
use super::canonical::{Statement, Step};
use crate::chain::{BlockId, Vote, VoteKind};

pub(super) const CHAIN: &str = "beam-lab-test";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A vote as node `by` received it; `block` is the byte its hash is made of.
pub(super) fn seen(by: &str, height: u64, step: Step, block: Option<u8>) -> Vote {
    let kind = match step {
        Step::Prevote => VoteKind::Prevote,
        Step::Precommit => VoteKind::Precommit,
        Step::Proposal => panic!("a proposal is no vote"),
    };
    let hash = |byte: u8| hex(&[byte; 32]).to_uppercase();
    Vote {
        seen_by: by.to_owned(),
        height,
        round: 0,
        kind,
        block: block.map(|byte| BlockId { hash: hash(byte), parts: 1, parts_hash: hash(byte) }),
        validator: "00".repeat(20),
        signature: String::new(),
        arrived: Instant::now(),
    }
}

pub(super) fn entry(machine: &str, height: u64, step: Step, block: Option<u8>) -> Entry {
    entry_at(machine, height, step, block, 7)
}

/// An audit entry signed at `second`. Its bytes are put together here field by field, in the order
/// the specification gives, around what the writer under test makes of a vote.
pub(super) fn entry_at(machine: &str, height: u64, step: Step, block: Option<u8>, second: u8) -> Entry {
    let vote = seen("", height, if step == Step::Proposal { Step::Prevote } else { step }, block);
    let content = Statement::of_vote(&vote, CHAIN).unwrap().content;
    let chain_at = content.len() - CHAIN.len() - 2;
    let (head, chain) = content.split_at(chain_at);
    let mut message = head.to_vec();
    let mut chain = chain.to_vec();
    let mut time_tag = 0x2a;
    if step == Step::Proposal {
        // Type 32, and everything behind the round moved up by one field number.
        message[1] = 32;
        message[11] = 0x2a;
        (time_tag, chain[0]) = (0x32, 0x3a);
    }
    message.extend([time_tag, 2, 0x08, second]);
    message.extend(chain);
    message.insert(0, u8::try_from(message.len()).unwrap());
    Entry {
        at_ms: 1_000,
        machine: machine.to_owned(),
        chain_id: CHAIN.to_owned(),
        height,
        round: 0,
        step,
        sign_bytes: hex(&message),
        signature: hex(&[9; 64]),
        epoch: 1,
        how: How::Swapped,
    }
}

/// The same as Beam writes it.
pub(super) fn line(machine: &str, height: u64, step: Step, block: Option<u8>) -> String {
    let entry = entry(machine, height, step, block);
    let step = format!("{:?}", entry.step).to_lowercase();
    format!(
        r#"{{"at_ms":{},"machine":"{machine}","chain_id":"{CHAIN}","height":{height},"round":0,"step":"{step}","sign_bytes":"{}","signature":"{}","epoch":1,"how":"swapped"}}"#,
        entry.at_ms, entry.sign_bytes, entry.signature
    )
}
