//! Answers that are lost, late or missing, and a register, floor or chain that shows what it must not.

use super::*;

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
fn what_was_seen_counts_although_its_floor_came_too_late_to_the_disk() {
    let seen = at(&record(Some(OTHER)), &statement(mark(12, Step::Prevote), Some(1), 0));
    let mut bench = Bench::new(None);
    bench.ask(statement(mark(12, Step::Prevote), Some(2), 0));
    bench.read(ReadOutcome::Found(view(9, seen)));
    // Nobody waits for the disk any more; what is written there is there all the same.
    assert_eq!(refusal(&bench.after(Signer::ANSWER_WITHIN)), &Refusal::FloorNotKept);
    assert_eq!(bench.floor_kept(true), []);
    bench.ask(statement(mark(12, Step::Prevote), Some(2), 0));
    let actions = bench.read(ReadOutcome::Found(view(3, record(Some(OTHER)))));
    assert!(matches!(refusal(&actions), Refusal::Halted(Halt::PutBack { .. })), "{actions:?}");
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
