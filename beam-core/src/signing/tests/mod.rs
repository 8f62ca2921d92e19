//! What the signing machine does, step by step ([`steps`]), and what it never does, over random histories
//! ([`properties`]).

mod properties;
mod rebased;
mod steps;
mod world;

use crate::signing::{BlockId, Mark, Statement, Step};

/// The canonical bytes of a vote or proposal as `CometBFT` writes them, for tests: block `None` is nil.
fn canonical(mark: Mark, block: Option<u8>, nanos: u8) -> Vec<u8> {
    let kind = match mark.step {
        Step::Prevote => 1,
        Step::Precommit => 2,
        Step::Proposal => 32,
    };
    let mut body = vec![0x08, kind, 0x11];
    body.extend(mark.height.0.to_le_bytes());
    if mark.round.0 > 0 {
        body.push(0x19);
        body.extend(u64::from(mark.round.0).to_le_bytes());
    }
    let shift = if mark.step == Step::Proposal { 8 } else { 0 };
    if let Some(block) = block {
        body.extend([0x22 + shift, 3, 0x0a, 1, block]);
    }
    let time: &[u8] = if nanos == 0 { &[] } else { &[0x10, nanos] };
    body.extend([0x2a + shift, u8::try_from(time.len()).unwrap()]);
    body.extend(time);
    body.extend([0x32 + shift, 1, b'c']);
    let mut bytes = vec![u8::try_from(body.len()).unwrap()];
    bytes.extend(body);
    bytes
}

fn statement(mark: Mark, block: Option<u8>, nanos: u8) -> Statement {
    let statement = Statement::canonical(canonical(mark, block, nanos)).unwrap();
    assert_eq!(statement.mark(), mark);
    assert_eq!(statement.block().cloned(), block.map(block_id));
    statement
}

fn block_id(block: u8) -> BlockId {
    BlockId(vec![0x0a, 1, block])
}
