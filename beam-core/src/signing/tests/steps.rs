//! One state, one event, and the actions that follow.

use std::time::Duration;

use super::{block_id, statement};
use crate::id::{Lineage, SessionId, SignerId};
use crate::machine::Machine;
use crate::register::Version;
use crate::signing::{
    Action, Attempt, Epoch, Event, Floor, Halt, Handover, Height, Lock, Mark, Notice, ReadOutcome, Record,
    Refusal, RequestId, Round, Sighting, Signatures, Signer, SignerConfig, Statement, Step, SwapOutcome,
    Takeover, View,
};
use crate::takeover::TakeoverConfig;
use crate::time::Instant;

const ME: SignerId = SignerId::from_random(1);
const OTHER: SignerId = SignerId::from_random(2);
const MY_NODE: SessionId = SessionId::from_random(11);
const OTHER_NODE: SessionId = SessionId::from_random(12);
const TAKEOVER_AFTER: Duration = Duration::from_millis(300);

/// A signer, a clock, and the attempts that it waits for.
struct Bench {
    signer: Signer,
    now: Instant,
    requests: u64,
    reading: Attempt,
    swapping: Attempt,
    flooring: Attempt,
    signing: Attempt,
}

impl Bench {
    fn new(floor: Option<Floor>) -> Self {
        let takeover = TakeoverConfig { takeover_after: TAKEOVER_AFTER, ..TakeoverConfig::default() };
        let none = Attempt(0);
        Self {
            signer: Signer::new(SignerConfig { me: ME, takeover }, floor),
            now: Instant::default(),
            requests: 0,
            reading: none,
            swapping: none,
            flooring: none,
            signing: none,
        }
    }

    /// A signer that owns `record` and has its floor there.
    fn owning(record: &Record) -> Self {
        let mut bench = Self::new(Some(Floor::of(record)));
        bench.ask(statement(record.mark, None, 0));
        bench.read(ReadOutcome::Found(view(1, record.clone())));
        assert!(bench.signer.owns());
        // The bytes at the mark are not this vote, so it was refused and nothing waits.
        bench
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        let actions = self.signer.step(self.now, event);
        for action in &actions {
            match action {
                Action::Read { attempt } => self.reading = *attempt,
                Action::Swap { attempt, .. } => self.swapping = *attempt,
                Action::KeepFloor { attempt, .. } => self.flooring = *attempt,
                Action::Sign { attempt, .. } => self.signing = *attempt,
                Action::Answer { .. } | Action::Tell(_) => {}
            }
        }
        actions
    }

    fn after(&mut self, wait: Duration) -> Vec<Action> {
        self.now = self.now + wait;
        self.step(Event::Woken)
    }

    fn ask(&mut self, statement: Statement) -> Vec<Action> {
        self.ask_from(MY_NODE, statement)
    }

    fn ask_from(&mut self, session: SessionId, statement: Statement) -> Vec<Action> {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.step(Event::Asked { request, session, statement, extension: None })
    }

    fn read(&mut self, outcome: ReadOutcome) -> Vec<Action> {
        self.step(Event::Read { attempt: self.reading, outcome })
    }

    fn swapped(&mut self, outcome: SwapOutcome) -> Vec<Action> {
        self.step(Event::Swapped { attempt: self.swapping, outcome })
    }

    fn floor_kept(&mut self, kept: bool) -> Vec<Action> {
        self.step(Event::FloorKept { attempt: self.flooring, kept })
    }

    fn signed(&mut self) -> Vec<Action> {
        let signatures = Some(Signatures { statement: vec![7], extension: None });
        self.step(Event::Signed { attempt: self.signing, signatures })
    }

    /// Both the floor and the signature are there, in this order.
    fn released(&mut self) -> Vec<Action> {
        assert_eq!(self.floor_kept(true), []);
        self.signed()
    }
}

fn view(version: u64, record: Record) -> View {
    View { version: Version(version), record }
}

fn mark(height: u64, step: Step) -> Mark {
    Mark::new(height, 0, step)
}

/// A record at the end of height 9, owned by `owner`.
fn record(owner: Option<SignerId>) -> Record {
    let begin = Record::begin(Lineage::from_random(5), Mark::end_of(Height(9)));
    match owner {
        None => begin,
        Some(owner) => begin.handed_to(owner, Handover::Takeover).unwrap(),
    }
}

fn at(record: &Record, statement: &Statement) -> Record {
    Record { mark: statement.mark(), bytes: statement.bytes().to_vec(), ..record.clone() }
}

fn refusal(actions: &[Action]) -> &Refusal {
    match actions.iter().find_map(|action| match action {
        Action::Answer { answer: Err(refusal), .. } => Some(refusal),
        _ => None,
    }) {
        Some(refusal) => refusal,
        None => panic!("no refusal in {actions:?}"),
    }
}

fn swap_in(actions: &[Action]) -> &Record {
    match actions.iter().find_map(|action| match action {
        Action::Swap { record, .. } => Some(record),
        _ => None,
    }) {
        Some(record) => record,
        None => panic!("no swap in {actions:?}"),
    }
}

fn signs(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Sign { .. }))
}

#[test]
fn the_owner_swaps_keeps_its_floor_signs_and_answers_without_a_read() {
    let mut bench = Bench::owning(&record(Some(ME)));
    let vote = statement(mark(10, Step::Prevote), Some(1), 0);
    let wanted = at(&record(Some(ME)), &vote);
    let actions = bench.ask(vote.clone());
    let (attempt, expected) = (bench.swapping, Version(1));
    assert_eq!(actions, [Action::Swap { attempt, expected, record: wanted.clone() }]);
    let actions = bench.swapped(SwapOutcome::Won(Version(2)));
    let (attempt, bytes) = (bench.signing, vote.bytes().to_vec());
    assert_eq!(
        actions,
        [
            Action::KeepFloor { attempt: bench.flooring, floor: Floor::of(&wanted) },
            Action::Sign { attempt, bytes, extension: None }
        ]
    );
    let actions = bench.released();
    assert!(
        matches!(&actions[..], [Action::Answer { answer: Ok(release), .. }] if release.bytes == vote.bytes() && !release.repeated)
    );
}

#[test]
fn a_signature_leaves_when_the_floor_is_there_and_not_before() {
    for floor_first in [true, false] {
        let mut bench = Bench::owning(&record(Some(ME)));
        bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
        bench.swapped(SwapOutcome::Won(Version(2)));
        let steps: [fn(&mut Bench) -> Vec<Action>; 2] = [|bench| bench.floor_kept(true), Bench::signed];
        let order = if floor_first { [0, 1] } else { [1, 0] };
        assert_eq!(steps[order[0]](&mut bench), []);
        let last = steps[order[1]](&mut bench);
        assert!(matches!(&last[..], [Action::Answer { answer: Ok(_), .. }]), "{last:?}");
    }
    // A floor that is late is a refusal, though the signature is made.
    let mut bench = Bench::owning(&record(Some(ME)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.swapped(SwapOutcome::Won(Version(2)));
    assert_eq!(bench.signed(), []);
    assert_eq!(refusal(&bench.after(Signer::ANSWER_WITHIN)), &Refusal::FloorNotKept);
}

#[test]
fn a_standby_waits_for_the_owner_and_then_takes_over_with_a_new_epoch() {
    let owned = record(Some(OTHER));
    let mut bench = Bench::new(Some(Floor::of(&owned)));
    let vote = statement(mark(10, Step::Prevote), Some(1), 0);
    assert!(matches!(bench.ask(vote.clone())[..], [Action::Read { .. }]));
    bench.read(ReadOutcome::Found(view(4, owned.clone())));
    let mut waited = Duration::ZERO;
    let taken = loop {
        let actions = bench.after(Signer::POLL_EVERY);
        waited += Signer::POLL_EVERY;
        assert_eq!(actions, [Action::Read { attempt: bench.reading }]);
        let actions = bench.read(ReadOutcome::Found(view(4, owned.clone())));
        if !actions.is_empty() {
            break swap_in(&actions).clone();
        }
    };
    assert_eq!(waited, TAKEOVER_AFTER);
    assert_eq!((taken.epoch, taken.owner, taken.since), (Epoch(2), Some(ME), vote.mark()));
    assert_eq!(taken.handover, Handover::Takeover);
}

#[test]
fn while_takeovers_are_paused_the_owner_is_waited_for_in_vain_and_repeated_when_it_signs() {
    let owned = record(Some(OTHER));
    let mut bench = Bench::new(Some(Floor::of(&owned)));
    bench.step(Event::Paused(true));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.read(ReadOutcome::Found(view(4, owned.clone())));
    let mut waited = Duration::ZERO;
    while waited + Signer::POLL_EVERY < Signer::ANSWER_WITHIN {
        waited += Signer::POLL_EVERY;
        bench.after(Signer::POLL_EVERY);
        assert_eq!(bench.read(ReadOutcome::Found(view(4, owned.clone()))), []);
    }
    let refused = bench.after(Signer::POLL_EVERY);
    assert_eq!(refusal(&refused), &Refusal::Paused(mark(10, Step::Prevote), owned.epoch));

    // The owner's signature is repeated all the same, and when the pause is over it is taken over from again.
    let vote = statement(mark(10, Step::Precommit), Some(1), 0);
    bench.ask(vote.clone());
    let signed = bench.read(ReadOutcome::Found(view(5, at(&owned, &vote))));
    assert!(signs(&signed), "{signed:?}");
    bench.released();
    bench.step(Event::Paused(false));
    bench.ask(statement(mark(11, Step::Prevote), Some(1), 0));
    bench.read(ReadOutcome::Found(view(5, at(&owned, &vote))));
    bench.after(TAKEOVER_AFTER);
    let taken = bench.read(ReadOutcome::Found(view(5, at(&owned, &vote))));
    assert_eq!(swap_in(&taken).owner, Some(ME));
}

#[test]
fn a_pause_keeps_nobody_from_being_the_first_owner_or_the_planned_one() {
    for before in [record(None), record(Some(OTHER)).handed_to(ME, Handover::Failover).unwrap()] {
        let mut bench = Bench::new(Some(Floor::of(&before)));
        bench.step(Event::Paused(true));
        bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
        let first = bench.read(ReadOutcome::Found(view(1, before)));
        assert_eq!(swap_in(&first).owner, Some(ME));
    }
}

#[test]
fn a_takeover_tells_what_it_was_decided_upon_and_how_long_it_took() {
    let owned = record(Some(OTHER));
    let mut bench = Bench::new(Some(Floor::of(&owned)));
    let vote = statement(mark(10, Step::Prevote), Some(1), 0);
    bench.ask(vote.clone());
    bench.read(ReadOutcome::Found(view(4, owned.clone())));
    bench.after(TAKEOVER_AFTER);
    bench.read(ReadOutcome::Found(view(4, owned.clone())));
    let swap_took = Duration::from_millis(7);
    bench.after(swap_took);
    let actions = bench.swapped(SwapOutcome::Won(Version(5)));
    let takeover =
        Takeover { from: OTHER, was: owned.mark, waited: TAKEOVER_AFTER, swapped_within: swap_took };
    let told = Notice::Owning {
        epoch: Epoch(2),
        since: vote.mark(),
        how: Handover::Takeover,
        takeover: Some(takeover),
    };
    assert!(actions.contains(&Action::Tell(told)), "{actions:?}");
}

#[test]
fn a_standby_repeats_what_the_owner_signed() {
    let owners = statement(mark(10, Step::Precommit), Some(1), 5);
    let owned = at(&record(Some(OTHER)), &owners);
    let mut bench = Bench::new(None);
    bench.ask(statement(mark(10, Step::Precommit), Some(1), 9));
    let actions = bench.read(ReadOutcome::Found(view(4, owned.clone())));
    let (attempt, bytes) = (bench.signing, owners.bytes().to_vec());
    assert_eq!(actions.last(), Some(&Action::Sign { attempt, bytes, extension: None }));
    let actions = bench.released();
    assert!(
        matches!(&actions[..], [Action::Answer { answer: Ok(release), .. }] if release.repeated && release.bytes == owners.bytes())
    );
}

#[test]
fn at_the_mark_anything_else_is_refused_and_below_it_everything() {
    let there = statement(mark(10, Step::Prevote), Some(1), 0);
    let owned = at(&record(Some(ME)), &there);
    for (asked, why) in [
        (statement(mark(10, Step::Prevote), Some(2), 0), Refusal::Conflicting(there.mark())),
        (statement(mark(10, Step::Prevote), None, 0), Refusal::Conflicting(there.mark())),
        (
            statement(mark(10, Step::Proposal), Some(1), 0),
            Refusal::Past { asked: mark(10, Step::Proposal), register: there.mark() },
        ),
    ] {
        let mut bench = Bench::new(Some(Floor::of(&owned)));
        bench.ask(asked);
        assert_eq!(refusal(&bench.read(ReadOutcome::Found(view(3, owned.clone())))), &why);
    }
}

#[test]
fn a_proposal_with_another_time_is_not_the_same() {
    let owned = at(&record(Some(OTHER)), &statement(mark(10, Step::Proposal), Some(1), 3));
    let mut bench = Bench::new(Some(Floor::of(&owned)));
    bench.ask(statement(mark(10, Step::Proposal), Some(1), 4));
    let actions = bench.read(ReadOutcome::Found(view(3, owned)));
    assert_eq!(refusal(&actions), &Refusal::Conflicting(mark(10, Step::Proposal)));
}

#[test]
fn nobody_is_waited_for_when_nobody_owns() {
    let fresh = record(None);
    let mut bench = Bench::new(Some(Floor::of(&fresh)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    let actions = bench.read(ReadOutcome::Found(view(1, fresh)));
    let first = swap_in(&actions);
    assert_eq!((first.owner, first.epoch, first.handover), (Some(ME), Epoch(1), Handover::Init));
}

#[test]
fn a_lost_answer_is_read_back() {
    let mut bench = Bench::owning(&record(Some(ME)));
    let vote = statement(mark(10, Step::Prevote), Some(1), 0);
    let wanted = at(&record(Some(ME)), &vote);
    bench.ask(vote.clone());
    let actions = bench.swapped(SwapOutcome::Unknown);
    assert_eq!(actions, [Action::Read { attempt: bench.reading }]);
    // It had happened: the register holds our bytes, so they are ours to sign.
    assert!(signs(&bench.read(ReadOutcome::Found(view(2, wanted)))));

    // It had not: it is tried again, and not signed.
    let mut bench = Bench::owning(&record(Some(ME)));
    bench.ask(vote);
    bench.swapped(SwapOutcome::Unknown);
    let actions = bench.read(ReadOutcome::Found(view(1, record(Some(ME)))));
    assert!(!signs(&actions));
    assert_eq!(swap_in(&actions).mark, mark(10, Step::Prevote));
}

#[test]
fn a_retry_that_finds_its_own_first_attempt_has_won() {
    let mut bench = Bench::owning(&record(Some(ME)));
    let vote = statement(mark(10, Step::Prevote), Some(1), 0);
    let wanted = at(&record(Some(ME)), &vote);
    bench.ask(vote);
    assert!(signs(&bench.swapped(SwapOutcome::Lost(ReadOutcome::Found(view(2, wanted))))));
    let actions = bench.released();
    assert!(matches!(&actions[..], [Action::Answer { answer: Ok(release), .. }] if !release.repeated));
}

#[test]
fn a_takeover_too_early_is_harmless() {
    let mut bench = Bench::owning(&record(Some(ME)));
    let vote = statement(mark(10, Step::Prevote), Some(1), 0);
    bench.ask(vote.clone());
    let theirs = at(
        &record(Some(ME)).handed_to(OTHER, Handover::Takeover).unwrap(),
        &statement(vote.mark(), Some(1), 8),
    );
    let actions = bench.swapped(SwapOutcome::Lost(ReadOutcome::Found(view(2, theirs.clone()))));
    assert!(actions.contains(&Action::Tell(Notice::Standby {
        epoch: theirs.epoch,
        since: theirs.since,
        how: Handover::Takeover
    })));
    assert!(!bench.signer.owns());
    // The same vote is answered with the same signature.
    assert!(matches!(actions.last(), Some(Action::Sign { bytes, .. }) if *bytes == theirs.bytes));
}

#[test]
fn the_new_owner_of_a_planned_switch_does_not_wait() {
    let owned = record(Some(OTHER));
    let mut bench = Bench::new(Some(Floor::of(&owned)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.read(ReadOutcome::Found(view(4, owned.clone())));
    bench.after(Signer::POLL_EVERY);
    let handed = owned.handed_to(ME, Handover::Switchover).unwrap();
    let actions = bench.read(ReadOutcome::Found(view(5, handed.clone())));
    assert_eq!(swap_in(&actions).epoch, handed.epoch);
}

#[test]
fn a_lock_binds_other_sessions_until_they_have_seen_why() {
    let lock = Lock { height: Height(10), round: Round(0), block: block_id(1), session: OTHER_NODE };
    let locked = Record {
        lock: Some(lock),
        ..at(&record(Some(ME)), &statement(mark(10, Step::Precommit), Some(1), 0))
    };
    let prevote = |round, block| statement(Mark::new(10, round, Step::Prevote), block, 0);
    let fresh = || {
        let mut bench = Bench::new(Some(Floor::of(&locked)));
        bench.ask(statement(mark(9, Step::Prevote), None, 0));
        bench.read(ReadOutcome::Found(view(3, locked.clone())));
        bench
    };
    let refused = fresh().ask(prevote(1, Some(2)));
    assert_eq!(refusal(&refused), &Refusal::Locked { asked: Mark::new(10, 1, Step::Prevote), lock_round: 0 });
    // The locked block and nil are always free, and so is who made the lock.
    swap_in(&fresh().ask(prevote(1, Some(1))));
    swap_in(&fresh().ask(prevote(1, None)));
    swap_in(&fresh().ask_from(OTHER_NODE, prevote(1, Some(2))));
    // A precommit of another block in a later round shows that this node has seen the network's proof.
    let mut bench = fresh();
    let precommit = statement(Mark::new(10, 1, Step::Precommit), Some(2), 0);
    let taken = swap_in(&bench.ask(precommit)).clone();
    assert_eq!(taken.lock.as_ref().unwrap().block, block_id(2));
    bench.swapped(SwapOutcome::Won(Version(4)));
    bench.released();
    swap_in(&bench.ask(prevote(2, Some(2))));
}

#[test]
fn seeing_why_in_an_earlier_round_or_by_another_session_does_not_help() {
    let lock = Lock { height: Height(10), round: Round(3), block: block_id(1), session: OTHER_NODE };
    let locked = Record {
        lock: Some(lock),
        ..at(&record(Some(ME)), &statement(Mark::new(10, 3, Step::Precommit), Some(1), 0))
    };
    let mut bench = Bench::new(Some(Floor::of(&locked)));
    // Both are refused as past, but the second was seen from a session that is not this one.
    bench.ask(statement(Mark::new(10, 2, Step::Precommit), Some(2), 0));
    bench.read(ReadOutcome::Found(view(3, locked.clone())));
    let prevote = statement(Mark::new(10, 4, Step::Prevote), Some(2), 0);
    assert!(matches!(refusal(&bench.ask(prevote.clone())), Refusal::Locked { .. }));
    bench.signer.asked = Some(super::super::signer::Asked {
        session: SessionId::from_random(99),
        height: Height(10),
        round: Round(4),
        block: block_id(2),
    });
    assert!(matches!(refusal(&bench.ask(prevote)), Refusal::Locked { .. }));
}

#[test]
fn a_register_below_the_floor_or_beside_it_stops_the_signer_for_good() {
    let seen = statement(mark(12, Step::Prevote), Some(1), 0);
    let floor = Floor::of(&at(&record(Some(OTHER)), &seen));
    let beside = at(&record(Some(OTHER)), &statement(mark(12, Step::Prevote), Some(2), 0));
    let other_lineage = Record { lineage: Lineage::from_random(6), ..at(&record(None), &seen) };
    for back in [record(Some(OTHER)), beside, other_lineage] {
        let mut bench = Bench::new(Some(floor.clone()));
        bench.ask(statement(mark(20, Step::Prevote), Some(1), 0));
        let actions = bench.read(ReadOutcome::Found(view(1, back)));
        assert!(matches!(refusal(&actions), Refusal::Halted(_)));
        assert!(actions.iter().any(|action| matches!(action, Action::Tell(Notice::Halted(_)))));
        let again = bench.ask(statement(mark(21, Step::Prevote), Some(1), 0));
        assert!(matches!(refusal(&again), Refusal::Halted(_)));
    }
}

#[test]
fn nothing_leaves_when_the_floor_cannot_be_kept() {
    let mut bench = Bench::owning(&record(Some(ME)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.swapped(SwapOutcome::Won(Version(2)));
    assert_eq!(refusal(&bench.floor_kept(false)), &Refusal::FloorNotKept);
}

#[test]
fn a_missing_or_damaged_record_is_an_error_and_no_beginning() {
    for (outcome, why) in
        [(ReadOutcome::Missing, Refusal::NoRecord), (ReadOutcome::Damaged, Refusal::RecordDamaged)]
    {
        let mut bench = Bench::new(None);
        bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
        assert_eq!(refusal(&bench.read(outcome)), &why);
    }
}

#[test]
fn without_the_register_there_is_an_answer_in_time_and_no_signature() {
    let mut bench = Bench::owning(&record(Some(ME)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    assert_eq!(bench.swapped(SwapOutcome::Failed), []);
    let deadline = Instant::default() + Signer::ANSWER_WITHIN;
    while bench.now < deadline {
        assert!(bench.signer.wake_at().is_some_and(|at| at <= deadline));
        let actions = bench.after(Signer::RETRY_AFTER);
        if bench.now < deadline {
            assert_eq!(actions, [Action::Read { attempt: bench.reading }]);
            assert_eq!(bench.read(ReadOutcome::Failed), []);
        } else {
            assert_eq!(refusal(&actions), &Refusal::RegisterOutOfReach(mark(10, Step::Prevote)));
        }
    }
    assert_eq!(bench.signer.wake_at(), None);
}

#[test]
fn a_swap_given_up_may_still_happen_and_is_then_known_by_its_bytes() {
    let mut bench = Bench::owning(&record(Some(ME)));
    let vote = statement(mark(10, Step::Prevote), Some(1), 0);
    bench.ask(vote.clone());
    let late = bench.swapping;
    assert!(matches!(refusal(&bench.after(Signer::ANSWER_WITHIN)), Refusal::RegisterOutOfReach(_)));
    // Its late answer changes nothing; the next request reads first.
    let won = SwapOutcome::Won(Version(2));
    assert_eq!(bench.step(Event::Swapped { attempt: late, outcome: won }), []);
    assert!(matches!(bench.ask(vote.clone())[..], [Action::Read { .. }]));
    assert!(signs(&bench.read(ReadOutcome::Found(view(2, at(&record(Some(ME)), &vote))))));
}

#[test]
fn a_strangers_signature_on_the_chain_stops_the_signer() {
    let there = at(&record(Some(ME)), &statement(mark(10, Step::Precommit), Some(1), 0));
    for (sighting, stranger) in [
        (Sighting { mark: mark(11, Step::Precommit), block: Some(block_id(1)) }, true),
        (Sighting { mark: mark(10, Step::Precommit), block: Some(block_id(2)) }, true),
        (Sighting { mark: mark(10, Step::Precommit), block: Some(block_id(1)) }, false),
        (Sighting { mark: mark(10, Step::Prevote), block: Some(block_id(2)) }, false),
    ] {
        let mut bench = Bench::new(Some(Floor::of(&there)));
        let actions = bench.step(Event::Seen(sighting.clone()));
        assert!(matches!(actions[..], [Action::Read { .. }]));
        let actions = bench.read(ReadOutcome::Found(view(1, there.clone())));
        let halted = matches!(actions[..], [Action::Tell(Notice::Halted(Halt::Stranger { .. }))]);
        assert_eq!(halted, stranger, "{sighting:?}");
    }
}

#[test]
fn a_read_older_than_the_sighting_proves_nothing() {
    let old = record(Some(OTHER));
    let mut bench = Bench::new(Some(Floor::of(&old)));
    bench.ask(statement(mark(10, Step::Precommit), Some(1), 0));
    let sighting = Sighting { mark: mark(10, Step::Precommit), block: Some(block_id(1)) };
    assert_eq!(bench.step(Event::Seen(sighting)), []);
    bench.read(ReadOutcome::Found(view(1, old.clone())));
    assert_eq!(bench.signer.halted(), None);
    bench.after(Signer::POLL_EVERY);
    let newer = at(&old, &statement(mark(10, Step::Precommit), Some(1), 0));
    bench.read(ReadOutcome::Found(view(2, newer)));
    assert_eq!(bench.signer.halted(), None);
}

#[test]
fn a_signature_that_comes_late_is_not_taken_for_another_votes() {
    let mut bench = Bench::owning(&record(Some(ME)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.swapped(SwapOutcome::Won(Version(2)));
    bench.floor_kept(true);
    let late = bench.signing;
    assert!(matches!(refusal(&bench.after(Signer::ANSWER_WITHIN)), Refusal::KeyFailed(_)));
    bench.ask(statement(mark(10, Step::Precommit), Some(1), 0));
    bench.swapped(SwapOutcome::Won(Version(3)));
    bench.floor_kept(true);
    let signatures = Some(Signatures { statement: vec![9], extension: None });
    assert_eq!(bench.step(Event::Signed { attempt: late, signatures }), []);
    let released = bench.signed();
    assert!(
        matches!(&released[..], [Action::Answer { answer: Ok(release), .. }] if release.signatures.statement == [7])
    );
}

#[test]
fn more_requests_than_any_node_makes_are_refused_and_none_is_forgotten() {
    let mut bench = Bench::new(None);
    let refused = (0..=Signer::WAITING_MAX)
        .flat_map(|_| bench.ask(statement(mark(10, Step::Prevote), Some(1), 0)))
        .filter(|action| matches!(action, Action::Answer { answer: Err(Refusal::TooMany), .. }))
        .count();
    assert_eq!(refused, 1);
    let answered = bench.after(Signer::ANSWER_WITHIN).len();
    assert_eq!(answered, Signer::WAITING_MAX);
}
