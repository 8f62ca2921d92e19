//! Requests and a signer for this module's tests.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use beam_core::id::{ChainId, SessionId};
use beam_core::signing::{Epoch, Mark, Refusal, Release, Signatures, Statement, Step};
use beam_core::signing_key::PublicKey;
use tendermint_proto::google::protobuf::Timestamp;
use tokio::sync::watch;

use super::messages::{
    BlockId, PartSetHeader, Proposal, SignProposalRequest, SignVoteRequest, SignedMsgType, Vote,
};
use super::{Service, Sign};

pub(super) const CHAIN: &str = "cosmoshub-4";

pub(super) fn chain() -> ChainId {
    CHAIN.parse().unwrap()
}

pub(super) fn time() -> Timestamp {
    Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }
}

pub(super) fn block() -> BlockId {
    let part_set_header = Some(PartSetHeader { total: 3, hash: vec![0xbb; 32] });
    BlockId { hash: vec![0xaa; 32], part_set_header }
}

pub(super) fn nil() -> BlockId {
    BlockId { hash: Vec::new(), part_set_header: Some(PartSetHeader::default()) }
}

pub(super) fn vote_request(kind: SignedMsgType, height: i64, round: i32, id: BlockId) -> SignVoteRequest {
    let vote = Vote {
        r#type: kind as i32,
        height,
        round,
        block_id: Some(id),
        timestamp: Some(time()),
        validator_address: vec![7; 20],
        validator_index: 3,
        ..Vote::default()
    };
    SignVoteRequest { vote: Some(vote), chain_id: chain().to_string() }
}

pub(super) fn proposal_request(height: i64, round: i32, pol_round: i32) -> SignProposalRequest {
    let proposal = Proposal {
        r#type: SignedMsgType::Proposal as i32,
        height,
        round,
        pol_round,
        block_id: Some(block()),
        timestamp: Some(time()),
        signature: Vec::new(),
    };
    SignProposalRequest { proposal: Some(proposal), chain_id: chain().to_string() }
}

/// What the signer does with the next request; with none left it signs what it is asked.
pub(super) enum Next {
    Refuse(Refusal),
    Hang(Duration),
    /// Signs these bytes instead.
    SignOther(Vec<u8>),
    /// Makes no signature of the extension.
    ForgetExtension,
}

/// Does as it is told and remembers what it was asked.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) script: Mutex<VecDeque<Next>>,
    pub(super) asked: Mutex<Vec<(SessionId, Mark)>>,
}

impl Scripted {
    pub(super) fn that(next: impl IntoIterator<Item = Next>) -> Self {
        Self { script: Mutex::new(next.into_iter().collect()), asked: Mutex::default() }
    }
}

#[async_trait]
impl Sign for Scripted {
    async fn sign(
        &self,
        session: SessionId,
        statement: Statement,
        mut extension: Option<Vec<u8>>,
    ) -> Result<Release, Refusal> {
        self.asked.lock().unwrap().push((session, statement.mark()));
        let next = self.script.lock().unwrap().pop_front();
        let mut bytes = statement.bytes().to_vec();
        match next {
            None => {}
            Some(Next::Refuse(refusal)) => return Err(refusal),
            Some(Next::Hang(time)) => tokio::time::sleep(time).await,
            Some(Next::SignOther(other)) => bytes = other,
            Some(Next::ForgetExtension) => extension = None,
        }
        Ok(Release {
            mark: statement.mark(),
            signatures: Signatures { statement: sign(&bytes), extension: extension.as_deref().map(sign) },
            bytes,
            epoch: Epoch(1),
            repeated: false,
        })
    }
}

/// A stand-in for a signature that shows what was signed.
pub(super) fn sign(bytes: &[u8]) -> Vec<u8> {
    [b"signed ", bytes].concat()
}

pub(super) const KEY: PublicKey = PublicKey([9; 32]);

pub(super) fn session(bits: u128) -> SessionId {
    SessionId::from_random(bits)
}

pub(super) fn service(signer: Scripted) -> (Service, watch::Sender<SessionId>) {
    let (sender, receiver) = watch::channel(session(1));
    (Service::new(chain(), KEY, signer, receiver), sender)
}

pub(super) fn refusal() -> Refusal {
    Refusal::RegisterOutOfReach(Mark::new(5, 0, Step::Prevote))
}
