//! A real node on a real chain, looked at as a pilot would: while it votes, while its signer is away, while it hangs, and alone.
//!
//! `CometBFT` with its kvstore, which knows none of the SDK's questions; what the SDK itself counts is in `hub`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod hub;
mod watched;

use std::time::Duration;

use beam_core::health::missed::Cause;
use beam_core::health::{Consensus, Hold, Remedy};
use beam_examples::network::{Network, NetworkPlan};
use rustix::process::Signal;
use tokio::sync::Mutex;
use watched::Watched;

/// What may take a while on a machine with much else to do.
const SOON: Duration = Duration::from_secs(90);

/// Two networks at once would make each other slow, and slow is a miss here.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_node_is_watched_through_all_that_befalls_it() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let mut network = Network::create(&folder.path().join("net"), NetworkPlan::default()).await.unwrap();
    network.start_validators().await.unwrap();
    let mut node = Watched::start(&network).await;

    // It votes, and nothing is missed once it does.
    node.until(SOON, "it is well", |node| node.is_well() && node.ledger.tally().seated).await;
    let begun = node.ledger.tally();
    node.until(SOON, "five blocks more", |node| node.ledger.tally().to.0 >= begun.to.0 + 5).await;
    let well = node.ledger.tally();
    assert_eq!((well.missed, well.unknown), (begun.missed, 0), "{well:?}");
    assert_eq!(well.window, None, "a kvstore keeps no account");
    let look = node.look.as_ref().unwrap();
    assert_eq!(look.readings.consensus, Some(Consensus::Answers));
    assert_eq!(look.readings.others.len(), 4, "v1 by its RPC and three peers: {look:?}");
    let app = look.app.as_ref().unwrap();
    assert!(app.height == look.status.as_ref().unwrap().height || app.height.0 > begun.to.0, "{look:?}");

    // Its signer goes: it answers every question, says that it does not catch up, and is deaf.
    node.lose_the_signer().await;
    node.until(SOON, "the signer is missed", |node| node.suffers_from("signer_gone")).await;
    let look = node.look.as_ref().unwrap();
    assert_eq!(look.readings.consensus, Some(Consensus::Hangs));
    assert!(!look.status.as_ref().unwrap().catching_up);
    assert_eq!(node.health.finding().hold, Some(Hold::Patience));
    node.give_a_signer();
    node.until(SOON, "it is well again", |node| node.is_well() && node.ledger.tally().missed_in_a_row == 0)
        .await;
    let away = node.ledger.tally();
    assert!(away.missed > well.missed, "{away:?}");
    assert_eq!(away.missed, node.missed_by_v1(&network).await, "as another node shows it");
    assert!(node.missed.iter().all(|missed| missed.cause == Cause::Own), "{:?}", node.missed);
    assert_eq!(node.restarts, 0);

    // It hangs as a whole. Others go on, so it is restarted, and that heals it.
    node.process.signal_group(Signal::STOP);
    node.until(SOON, "a restart", |node| node.restarts == 1).await;
    node.until(SOON, "it is healed", Watched::is_well).await;

    // Two of four go, and with them the chain. A restart would help nobody.
    network.kill_node("v2").unwrap();
    network.kill_node("v3").unwrap();
    node.until(SOON, "the chain stands", |node| node.suffers_from("chain_stands")).await;
    node.watch_for(Duration::from_secs(20)).await;
    assert_eq!((node.restarts, node.health.finding().remedy), (1, Remedy::Wait));

    // The last of the others goes. It may find peers by itself; only after long would a restart be worth trying.
    network.kill();
    node.until(SOON, "it is alone", |node| node.suffers_from("no_peers")).await;
    assert_eq!((node.restarts, node.health.finding().remedy), (1, Remedy::Restart));
    assert_eq!(node.health.finding().hold, Some(Hold::Patience));
    node.process.kill_group();
    node.until(SOON, "it is gone", |node| node.suffers_from("not_running")).await;
}
