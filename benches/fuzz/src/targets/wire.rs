//! Votes and proposals made of any bytes.

use arbitrary::{Arbitrary as _, Result, Unstructured};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::types::{
    CanonicalBlockId, CanonicalPartSetHeader, CanonicalProposal, CanonicalVote,
};

pub(super) fn vote(bytes: &[u8]) -> Option<CanonicalVote> {
    let mut from = Unstructured::new(bytes);
    let mut make = || -> Result<CanonicalVote> {
        Ok(CanonicalVote {
            r#type: from.int_in_range(1..=2)?,
            height: i64::arbitrary(&mut from)?,
            round: i64::arbitrary(&mut from)?,
            block_id: block_id(&mut from)?,
            timestamp: timestamp(&mut from)?,
            chain_id: String::arbitrary(&mut from)?,
        })
    };
    make().ok()
}

pub(super) fn proposal(bytes: &[u8]) -> Option<CanonicalProposal> {
    let mut from = Unstructured::new(bytes);
    let mut make = || -> Result<CanonicalProposal> {
        Ok(CanonicalProposal {
            r#type: 32,
            height: i64::arbitrary(&mut from)?,
            round: i64::arbitrary(&mut from)?,
            pol_round: i64::arbitrary(&mut from)?,
            block_id: block_id(&mut from)?,
            timestamp: timestamp(&mut from)?,
            chain_id: String::arbitrary(&mut from)?,
        })
    };
    make().ok()
}

fn block_id(from: &mut Unstructured<'_>) -> Result<Option<CanonicalBlockId>> {
    if !bool::arbitrary(from)? {
        return Ok(None);
    }
    let hash = from.bytes(32)?.to_vec();
    let parts = CanonicalPartSetHeader { total: u32::arbitrary(from)?, hash: from.bytes(32)?.to_vec() };
    Ok(Some(CanonicalBlockId { hash, part_set_header: Some(parts) }))
}

fn timestamp(from: &mut Unstructured<'_>) -> Result<Option<Timestamp>> {
    Ok(Some(Timestamp { seconds: i64::arbitrary(from)?, nanos: i32::arbitrary(from)? }))
}
