//! Going on after a register was put back, or its record made anew: what a person's word changes, and what it cannot.
//!
//! A signer that finds the register below its floor, or of another lineage, stops (rule 8). Somebody then has to look. What is
//! done after that stands here:
//!
//! * **Only forward.** The register's mark is raised above everything that anybody is known to have signed
//!   ([`Known`](super::Known) says how high), and never lowered, not even by a person.
//! * **The lineage stays the register's.** A machine whose floor is of that lineage and not above the new mark accepts the
//!   record by itself; one that has seen more stops again, by itself, and its adoption raises the mark further. So nobody has to
//!   know every machine's floor. A new lineage would stop every machine and would guard nothing that the marks do not guard.
//! * **Nobody owns it**, in a new epoch: whoever believed to be the owner must ask again.
//! * **A floor of another lineage is replaced** by a person on its own machine only, and only by a record that is not below it.
//!
//! Every pilot should be stopped meanwhile. One that has the register from before in its memory could not sign twice at a position
//! that the register holds, but a register that is put back counts its versions again, and a process that was frozen since
//! could find the version that it expects.

use crate::signing::{Above, Epoch, Floor, Handover, Mark, Record};

/// What adopting a record comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// This machine accepts the register as it is.
    Accepted,
    /// The register stays as it is; this machine's floor is replaced by this one, of the register's lineage.
    Repin(Floor),
    /// The register is raised to this record, and this machine's floor follows.
    Raise(Record),
}

/// Decides how a machine with this floor may accept the register's record.
///
/// `seen` is what else is known to be signed, such as our last vote on the chain; `safe` is where the record may begin again
/// ([`Known::begin_at`](super::Known::begin_at), of the floor, the record and `seen` at least). `raise` raises it in any case.
///
/// `None` if epochs have run out, which no validator lives to see.
#[must_use]
pub fn adopt(
    record: &Record,
    floor: Option<&Floor>,
    seen: Option<Mark>,
    safe: Mark,
    raise: bool,
) -> Option<Adoption> {
    let known = [Some(record.mark), floor.map(|floor| floor.mark), seen].into_iter().flatten();
    let highest = known.max().unwrap_or(record.mark);
    // Whatever the caller holds for safe, nothing that is known here is left above.
    let safe = safe.max(Mark::end_of(highest.height));
    Some(match floor.map(|floor| floor.compare(record)) {
        _ if raise || highest > record.mark => raised(record, safe)?,
        Some(Above::PutBack) => raised(record, safe)?,
        Some(Above::OtherLineage) => Adoption::Repin(Floor::of(record)),
        Some(Above::Higher | Above::Same) | None => Adoption::Accepted,
    })
}

fn raised(record: &Record, mark: Mark) -> Option<Adoption> {
    Some(Adoption::Raise(Record {
        lineage: record.lineage,
        epoch: Epoch(record.epoch.0.checked_add(1)?),
        owner: None,
        since: mark,
        handover: Handover::Init,
        mark,
        bytes: Vec::new(),
        lock: None,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{Lineage, SignerId};
    use crate::signing::{Height, Known, Step, Wish};

    const ONE: Lineage = Lineage::from_random(1);
    const OTHER: Lineage = Lineage::from_random(2);
    const SAFE: Mark = Mark::end_of(Height(105));

    fn record(lineage: Lineage, mark: Mark) -> Record {
        let owner = Some(SignerId::from_random(9));
        Record { owner, epoch: Epoch(4), bytes: vec![1], ..Record::begin(lineage, mark) }
    }

    fn floor(lineage: Lineage, mark: Mark) -> Floor {
        Floor { lineage, mark, bytes: vec![1] }
    }

    fn at(height: u64) -> Mark {
        Mark::new(height, 0, Step::Precommit)
    }

    #[test]
    fn a_register_that_was_put_back_is_raised_and_belongs_to_nobody() {
        let adopted = adopt(&record(ONE, at(80)), Some(&floor(ONE, at(100))), None, SAFE, false);
        let Some(Adoption::Raise(raised)) = adopted else { panic!("{adopted:?}") };
        assert_eq!((raised.lineage, raised.epoch, raised.owner), (ONE, Epoch(5), None));
        assert_eq!((raised.mark, raised.since, raised.lock.as_ref()), (SAFE, SAFE, None));
        assert_eq!(Record::decode(&raised.encode()).unwrap(), raised);
    }

    #[test]
    fn the_second_machine_has_nothing_to_do_unless_it_has_seen_more() {
        let raised = Record::begin(ONE, SAFE);
        assert_eq!(adopt(&raised, Some(&floor(ONE, at(103))), None, SAFE, false), Some(Adoption::Accepted));
        let more = adopt(&raised, Some(&floor(ONE, at(106))), None, Mark::end_of(Height(111)), false);
        assert!(matches!(more, Some(Adoption::Raise(record)) if record.mark.height == Height(111)));
    }

    #[test]
    fn other_bytes_at_the_same_mark_are_passed_over() {
        let went_another_way = Record { bytes: vec![2], ..record(ONE, at(100)) };
        let adopted = adopt(&went_another_way, Some(&floor(ONE, at(100))), None, at(100), false);
        assert!(matches!(adopted, Some(Adoption::Raise(record)) if record.mark == Mark::end_of(Height(100))));
    }

    #[test]
    fn a_record_of_another_lineage_is_pinned_if_it_is_high_enough_and_raised_if_not() {
        let high = record(OTHER, at(200));
        let pinned = adopt(&high, Some(&floor(ONE, at(100))), None, SAFE, false);
        assert_eq!(pinned, Some(Adoption::Repin(Floor::of(&high))));
        let low = adopt(&record(OTHER, at(80)), Some(&floor(ONE, at(100))), None, SAFE, false);
        assert!(
            matches!(low, Some(Adoption::Raise(record)) if record.lineage == OTHER && record.mark == SAFE)
        );
    }

    #[test]
    fn a_vote_on_the_chain_that_the_register_does_not_know_raises_it_without_any_floor() {
        assert_eq!(adopt(&record(ONE, at(80)), None, None, SAFE, false), Some(Adoption::Accepted));
        let adopted = adopt(&record(ONE, at(80)), None, Some(at(99)), SAFE, false);
        assert!(matches!(adopted, Some(Adoption::Raise(record)) if record.mark == SAFE));
    }

    proptest! {
        /// Whatever is adopted, the register never goes back, and the machine accepts it afterwards.
        #[test]
        fn an_adoption_never_lowers_anything_and_is_accepted_afterwards(
            record_at in 0..50_u64, floor_at in proptest::option::of(0..50_u64), seen in proptest::option::of(0..50_u64),
            other: bool, same_bytes: bool, tip in 0..50_u64, raise: bool,
        ) {
            let before = Record { bytes: vec![u8::from(same_bytes)], ..record(ONE, at(record_at)) };
            let floor = floor_at.map(|height| floor(if other { OTHER } else { ONE }, at(height)));
            let seen = seen.map(at);
            let remembered: Vec<Mark> = [Some(before.mark), floor.as_ref().map(|floor| floor.mark), seen].into_iter().flatten().collect();
            let safe = Known { remembered: &remembered, tip: Some(Height(tip)) }.begin_at(Wish::Lowest, true).unwrap();
            let adopted = adopt(&before, floor.as_ref(), seen, safe, raise).unwrap();
            let (after, floor) = match adopted {
                Adoption::Accepted => (before.clone(), floor),
                Adoption::Repin(floor) => (before.clone(), Some(floor)),
                Adoption::Raise(record) => (record.clone(), Some(Floor::of(&record))),
            };
            prop_assert!(after.mark >= before.mark && after.epoch >= before.epoch);
            prop_assert!(remembered.iter().all(|mark| *mark <= after.mark) || after == before);
            prop_assert!(floor.is_none_or(|floor| matches!(floor.compare(&after), Above::Same | Above::Higher)));
        }
    }
}
