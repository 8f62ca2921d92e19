//! What a bad line does to a swap: what is certainly not written is told from what may be. Every service runs it on its own
//! emulator, which its `common` knows.

use std::time::{Duration, Instant};

use beam_aws::access::Access;
use beam_aws::timeouts::CALL_WITHIN;
use beam_core::register::{Cell, Register as _, RegisterError, SwapError, Version};
use beam_examples::proxy::{Proxy, Weather};
use beam_examples::wait;

use crate::common::{AwsRegister, brisk, emulator, key, line, new_store, open, open_with, patient};

/// What a busy machine may take on top of a bound.
const SLACK: Duration = Duration::from_millis(400);

/// A register at the end of a wire, with one cell of version 1.
async fn wired() -> (Proxy, AwsRegister) {
    wired_with(&patient()).await
}

async fn wired_with(access: &Access) -> (Proxy, AwsRegister) {
    let mut place = new_store().await;
    let wire = Proxy::start(emulator().await.address()).unwrap();
    place.endpoint = Some(format!("http://{}", wire.address()));
    let register = open(&place).await.unwrap();
    register.swap(&key(), None, vec![1]).await.unwrap();
    let register = open_with(&place, access).await.unwrap();
    // A handle that has seen the cell swaps without a look first.
    register.read(&key()).await.unwrap();
    (wire, register)
}

fn cell(version: u64, value: u8) -> Option<Cell> {
    Some(Cell { version: Version(version), value: vec![value] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_a_doubt_and_the_write_is_found_when_it_is_read() {
    let (wire, register) = wired().await;
    wire.set(Weather::LOSES_ANSWERS);
    let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
    assert!(matches!(error, SwapError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(wire.figures().answers_lost(), 1, "the SDK asked again by itself");
    wire.set(Weather::FINE);
    assert_eq!(register.read(&key()).await.unwrap(), cell(2, 2));
    // Made again, it finds itself.
    let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
    assert!(matches!(&error, SwapError::Conflict { current } if *current == cell(2, 2)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_after_sending_is_a_doubt() {
    let (wire, register) = wired().await;
    wire.set(Weather { delay: Duration::from_millis(100), ..Weather::FINE });
    let key = key();
    let (swapped, ()) = tokio::join!(register.swap(&key, Some(Version(1)), vec![2]), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        wire.set(Weather::CUT);
    });
    let error = swapped.unwrap_err();
    assert!(matches!(error, SwapError::OutcomeUnknown(_)), "{error:?}");
    wire.set(Weather::FINE);
    let found = register.read(&key).await.unwrap();
    assert!(found == cell(1, 1) || found == cell(2, 2), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_certainly_not_written() {
    let (wire, register) = wired().await;
    let reset = wire.address();
    drop(wire);
    wait::until("the wire to be gone", Duration::from_secs(5), || {
        std::future::ready(Ok(std::net::TcpStream::connect(reset).is_err().then_some(())))
    })
    .await
    .unwrap();
    // What stood when the wire went may be found dead in the middle of a request, which is a doubt; a new connection is not.
    let _ = register.read(&key()).await;
    let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
    assert!(matches!(error, SwapError::Failed(_)), "{error:?}");
    let said = line(error);
    assert!(said.contains("no connection: check region, endpoint"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_ends_in_time_and_is_a_doubt() {
    let (wire, register) = wired_with(&brisk()).await;
    wire.set(Weather::BLACK_HOLE);
    let since = Instant::now();
    let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
    assert!(since.elapsed() < CALL_WITHIN + SLACK, "{:?}", since.elapsed());
    assert!(matches!(error, SwapError::OutcomeUnknown(_)), "{error:?}");
    let said = line(error);
    assert!(said.contains("no answer within 600ms"), "{said}");
    let since = Instant::now();
    let error = register.read(&key()).await.unwrap_err();
    assert!(since.elapsed() < CALL_WITHIN + SLACK, "{:?}", since.elapsed());
    assert!(matches!(error, RegisterError::Unavailable(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_the_first_call_is_answered() {
    let call_within = Duration::from_secs(2);
    let (wire, register) = wired_with(&Access { call_within, ..patient() }).await;
    for outage in [Weather::BLACK_HOLE, Weather::CUT] {
        wire.set(outage);
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            register.read(&key()).await.unwrap_err();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        wire.set(Weather::FINE);
        let found = register.read(&key()).await.unwrap();
        let version = found.unwrap().version;
        register.swap(&key(), Some(version), vec![2]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_that_was_closed_costs_nothing() {
    let (wire, register) = wired().await;
    for version in 1..=20 {
        let before = wire.figures().reset();
        wire.set(Weather::CUT);
        wait::until("the connection to be reset", Duration::from_secs(5), || {
            std::future::ready(Ok((wire.figures().reset() > before).then_some(())))
        })
        .await
        .unwrap();
        wire.set(Weather::FINE);
        // A block's time is much longer: the client has heard of it by then.
        tokio::time::sleep(Duration::from_millis(50)).await;
        register.swap(&key(), Some(Version(version)), vec![2]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_used_again() {
    let (wire, register) = wired().await;
    let before = wire.figures().accepted();
    for version in 1..=50 {
        register.swap(&key(), Some(Version(version)), vec![2]).await.unwrap();
        register.read(&key()).await.unwrap();
    }
    // One that is not back in the pool when the next call comes may be joined by another.
    let more = wire.figures().accepted() - before;
    assert!(more <= 3, "{more} more connections for 100 calls");
}
