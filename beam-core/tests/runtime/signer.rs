//! One signer and its twin.

use std::sync::Arc;
use std::time::Duration;

use beam_core::id::{SessionId, SignerId};
use beam_core::pause::Pause;
use beam_core::register::{Register, RegisterKey};
use beam_core::runtime::{MeasuredRegister, PauseCell, SignerParts, start_signer};
use beam_core::signing::{Epoch, Halt, Handover, Height, Notice, Refusal, Signer, SignerConfig, Statement};
use beam_core::takeover::TakeoverConfig;
use beam_core::testing::{FakeAuditLog, FakeFloor, Fault, Mood};

use crate::world::{NODE_WAITS, TAKEOVER_AFTER, World};

#[tokio::test(start_paused = true)]
async fn the_owner_signs_at_once_and_the_standby_gives_the_same_signature() {
    let world = World::new().await;
    let (a, b) = (world.host(1).await, world.host(2).await);
    for number in 1..20 {
        let (ours, took) = a.sign(number).await;
        assert_eq!(took, Duration::ZERO);
        let (theirs, _) = b.sign(number).await;
        let expected = world.key.expected(format!("message {number}").as_bytes());
        assert_eq!((ours.unwrap(), theirs.unwrap()), (expected.clone(), expected));
    }
    assert_eq!(world.record().await.epoch, Epoch(1), "nobody took over");
    assert_eq!((a.audit.releases().len(), b.audit.releases().len()), (19, 19));
    assert_eq!(a.floor.kept().unwrap().mark.height, Height(19));
}

#[tokio::test(start_paused = true)]
async fn the_standby_takes_over_when_the_owner_is_gone() {
    let world = World::new().await;
    let (a, b) = (world.host(1).await, world.host(2).await);
    a.sign(1).await.0.unwrap();
    drop(a);
    let mut notices = b.handle.notices();
    let (signed, took) = b.sign(2).await;
    signed.unwrap();
    assert!((TAKEOVER_AFTER..TAKEOVER_AFTER + 2 * Signer::POLL_EVERY).contains(&took), "{took:?}");
    assert!(matches!(notices.recv().await, Ok(Notice::Standby { .. })));
    let owning = notices.recv().await.unwrap();
    assert!(
        matches!(owning, Notice::Owning { epoch: Epoch(2), how: Handover::Takeover, takeover: Some(_), .. }),
        "{owning:?}"
    );
    assert_eq!(b.sign(3).await.1, Duration::ZERO, "the new owner does not wait");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_costs_a_read_and_no_second_signature() {
    let world = World::new().await;
    let a = world.host(1).await;
    a.sign(1).await.0.unwrap();
    for (number, fault) in
        [(2, Fault::LostAnswer), (3, Fault::LostRequest), (4, Fault::Late(Duration::from_millis(10)))]
    {
        world.register.script_swaps([Some(fault)]);
        a.sign(number).await.0.unwrap();
    }
    world.register.settle().await;
    assert_eq!(world.record().await.mark.height, Height(4));
    assert_eq!(a.audit.releases().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_audit_log_that_cannot_be_written_costs_no_signature() {
    let world = World::new().await;
    let a = world.host(1).await;
    a.audit.set_failing(true);
    a.sign(1).await.0.unwrap();
    a.audit.set_failing(false);
    a.sign(2).await.0.unwrap();
    assert_eq!(a.audit.releases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_register_out_of_reach_or_hanging_means_no_signature_and_an_answer_in_time() {
    let world = World::new().await;
    let a = world.host(1).await;
    a.sign(1).await.0.unwrap();
    world.register.set_down(true);
    let (refused, took) = a.sign(2).await;
    assert!(matches!(refused, Err(Refusal::RegisterOutOfReach(_))), "{refused:?}");
    assert!(took < NODE_WAITS, "{took:?}");
    world.register.set_down(false);
    a.sign(3).await.0.unwrap();
    let hang = Fault::Delay(Duration::from_secs(3600));
    world.register.script_swaps([Some(hang), Some(hang), Some(hang)]);
    world.register.script_reads([Some(hang), Some(hang), Some(hang)]);
    let (refused, took) = a.sign(4).await;
    assert!(refused.is_err() && took < NODE_WAITS, "{refused:?} {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_or_a_floor_that_fails_or_hangs_means_a_refusal_in_time() {
    let world = World::new().await;
    let a = world.host(1).await;
    a.sign(1).await.0.unwrap();
    for mood in [Mood::Failing, Mood::Hanging] {
        let mark = world.record().await.mark.height.0;
        world.key.set_mood(mood);
        let (refused, took) = a.sign(mark + 1).await;
        assert!(matches!(refused, Err(Refusal::KeyFailed(_))) && took < NODE_WAITS, "{refused:?}");
        world.key.set_mood(Mood::Working);
        a.floor.set_mood(mood);
        let (refused, took) = a.sign(mark + 2).await;
        assert!(matches!(refused, Err(Refusal::FloorNotKept)) && took < NODE_WAITS, "{refused:?}");
        a.floor.set_mood(Mood::Working);
        a.sign(mark + 3).await.0.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_register_put_back_stops_the_signer_and_tells() {
    let world = World::new().await;
    let a = world.host(1).await;
    a.sign(1).await.0.unwrap();
    let old = world.record().await;
    a.sign(2).await.0.unwrap();
    let cell = world.register.read(&world.signing).await.unwrap().unwrap();
    world.register.swap(&world.signing, Some(cell.version), old.encode()).await.unwrap();
    let mut notices = a.handle.notices();
    let (refused, _) = a.sign(3).await;
    assert!(matches!(refused, Err(Refusal::Halted(Halt::PutBack { .. }))), "{refused:?}");
    assert!(matches!(notices.recv().await, Ok(Notice::Halted(_))));
    assert!(a.handle.state().borrow().halted.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_pause_reaches_the_signer_and_ends_a_takeover_before_it_begins() {
    let world = World::new().await;
    let (a, b) = (world.host(1).await, world.host(2).await);
    a.sign(1).await.0.unwrap();
    b.handle.pause_takeovers(true).await;
    let (refused, took) = b.sign(2).await;
    assert!(matches!(refused, Err(Refusal::Paused(..))), "{refused:?}");
    assert!(took < NODE_WAITS && b.handle.state().borrow().paused);
    b.handle.pause_takeovers(false).await;
    b.sign(2).await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_seen_by_every_machine_and_is_over_when_it_says() {
    let world = World::new().await;
    let chain = "test-1".parse().unwrap();
    let key = RegisterKey::pause(&chain, "0123456789ABCDEF0123456789ABCDEF01234567").unwrap();
    let cell = PauseCell::new(world.register.clone(), key);
    assert_eq!(cell.read().await.unwrap().at(0), None);
    let pause = Pause { by: "ops".to_owned(), reason: "disk".to_owned(), since_ms: 5, until_ms: 10 };
    cell.change(|paused| paused.0 = Some(pause.clone())).await.unwrap();
    let read = cell.read().await.unwrap();
    assert_eq!((read.at(9), read.at(10)), (Some(&pause), None));
}

#[tokio::test(start_paused = true)]
async fn a_measured_register_counts_losses_as_answers_and_failures_as_failures() {
    let world = World::new().await;
    let measured = MeasuredRegister::new(world.register.clone());
    assert_eq!(measured.figures().p99, None);
    measured.read(&world.signing).await.unwrap();
    measured.swap(&world.signing, None, vec![1]).await.unwrap_err();
    world.register.set_down(true);
    measured.read(&world.signing).await.unwrap_err();
    let figures = measured.figures();
    assert_eq!((figures.answered, figures.failed), (2, 1));
    assert!(figures.p50 <= figures.p99 && figures.last_ok.is_some());
}

#[tokio::test(start_paused = true)]
async fn when_every_handle_is_gone_the_signer_ends() {
    let world = World::new().await;
    let floor = Arc::new(FakeFloor::new());
    let parts = SignerParts {
        register: world.register.clone(),
        key: world.signing.clone(),
        signing_key: world.key.clone(),
        floor,
        audit: Arc::new(FakeAuditLog::new()),
    };
    let config = SignerConfig { me: SignerId::from_random(1), takeover: TakeoverConfig::default() };
    let (handle, task) = start_signer(config, parts).await.unwrap();
    let statement = Statement::numbered(1, b"one".to_vec());
    handle.sign(SessionId::from_random(1), statement, None).await.unwrap();
    drop(handle);
    assert!(task.await.unwrap().owns());
}

#[tokio::test(start_paused = true)]
async fn a_signer_turns_when_asked_and_not_once_it_has_ended() {
    let world = World::new().await;
    let config = SignerConfig { me: SignerId::from_random(1), takeover: TakeoverConfig::default() };
    let parts = SignerParts {
        register: world.register.clone(),
        key: world.signing.clone(),
        signing_key: world.key.clone(),
        floor: Arc::new(FakeFloor::new()),
        audit: Arc::new(FakeAuditLog::new()),
    };
    let (handle, task) = start_signer(config, parts).await.unwrap();
    assert!(handle.turns().await && handle.turns().await);
    task.abort();
    assert!(!handle.turns().await);
}
