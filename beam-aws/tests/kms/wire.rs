//! What a bad line does to signing: it is asked again, in bounded time.

use std::time::{Duration, Instant};

use beam_aws::kms::timeouts::{AGAIN_AFTER, ATTEMPTS_MAX};
use beam_aws::kms::{Access, KeyPlace, KmsKey};
use beam_aws::timeouts::CALL_WITHIN;
use beam_core::signing::Signer;
use beam_core::signing_key::{KeyError, SigningKey as _};
use beam_examples::proxy::{Proxy, Weather};

use crate::common::{brisk, emulator, line, new_key, patient, verifies};

/// What a busy machine may take on top of a bound.
const SLACK: Duration = Duration::from_millis(400);

/// A key at the end of a wire, asked once.
async fn wired(access: &Access) -> (Proxy, KmsKey) {
    let wire = Proxy::start(emulator().await.address()).unwrap();
    let place = KeyPlace { endpoint: Some(format!("http://{}", wire.address())), ..new_key().await };
    let key = KmsKey::open(place, None, access).await.unwrap();
    key.sign(b"the first").await.unwrap();
    (wire, key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_asked_for_again_and_is_the_same() {
    let (wire, key) = wired(&patient()).await;
    let wanted = key.sign(b"a vote").await.unwrap();
    wire.set(Weather::LOSES_ANSWERS);
    let (signed, ()) = tokio::join!(key.sign(b"a vote"), async {
        while wire.figures().answers_lost() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        wire.set(Weather::FINE);
    });
    assert_eq!(signed.unwrap(), wanted);
    assert!(verifies(&key.public_key(), b"a vote", &wanted));
    assert!(key.calls().attempts > key.calls().signatures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_kms_is_given_up_before_the_node_is_answered_and_the_next_vote_is_signed() {
    let (wire, key) = wired(&brisk()).await;
    wire.set(Weather::BLACK_HOLE);
    let since = Instant::now();
    let error = key.sign(b"a vote").await.unwrap_err();
    let took = since.elapsed();
    assert!(matches!(error, KeyError::Unavailable(_)), "{error:?}");
    let text = line(error);
    assert!(text.contains("no answer within 600ms: check how far it is"), "{text}");
    assert_eq!(key.calls().attempts, 1 + u64::from(ATTEMPTS_MAX));
    assert!(took >= CALL_WITHIN * ATTEMPTS_MAX + AGAIN_AFTER * 3, "{took:?}");
    assert!(took < Signer::ANSWER_WITHIN + SLACK, "{took:?}");
    wire.set(Weather::FINE);
    // The machine may be so busy that an attempt's time does not do.
    let mut signed = key.sign(b"the next").await;
    for _ in 0..5 {
        if signed.is_err() {
            signed = key.sign(b"the next").await;
        }
    }
    signed.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_cut_is_made_again() {
    let (wire, key) = wired(&patient()).await;
    wire.set(Weather::CUT);
    assert!(matches!(key.sign(b"a vote").await, Err(KeyError::Unavailable(_))));
    wire.set(Weather::FINE);
    key.sign(b"a vote").await.unwrap();
}
