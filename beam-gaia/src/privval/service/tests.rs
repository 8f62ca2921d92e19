use std::time::Duration;

use beam_core::signing::{Mark, Step};

use super::super::messages::{PingRequest, SignBytesRequest, SignedMsgType};
use super::super::testing::{
    KEY, Next, Scripted, block, chain, nil, proposal_request, refusal, service, session, sign, vote_request,
};
use super::*;

async fn vote(signer: Scripted, request: SignVoteRequest) -> SignedVoteResponse {
    let (service, _session) = service(signer);
    match service.answer(Sum::SignVoteRequest(request).into()).await.sum {
        Some(Sum::SignedVoteResponse(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

fn reason(answer: SignedVoteResponse) -> String {
    assert_eq!(answer.vote, None);
    answer.error.unwrap().description
}

#[tokio::test]
async fn the_key_is_given_for_our_chain_only() {
    let (service, _session) = service(Scripted::default());
    let ask = async |chain_id: &str| match service
        .answer(Sum::PubKeyRequest(PubKeyRequest { chain_id: chain_id.to_owned() }).into())
        .await
        .sum
    {
        Some(Sum::PubKeyResponse(answer)) => answer,
        other => panic!("{other:?}"),
    };
    let key = crypto::PublicKey { sum: Some(crypto::public_key::Sum::Ed25519(KEY.0.to_vec())) };
    assert_eq!(ask(chain().as_str()).await, PubKeyResponse { pub_key: Some(key), error: None });
    let other = ask("provider").await;
    assert!(other.pub_key.is_none() && other.error.unwrap().description.contains("provider"));
}

#[tokio::test]
async fn a_ping_is_answered() {
    let (service, _session) = service(Scripted::default());
    let answer = service.answer(Sum::PingRequest(PingRequest {}).into()).await;
    assert_eq!(answer, Sum::PingResponse(PingResponse {}).into());
}

#[tokio::test]
async fn a_precommit_comes_back_with_both_signatures_and_without_its_extension() {
    let mut request = vote_request(SignedMsgType::Precommit, 5, 0, block());
    request.vote.as_mut().unwrap().extension = vec![1; 9000];
    let asked = canonical::vote(&chain(), &request).unwrap();
    let signed = vote(Scripted::default(), request.clone()).await.vote.unwrap();
    let expected = Vote {
        signature: sign(asked.statement.bytes()),
        extension_signature: sign(&asked.extension.unwrap()),
        extension: Vec::new(),
        ..request.vote.unwrap()
    };
    assert_eq!(signed, expected);
}

#[tokio::test]
async fn an_extension_is_signed_for_a_precommit_of_a_block_also_if_empty_and_never_otherwise() {
    let signed = async |kind, id| {
        let answer = vote(Scripted::default(), vote_request(kind, 5, 0, id)).await;
        !answer.vote.unwrap().extension_signature.is_empty()
    };
    assert!(signed(SignedMsgType::Precommit, block()).await);
    assert!(!signed(SignedMsgType::Precommit, nil()).await);
    assert!(!signed(SignedMsgType::Prevote, block()).await);
    assert!(!signed(SignedMsgType::Prevote, nil()).await);
}

#[tokio::test]
async fn a_signer_that_forgets_the_extension_is_not_passed_on() {
    let request = vote_request(SignedMsgType::Precommit, 5, 0, block());
    let answer = vote(Scripted::that([Next::ForgetExtension]), request).await;
    assert!(reason(answer).contains("extension"));
}

#[tokio::test]
async fn the_timestamp_of_the_answer_is_the_one_that_was_signed() {
    let request = vote_request(SignedMsgType::Prevote, 5, 0, block());
    let mut earlier = request.clone();
    let moment = Timestamp { seconds: 1_600_000_000, nanos: 7 };
    earlier.vote.as_mut().unwrap().timestamp = Some(moment);
    let recorded = canonical::vote(&chain(), &earlier).unwrap().statement.bytes().to_vec();
    let signed = vote(Scripted::that([Next::SignOther(recorded.clone())]), request).await.vote.unwrap();
    assert_eq!((signed.timestamp, signed.signature), (Some(moment), sign(&recorded)));
}

#[tokio::test]
async fn a_signature_over_another_vote_is_never_passed_on() {
    let request = vote_request(SignedMsgType::Prevote, 5, 0, block());
    let other = vote_request(SignedMsgType::Prevote, 5, 0, nil());
    let other = canonical::vote(&chain(), &other).unwrap().statement.bytes().to_vec();
    let answer = vote(Scripted::that([Next::SignOther(other)]), request).await;
    assert!(reason(answer).contains("something else"));
}

#[tokio::test]
async fn a_proposal_with_another_timestamp_is_never_passed_on() {
    let request = proposal_request(5, 0, -1);
    let mut earlier = request.clone();
    earlier.proposal.as_mut().unwrap().timestamp = Some(Timestamp { seconds: 1, nanos: 0 });
    let recorded = canonical::proposal(&chain(), &earlier).unwrap().bytes().to_vec();
    let (service, _session) = service(Scripted::that([Next::SignOther(recorded)]));
    let answer = service.answer(Sum::SignProposalRequest(request.clone()).into()).await;
    let Some(Sum::SignedProposalResponse(answer)) = answer.sum else { panic!("{answer:?}") };
    assert!(answer.proposal.is_none() && answer.error.is_some());

    let answer = service.answer(Sum::SignProposalRequest(request.clone()).into()).await;
    let Some(Sum::SignedProposalResponse(answer)) = answer.sum else { panic!("{answer:?}") };
    let signature = sign(canonical::proposal(&chain(), &request).unwrap().bytes());
    assert_eq!(answer.proposal, Some(Proposal { signature, ..request.proposal.unwrap() }));
}

#[tokio::test]
async fn a_refusals_text_reaches_the_node() {
    let request = vote_request(SignedMsgType::Prevote, 5, 0, block());
    let answer = vote(Scripted::that([Next::Refuse(refusal())]), request).await;
    assert_eq!(reason(answer), refusal().to_string());
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_hangs_is_not_waited_for() {
    let begun = tokio::time::Instant::now();
    let request = vote_request(SignedMsgType::Prevote, 5, 0, block());
    let answer = vote(Scripted::that([Next::Hang(Duration::from_secs(60))]), request).await;
    assert!(reason(answer).contains("in time"));
    assert_eq!(begun.elapsed(), ANSWER_WITHIN);
}

#[tokio::test]
async fn requests_are_signed_under_the_session_of_the_moment() {
    let signer = Arc::new(Scripted::default());
    let (sessions, receiver) = watch::channel(session(1));
    let service = Service::new(chain(), KEY, signer.clone(), receiver);
    let request =
        |height| Sum::SignVoteRequest(vote_request(SignedMsgType::Prevote, height, 0, nil())).into();
    service.answer(request(5)).await;
    sessions.send_replace(session(2));
    service.answer(request(6)).await;
    // Whoever gave the session may be gone; the last one stays.
    drop(sessions);
    service.answer(request(7)).await;
    let mark = |height| Mark::new(height, 0, Step::Prevote);
    let asked = signer.asked.lock().unwrap().clone();
    assert_eq!(asked, [(session(1), mark(5)), (session(2), mark(6)), (session(2), mark(7))]);
}

#[tokio::test]
async fn bytes_without_a_meaning_an_answer_and_the_unknown_are_refused() {
    let signer = Arc::new(Scripted::default());
    let (_sessions, receiver) = watch::channel(session(1));
    let service = Service::new(chain(), KEY, signer.clone(), receiver);
    let bytes = service.answer(Sum::SignBytesRequest(SignBytesRequest { value: vec![1] }).into()).await;
    let Some(Sum::SignBytesResponse(bytes)) = bytes.sum else { panic!("{bytes:?}") };
    assert!(bytes.signature.is_empty() && bytes.error.is_some());
    for message in [Message { sum: None }, Sum::PingResponse(PingResponse {}).into()] {
        let answer = service.answer(message).await;
        let Some(Sum::SignedVoteResponse(answer)) = answer.sum else { panic!("{answer:?}") };
        assert!(answer.vote.is_none() && answer.error.is_some());
    }
    assert!(signer.asked.lock().unwrap().is_empty());
}
