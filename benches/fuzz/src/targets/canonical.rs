//! Canonical sign bytes: Beam's strict reader against a protobuf library.

use beam_core::signing::canonical::Canonical;
use beam_core::signing::{Statement, Step};
use prost::Message as _;
use tendermint_proto::v0_38::types::{CanonicalProposal, CanonicalVote};

use super::wire;

/// Bytes as they are, and bytes that make a vote or a proposal.
pub fn run(bytes: &[u8]) {
    any(bytes);
    if let Some(vote) = wire::vote(bytes) {
        any(&vote.encode_length_delimited_to_vec());
    }
    if let Some(proposal) = wire::proposal(bytes) {
        any(&proposal.encode_length_delimited_to_vec());
    }
}

fn any(bytes: &[u8]) {
    let read = Canonical::read(bytes);
    assert_eq!(Statement::canonical(bytes.to_vec()).is_ok(), read.is_ok());
    let Ok(read) = read else { return };
    let statement = Statement::canonical(bytes.to_vec()).unwrap();
    assert_eq!((statement.mark(), statement.bytes()), (read.mark, bytes));
    assert_eq!(statement.block().map(|block| &block.0[..]), read.block);
    assert!(statement.repeats(bytes));
    match read.mark.step {
        Step::Proposal => proposal(bytes, &read),
        Step::Prevote | Step::Precommit => vote(bytes, &read),
    }
}

fn vote(bytes: &[u8], read: &Canonical<'_>) {
    let Ok(theirs) = CanonicalVote::decode_length_delimited(bytes) else {
        return only_the_block_is_odd(read);
    };
    let step = if theirs.r#type == 1 { Step::Prevote } else { Step::Precommit };
    assert_eq!((step, theirs.chain_id.as_str()), (read.mark.step, read.chain_id));
    place(read, theirs.height, theirs.round);
    time(read, theirs.timestamp.as_ref());
    same_bytes(bytes, read, &theirs, theirs.block_id.as_ref());
}

fn proposal(bytes: &[u8], read: &Canonical<'_>) {
    let Ok(theirs) = CanonicalProposal::decode_length_delimited(bytes) else {
        return only_the_block_is_odd(read);
    };
    assert_eq!((theirs.pol_round, theirs.chain_id.as_str()), (read.pol_round, read.chain_id));
    place(read, theirs.height, theirs.round);
    time(read, theirs.timestamp.as_ref());
    same_bytes(bytes, read, &theirs, theirs.block_id.as_ref());
}

/// What is compared and never interpreted may be anything.
fn only_the_block_is_odd(read: &Canonical<'_>) {
    let block = read.block.expect("bytes without a block are read by one of two readers only");
    assert!(tendermint_proto::v0_38::types::CanonicalBlockId::decode(block).is_err());
}

fn place(read: &Canonical<'_>, height: i64, round: i64) {
    assert_eq!(i64::try_from(read.mark.height.0), Ok(height));
    assert_eq!(i64::from(read.mark.round.0), round);
}

fn time(read: &Canonical<'_>, theirs: Option<&tendermint_proto::google::protobuf::Timestamp>) {
    let theirs = theirs.expect("a timestamp");
    assert_eq!((theirs.seconds, theirs.nanos), (read.timestamp.seconds, read.timestamp.nanos));
}

/// There is one way to write a message. (The block is kept as it came, so its own bytes may be written in another.)
fn same_bytes(
    bytes: &[u8],
    read: &Canonical<'_>,
    theirs: &impl prost::Message,
    block: Option<&tendermint_proto::v0_38::types::CanonicalBlockId>,
) {
    let canonical_block = block.map(prost::Message::encode_to_vec);
    if canonical_block.as_deref() == read.block {
        assert_eq!(theirs.encode_length_delimited_to_vec(), bytes, "another encoding of the same message");
    }
}
