//! Who signs without waiting, who waits for whom, and when that changes.

use super::*;

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
fn nobody_is_waited_for_when_nobody_owns() {
    let fresh = record(None);
    let mut bench = Bench::new(Some(Floor::of(&fresh)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    let actions = bench.read(ReadOutcome::Found(view(1, fresh)));
    let first = swap_in(&actions);
    assert_eq!((first.owner, first.epoch, first.handover), (Some(ME), Epoch(1), Handover::Init));
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
fn what_was_there_already_is_a_repetition_whoever_made_it() {
    let vote = statement(mark(10, Step::Precommit), Some(1), 5);
    let later = statement(mark(10, Step::Precommit), Some(1), 9);
    for (owner, asked) in [(OTHER, &vote), (ME, &later)] {
        let there = at(&record(Some(owner)), &vote);
        let mut bench = Bench::new(Some(Floor::of(&there)));
        bench.ask(asked.clone());
        assert!(signs(&bench.read(ReadOutcome::Found(view(4, there)))));
        let actions = bench.signed();
        assert!(
            matches!(&actions[..], [Action::Answer { answer: Ok(release), .. }] if release.repeated),
            "{actions:?}"
        );
    }
}

#[test]
fn a_new_owner_has_its_own_time() {
    let owned = record(Some(OTHER));
    let mut bench = Bench::new(Some(Floor::of(&owned)));
    bench.ask(statement(mark(10, Step::Prevote), Some(1), 0));
    bench.read(ReadOutcome::Found(view(4, owned.clone())));
    // A third machine becomes the owner just before the first one's time is up, as planned: nobody has been slow.
    bench.after(TAKEOVER_AFTER - Signer::POLL_EVERY);
    let handed = owned.handed_to(SignerId::from_random(3), Handover::Switchover).unwrap();
    bench.read(ReadOutcome::Found(view(5, handed.clone())));
    assert_eq!(bench.signer.waits(), TAKEOVER_AFTER);
    bench.after(TAKEOVER_AFTER - Signer::POLL_EVERY);
    assert_eq!(bench.read(ReadOutcome::Found(view(5, handed.clone()))), []);
    bench.after(Signer::POLL_EVERY);
    assert_eq!(swap_in(&bench.read(ReadOutcome::Found(view(5, handed)))).owner, Some(ME));
}
