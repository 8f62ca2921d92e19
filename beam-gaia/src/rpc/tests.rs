//! The questions whose answers are read here, against real answers: of a Hub-like chain (cosmos-sdk v0.53.8, `CometBFT` v0.38.26) of
//! four validators, of which one was killed at height 21 and jailed some twenty blocks later; window 20.

use std::time::{Duration, Instant, SystemTime};

use base64ct::{Base64, Encoding as _};
use beam_core::health::missed::{Commit, Flag, Share, SigningInfo, SlashingParams};
use beam_core::health::{Consensus, Peers};
use beam_core::signing::{Height, Round};
use beam_core::signing_key::PublicKey;
use tendermint_rpc::Response as _;
use tendermint_rpc::endpoint::commit;

use super::test_server::{Answer, Server, address};
use super::*;

/// The address of the one that was killed, and its key.
const KILLED: &str = "9192188A01BDF6840DE0B9FBFE4F0AE40916681D";
const KILLED_KEY: &str = "E1I+afzsArusXf+OsVFXhhZj5+9junnON/xc7cgslEs=";
const WELL: &str = "2ACCD7F4EDBEADC14EEBB61B8499B843DF608FCB";

/// What a kvstore says to a question of the SDK's.
const KVSTORE: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"response":{"code":0,"log":"does not exist","info":"","index":"0","key":null,"value":null,"proofOps":null,"height":"7","codespace":""}}}"#;

async fn asked(answer: impl Into<String>) -> (NodeRpc, Server) {
    let server = Server::start(Answer::ok(answer)).await;
    (NodeRpc::new(server.address), server)
}

/// Some time in 2026, in seconds of that chain.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[tokio::test]
async fn the_application_says_what_it_is() {
    let (rpc, _server) = asked(include_str!("fixtures/abci_info.json")).await;
    let app = AppInfo { name: "hubd".to_owned(), version: "v1".to_owned(), height: Height(31) };
    assert_eq!(rpc.app().await.unwrap(), app);
    let (rpc, _server) = asked(r#"{"result":{"response":{}}}"#).await;
    let nothing = AppInfo { name: String::new(), version: String::new(), height: Height(0) };
    assert_eq!(rpc.app().await.unwrap(), nothing, "before its first block");
}

#[tokio::test]
async fn peers_are_counted_by_who_connected() {
    let (rpc, _server) = asked(include_str!("fixtures/net_info.json")).await;
    let Peers { inbound, outbound } = rpc.connections().await.unwrap();
    assert_eq!((inbound + outbound, outbound), (rpc.peers().await.unwrap(), 1));
    let (rpc, _server) = asked(r#"{"result":{"n_peers":"0","peers":[]}}"#).await;
    assert_eq!(rpc.connections().await.unwrap(), Peers { inbound: 0, outbound: 0 });
}

#[tokio::test]
async fn peers_heights_are_those_that_they_have_committed() {
    let (rpc, _server) = asked(include_str!("fixtures/dump_consensus_state.json")).await;
    let heights = rpc.peers_heights().await.unwrap();
    let expected = ["1ec2c6674a189c85d5015ccdb9c2e3289937a630", "4b5d2a603e7e12426537edb77b3f84701260ec29"];
    assert_eq!(heights, expected.map(|id| (id.to_owned(), Height(31))).into());
    let odd = r#"{"result":{"peers":[{"node_address":"a@b","peer_state":null},{"peer_state":{"round_state":{"height":"0"}}},{}]}}"#;
    let (rpc, _server) = asked(odd).await;
    assert!(rpc.peers_heights().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_consensus_thread_in_the_middle_of_a_vote_answers() {
    let (rpc, _server) = asked(include_str!("fixtures/consensus_state.json")).await;
    assert_eq!(ConsensusThread::new(rpc).ask().await.unwrap(), Consensus::Answers);
}

#[tokio::test]
async fn a_frozen_one_is_a_reading_and_is_asked_once() {
    let server = Server::start(Answer::silent()).await;
    let thread = ConsensusThread::new(NodeRpc::new(server.address));
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(thread.ask().await.unwrap(), Consensus::Hangs);
        assert!(began.elapsed() < CONSENSUS_WITHIN * 2, "{:?}", began.elapsed());
    }
    assert_eq!(server.questions(), 1);
    server.stop().await;
    assert!(thread.ask().await.is_err(), "gone, which is no hanging");
    assert!(thread.ask().await.is_err());
}

#[tokio::test]
async fn the_chains_account_of_a_validator_is_read() {
    let (rpc, server) = asked(include_str!("fixtures/slashing_params.json")).await;
    let params = SlashingParams { window: 20, min_signed: SlashingParams::ONE / 2 };
    assert_eq!(rpc.slashing_params().await.unwrap(), Some(params));
    server.says(Answer::ok(include_str!("fixtures/bech32_prefix.json")));
    assert_eq!(rpc.bech32_prefix().await.unwrap().as_deref(), Some("cosmos"));

    server.says(Answer::ok(include_str!("fixtures/signing_info.json")));
    let info = rpc.signing_info(&address(KILLED), "cosmos", at(0)).await.unwrap();
    let expected = SigningInfo {
        at: Height(31),
        start_height: 0,
        index_offset: 30,
        missed: 9,
        jailed: false,
        tombstoned: false,
    };
    assert_eq!(info, Some(expected));
    // The address as the chain's own program wrote it, as field 1.
    let hex = beam_core::id::to_hex(b"cosmosvalcons1jxfp3zsphhmggr0qh8alunc2usy3v6qat75ke8");
    assert!(server.asked().contains(&format!("\"0a34{hex}\"")), "{}", server.asked());

    server.says(Answer::ok(include_str!("fixtures/signing_info_jailed.json")));
    let jailed_until = 1_795_520_487;
    for (now, jailed) in [(jailed_until - 1, true), (jailed_until + 1, false)] {
        let info = rpc.signing_info(&address(KILLED), "cosmos", at(now)).await.unwrap().unwrap();
        assert_eq!((info.missed, info.index_offset, info.jailed), (0, 0, jailed));
    }
}

#[tokio::test]
async fn whether_it_is_jailed_is_read_from_the_list_of_validators() {
    let (rpc, server) = asked(include_str!("fixtures/staking_validators.json")).await;
    let mut key = [0; 32];
    Base64::decode(KILLED_KEY, &mut key).unwrap();
    let standing = rpc.standing(&PublicKey(key)).await.unwrap().unwrap();
    assert!(standing.jailed && !standing.bonded && standing.operator.starts_with("cosmosvaloper1"));
    assert!(server.asked().contains("\"120318f403\""), "as the chain's own library encodes it");
    assert_eq!(rpc.standing(&PublicKey([7; 32])).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_planned_is_read() {
    let (rpc, server) = asked(include_str!("fixtures/no_plan.json")).await;
    assert_eq!(rpc.planned_upgrade().await.unwrap(), None);
    // plan { name: "v2", height: 497 }
    let plan = Base64::encode_string(&[10, 7, 10, 2, b'v', b'2', 0x18, 0xf1, 3]);
    server.says(Answer::ok(KVSTORE.replace("\"value\":null", &format!("\"value\":\"{plan}\""))));
    let upgrade = rpc.planned_upgrade().await.unwrap().unwrap();
    assert_eq!((upgrade.name.as_str(), upgrade.height), ("v2", Height(497)));
    server.says(Answer::ok(include_str!("fixtures/node_config.json")));
    assert_eq!(rpc.halt_height().await.unwrap(), None);
    // Of a node that was started with --halt-height 12, and has halted.
    server.says(Answer::ok(include_str!("fixtures/node_config_halts.json")));
    assert_eq!(rpc.halt_height().await.unwrap(), Some(Height(12)));
}

#[tokio::test]
async fn an_application_that_knows_no_such_question_is_no_fault() {
    for answer in [KVSTORE, include_str!("fixtures/unknown_path.json")] {
        let (rpc, _server) = asked(answer).await;
        assert_eq!(rpc.slashing_params().await.unwrap(), None);
        assert_eq!(rpc.signing_info(&address(KILLED), "cosmos", at(0)).await.unwrap(), None);
        assert_eq!(rpc.planned_upgrade().await.unwrap(), None);
        assert_eq!(rpc.halt_height().await.unwrap(), None);
        assert_eq!(rpc.bech32_prefix().await.unwrap(), None);
        assert_eq!(rpc.standing(&PublicKey([7; 32])).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_unreadable() {
    let garbage = KVSTORE.replace("\"value\":null", "\"value\":\"/////w==\"");
    for answer in ["{}", "[]", "", r#"{"result":{}}"#, &garbage, &garbage.replace("/////w==", "*")] {
        let (rpc, _server) = asked(answer).await;
        let error = rpc.slashing_params().await.unwrap_err();
        assert!(matches!(error, RpcError::Unreadable(_)), "{answer}: {error:?}");
    }
}

#[tokio::test]
async fn peers_are_dialed_if_the_node_allows_it() {
    let (rpc, server) =
        asked(r#"{"result":{"log":"Dialing peers in progress. See /net_info for details"}}"#).await;
    let dialing = Dialing { persistent: true, private: true, ..Dialing::default() };
    rpc.dial_peers(&["a@127.0.0.1:1".to_owned()], dialing).await.unwrap();
    let question: serde_json::Value = serde_json::from_str(&server.asked()).unwrap();
    let params = r#"{"peers":["a@127.0.0.1:1"],"persistent":true,"private":true,"unconditional":false}"#;
    assert_eq!(question["params"].to_string(), params);
    server.says(Answer::ok(include_str!("fixtures/no_such_method.json")));
    let error = rpc.dial_peers(&[], dialing).await.unwrap_err();
    assert!(matches!(error, RpcError::Rpc { code: -32601, .. }), "{error:?}");
}

#[tokio::test]
async fn a_set_is_read_page_by_page() {
    let (rpc, server) = asked(include_str!("fixtures/validators.json")).await;
    let set = rpc.validators(Height(30)).await.unwrap();
    assert_eq!(set.seats.len(), 4);
    assert_eq!(set.seats[0], (address(WELL), 1000));
    let page = |from: usize, to: usize| {
        let seats: Vec<_> =
            (from..to).map(|n| format!(r#"{{"address":"{n:040X}","voting_power":"5"}}"#)).collect();
        Answer::ok(format!(r#"{{"result":{{"validators":[{}],"total":"180"}}}}"#, seats.join(",")))
    };
    server.says_to("\"page\":\"1\"", page(0, 100));
    server.says_to("\"page\":\"2\"", page(100, 180));
    assert_eq!(rpc.validators(Height(30)).await.unwrap().seats.len(), 180);
    server.says(page(0, 1));
    assert!(matches!(rpc.validators(Height(30)).await, Err(RpcError::Unreadable(_))), "never to end");
}

#[tokio::test]
async fn a_commit_counts_for_each_validator_as_it_should() {
    let real = commit::Response::from_string(include_str!("fixtures/commit_absent.json")).unwrap();
    let commit = Committed::try_from(real).unwrap();
    let (rpc, _server) = asked(include_str!("fixtures/validators.json")).await;
    let set = rpc.validators(commit.height).await.unwrap();
    let counts = |ours, others, power| Commit {
        height: Height(30),
        round: Round(0),
        ours,
        others: Share { absent: others, of: 3 },
        power,
    };
    let share = |absent, of| Some(Share { absent, of });
    assert_eq!(commit.counts(&address(KILLED), Some(&set)), Some(counts(Flag::Absent, 0, share(0, 3000))));
    assert_eq!(commit.counts(&address(KILLED), None), None, "absent, or not in the set");
    assert_eq!(commit.counts(&address(WELL), None), Some(counts(Flag::Block, 1, None)));
    assert_eq!(commit.counts(&address(WELL), Some(&set)), Some(counts(Flag::Block, 1, share(1000, 3000))));
    let stranger = ValidatorAddress([7; 20]);
    let others = Share { absent: 1, of: 4 };
    let none = Commit { others, ..counts(Flag::NotSeated, 1, share(1000, 4000)) };
    assert_eq!(commit.counts(&stranger, Some(&set)), Some(none));
    let mut not_yet = commit;
    not_yet.canonical = false;
    assert_eq!(not_yet.counts(&address(WELL), Some(&set)), None);
}
