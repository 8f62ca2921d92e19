use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use beam_core::health::missed::MissedBlocks;
use beam_core::health::{Answer as Says, Consensus, Peers, Source, Status};
use beam_core::signing::Height;

use super::*;
use crate::rpc::NodeRpc;
use crate::rpc::test_server::{Answer, Server, address};

const STATUS: &str = include_str!("../rpc/fixtures/status.json");
const CHAIN: &str = "chain-yr1KSg";

async fn node() -> Server {
    let server = Server::start(Answer::with(404, "")).await;
    for (method, answer) in [
        ("\"status\"", STATUS),
        ("\"abci_info\"", include_str!("../rpc/fixtures/abci_info.json")),
        ("\"net_info\"", include_str!("../rpc/fixtures/net_info.json")),
        ("\"consensus_state\"", include_str!("../rpc/fixtures/consensus_state.json")),
        ("\"dump_consensus_state\"", include_str!("../rpc/fixtures/dump_consensus_state.json")),
        ("Service/Config", include_str!("../rpc/fixtures/node_config.json")),
    ] {
        server.says_to(method, Answer::ok(answer));
    }
    server
}

fn probe(server: &Server, references: &[(&str, &Server)], home: &Path) -> Probe {
    let references: BTreeMap<_, _> =
        references.iter().map(|(name, server)| ((*name).to_owned(), NodeRpc::new(server.address))).collect();
    Probe::new(NodeRpc::new(server.address), CHAIN.parse().unwrap(), home.to_owned(), references)
}

#[tokio::test]
async fn a_look_tells_everything_at_once() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("data")).unwrap();
    std::fs::write(home.path().join("data/upgrade-info.json"), r#"{"name":"v2","height":497}"#).unwrap();
    let (node, sentry, stranger, gone) = tokio::join!(node(), node(), node(), node());
    sentry.says_to("\"status\"", Answer::ok(STATUS.replace("\"21\"", "\"25\"")));
    stranger.says_to("\"status\"", Answer::ok(STATUS.replace(CHAIN, "another")));
    gone.says(Answer::silent());
    let probe = probe(&node, &[("sentry", &sentry), ("stranger", &stranger), ("gone", &gone)], home.path());
    let look = probe.look().await;
    let seen = look.readings;
    let network = CHAIN.parse().unwrap();
    assert_eq!(seen.node, Says::Status(Status { network, height: Height(21), catching_up: false }));
    assert_eq!((seen.app_height, seen.halt_height), (Some(Height(31)), None));
    assert_eq!(seen.consensus, Some(Consensus::Answers));
    assert_eq!(seen.peers, Some(Peers { inbound: 4, outbound: 1 }));
    assert_eq!(seen.upgrade.unwrap().height, Height(497));
    assert_eq!(seen.others.len(), 3, "the sentry and two peers: {:?}", seen.others);
    assert_eq!(seen.others.get(&Source::Reference("sentry".to_owned())), Some(&Height(25)));
    assert_eq!((seen.running, seen.signer, seen.votes), (None, None, None), "not for a probe to know");
    assert_eq!(look.app.unwrap().version, "v1");
    assert_eq!(look.status.unwrap().height, Height(21));
    assert!(look.disk.unwrap().free_bytes > 0);
}

#[tokio::test]
async fn a_frozen_node_is_looked_at_in_time() {
    let (node, sentry) = tokio::join!(node(), node());
    for hangs in ["consensus_state\"", "abci_info", "abci_query"] {
        node.says_to(hangs, Answer::silent());
    }
    let probe = probe(&node, &[("sentry", &sentry)], Path::new("/nowhere"));
    for _ in 0..2 {
        let began = Instant::now();
        let look = probe.look().await;
        assert!(began.elapsed() < LOOK_WITHIN, "{:?}", began.elapsed());
        assert_eq!(look.readings.consensus, Some(Consensus::Hangs));
        assert!(matches!(look.readings.node, Says::Status(_)));
        assert_eq!((look.readings.app_height, look.disk), (None, None));
        assert_eq!(look.readings.others.len(), 1, "its peers cannot be asked");
    }
}

#[tokio::test]
async fn one_that_is_silent_or_odd_is_told_apart() {
    let node = node().await;
    let probe = probe(&node, &[], Path::new("/nowhere"));
    node.says(Answer::with(404, "no"));
    assert!(matches!(probe.look().await.readings.node, Says::Odd(_)));
    node.says(Answer::silent());
    let began = Instant::now();
    assert_eq!(probe.look().await.readings.node, Says::Silent);
    assert!(began.elapsed() < LOOK_WITHIN + Duration::from_secs(1));
    node.stop().await;
    let seen = probe.look().await.readings;
    assert_eq!((seen.node, seen.consensus, seen.peers), (Says::Silent, None, None));
}

/// The commit of height 30, in which one of four is absent.
#[tokio::test]
async fn the_ledger_gets_what_it_wants() {
    let server = Server::start(Answer::with(404, "")).await;
    server.says_to("\"commit\"", Answer::ok(include_str!("../rpc/fixtures/commit_absent.json")));
    server.says_to("\"validators\"", Answer::ok(include_str!("../rpc/fixtures/validators.json")));
    let rpc = NodeRpc::new(server.address);
    let absent = address("9192188A01BDF6840DE0B9FBFE4F0AE40916681D");
    let mut ledger = MissedBlocks::default();
    let missed = fetch_missing(&rpc, Height(31), &absent, &mut ledger).await;
    assert_eq!(missed.iter().map(|missed| missed.height).collect::<Vec<_>>(), [Height(30)]);
    assert_eq!((ledger.tally().missed, ledger.tally().to), (1, Height(30)));

    // One that the node does not have is unknown; one that it does not answer for is wanted again.
    server.says_to("\"commit\"", Answer::ok(include_str!("../rpc/fixtures/height_ahead.json")));
    fetch_missing(&rpc, Height(32), &absent, &mut ledger).await;
    assert_eq!((ledger.tally().unknown, ledger.tally().to), (1, Height(31)));
    server.says(Answer::with(502, ""));
    fetch_missing(&rpc, Height(33), &absent, &mut ledger).await;
    assert_eq!(ledger.wanted(Height(33)), [Height(32)]);
}
