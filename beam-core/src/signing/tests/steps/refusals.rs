//! What is refused whatever the register says: another vote at the mark, one below it, one that a lock forbids.

use super::*;

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
    bench.signer.asked = Some(crate::signing::signer::Asked {
        session: SessionId::from_random(99),
        height: Height(10),
        round: Round(4),
        block: block_id(2),
    });
    assert!(matches!(refusal(&bench.ask(prevote)), Refusal::Locked { .. }));
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

#[test]
fn only_another_block_in_a_later_round_of_this_height_is_a_reason_to_leave_a_lock() {
    let lock = Lock { height: Height(10), round: Round(3), block: block_id(1), session: OTHER_NODE };
    let locked = Record {
        lock: Some(lock),
        ..at(&record(Some(ME)), &statement(Mark::new(10, 3, Step::Precommit), Some(1), 0))
    };
    for (height, round, block, saw_why) in
        [(10, 4, 2, true), (10, 3, 2, false), (10, 2, 2, false), (9, 4, 2, false), (10, 4, 1, false)]
    {
        let mut bench = Bench::owning(&locked);
        bench.signer.asked = Some(crate::signing::signer::Asked {
            session: MY_NODE,
            height: Height(height),
            round: Round(round),
            block: block_id(block),
        });
        let actions = bench.ask(statement(Mark::new(10, 5, Step::Prevote), Some(2), 0));
        let free = actions.iter().any(|action| matches!(action, Action::Swap { .. }));
        assert_eq!(free, saw_why, "{height}/{round} {block}: {actions:?}");
    }
}

#[test]
fn a_lock_lasts_as_long_as_its_height() {
    let lock = Lock { height: Height(10), round: Round(0), block: block_id(1), session: OTHER_NODE };
    let locked = Record {
        lock: Some(lock.clone()),
        ..at(&record(Some(ME)), &statement(mark(10, Step::Precommit), Some(1), 0))
    };
    for (asked, kept) in [
        (statement(Mark::new(10, 1, Step::Prevote), None, 0), Some(lock)),
        (statement(mark(11, Step::Prevote), None, 0), None),
    ] {
        assert_eq!(swap_in(&Bench::owning(&locked).ask(asked)).lock, kept);
    }
}
