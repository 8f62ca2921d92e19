use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::super::limits::ANSWER_WITHIN;
use super::super::messages::{PingRequest, PingResponse, PubKeyRequest, SignedMsgType};
use super::super::plain::Plain;
use super::super::testing::{CHAIN, Next, Scripted, nil, service, vote_request};
use super::*;

struct Node {
    io: DuplexStream,
    stop: watch::Sender<bool>,
    link: watch::Sender<Link>,
    served: JoinHandle<Ended>,
}

fn node(signer: Scripted) -> Node {
    let (io, ours) = duplex(64 * 1024);
    let (stop, stopping) = watch::channel(false);
    let link = watch::Sender::<Link>::default();
    let (service, _session) = service(signer);
    let told = link.clone();
    let served =
        tokio::spawn(async move { serve(Box::new(Plain::new(ours)), &service, &told, stopping).await });
    Node { io, stop, link, served }
}

impl Node {
    async fn ask(&mut self, sum: Sum) -> Vec<u8> {
        self.io.write_all(&Message::from(sum).to_frame()).await.unwrap();
        self.heard().await
    }

    async fn heard(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let len = self.io.read(&mut bytes).await.unwrap();
        bytes.truncate(len);
        bytes
    }

    async fn ping(&mut self) {
        let pong = Message::from(Sum::PingResponse(PingResponse {})).to_frame();
        assert_eq!(self.ask(Sum::PingRequest(PingRequest {})).await, pong);
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_asks_for_nothing_is_given_up_in_time_but_not_soon() {
    let begun = Instant::now();
    let node = node(Scripted::default());
    assert!(matches!(node.served.await.unwrap(), Ended::Silent));
    assert_eq!(begun.elapsed(), FIRST_REQUEST_WITHIN);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_asked_once_may_be_silent_for_long() {
    let mut node = node(Scripted::default());
    node.ping().await;
    sleep(Duration::from_secs(3600)).await;
    node.ping().await;
    drop(node.io);
    assert!(matches!(node.served.await.unwrap(), Ended::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_an_idle_connection_at_once_and_lets_an_answer_out() {
    let mut idle = node(Scripted::default());
    idle.ping().await;
    idle.stop.send_replace(true);
    assert!(matches!(idle.served.await.unwrap(), Ended::Stopped));

    let mut busy = node(Scripted::that([Next::Hang(ANSWER_WITHIN / 2)]));
    let request = Sum::SignVoteRequest(vote_request(SignedMsgType::Prevote, 5, 0, nil()));
    busy.io.write_all(&Message::from(request).to_frame()).await.unwrap();
    sleep(Duration::from_millis(10)).await;
    busy.stop.send_replace(true);
    assert!(!busy.heard().await.is_empty());
    assert!(matches!(busy.served.await.unwrap(), Ended::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_takes_no_answer_is_given_up() {
    let mut node = node(Scripted::default());
    let pings = Message::from(Sum::PingRequest(PingRequest {})).to_frame().repeat(100_000);
    // More answers than fit between the two of us, and nobody reads one.
    let write = node.io.write_all(&pings);
    assert!(timeout(2 * SEND_WITHIN, write).await.is_ok_and(|written| written.is_err()));
    assert!(matches!(node.served.await.unwrap(), Ended::NotTaken));
}

#[tokio::test]
async fn a_key_that_is_given_is_told_and_one_that_is_refused_is_not() {
    let mut node = node(Scripted::default());
    for (chain, keys_given) in [(CHAIN, 1), ("provider", 1), (CHAIN, 2)] {
        node.ask(Sum::PubKeyRequest(PubKeyRequest { chain_id: chain.to_owned() })).await;
        // Told after the answer is sent.
        let told = node.link.subscribe().wait_for(|link| link.keys_given == keys_given).await.is_ok();
        assert!(told);
    }
    tokio::task::yield_now().await;
    assert_eq!(node.link.borrow().keys_given, 2);
}
