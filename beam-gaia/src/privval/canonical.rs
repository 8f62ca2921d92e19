//! From a node's request to the bytes that are signed.
//!
//! `CometBFT` signs a *canonical* message: the vote or proposal in another encoding, with the chain's id
//! (`types/canonical.go`). The bytes made here are read again by [`Statement::canonical`], strictly, so a request that
//! is encoded in a way we do not expect is refused and not signed.

use beam_core::id::ChainId;
use beam_core::signing::canonical::Unreadable;
use beam_core::signing::{Statement, Step};
use prost::Message as _;
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::types::{
    CanonicalBlockId, CanonicalPartSetHeader, CanonicalProposal, CanonicalVote, CanonicalVoteExtension,
};

use super::messages::{BlockId, SignProposalRequest, SignVoteRequest, SignedMsgType, Vote};

/// A request that is not for us or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsignable {
    /// The node is configured for another chain than we are.
    #[error("beam: this signer is for chain {ours}, not for {theirs:?}")]
    OtherChain {
        /// What we sign for.
        ours: ChainId,
        /// What was asked for (cut to a readable length).
        theirs: String,
    },
    /// A part that every node sends is missing.
    #[error("beam: the request has no {0}")]
    Missing(&'static str),
    /// Zero or negative.
    #[error("beam: {0} is no height")]
    Height(i64),
    /// Negative.
    #[error("beam: {0} is no round")]
    Round(i32),
    /// Neither a prevote, a precommit nor (in its own request) a proposal.
    #[error("beam: {0} is no type that is signed here")]
    Kind(i32),
    /// The block's id is neither complete nor nil.
    #[error("beam: the block id is neither complete nor nil")]
    HalfBlockId,
    /// A proposal proposes a block.
    #[error("beam: a proposal of nil")]
    NilProposal,
    /// A proposal's proof-of-lock round is -1 or an earlier round.
    #[error("beam: {pol_round} is no proof-of-lock round in round {round}")]
    PolRound {
        /// What was asked for.
        pol_round: i32,
        /// In which round.
        round: i32,
    },
    /// The canonical bytes do not read as they should.
    #[error("beam: {0}")]
    Unreadable(#[from] Unreadable),
}

/// A vote to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoteToSign {
    /// The vote.
    pub statement: Statement,
    /// Sign bytes of its extension. There is one exactly for a precommit of a block, also if the extension is empty: nodes
    /// panic if the signature is missing there, or is anywhere else.
    pub extension: Option<Vec<u8>>,
}

/// What a node that asks to have a vote signed wants signed.
///
/// # Errors
/// [`Unsignable`] if it is not for this chain or is no vote.
pub fn vote(chain: &ChainId, request: &SignVoteRequest) -> Result<VoteToSign, Unsignable> {
    of_chain(chain, &request.chain_id)?;
    let vote = request.vote.as_ref().ok_or(Unsignable::Missing("vote"))?;
    let kind = SignedMsgType::try_from(vote.r#type).map_err(|_| Unsignable::Kind(vote.r#type))?;
    if !matches!(kind, SignedMsgType::Prevote | SignedMsgType::Precommit) {
        return Err(Unsignable::Kind(vote.r#type));
    }
    position(vote.height, vote.round)?;
    let canonical = CanonicalVote {
        r#type: vote.r#type,
        height: vote.height,
        round: i64::from(vote.round),
        block_id: block_id(vote.block_id.as_ref())?,
        timestamp: Some(timestamp(vote.timestamp.as_ref())?),
        chain_id: request.chain_id.clone(),
    };
    let statement = Statement::canonical(canonical.encode_length_delimited_to_vec())?;
    let extended = statement.mark().step == Step::Precommit && statement.block().is_some();
    let extension = extended.then(|| extension(vote, &request.chain_id));
    Ok(VoteToSign { statement, extension })
}

/// What a node that asks to have a proposal signed wants signed.
///
/// # Errors
/// [`Unsignable`] if it is not for this chain or is no proposal.
pub fn proposal(chain: &ChainId, request: &SignProposalRequest) -> Result<Statement, Unsignable> {
    of_chain(chain, &request.chain_id)?;
    let proposal = request.proposal.as_ref().ok_or(Unsignable::Missing("proposal"))?;
    if proposal.r#type != SignedMsgType::Proposal as i32 {
        return Err(Unsignable::Kind(proposal.r#type));
    }
    position(proposal.height, proposal.round)?;
    let (pol_round, round) = (proposal.pol_round, proposal.round);
    if pol_round < -1 || pol_round >= round {
        return Err(Unsignable::PolRound { pol_round, round });
    }
    let block_id = block_id(proposal.block_id.as_ref())?.ok_or(Unsignable::NilProposal)?;
    let canonical = CanonicalProposal {
        r#type: proposal.r#type,
        height: proposal.height,
        round: i64::from(round),
        pol_round: i64::from(pol_round),
        block_id: Some(block_id),
        timestamp: Some(timestamp(proposal.timestamp.as_ref())?),
        chain_id: request.chain_id.clone(),
    };
    Ok(Statement::canonical(canonical.encode_length_delimited_to_vec())?)
}

/// Refuses a request for another chain: the same key may validate a testnet, and votes of one are none of the other.
///
/// # Errors
/// [`Unsignable::OtherChain`].
pub fn of_chain(ours: &ChainId, theirs: &str) -> Result<(), Unsignable> {
    if ours.as_str() == theirs {
        return Ok(());
    }
    Err(Unsignable::OtherChain {
        ours: ours.clone(),
        theirs: theirs.chars().take(ChainId::LEN_MAX).collect(),
    })
}

fn extension(vote: &Vote, chain_id: &str) -> Vec<u8> {
    CanonicalVoteExtension {
        extension: vote.extension.clone(),
        height: vote.height,
        round: i64::from(vote.round),
        chain_id: chain_id.to_owned(),
    }
    .encode_length_delimited_to_vec()
}

fn position(height: i64, round: i32) -> Result<(), Unsignable> {
    if height <= 0 {
        return Err(Unsignable::Height(height));
    }
    if round < 0 {
        return Err(Unsignable::Round(round));
    }
    Ok(())
}

/// The canonical block id, or `None` for nil. A node always sends the parts, empty ones for nil.
fn block_id(sent: Option<&BlockId>) -> Result<Option<CanonicalBlockId>, Unsignable> {
    const HASH_LEN: usize = 32;
    let id = sent.ok_or(Unsignable::Missing("block id"))?;
    let parts = id.part_set_header.as_ref().ok_or(Unsignable::Missing("part set header"))?;
    match (id.hash.len(), parts.total, parts.hash.len()) {
        (0, 0, 0) => Ok(None),
        (HASH_LEN, 1.., HASH_LEN) => Ok(Some(CanonicalBlockId {
            hash: id.hash.clone(),
            part_set_header: Some(CanonicalPartSetHeader { total: parts.total, hash: parts.hash.clone() }),
        })),
        _ => Err(Unsignable::HalfBlockId),
    }
}

fn timestamp(sent: Option<&Timestamp>) -> Result<Timestamp, Unsignable> {
    // Its range is checked when the bytes are read again.
    sent.cloned().ok_or(Unsignable::Missing("timestamp"))
}

#[cfg(test)]
mod tests;
