//! The driver over fakes, in virtual time: what the machines promise holds for what runs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use beam_core::id::{Lineage, SessionId, SignerId};
use beam_core::pause::Pause;
use beam_core::register::{MemoryRegister, Register, RegisterKey};
use beam_core::roster::Member;
use beam_core::runtime::{
    MeasuredRegister, PauseCell, RosterCell, SignerHandle, SignerParts, SwitchError, Switchover, start_signer,
};
use beam_core::signing::{
    Epoch, Halt, Handover, Height, Mark, Notice, Record, Refusal, Signer, SignerConfig, Statement, Step,
};
use beam_core::takeover::TakeoverConfig;
use beam_core::testing::{FakeAuditLog, FakeFloor, FakeKey, Fault, FaultyRegister, Mood};
use tokio::time::{Instant, sleep};

const TAKEOVER_AFTER: Duration = Duration::from_millis(300);
/// The node drops a signer that says nothing for so long.
const NODE_WAITS: Duration = Duration::from_secs(3);

/// One validator: a register, a key, and the cells.
struct World {
    register: Arc<FaultyRegister<MemoryRegister>>,
    key: Arc<FakeKey>,
    signing: RegisterKey,
    roster: RegisterKey,
}

/// One machine of it.
struct Host {
    handle: SignerHandle,
    session: SessionId,
    me: SignerId,
    floor: Arc<FakeFloor>,
    audit: Arc<FakeAuditLog>,
}

impl World {
    async fn new() -> Self {
        let chain = "test-1".parse().unwrap();
        let address = "0123456789ABCDEF0123456789ABCDEF01234567";
        let world = Self {
            register: Arc::new(FaultyRegister::new(Arc::new(MemoryRegister::new()))),
            key: Arc::new(FakeKey::new(1)),
            signing: RegisterKey::signing(&chain, address).unwrap(),
            roster: RegisterKey::roster(&chain, address).unwrap(),
        };
        let record = Record::begin(Lineage::from_random(1), Mark::end_of(Height(0)));
        world.register.swap(&world.signing, None, record.encode()).await.unwrap();
        world
    }

    async fn host(&self, id: u128) -> Host {
        let (floor, audit) = (Arc::new(FakeFloor::new()), Arc::new(FakeAuditLog::new()));
        let parts = SignerParts {
            register: self.register.clone(),
            key: self.signing.clone(),
            signing_key: self.key.clone(),
            floor: floor.clone(),
            audit: audit.clone(),
        };
        let me = SignerId::from_random(id);
        let takeover = TakeoverConfig { takeover_after: TAKEOVER_AFTER, ..TakeoverConfig::default() };
        let (handle, _) = start_signer(SignerConfig { me, takeover }, parts).await.unwrap();
        Host { handle, session: SessionId::from_random(id), me, floor, audit }
    }

    async fn record(&self) -> Record {
        Record::decode(&self.register.read(&self.signing).await.unwrap().unwrap().value).unwrap()
    }

    /// Somebody signs up to there.
    async fn raise_to(&self, mark: Mark) {
        let cell = self.register.read(&self.signing).await.unwrap().unwrap();
        let record = Record { mark, ..Record::decode(&cell.value).unwrap() };
        self.register.swap(&self.signing, Some(cell.version), record.encode()).await.unwrap();
    }

    fn switchover(&self) -> Switchover {
        let (signing, roster) = (self.signing.clone(), self.roster());
        Switchover { register: self.register.clone(), signing, roster }
    }

    fn roster(&self) -> RosterCell {
        RosterCell::new(self.register.clone(), self.roster.clone())
    }
}

impl Host {
    /// Asks for message `number`, and says how long the answer took.
    async fn sign(&self, number: u64) -> (Result<Vec<u8>, Refusal>, Duration) {
        let began = Instant::now();
        let statement = Statement::numbered(number, format!("message {number}").into_bytes());
        let answer = self.handle.sign(self.session, statement, None).await;
        (answer.map(|release| release.signatures.statement), began.elapsed())
    }

    fn member(&self, height: u64, seen_ms: u64) -> Member {
        Member { signer: self.me, height: Height(height), seen_ms, agent: None }
    }
}

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
