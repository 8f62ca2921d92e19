use std::time::Duration;

use beam_gaia::privval::messages::{Message, PingRequest, PubKeyRequest, Sum};
use cometbft_p2p::rand_core::OsRng;
use cometbft_p2p::{AsyncReadMsg, AsyncSecretConnection, AsyncWriteMsg, IdentitySecret};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::signer::{AT_ONCE, CHAIN, run};

type Node = AsyncSecretConnection<TcpStream>;

async fn connected(listener: &TcpListener) -> TcpStream {
    timeout(Duration::from_secs(3), listener.accept()).await.expect("a signer within 3 s").unwrap().0
}

/// As a node does: under a new name at each start.
async fn shake_hands(stream: TcpStream) -> Node {
    AsyncSecretConnection::new(stream, &IdentitySecret::generate(&mut OsRng)).await.unwrap()
}

async fn accept(listener: &TcpListener) -> Node {
    shake_hands(connected(listener).await).await
}

async fn ask(node: &mut Node, sum: Sum) -> Sum {
    node.write_msg(Message::from(sum)).await.unwrap();
    let answer: Message = timeout(Duration::from_secs(5), node.read_msg()).await.unwrap().unwrap();
    answer.sum.unwrap()
}

async fn ping(node: &mut Node) {
    assert!(matches!(ask(node, Sum::PingRequest(PingRequest {})).await, Sum::PingResponse(_)));
}

#[tokio::test]
async fn a_node_gets_what_it_asks_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let signer = run(&format!("tcp://{}", listener.local_addr().unwrap()));
    let mut node = accept(&listener).await;
    let key = ask(&mut node, Sum::PubKeyRequest(PubKeyRequest { chain_id: CHAIN.to_owned() })).await;
    assert!(matches!(key, Sum::PubKeyResponse(key) if key.pub_key.is_some() && key.error.is_none()));
    ping(&mut node).await;
    signer.stop().await;
}

#[tokio::test]
async fn what_cannot_be_decoded_is_answered_and_the_connection_stays() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let signer = run(&format!("tcp://{}", listener.local_addr().unwrap()));
    let mut node = accept(&listener).await;
    // A text is field 1 of its message, which is no PubKeyRequest here.
    node.write_msg("\u{1}\u{2}\u{3}".to_owned()).await.unwrap();
    let answer: Message = node.read_msg().await.unwrap();
    assert!(matches!(answer.sum, Some(Sum::SignedVoteResponse(answer)) if answer.error.is_some()));
    ping(&mut node).await;
    assert_eq!(signer.link.borrow().connections, 1);
    signer.stop().await;
}

#[tokio::test]
async fn a_request_that_is_too_long_is_answered_and_the_signer_is_back_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let signer = run(&format!("tcp://{}", listener.local_addr().unwrap()));
    let mut node = accept(&listener).await;
    ping(&mut node).await;
    // The rest cannot be written once we have hung up.
    let _ = node.write_msg("x".repeat(1_100_000)).await;
    drop(node);
    let mut node = accept(&listener).await;
    ping(&mut node).await;
    signer.stop().await;
}

#[tokio::test]
async fn the_signer_is_back_at_once() {
    let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let signer = run(&format!("tcp://{address}"));
    ping(&mut accept(&listener).await).await;
    let mut waits = Vec::new();
    for _ in 0..3 {
        drop(listener);
        sleep(Duration::from_millis(150)).await;
        listener = TcpListener::bind(address).await.unwrap();
        let begun = Instant::now();
        let stream = connected(&listener).await;
        // Without the handshake, which takes its time in a test build.
        waits.push(begun.elapsed());
        ping(&mut shake_hands(stream).await).await;
    }
    assert!(waits.iter().min() < Some(&AT_ONCE), "{waits:?}");
    signer.stop().await;
}
