//! Events that come late, twice, early or unasked, and what a signer says of itself.

use super::*;

/// A signer whose takeovers take this long.
fn patient(patience: Duration, floor: Option<Floor>) -> Bench {
    let takeover = TakeoverConfig { takeover_after: patience, cap: patience, ..TakeoverConfig::default() };
    Bench { signer: Signer::new(SignerConfig { me: ME, takeover }, floor), ..Bench::new(None) }
}

fn sighting(height: u64, block: u8) -> Event {
    Event::Seen(Sighting { mark: mark(height, Step::Precommit), block: Some(block_id(block)) })
}

#[test]
fn a_signer_tells_where_it_stands() {
    let owned = record(Some(ME));
    let mut bench = Bench::owning(&owned);
    assert_eq!(bench.signer.view(), Some(&view(1, owned.clone())));
    assert_eq!(bench.signer.halted(), None);
    assert!(!bench.signer.paused());
    bench.step(Event::Paused(true));
    assert!(bench.signer.paused());

    // The wait is told for the next height, and a takeover that is seen doubles it.
    assert_eq!(bench.signer.waits(), TAKEOVER_AFTER);
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    let taken = at(&owned, &statement(mark(10, Step::Prevote), Some(1), 0));
    let taken = taken.handed_to(OTHER, Handover::Takeover).unwrap();
    bench.swapped(SwapOutcome::Lost(ReadOutcome::Found(view(2, taken))));
    assert_eq!(bench.signer.waits(), 2 * TAKEOVER_AFTER);

    let mut bench = Bench::new(Some(Floor::of(&at(&owned, &statement(mark(12, Step::Prevote), None, 0)))));
    bench.ask(statement(mark(20, Step::Prevote), Some(1), 0));
    bench.read(ReadOutcome::Found(view(1, owned.clone())));
    let put_back = Halt::PutBack { register: owned.mark, floor: mark(12, Step::Prevote) };
    assert_eq!(bench.signer.halted(), Some(&put_back));
}

#[test]
fn an_answer_to_a_swap_given_up_is_not_taken_for_the_next_ones() {
    let mut bench = Bench::owning(&record(Some(ME)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    let late = bench.swapping;
    bench.after(Signer::ANSWER_WITHIN);
    bench.ask(statement(mark(10, Step::Precommit), Some(1), 0));
    bench.read(ReadOutcome::Found(view(1, record(Some(ME)))));
    assert_ne!(bench.swapping, late);
    assert_eq!(bench.step(Event::Swapped { attempt: late, outcome: SwapOutcome::Won(Version(2)) }), []);
    assert!(signs(&bench.swapped(SwapOutcome::Won(Version(2)))));
}

#[test]
fn nothing_is_done_before_the_floor_is_raised_to_what_was_seen() {
    let mut bench = Bench::new(None);
    let seen = record(None);
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    let actions = bench.read(ReadOutcome::Found(view(1, seen.clone())));
    let (attempt, floor) = (bench.flooring, Floor::of(&seen));
    assert_eq!(actions.last(), Some(&Action::KeepFloor { attempt, floor }));
    // Another's answer is not this one's, good or bad.
    for kept in [true, false] {
        assert_eq!(bench.step(Event::FloorKept { attempt: bench.reading, kept }), []);
    }
    assert_eq!(swap_in(&bench.floor_kept(true)).mark, mark(10, Step::Prevote));
    // Nor is it late: what comes of the floor now is nobody's.
    assert_eq!(bench.step(Event::FloorKept { attempt: bench.flooring, kept: false }), []);

    let mut bench = Bench::new(None);
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.read(ReadOutcome::Found(view(1, seen)));
    assert_eq!(refusal(&bench.after(Signer::ANSWER_WITHIN)), &Refusal::FloorNotKept);
}

#[test]
fn a_signature_on_the_chain_that_the_signer_knows_of_costs_no_read() {
    let there = at(&record(Some(ME)), &statement(mark(10, Step::Precommit), Some(1), 0));
    for (seen, known) in
        [(sighting(9, 2), true), (sighting(10, 1), true), (sighting(10, 2), false), (sighting(11, 1), false)]
    {
        let mut bench = Bench::owning(&there);
        let actions = bench.step(seen.clone());
        assert_eq!(actions.is_empty(), known, "{seen:?}: {actions:?}");
    }
    // One that has stopped has nothing more to find out.
    let mut bench = Bench::new(Some(Floor::of(&there)));
    bench.step(sighting(11, 1));
    bench.read(ReadOutcome::Found(view(1, there)));
    assert!(bench.signer.halted().is_some());
    assert_eq!(bench.step(sighting(12, 1)), []);
}

#[test]
fn of_several_signatures_on_the_chain_the_highest_must_be_known() {
    let there = at(&record(Some(OTHER)), &statement(mark(10, Step::Precommit), Some(1), 0));
    for order in [[11, 12], [12, 11]] {
        let mut bench = Bench::new(Some(Floor::of(&there)));
        // Both are seen before a read begins that can tell.
        bench.ask(statement(mark(20, Step::Prevote), None, 0));
        for height in order {
            assert_eq!(bench.step(sighting(height, 1)), []);
        }
        bench.read(ReadOutcome::Found(view(1, there.clone())));
        bench.after(Signer::POLL_EVERY);
        bench.read(ReadOutcome::Found(view(1, there.clone())));
        let stranger = Halt::Stranger { chain: mark(12, Step::Precommit), register: there.mark };
        assert_eq!(bench.signer.halted(), Some(&stranger));
    }
}

#[test]
fn the_same_sighting_again_does_not_put_off_the_day_of_reckoning() {
    let there = at(&record(Some(OTHER)), &statement(mark(10, Step::Precommit), Some(1), 0));
    let mut bench = Bench::new(Some(Floor::of(&there)));
    assert!(matches!(bench.step(sighting(11, 1))[..], [Action::Read { .. }]));
    assert_eq!(bench.step(sighting(11, 1)), []);
    bench.read(ReadOutcome::Found(view(1, there)));
    assert!(bench.signer.halted().is_some());
}

#[test]
fn a_request_whose_time_is_up_makes_way_for_the_next() {
    let mut bench = Bench::new(None);
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.after(Duration::from_secs(1));
    bench.ask(statement(mark(10, Step::Precommit), Some(1), 0));
    let actions = bench.after(Signer::ANSWER_WITHIN - Duration::from_secs(1));
    assert_eq!(refusal(&actions), &Refusal::RegisterOutOfReach(mark(10, Step::Prevote)));
    assert_eq!(actions.last(), Some(&Action::Read { attempt: bench.reading }));
}

#[test]
fn a_pause_lasts_as_long_as_it_says_and_is_told_to_whoever_wakes_it() {
    let owned = record(Some(OTHER));
    let mut bench = Bench::new(Some(Floor::of(&owned)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.read(ReadOutcome::Found(view(4, owned.clone())));
    assert_eq!(bench.signer.wake_at(), Some(bench.now + Signer::POLL_EVERY));
    assert_eq!(bench.step(Event::Woken), [], "woken too early");
    assert_eq!(bench.after(Signer::POLL_EVERY), [Action::Read { attempt: bench.reading }]);

    bench.read(ReadOutcome::Failed);
    assert_eq!(bench.signer.wake_at(), Some(bench.now + Signer::RETRY_AFTER));
}

#[test]
fn who_waits_for_the_owner_in_vain_is_told_so() {
    let owned = record(Some(OTHER));
    let mut bench = patient(2 * Signer::ANSWER_WITHIN, Some(Floor::of(&owned)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.read(ReadOutcome::Found(view(4, owned.clone())));
    let refused = bench.after(Signer::ANSWER_WITHIN);
    assert_eq!(refusal(&refused), &Refusal::OwnersTurn(mark(10, Step::Prevote), owned.epoch));
}
