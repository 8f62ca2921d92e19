//! A request of the node, decoded and answered, with a signer that signs whatever it is asked.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use beam_core::id::{ChainId, SessionId};
use beam_core::signing::{Epoch, Refusal, Release, Signatures, Statement, Step};
use beam_core::signing_key::PublicKey;
use beam_gaia::privval::messages::{Message, Proposal, RemoteSignerError, Sum, Vote};
use beam_gaia::privval::{Service, Sign};
use prost::Message as _;
use tendermint_proto::v0_38::types::{CanonicalProposal, CanonicalVote, CanonicalVoteExtension};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

const CHAIN: &str = "test-1";
/// Nodes up to 0.39 read no longer answer.
const ANSWER_LEN_MAX: usize = 10 * 1024;

/// Signs what it is asked, and remembers it.
#[derive(Clone, Default)]
struct Willing(Arc<Mutex<Vec<Asked>>>);

/// What was to be signed, and the extension that came along.
type Asked = (Statement, Option<Vec<u8>>);

#[async_trait]
impl Sign for Willing {
    async fn sign(
        &self,
        _: SessionId,
        statement: Statement,
        extension: Option<Vec<u8>>,
    ) -> Result<Release, Refusal> {
        self.0.lock().expect("a lock").push((statement.clone(), extension.clone()));
        let signature = |bytes: &[u8]| [b"signed ", bytes].concat();
        let signatures = Signatures {
            statement: signature(statement.bytes()),
            extension: extension.as_deref().map(signature),
        };
        let (mark, bytes) = (statement.mark(), statement.bytes().to_vec());
        Ok(Release { mark, bytes, signatures, epoch: Epoch(1), repeated: false })
    }
}

struct World {
    service: Service,
    signer: Willing,
    runtime: Runtime,
    _session: watch::Sender<SessionId>,
}

impl World {
    fn new() -> Self {
        let signer = Willing::default();
        let (sender, session) = watch::channel(SessionId::from_random(1));
        let chain: ChainId = CHAIN.parse().expect("a chain's id");
        let service = Service::new(chain, PublicKey([9; 32]), signer.clone(), session);
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        Self { service, signer, runtime: runtime.expect("a runtime"), _session: sender }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

/// One message.
pub fn run(bytes: &[u8]) {
    let Ok(asked) = Message::decode(bytes) else { return };
    let (answer, signed) = WORLD.with_borrow(|world| {
        let answer = world.runtime.block_on(world.service.answer(asked.clone()));
        (answer, std::mem::take(&mut *world.signer.0.lock().expect("a lock")))
    });
    let echoed = bytes.len();
    assert!(answer.encoded_len() <= ANSWER_LEN_MAX + echoed, "an answer that no node reads");
    assert!(signed.len() <= 1, "one request, one signature");
    let signed = signed.into_iter().next();
    match (asked.sum, answer.sum.expect("an answer")) {
        (Some(Sum::PubKeyRequest(asked)), Sum::PubKeyResponse(answer)) => {
            one_of(answer.pub_key.is_some(), answer.error.as_ref());
            assert_eq!(answer.pub_key.is_some(), asked.chain_id == CHAIN);
        }
        (Some(Sum::PingRequest(_)), Sum::PingResponse(_)) => assert!(signed.is_none()),
        (Some(Sum::SignVoteRequest(asked)), Sum::SignedVoteResponse(answer)) => {
            one_of(answer.vote.is_some(), answer.error.as_ref());
            assert_eq!(answer.vote.is_some(), signed.is_some());
            if let (Some(vote), Some((statement, extension))) = (answer.vote, signed) {
                assert_eq!(asked.chain_id, CHAIN);
                vote_is(&asked.vote.expect("a vote"), &vote, &statement, extension.as_deref());
            }
        }
        (Some(Sum::SignProposalRequest(asked)), Sum::SignedProposalResponse(answer)) => {
            one_of(answer.proposal.is_some(), answer.error.as_ref());
            assert_eq!(answer.proposal.is_some(), signed.is_some());
            if let (Some(proposal), Some((statement, extension))) = (answer.proposal, signed) {
                assert_eq!((asked.chain_id.as_str(), extension), (CHAIN, None));
                proposal_is(&asked.proposal.expect("a proposal"), &proposal, &statement);
            }
        }
        (Some(Sum::SignBytesRequest(_)), Sum::SignBytesResponse(answer)) => {
            assert!(signed.is_none() && answer.signature.is_empty() && answer.error.is_some());
        }
        (_, Sum::SignedVoteResponse(answer)) => {
            assert!(signed.is_none() && answer.vote.is_none());
            one_of(false, answer.error.as_ref());
        }
        (asked, answer) => panic!("{answer:?} is no answer to {asked:?}"),
    }
}

fn one_of(good: bool, error: Option<&RemoteSignerError>) {
    assert_ne!(good, error.is_some(), "an answer or a reason why there is none");
    assert!(error.is_none_or(|error| error.code != 0 && !error.description.is_empty()));
}

/// The signed bytes say what was asked for, by the word of a protobuf library.
fn vote_is(asked: &Vote, answer: &Vote, statement: &Statement, extension: Option<&[u8]>) {
    let bytes = statement.bytes();
    let signed = CanonicalVote::decode_length_delimited(bytes).expect("a vote");
    assert_eq!(
        (signed.r#type, signed.height, signed.round),
        (asked.r#type, asked.height, asked.round.into())
    );
    assert_eq!((signed.timestamp.as_ref(), signed.chain_id.as_str()), (asked.timestamp.as_ref(), CHAIN));
    let (id, block) = (asked.block_id.as_ref().expect("a block id"), signed.block_id);
    assert_eq!(block.as_ref().map_or(&[][..], |block| &block.hash), &id.hash[..]);
    let parts = block.and_then(|block| block.part_set_header);
    let asked_parts = id.part_set_header.as_ref().expect("a part set header");
    assert_eq!(parts.as_ref().map_or(0, |parts| parts.total), asked_parts.total);
    assert_eq!(parts.as_ref().map_or(&[][..], |parts| &parts.hash), &asked_parts.hash[..]);
    assert_eq!(i64::try_from(statement.mark().height.0), Ok(asked.height));

    assert_eq!(answer.signature, [b"signed ", bytes].concat());
    let extended = statement.mark().step == Step::Precommit && statement.block().is_some();
    assert_eq!((extended, answer.extension_signature.is_empty()), (extension.is_some(), !extended));
    if let Some(extension) = extension {
        let signed = CanonicalVoteExtension::decode_length_delimited(extension).expect("an extension");
        assert_eq!((signed.height, signed.round), (asked.height, asked.round.into()));
        assert_eq!((signed.extension, signed.chain_id.as_str()), (asked.extension.clone(), CHAIN));
    }
}

fn proposal_is(asked: &Proposal, answer: &Proposal, statement: &Statement) {
    let signed = CanonicalProposal::decode_length_delimited(statement.bytes()).expect("a proposal");
    assert_eq!((signed.height, signed.round), (asked.height, asked.round.into()));
    assert_eq!((signed.pol_round, signed.chain_id.as_str()), (asked.pol_round.into(), CHAIN));
    assert_eq!(signed.timestamp, asked.timestamp);
    assert_eq!(signed.block_id.expect("a block").hash, asked.block_id.as_ref().expect("a block id").hash);
    assert_eq!(statement.mark().step, Step::Proposal);
    assert_eq!(answer.signature, [b"signed ", statement.bytes()].concat());
}
