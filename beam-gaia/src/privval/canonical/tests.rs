use beam_core::id::{from_hex, to_hex};
use beam_core::signing::Mark;
use beam_core::signing::canonical::{Canonical, Timestamp as Read};
use proptest::prelude::*;

use super::super::testing::{CHAIN, block, chain, nil, proposal_request, vote_request};
use super::*;

fn hex(text: &str) -> Vec<u8> {
    from_hex(text).unwrap()
}

fn block_hex() -> String {
    format!("0a20{}122408031220{}", "aa".repeat(32), "bb".repeat(32))
}

// Golden bytes, made with CometBFT's own Go library.

#[test]
fn a_nil_prevote_is_encoded_as_cometbft_does() {
    let asked = vote(&chain(), &vote_request(SignedMsgType::Prevote, 12345, 0, nil())).unwrap();
    let golden = "2508011139300000000000002a0b0880e2cfaa0610959aef3a320b636f736d6f736875622d34";
    assert_eq!(to_hex(asked.statement.bytes()), golden);
    assert_eq!(asked.extension, None);
}

#[test]
fn a_precommit_is_encoded_as_cometbft_does_with_its_extension_empty_or_not() {
    let mut request = vote_request(SignedMsgType::Precommit, 12345, 2, block());
    let asked = vote(&chain(), &request).unwrap();
    let golden = format!(
        "78080211393000000000000019020000000000000022 48{}2a0b0880e2cfaa0610959aef3a320b636f736d6f736875622d34",
        block_hex()
    );
    assert_eq!(to_hex(asked.statement.bytes()), golden.replace(' ', ""));
    let golden = "1f113930000000000000190200000000000000220b636f736d6f736875622d34";
    assert_eq!(asked.extension, Some(hex(golden)));

    request.vote.as_mut().unwrap().extension = b"ext".to_vec();
    let asked = vote(&chain(), &request).unwrap();
    let golden = "240a03657874113930000000000000190200000000000000220b636f736d6f736875622d34";
    assert_eq!(asked.extension, Some(hex(golden)));
}

#[test]
fn a_proposal_is_encoded_as_cometbft_does() {
    let statement = proposal(&chain(), &proposal_request(12345, 1, -1)).unwrap();
    let golden = format!(
        "8301082011393000000000000019010000000000000020ffffffffffffffffff012a48{}320b0880e2cfaa0610959aef3a3a0b636f\
         736d6f736875622d34",
        block_hex()
    );
    assert_eq!(to_hex(statement.bytes()), golden);
}

// Extensions.

#[test]
fn only_a_precommit_of_a_block_has_an_extension() {
    let of = |kind, id| {
        let mut request = vote_request(kind, 5, 0, id);
        request.vote.as_mut().unwrap().extension = b"ext".to_vec();
        vote(&chain(), &request).unwrap().extension.is_some()
    };
    assert!(of(SignedMsgType::Precommit, block()));
    assert!(!of(SignedMsgType::Precommit, nil()));
    assert!(!of(SignedMsgType::Prevote, block()));
}

// What is refused.

fn refused(change: impl FnOnce(&mut SignVoteRequest)) -> Unsignable {
    let mut request = vote_request(SignedMsgType::Prevote, 5, 1, block());
    change(&mut request);
    vote(&chain(), &request).unwrap_err()
}

fn with_vote(change: impl FnOnce(&mut Vote)) -> Unsignable {
    refused(|request| change(request.vote.as_mut().unwrap()))
}

#[test]
fn a_vote_that_is_not_for_us_or_makes_no_sense_is_refused() {
    let other = refused(|r| r.chain_id = "provider".to_owned());
    assert!(matches!(&other, Unsignable::OtherChain { theirs, .. } if theirs == "provider"), "{other}");
    assert!(matches!(refused(|r| r.chain_id.clear()), Unsignable::OtherChain { .. }));
    assert_eq!(refused(|r| r.vote = None), Unsignable::Missing("vote"));
    assert_eq!(with_vote(|v| v.timestamp = None), Unsignable::Missing("timestamp"));
    assert_eq!(with_vote(|v| v.block_id = None), Unsignable::Missing("block id"));
    assert_eq!(with_vote(|v| v.height = 0), Unsignable::Height(0));
    assert_eq!(with_vote(|v| v.height = -1), Unsignable::Height(-1));
    assert_eq!(with_vote(|v| v.round = -1), Unsignable::Round(-1));
    for kind in [0, 3, 32, -1, 99] {
        assert_eq!(with_vote(|v| v.r#type = kind), Unsignable::Kind(kind));
    }
    for nanos in [-1, 1_000_000_000] {
        let bad = with_vote(|v| v.timestamp.as_mut().unwrap().nanos = nanos);
        assert!(matches!(bad, Unsignable::Unreadable(_)), "{bad}");
    }
}

#[test]
fn a_half_complete_block_id_is_refused() {
    let half = |change: fn(&mut BlockId)| with_vote(|v| change(v.block_id.as_mut().unwrap()));
    assert_eq!(half(|id| id.part_set_header = None), Unsignable::Missing("part set header"));
    let halves: [fn(&mut BlockId); 6] = [
        |id| id.hash.clear(),
        |id| id.hash.truncate(31),
        |id| id.part_set_header.as_mut().unwrap().total = 0,
        |id| id.part_set_header.as_mut().unwrap().hash.clear(),
        |id| id.part_set_header = Some(Default::default()),
        |id| {
            *id = nil();
            id.part_set_header.as_mut().unwrap().total = 1;
        },
    ];
    for (place, change) in halves.into_iter().enumerate() {
        assert_eq!(half(change), Unsignable::HalfBlockId, "{place}");
    }
}

#[test]
fn a_proposal_of_nil_or_with_a_lock_that_cannot_be_is_refused() {
    let refused = |change: fn(&mut super::super::messages::Proposal)| {
        let mut request = proposal_request(5, 2, 1);
        change(request.proposal.as_mut().unwrap());
        proposal(&chain(), &request).unwrap_err()
    };
    assert_eq!(refused(|p| p.block_id = Some(nil())), Unsignable::NilProposal);
    assert_eq!(refused(|p| p.r#type = SignedMsgType::Prevote as i32), Unsignable::Kind(1));
    assert_eq!(refused(|p| p.pol_round = -2), Unsignable::PolRound { pol_round: -2, round: 2 });
    assert_eq!(refused(|p| p.pol_round = 2), Unsignable::PolRound { pol_round: 2, round: 2 });
    assert_eq!(refused(|p| (p.round, p.pol_round) = (0, 0)), Unsignable::PolRound { pol_round: 0, round: 0 });
    let request = SignProposalRequest { proposal: None, chain_id: chain().to_string() };
    assert_eq!(proposal(&chain(), &request), Err(Unsignable::Missing("proposal")));
}

#[test]
fn another_chains_long_name_is_cut() {
    let told = refused(|r| r.chain_id = "x".repeat(2_000_000)).to_string();
    assert!(told.len() < 200, "{}", told.len());
}

// What the signer reads out of the bytes is what the node asked for.

fn any_block() -> impl Strategy<Value = BlockId> {
    let hash = || proptest::collection::vec(any::<u8>(), 32);
    (hash(), 1_u32.., hash()).prop_map(|(of_block, total, of_parts)| BlockId {
        hash: of_block,
        part_set_header: Some(super::super::messages::PartSetHeader { total, hash: of_parts }),
    })
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    // Year 1 to 9999, as Go has them.
    (-62_135_596_800_i64..253_402_300_800, 0..1_000_000_000)
        .prop_map(|(seconds, nanos)| Timestamp { seconds, nanos })
}

fn canonical_block(id: &BlockId) -> Vec<u8> {
    block_id(Some(id)).unwrap().unwrap().encode_to_vec()
}

proptest! {
    #[test]
    fn what_is_read_from_a_votes_bytes_is_always_what_was_asked(
        precommit: bool, height in 1..=i64::MAX, round in 0..=i32::MAX, of in proptest::option::of(any_block()),
        at in any_time(), ext in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let (kind, step) = if precommit {
            (SignedMsgType::Precommit, Step::Precommit)
        } else {
            (SignedMsgType::Prevote, Step::Prevote)
        };
        let mut request = vote_request(kind, height, round, of.clone().unwrap_or_else(nil));
        let asked = request.vote.as_mut().unwrap();
        (asked.timestamp, asked.extension) = (Some(at), ext.clone());
        let to_sign = vote(&chain(), &request).unwrap();
        let id = of.as_ref().map(canonical_block);
        prop_assert_eq!(Canonical::read(to_sign.statement.bytes()).unwrap(), Canonical {
            mark: Mark::new(height.try_into().unwrap(), round.try_into().unwrap(), step),
            block: id.as_deref(),
            pol_round: 0,
            timestamp: Read { seconds: at.seconds, nanos: at.nanos },
            chain_id: CHAIN,
        });
        let extension = to_sign.extension.map(|bytes| CanonicalVoteExtension::decode_length_delimited(&bytes[..]).unwrap());
        let expected = CanonicalVoteExtension {
            extension: ext, height, round: round.into(), chain_id: chain().to_string(),
        };
        prop_assert_eq!(extension, (precommit && of.is_some()).then_some(expected));
    }

    #[test]
    fn what_is_read_from_a_proposals_bytes_is_always_what_was_asked(
        height in 1..=i64::MAX, (round, pol_round) in (0..=i32::MAX).prop_flat_map(|r| (Just(r), -1..r)),
        of in any_block(), at in any_time(),
    ) {
        let mut request = proposal_request(height, round, pol_round);
        let asked = request.proposal.as_mut().unwrap();
        (asked.timestamp, asked.block_id) = (Some(at), Some(of.clone()));
        let statement = proposal(&chain(), &request).unwrap();
        prop_assert_eq!(Canonical::read(statement.bytes()).unwrap(), Canonical {
            mark: Mark::new(height.try_into().unwrap(), round.try_into().unwrap(), Step::Proposal),
            block: Some(&canonical_block(&of)[..]),
            pol_round: pol_round.into(),
            timestamp: Read { seconds: at.seconds, nanos: at.nanos },
            chain_id: CHAIN,
        });
    }
}
