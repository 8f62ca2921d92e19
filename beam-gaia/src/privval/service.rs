//! One request, one answer.

use std::sync::Arc;

use beam_core::id::{ChainId, SessionId};
use beam_core::signing::canonical::Canonical;
use beam_core::signing::{Refusal, Release, Statement};
use beam_core::signing_key::PublicKey;
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::crypto;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Sign;
use super::canonical::{self, Unsignable, VoteToSign};
use super::limits::{ANSWER_WITHIN, REASON_CHARS_MAX};
use super::messages::{
    Message, PingResponse, Proposal, PubKeyRequest, PubKeyResponse, RemoteSignerError, SignBytesResponse,
    SignProposalRequest, SignVoteRequest, SignedProposalResponse, SignedVoteResponse, Sum, Vote,
};

/// Answers what a node asks. Every message has an answer, within [`ANSWER_WITHIN`].
pub struct Service {
    chain: ChainId,
    key: PublicKey,
    signer: Arc<dyn Sign>,
    session: watch::Receiver<SessionId>,
}

/// Why a request is answered with an error.
#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error(transparent)]
    Unsignable(#[from] Unsignable),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("beam: the signer did not answer in time")]
    Late,
    #[error("beam: the signer signed something else")]
    SomethingElse,
    #[error("beam: the signer did not sign the vote extension")]
    NoExtensionSignature,
}

impl Service {
    /// A service for one key on one chain.
    ///
    /// `session` is the run of the node that asks, as of the moment in which it asks: whoever starts the node draws a
    /// new id before each start and sends it here.
    #[must_use]
    pub fn new(
        chain: ChainId,
        key: PublicKey,
        signer: impl Sign,
        session: watch::Receiver<SessionId>,
    ) -> Self {
        Self { chain, key, signer: Arc::new(signer), session }
    }

    /// Answers one message.
    pub async fn answer(&self, message: Message) -> Message {
        match message.sum {
            Some(Sum::PubKeyRequest(request)) => self.public_key(&request).into(),
            Some(Sum::PingRequest(_)) => Sum::PingResponse(PingResponse {}).into(),
            Some(Sum::SignVoteRequest(request)) => {
                let (vote, error) = parts(self.vote(request).await);
                Sum::SignedVoteResponse(SignedVoteResponse { vote, error }).into()
            }
            Some(Sum::SignProposalRequest(request)) => {
                let (proposal, error) = parts(self.proposal(request).await);
                Sum::SignedProposalResponse(SignedProposalResponse { proposal, error }).into()
            }
            Some(Sum::SignBytesRequest(_)) => {
                let error = Some(error("beam: bytes are not signed without knowing what they mean"));
                Sum::SignBytesResponse(SignBytesResponse { signature: Vec::new(), error }).into()
            }
            Some(
                Sum::PubKeyResponse(_)
                | Sum::SignedVoteResponse(_)
                | Sum::SignedProposalResponse(_)
                | Sum::PingResponse(_)
                | Sum::SignBytesResponse(_),
            ) => Self::deny("beam: that is an answer, not a request"),
            None => Self::deny("beam: a request that this signer does not know"),
        }
    }

    /// The answer to something that is no request. Whatever the node asked for, an error of this kind ends its waiting.
    #[must_use]
    pub fn deny(reason: &str) -> Message {
        let (vote, error) = (None, Some(error(reason)));
        Sum::SignedVoteResponse(SignedVoteResponse { vote, error }).into()
    }

    /// Whoever asks for the right chain gets the key, in every role: a node that does not get it at its start exits.
    fn public_key(&self, request: &PubKeyRequest) -> Sum {
        let (pub_key, error) = parts(canonical::of_chain(&self.chain, &request.chain_id).map(|()| {
            let key = crypto::public_key::Sum::Ed25519(self.key.0.to_vec());
            crypto::PublicKey { sum: Some(key) }
        }));
        Sum::PubKeyResponse(PubKeyResponse { pub_key, error })
    }

    async fn vote(&self, request: SignVoteRequest) -> Result<Vote, Denied> {
        let VoteToSign { statement, extension } = canonical::vote(&self.chain, &request)?;
        let extended = extension.is_some();
        let release = self.signed(&statement, extension).await?;
        if extended != release.signatures.extension.is_some() {
            return Err(Denied::NoExtensionSignature);
        }
        let vote = request.vote.ok_or(Unsignable::Missing("vote"))?;
        Ok(Vote {
            signature: release.signatures.statement,
            extension_signature: release.signatures.extension.unwrap_or_default(),
            // The node takes it over, as it must: the signature may be over the same vote of another moment.
            timestamp: Some(timestamp(&release.bytes)?),
            // The node ignores the echo and reads 10 KiB at most.
            extension: Vec::new(),
            ..vote
        })
    }

    async fn proposal(&self, request: SignProposalRequest) -> Result<Proposal, Denied> {
        let statement = canonical::proposal(&self.chain, &request)?;
        let release = self.signed(&statement, None).await?;
        let proposal = request.proposal.ok_or(Unsignable::Missing("proposal"))?;
        Ok(Proposal { signature: release.signatures.statement, ..proposal })
    }

    async fn signed(&self, statement: &Statement, extension: Option<Vec<u8>>) -> Result<Release, Denied> {
        let session = *self.session.borrow();
        let signing = self.signer.sign(session, statement.clone(), extension);
        let release = timeout(ANSWER_WITHIN, signing).await.map_err(|_| Denied::Late)??;
        // A signature over anything else would do the node no good; that there is one is the signer's fault.
        if statement.repeats(&release.bytes) { Ok(release) } else { Err(Denied::SomethingElse) }
    }
}

/// Either member of an answer.
fn parts<T>(result: Result<T, impl std::fmt::Display>) -> (Option<T>, Option<RemoteSignerError>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(denied) => (None, Some(error(&denied.to_string()))),
    }
}

fn error(reason: &str) -> RemoteSignerError {
    // The node only logs the code.
    RemoteSignerError { code: 1, description: reason.chars().take(REASON_CHARS_MAX).collect() }
}

fn timestamp(bytes: &[u8]) -> Result<Timestamp, Unsignable> {
    let signed = Canonical::read(bytes)?.timestamp;
    Ok(Timestamp { seconds: signed.seconds, nanos: signed.nanos })
}

#[cfg(test)]
mod tests;
