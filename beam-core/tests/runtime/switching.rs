//! Changes of owner that a person asks for, and the roster that they go by.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use beam_core::id::SignerId;
use beam_core::roster::Member;
use beam_core::runtime::SwitchError;
use beam_core::signing::{Epoch, Handover, Height, Mark, Step};
use tokio::time::sleep;

use crate::world::{NODE_WAITS, TAKEOVER_AFTER, World};

#[tokio::test(start_paused = true)]
async fn a_planned_switch_moves_ownership_without_a_wait() {
    let world = World::new().await;
    let (a, b) = (world.host(1).await, world.host(2).await);
    a.sign(1).await.0.unwrap();
    world.roster().note("a", &a.member(1, 1)).await.unwrap();
    world.roster().note("b", &b.member(1, 1)).await.unwrap();
    let alive = tokio::spawn({
        let (roster, member) = (world.roster(), b.member(1, 2));
        async move {
            sleep(Duration::from_secs(1)).await;
            roster.note("b", &member).await.unwrap();
        }
    });
    let switchover = world.switchover();
    let plan = switchover.plan(None).await.unwrap();
    alive.await.unwrap();
    assert_eq!((plan.from.as_deref(), &*plan.to), (Some("a"), "b"));
    let signing = async {
        sleep(Duration::from_millis(10)).await;
        b.sign(2).await
    };
    let (report, (signed, took)) = tokio::join!(switchover.carry_out(plan), signing);
    let report = report.unwrap();
    signed.unwrap();
    assert_eq!(took, Duration::ZERO, "the new owner does not wait");
    assert_eq!((report.epoch, report.first_signed.height), (Epoch(2), Height(2)));
    assert!(matches!(switchover.plan(Some("b")).await, Err(SwitchError::AlreadyOwner(_))));
    assert!(matches!(switchover.plan(Some("c")).await, Err(SwitchError::UnknownMachine { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_forced_switch_asks_nothing_and_tells_what_came_of_it() {
    let world = World::new().await;
    let (a, b) = (world.host(1).await, world.host(2).await);
    for number in 1..10 {
        a.sign(number).await.0.unwrap();
    }
    world.roster().note("a", &a.member(9, 1)).await.unwrap();
    world.roster().note("b", &b.member(3, 1)).await.unwrap();
    let switchover = world.switchover();
    let plan = switchover.plan_forced("b").await.unwrap();
    assert_eq!(plan.how, Handover::Failover);
    // Nobody asks b for anything.
    let silent = switchover.carry_out(plan).await.unwrap_err();
    assert!(silent.made() && matches!(silent, SwitchError::NotSigning { epoch: Epoch(2), .. }), "{silent:?}");
    assert_eq!((world.record().await.owner, world.record().await.handover), (Some(b.me), Handover::Failover));
    // It is the owner, and if it is not there the other one takes over as ever.
    let (signed, took) = a.sign(10).await;
    signed.unwrap();
    assert!(took >= TAKEOVER_AFTER && took < NODE_WAITS, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_switch_for_a_height_waits_until_the_one_before_is_signed() {
    let world = World::new().await;
    world.raise_to(Mark::new(1, 0, Step::Prevote)).await;
    let switchover = world.switchover();
    let over = switchover.wait_for(Height(1), |_| {}).await;
    assert!(matches!(over, Err(SwitchError::Over { height: Height(1), .. })), "{over:?}");
    let ended = AtomicBool::new(false);
    let signing = async {
        for (height, step) in [(4, Step::Precommit), (5, Step::Proposal), (5, Step::Prevote)] {
            world.raise_to(Mark::new(height, 0, step)).await;
            sleep(Duration::from_secs(1)).await;
            assert!(!ended.load(Ordering::Relaxed), "height 5 is not signed yet");
        }
        world.raise_to(Mark::new(5, 1, Step::Precommit)).await;
    };
    let waiting = async {
        switchover.wait_for(Height(6), |_| {}).await.unwrap();
        ended.store(true, Ordering::Relaxed);
    };
    tokio::join!(signing, waiting);
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_somebody_else_forestalled_changes_nothing() {
    let world = World::new().await;
    let (a, b) = (world.host(1).await, world.host(2).await);
    a.sign(1).await.0.unwrap();
    world.roster().note("b", &b.member(1, 1)).await.unwrap();
    let switchover = world.switchover();
    let plan = switchover.plan_forced("b").await.unwrap();
    b.sign(2).await.0.unwrap();
    let moved = switchover.carry_out(plan).await.unwrap_err();
    assert!(!moved.made() && matches!(moved, SwitchError::Moved { .. }), "{moved:?}");
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_a_machine_that_is_silent_or_behind_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let (a, b) = (world.host(1).await, world.host(2).await);
    for number in 1..10 {
        a.sign(number).await.0.unwrap();
    }
    world.roster().note("a", &a.member(9, 1)).await.unwrap();
    world.roster().note("b", &b.member(3, 1)).await.unwrap();
    let before = world.record().await;
    let refused = world.switchover().plan(Some("b")).await;
    assert!(matches!(refused, Err(SwitchError::NotReady { seen: 3, .. })), "{refused:?}");
    assert_eq!(world.record().await, before);
}

#[tokio::test(start_paused = true)]
async fn machines_that_note_themselves_at_once_are_all_in_the_roster() {
    let world = World::new().await;
    let member = |id: u64| {
        let signer = SignerId::from_random(id.into());
        Member { signer, height: Height(id), seen_ms: id, agent: None }
    };
    let notes = (0..5_u64).map(|id| {
        let roster = world.roster();
        tokio::spawn(async move { roster.note(&format!("machine-{id}"), &member(id)).await })
    });
    for note in notes.collect::<Vec<_>>() {
        note.await.unwrap().unwrap();
    }
    assert_eq!(world.roster().read().await.unwrap().members.len(), 5);
}
