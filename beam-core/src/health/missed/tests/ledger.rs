use super::*;

use proptest::prelude::*;

/// A ledger that began to count at height 10.
fn begun() -> MissedBlocks {
    let mut ledger = MissedBlocks::default();
    assert_eq!(ledger.wanted(Height(11)), [Height(10)]);
    ledger
}

fn heights(range: std::ops::RangeInclusive<u64>) -> Vec<Height> {
    range.map(Height).collect()
}

#[test]
fn absent_counts_and_nil_does_not() {
    let mut ledger = begun();
    for (height, flag) in (10..).zip([Flag::Block, Flag::Nil, Flag::Absent, Flag::Absent, Flag::NotSeated]) {
        ledger.note(commit(height, flag));
    }
    let tally = ledger.tally();
    assert_eq!((tally.from, tally.to), (Height(10), Height(14)));
    assert_eq!((tally.missed, tally.nil, tally.not_seated, tally.unknown), (2, 1, 1, 0));
    assert_eq!((tally.missed_own, tally.missed_in_a_row, tally.missed_last), (2, 0, 2));
    assert!(!tally.seated && !tally.votes().seated);
}

#[test]
fn a_gap_is_filled_before_anything_after_it_counts() {
    let mut ledger = begun();
    ledger.note(commit(10, Flag::Block));
    assert_eq!(ledger.wanted(Height(41)), heights(11..=30), "so many at once");
    assert!(ledger.note(commit(13, Flag::Absent)).is_empty());
    assert!(ledger.note(commit(12, Flag::Absent)).is_empty());
    assert_eq!(ledger.tally().to, Height(10));
    assert_eq!(ledger.wanted(Height(15)), [Height(11), Height(14)]);
    let missed = ledger.note(commit(11, Flag::Block));
    assert_eq!(missed.iter().map(|missed| missed.height.0).collect::<Vec<_>>(), [12, 13]);
    assert_eq!((ledger.tally().to, ledger.tally().missed_in_a_row), (Height(13), 2));
    assert!(ledger.note(commit(12, Flag::Absent)).is_empty(), "each height counts once");
    assert_eq!(ledger.tally().missed, 2);
}

#[test]
fn what_nobody_can_show_is_neither_missed_nor_signed() {
    let mut ledger = begun();
    ledger.note(commit(10, Flag::Absent));
    ledger.note(commit(12, Flag::Absent));
    ledger.unavailable(Height(11));
    let tally = ledger.tally();
    assert_eq!((tally.to, tally.missed, tally.unknown), (Height(12), 2, 1));
}

#[test]
fn a_gap_that_is_too_wide_is_not_fetched() {
    let mut ledger = begun();
    ledger.note(commit(10, Flag::Block));
    let far = 11 + MissedBlocks::BACKFILL_MAX + 500;
    let wanted = ledger.wanted(Height(far));
    assert_eq!(wanted.first(), Some(&Height(far - MissedBlocks::BACKFILL_MAX)));
    assert_eq!((ledger.tally().unknown, ledger.tally().to), (500, Height(510)));
    ledger.note(commit(511, Flag::Absent));
    assert_eq!((ledger.tally().to, ledger.tally().missed), (Height(511), 1));
}

#[test]
fn nothing_is_wanted_before_there_is_anything() {
    assert!(MissedBlocks::default().wanted(Height(0)).is_empty());
    assert!(MissedBlocks::default().wanted(Height(1)).is_empty());
    assert!(MissedBlocks::default().note(commit(5, Flag::Absent)).is_empty());
    let mut ledger = begun();
    assert!(ledger.wanted(Height(3)).is_empty(), "a node that fell back");
    assert_eq!(ledger.wanted(Height(11)), [Height(10)], "and came again");
}

#[test]
fn the_cause_is_told_by_what_was_known_of_that_height() {
    let mut ledger = begun();
    ledger.seen(Height(10), Round(0));
    ledger.part(Height(11), Part::Released(Round(0)));
    ledger.part(Height(11), Part::NotAsked);
    ledger.part(Height(12), Part::Refused);
    let causes: Vec<_> = (10..=13)
        .flat_map(|height| ledger.note(commit(height, Flag::Absent)))
        .map(|missed| missed.cause)
        .collect();
    assert_eq!(causes, [Cause::NotIncluded, Cause::Late, Cause::Own, Cause::Own]);
    let tally = ledger.tally();
    assert_eq!((tally.seen_not_included, tally.missed_own, tally.missed_network), (1, 3, 0));
    ledger.note(Commit { others: Share { absent: 90, of: 179 }, ..commit(14, Flag::Absent) });
    assert_eq!(ledger.tally().missed_network, 1);
}

#[test]
fn the_chains_account_is_carried_on_and_unknown_after_a_gap() {
    let params = SlashingParams { window: 10_000, min_signed: SlashingParams::ONE / 20 };
    let info = SigningInfo {
        at: Height(11),
        start_height: 0,
        index_offset: 10,
        missed: 3,
        jailed: false,
        tombstoned: false,
    };
    let mut ledger = begun();
    assert_eq!(ledger.tally().window, None);
    ledger.chain(params, info);
    let account = |ledger: &MissedBlocks| ledger.tally().window.map(|account| account.now);
    assert_eq!(account(&ledger).unwrap().left_to_jail, 9_497);
    ledger.note(commit(10, Flag::Absent));
    assert_eq!(account(&ledger).unwrap().missed, 3, "the chain had counted that one");
    ledger.note(commit(11, Flag::Absent));
    assert_eq!(
        account(&ledger).unwrap(),
        Window { missed: 4, exact: true, left_to_jail: 9_496, jailed: false }
    );
    ledger.unavailable(Height(12));
    ledger.note(commit(13, Flag::Absent));
    assert_eq!(account(&ledger), None);
    ledger.chain(params, SigningInfo { at: Height(13), ..info });
    assert_eq!(account(&ledger).unwrap().missed, 4);
}

proptest! {
    /// However the commits come (late, doubled, in any order), the counts are those of the chain.
    #[test]
    fn the_order_in_which_commits_come_makes_no_difference(
        flags in proptest::collection::vec(0_u8..4, 1..60),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let flag = |n: u8| [Flag::NotSeated, Flag::Absent, Flag::Nil, Flag::Block][usize::from(n)];
        let commits: Vec<_> = (10..).zip(&flags).map(|(height, n)| commit(height, flag(*n))).collect();
        let mut in_order = begun();
        commits.iter().for_each(|commit| drop(in_order.note(*commit)));
        let mut in_any = begun();
        order.iter().for_each(|index| drop(in_any.note(*index.get(&commits))));
        // What never came by chance is fetched.
        let tip = Height(10 + flags.len() as u64);
        loop {
            let wanted = in_any.wanted(tip);
            if wanted.is_empty() {
                break;
            }
            for height in wanted.iter().rev() {
                in_any.note(commits[usize::try_from(height.0).unwrap() - 10]);
            }
        }
        prop_assert_eq!(in_any.tally(), in_order.tally());
    }
}
