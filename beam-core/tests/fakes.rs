//! The fakes keep the contracts that they stand for, and go wrong as they are told.

#![cfg(feature = "testing")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use beam_core::alert_sink::{Alert, AlertError, AlertSink as _, Severity};
use beam_core::floor_store::{FloorError, FloorStore};
use beam_core::id::Lineage;
use beam_core::node_process::{Exit, NodeError, NodeProcess as _};
use beam_core::register::{MemoryRegister, Register as _, RegisterKey, SwapError, Version};
use beam_core::signing::{Floor, Mark, Step};
use beam_core::signing_key::SigningKey as _;
use beam_core::testing::{
    Breach, FakeFloor, FakeKey, FakeNode, Fault, FaultyRegister, Mood, Odds, RecordingSink, floor_contract,
    node_contract, sink_contract,
};
use tokio::time::timeout;

const SOON: Duration = Duration::from_millis(20);

#[tokio::test]
async fn the_fake_floor_keeps_the_contract() -> Result<(), Breach> {
    let floor = Arc::new(FakeFloor::new());
    floor_contract::run_all(&|| Ok(Arc::clone(&floor) as Arc<dyn FloorStore>)).await
}

#[tokio::test]
async fn a_floor_store_that_can_be_lowered_is_noticed() {
    #[derive(Default)]
    struct Lowering(FakeFloor);
    #[async_trait]
    impl FloorStore for Lowering {
        async fn load(&self) -> Result<Option<Floor>, FloorError> {
            self.0.load().await
        }
        async fn keep(&self, floor: Floor) -> Result<(), FloorError> {
            self.0.put(Some(floor));
            Ok(())
        }
    }
    let floor = Arc::new(Lowering::default());
    let breach =
        floor_contract::run_all(&|| Ok(Arc::clone(&floor) as Arc<dyn FloorStore>)).await.unwrap_err();
    assert_eq!(breach.statement, "a_lower_floor_succeeds_and_changes_nothing");
}

#[tokio::test]
async fn a_floor_fails_and_hangs_as_it_is_told() {
    let store = FakeFloor::new();
    let floor =
        Floor { lineage: Lineage::from_random(1), mark: Mark::new(1, 0, Step::Prevote), bytes: vec![1] };
    store.set_mood(Mood::Failing);
    assert!(matches!(store.keep(floor.clone()).await, Err(FloorError::Io(_))));
    assert_eq!(store.writes(), 0);
    store.set_mood(Mood::Hanging);
    let mut keeping = store.keep(floor.clone());
    assert!(timeout(SOON, &mut keeping).await.is_err());
    store.set_mood(Mood::Working);
    keeping.await.unwrap();
    assert_eq!((store.kept(), store.writes()), (Some(floor), 1));
}

#[tokio::test]
async fn the_fake_node_keeps_the_contract() -> Result<(), Breach> {
    node_contract::run_all(&FakeNode::new()).await
}

#[tokio::test]
async fn a_node_left_running_is_adopted() {
    let node = FakeNode::new();
    let run = node.start().await.unwrap();
    node.orphan();
    let adopted = node.start().await.unwrap();
    assert!(adopted.adopted && adopted.pid == run.pid && node.starts() == 1);
    node.end(Exit::Killed(9));
    assert_eq!(node.exited().await.unwrap(), Exit::Killed(9));
}

#[tokio::test]
async fn a_node_may_not_start_and_may_not_stop() {
    let node = FakeNode::new();
    node.set_broken(true);
    assert!(matches!(node.start().await, Err(NodeError::Start { .. })));
    node.set_broken(false);
    node.start().await.unwrap();
    node.set_stubborn(true);
    assert!(matches!(node.stop(SOON).await, Err(NodeError::Stuck(1))));
    assert!(node.running().is_some());
}

#[tokio::test]
async fn the_recording_sink_keeps_the_contract() -> Result<(), Breach> {
    sink_contract::run_all(&RecordingSink::new("test")).await
}

#[tokio::test]
async fn a_sink_that_fails_takes_nothing() {
    let sink = RecordingSink::new("test");
    let alert = Alert {
        key: "k".into(),
        severity: Severity::Critical,
        title: "t".into(),
        body: "b".into(),
        resolved: false,
    };
    sink.set_mood(Mood::Failing);
    assert!(matches!(sink.deliver(&alert).await, Err(AlertError::Unavailable(_))));
    sink.set_mood(Mood::Working);
    sink.deliver(&alert).await.unwrap();
    assert_eq!(sink.alerts(), [alert]);
}

#[tokio::test]
async fn a_fake_signature_depends_on_the_key_and_on_every_byte() {
    let (key, same, other) = (FakeKey::new(1), FakeKey::new(1), FakeKey::new(2));
    assert_eq!(key.public_key(), same.public_key());
    assert_ne!(key.public_key(), other.public_key());
    let signature = key.sign(b"vote").await.unwrap();
    assert_eq!(signature.len(), 64);
    assert_eq!(signature, same.sign(b"vote").await.unwrap());
    for message in [&b"vota"[..], b"vot", b"vote\0", b"ovte", b""] {
        assert_ne!(signature, key.expected(message), "{message:?}");
    }
    assert_ne!(signature, other.expected(b"vote"));
    assert_eq!(key.signed(), [b"vote".to_vec()]);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_faults() {
    let odds =
        Odds { delay: 200, refused: 200, lost_request: 200, lost_answer: 200, late: 100, wait_max: SOON };
    let outcomes = |seed| async move {
        let register = FaultyRegister::seeded(Arc::new(MemoryRegister::new()), seed, odds);
        let key = RegisterKey::signing(&"fault-1".parse().unwrap(), &"C".repeat(40)).unwrap();
        let mut outcomes = Vec::new();
        for count in 0..100_u8 {
            let expected = register.read(&key).await.ok().flatten().map(|cell| cell.version);
            outcomes.push(format!("{:?}", register.swap(&key, expected, vec![count]).await));
            register.settle().await;
        }
        outcomes
    };
    let first = outcomes(7).await;
    assert_eq!(first, outcomes(7).await);
    assert_ne!(first, outcomes(8).await);
    for what in ["Ok", "Failed", "OutcomeUnknown", "Conflict"] {
        assert!(first.iter().any(|outcome| outcome.contains(what)), "no {what} in {first:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_register_that_is_down_does_nothing_and_a_late_swap_comes_when_it_is_settled() {
    let register = FaultyRegister::new(Arc::new(MemoryRegister::new()));
    let key = RegisterKey::signing(&"fault-1".parse().unwrap(), &"D".repeat(40)).unwrap();
    register.script_swaps([Some(Fault::Late(SOON))]);
    register.set_down(true);
    assert!(matches!(register.swap(&key, None, vec![1]).await, Err(SwapError::Failed(_))));
    register.read(&key).await.unwrap_err();
    register.set_down(false);
    assert!(matches!(register.swap(&key, None, vec![2]).await, Err(SwapError::OutcomeUnknown(_))));
    assert_eq!(register.read(&key).await.unwrap(), None);
    register.settle().await;
    let found = register.read(&key).await.unwrap().map(|cell| (cell.version, cell.value));
    assert_eq!(found, Some((Version::FIRST, vec![2])));
}
