//! The record, as it lies in the register.

use arbitrary::{Arbitrary as _, Result, Unstructured};
use beam_core::id::{Lineage, SessionId, SignerId};
use beam_core::signing::{Above, BlockId, Epoch, Floor, Handover, Height, Lock, Mark, Record, Round, Step};

/// Bytes as they are, and bytes that make a record.
pub fn run(bytes: &[u8]) {
    if let Ok(record) = Record::decode(bytes) {
        assert_eq!(record.encode(), bytes, "another writing of the same record was read");
        assert_eq!(Floor::of(&record).compare(&record), Above::Same);
    }
    if let Ok(record) = any_record(&mut Unstructured::new(bytes)) {
        assert_eq!(Record::decode(&record.encode()).as_ref(), Ok(&record));
    }
}

fn any_record(from: &mut Unstructured<'_>) -> Result<Record> {
    let handovers = [Handover::Init, Handover::Takeover, Handover::Switchover, Handover::Failover];
    let mark = any_mark(from)?;
    Ok(Record {
        lineage: Lineage::from_random(from.arbitrary()?),
        epoch: Epoch(from.arbitrary()?),
        owner: Option::<u128>::arbitrary(from)?.map(SignerId::from_random),
        since: any_mark(from)?,
        handover: *from.choose(&handovers)?,
        mark,
        lock: if from.arbitrary()? { Some(any_lock(mark.height, from)?) } else { None },
        bytes: from.arbitrary()?,
    })
}

fn any_lock(height: Height, from: &mut Unstructured<'_>) -> Result<Lock> {
    let mut block: Vec<u8> = from.arbitrary()?;
    block.push(0);
    let round = Round(from.int_in_range(0..=Round::MAX.0)?);
    Ok(Lock { height, round, block: BlockId(block), session: SessionId::from_random(from.arbitrary()?) })
}

pub(super) fn any_mark(from: &mut Unstructured<'_>) -> Result<Mark> {
    let step = *from.choose(&[Step::Proposal, Step::Prevote, Step::Precommit])?;
    Ok(Mark::new(from.int_in_range(0..=Height::MAX.0)?, from.int_in_range(0..=Round::MAX.0)?, step))
}
