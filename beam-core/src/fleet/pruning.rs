//! Which snapshots go.
//!
//! * A snapshot goes only if [`PruningConfig::keep`] newer complete ones of its chain are listed. So the newest complete
//!   ones stay, and with them the only one; and a list that lacks some makes fewer go, not more.
//! * One that is not complete goes only if it is also older than [`PruningConfig::unfinished_max`]: it hangs. While it
//!   is the newest it stays, however long it takes; large disks take hours.
//! * One that failed goes: nothing can be made from it.
//! * One that a person took goes only by a person's hand, and does not count.
//!
//! A disk made from a snapshot does not need it any longer, filled or not.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use crate::cloud_provider::{Snapshot, SnapshotId, SnapshotState};

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruningConfig {
    /// How many complete snapshots of each chain.
    pub keep: NonZeroU32,
    /// How long a snapshot may take before it counts as hanging.
    pub unfinished_max: Duration,
}

impl Default for PruningConfig {
    /// Three, since the newest may hold a broken disk and the one before it too; and a day.
    fn default() -> Self {
        let keep = const { NonZeroU32::MIN.saturating_add(2) };
        Self { keep, unfinished_max: Duration::from_secs(24 * 3600) }
    }
}

/// The snapshots that go, of a fleet's whole list, oldest first. `now` is by the cloud's clock; one that is wrong by
/// less than [`PruningConfig::unfinished_max`] does no harm.
#[must_use]
pub fn prunable(snapshots: &[Snapshot], now: SystemTime, config: &PruningConfig) -> Vec<SnapshotId> {
    let mut ours: Vec<&Snapshot> = snapshots.iter().filter(|snapshot| snapshot.token.is_some()).collect();
    ours.sort_by_key(|snapshot| order(snapshot));
    let goes = |snapshot: &&Snapshot| match snapshot.state {
        SnapshotState::Failed => true,
        SnapshotState::Complete => is_outdated(snapshot, &ours, config),
        SnapshotState::Pending { .. } => {
            let age = now.duration_since(snapshot.taken).unwrap_or_default();
            age > config.unfinished_max && is_outdated(snapshot, &ours, config)
        }
    };
    ours.iter().copied().filter(goes).map(|snapshot| snapshot.id.clone()).collect()
}

/// Older first; of two taken at once, the one of the lower height.
fn order(snapshot: &Snapshot) -> (SystemTime, u64, &str) {
    (snapshot.taken, snapshot.height.0, snapshot.id.as_str())
}

/// Whether there are enough newer complete ones.
fn is_outdated(snapshot: &Snapshot, ours: &[&Snapshot], config: &PruningConfig) -> bool {
    let newer = |other: &&&Snapshot| {
        other.chain == snapshot.chain
            && other.state == SnapshotState::Complete
            && order(other) > order(snapshot)
    };
    let newer = u32::try_from(ours.iter().filter(newer).count()).unwrap_or(u32::MAX);
    newer >= config.keep.get()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::cloud_provider::Token;
    use crate::signing::Height;

    const NOW: u64 = 1_000_000;

    fn snapshot(number: usize, chain: u8, taken: u64, state: SnapshotState, ours: bool) -> Snapshot {
        Snapshot {
            id: SnapshotId::new(format!("snap-{number}")),
            token: ours.then(|| Token::new(format!("token-{number}"))),
            chain: format!("chain-{chain}").parse().unwrap(),
            height: Height(taken),
            taken: SystemTime::UNIX_EPOCH + Duration::from_secs(taken),
            state,
        }
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn config(keep: u32, unfinished_max: u64) -> PruningConfig {
        let keep = NonZeroU32::new(keep).unwrap();
        PruningConfig { keep, unfinished_max: Duration::from_secs(unfinished_max) }
    }

    fn names(ids: &[SnapshotId]) -> Vec<&str> {
        ids.iter().map(SnapshotId::as_str).collect()
    }

    const COMPLETE: SnapshotState = SnapshotState::Complete;
    const PENDING: SnapshotState = SnapshotState::Pending { percent: 50 };

    #[test]
    fn the_newest_complete_ones_of_each_chain_stay() {
        let listed: Vec<_> =
            (0..8_u8).map(|n| snapshot(usize::from(n), n % 2, u64::from(n), COMPLETE, true)).collect();
        assert_eq!(names(&prunable(&listed, now(), &config(3, 10))), ["snap-0", "snap-1"]);
        assert_eq!(prunable(&listed, now(), &config(4, 10)), []);
    }

    #[test]
    fn an_unfinished_one_goes_when_it_hangs_and_newer_ones_are_complete() {
        let hangs = snapshot(0, 1, NOW - 11, PENDING, true);
        let newer = snapshot(1, 1, NOW - 5, COMPLETE, true);
        assert_eq!(
            prunable(std::slice::from_ref(&hangs), now(), &config(1, 10)),
            [],
            "it may yet be the first"
        );
        let both = [hangs, newer];
        assert_eq!(names(&prunable(&both, now(), &config(1, 10))), ["snap-0"]);
        assert_eq!(prunable(&both, now(), &config(1, 11)), [], "it is still young");
    }

    #[test]
    fn a_failed_one_goes_and_one_of_a_person_stays() {
        let listed = [
            snapshot(0, 1, 1, COMPLETE, false),
            snapshot(1, 1, 2, SnapshotState::Failed, true),
            snapshot(2, 1, 3, COMPLETE, true),
            snapshot(3, 1, 4, COMPLETE, false),
        ];
        assert_eq!(names(&prunable(&listed, now(), &config(1, 10))), ["snap-1"]);
    }

    #[test]
    fn a_clock_that_is_behind_prunes_nothing_unfinished() {
        let listed = [snapshot(0, 1, NOW + 5, PENDING, true), snapshot(1, 1, NOW + 6, COMPLETE, true)];
        assert_eq!(prunable(&listed, now(), &config(1, 0)), []);
    }

    fn any_state() -> impl Strategy<Value = SnapshotState> {
        prop_oneof![3 => Just(COMPLETE), 1 => Just(PENDING), 1 => Just(SnapshotState::Failed)]
    }

    prop_compose! {
        fn any_list()(
            parts in proptest::collection::vec((0..3_u8, NOW - 50..NOW + 5, any_state(), any::<bool>()), 0..25),
        ) -> Vec<Snapshot> {
            let numbered = parts.into_iter().enumerate();
            numbered.map(|(number, (chain, taken, state, ours))| snapshot(number, chain, taken, state, ours)).collect()
        }
    }

    proptest! {
        #[test]
        fn never_fewer_complete_ones_than_asked_for_and_never_a_newer_before_an_older(
            listed in any_list(), keep in 1..5_u32, unfinished_max in 0..60_u64,
        ) {
            let gone: BTreeSet<_> = prunable(&listed, now(), &config(keep, unfinished_max)).into_iter().collect();
            for chain in 0..3 {
                let of_chain = |found: &&Snapshot| {
                    found.chain.as_str() == format!("chain-{chain}") && found.token.is_some() && found.state == COMPLETE
                };
                let complete: Vec<_> = listed.iter().filter(of_chain).collect();
                let kept: Vec<_> = complete.iter().filter(|found| !gone.contains(&found.id)).collect();
                prop_assert_eq!(kept.len(), complete.len().min(keep as usize));
                for older in complete.iter().filter(|found| gone.contains(&found.id)) {
                    prop_assert!(kept.iter().all(|newer| newer.taken >= older.taken));
                }
            }
        }

        #[test]
        fn never_one_of_a_person_and_never_a_young_unfinished_one(
            listed in any_list(), keep in 1..5_u32, unfinished_max in 0..60_u64,
        ) {
            let gone = prunable(&listed, now(), &config(keep, unfinished_max));
            for found in listed.iter().filter(|found| gone.contains(&found.id)) {
                prop_assert!(found.token.is_some());
                let age = now().duration_since(found.taken).unwrap_or_default();
                prop_assert!(found.state != PENDING || age > Duration::from_secs(unfinished_max));
            }
        }

        #[test]
        fn always_no_more_from_a_list_that_lacks_some(
            listed in any_list(), missing in any::<u32>(), keep in 1..5_u32,
        ) {
            let config = config(keep, 20);
            let late: Vec<_> =
                listed.iter().enumerate().filter(|(n, _)| missing >> (n % 32) & 1 == 0).map(|(_, s)| s.clone()).collect();
            let all = prunable(&listed, now(), &config);
            prop_assert!(prunable(&late, now(), &config).iter().all(|gone| all.contains(gone)));
        }

        #[test]
        fn never_twice(listed in any_list(), keep in 1..5_u32) {
            let config = config(keep, 20);
            let gone = prunable(&listed, now(), &config);
            let left: Vec<_> = listed.into_iter().filter(|found| !gone.contains(&found.id)).collect();
            prop_assert_eq!(prunable(&left, now(), &config), []);
        }
    }
}
