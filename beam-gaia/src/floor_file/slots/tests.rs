use std::cell::RefCell;
use std::fs::OpenOptions;
use std::rc::Rc;

use beam_core::id::Lineage;
use beam_core::signing::Step;
use proptest::prelude::*;

use super::*;

fn floor(height: u64) -> Floor {
    let mark = Mark::new(height, 0, Step::Prevote);
    // Of differing lengths, so that a torn copy has a rest of the one before.
    Floor {
        lineage: Lineage::from_random(1),
        mark,
        bytes: vec![7; usize::try_from(height % 5).unwrap() * 100],
    }
}

fn empty() -> Vec<u8> {
    Slot { sequence: 0, floor: None }.encode().unwrap().repeat(2)
}

/// A disk in memory that can fail.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    done: Vec<Done>,
    writes_fail: bool,
    syncs_fail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Wrote(u64),
    Synced,
}

impl Memory {
    fn with(bytes: Vec<u8>) -> Self {
        Self(Rc::new(RefCell::new(State { bytes, ..State::default() })))
    }

    fn slots(&self) -> Slots<Self> {
        Slots::new(self.clone(), "floor".to_owned())
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.borrow().bytes.clone()
    }

    fn done(&self) -> Vec<Done> {
        std::mem::take(&mut self.0.borrow_mut().done)
    }
}

impl Disk for Memory {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.bytes())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        if state.writes_fail {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let start = usize::try_from(offset).unwrap();
        state.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        state.done.push(Done::Wrote(offset));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        if state.syncs_fail {
            return Err(io::Error::other("the disk is gone"));
        }
        state.done.push(Done::Synced);
        Ok(())
    }
}

/// What somebody who starts with this file finds.
fn found(bytes: Vec<u8>) -> Option<Floor> {
    Memory::with(bytes).slots().load().unwrap()
}

#[test]
fn every_floor_is_synced_before_it_counts_and_the_copies_take_turns() {
    let disk = Memory::with(empty());
    let mut slots = disk.slots();
    for height in 1..7 {
        slots.keep(floor(height)).unwrap();
        let offset = if height % 2 == 1 { LEN as u64 } else { 0 };
        assert_eq!(disk.done(), [Done::Wrote(offset), Done::Synced], "{height}");
    }
}

#[test]
fn a_floor_is_never_lowered_and_the_same_again_writes_nothing() {
    let disk = Memory::with(empty());
    let mut slots = disk.slots();
    slots.keep(floor(5)).unwrap();
    disk.done();
    slots.keep(floor(5)).unwrap();
    slots.keep(floor(4)).unwrap();
    assert_eq!((slots.load().unwrap(), disk.done()), (Some(floor(5)), vec![]));
    let other_bytes = Floor { bytes: vec![1], ..floor(5) };
    assert!(matches!(slots.keep(other_bytes), Err(FloorError::Io(_))));
    let other_lineage = Floor { lineage: Lineage::from_random(2), ..floor(6) };
    assert!(matches!(slots.keep(other_lineage), Err(FloorError::OtherLineage)));
    assert_eq!(found(disk.bytes()), Some(floor(5)));
}

#[test]
fn a_write_torn_at_any_byte_leaves_the_old_floor_or_the_new() {
    let disk = Memory::with(empty());
    let mut slots = disk.slots();
    // At every byte over a shorter and over a longer one; elsewhere around the ends of sectors.
    for height in 1..6 {
        let before = disk.bytes();
        slots.keep(floor(height)).unwrap();
        let (after, old) = (disk.bytes(), (height > 1).then(|| floor(height - 1)));
        let start = if height % 2 == 1 { LEN } else { 0 };
        let copy_in = |bytes: &[u8]| Slot::decode(&bytes[start..start + LEN]);
        let (copy_before, copy_after) = (copy_in(&before), copy_in(&after));
        for len in (0..=LEN).filter(|len| [3, 5].contains(&height) || len % 512 == 0) {
            let mut torn = before.clone();
            torn[start..start + len].copy_from_slice(&after[start..start + len]);
            let copy = copy_in(&torn);
            let whole = copy == copy_after;
            assert!(whole || copy == Err(NotRead::Torn) || copy == copy_before, "{height}, {len}: {copy:?}");
            if len % 512 < 2 {
                let found = found(torn);
                assert_eq!(found, if whole { Some(floor(height)) } else { old.clone() }, "{height}, {len}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A disk may write a page's sectors in any order.
    #[test]
    fn a_write_of_which_any_sectors_arrived_leaves_the_old_floor_or_the_new(height in 1_u64..20, arrived: u8) {
        const SECTOR: usize = 512;
        let disk = Memory::with(empty());
        let mut slots = disk.slots();
        for height in 1..height {
            slots.keep(floor(height)).unwrap();
        }
        let mut torn = disk.bytes();
        slots.keep(floor(height)).unwrap();
        let after = disk.bytes();
        for sector in (0..FILE_LEN / SECTOR).filter(|sector| arrived & (1 << (sector % 8)) != 0) {
            let place = sector * SECTOR..(sector + 1) * SECTOR;
            torn[place.clone()].copy_from_slice(&after[place]);
        }
        let (found, old) = (found(torn), (height > 1).then(|| floor(height - 1)));
        prop_assert!(found == Some(floor(height)) || found == old, "{:?}", found);
    }

    #[test]
    fn the_file_never_goes_back_whatever_is_kept(heights in proptest::collection::vec(0_u64..30, 1..30)) {
        let disk = Memory::with(empty());
        let mut highest = 0;
        for height in heights {
            // Each time by somebody new.
            disk.slots().keep(floor(height)).unwrap();
            highest = highest.max(height);
            prop_assert_eq!(found(disk.bytes()), Some(floor(highest)));
        }
    }

    #[test]
    fn arbitrary_contents_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..FILE_LEN)) {
        let _ = Memory::with(bytes).slots().load();
    }
}

#[test]
fn one_damaged_copy_is_mended_and_two_are_an_error() {
    let disk = Memory::with(empty());
    let mut slots = disk.slots();
    for height in 1..4 {
        slots.keep(floor(height)).unwrap();
    }
    // The last one went to the second copy.
    let mut bytes = disk.bytes();
    bytes[100] ^= 1;
    let mended = Memory::with(bytes.clone());
    assert_eq!(mended.slots().load().unwrap(), Some(floor(3)));
    assert!(Slot::decode(&mended.bytes()[..LEN]).is_ok());
    bytes[LEN + 100] ^= 1;
    let error = Memory::with(bytes).slots().load().unwrap_err();
    assert!(matches!(error, FloorError::Damaged(_)), "{error}");
}

#[test]
fn a_floor_whose_sync_failed_is_written_again_before_it_counts() {
    let disk = Memory::with(empty());
    let mut slots = disk.slots();
    slots.keep(floor(1)).unwrap();
    disk.0.borrow_mut().syncs_fail = true;
    assert!(matches!(slots.keep(floor(2)), Err(FloorError::Io(_))));
    disk.0.borrow_mut().syncs_fail = false;
    disk.done();
    // The file in memory shows it already; that is not enough.
    slots.keep(floor(2)).unwrap();
    assert_eq!(disk.done(), [Done::Wrote(0), Done::Synced]);
}

#[test]
fn what_a_former_process_wrote_is_synced_before_it_counts() {
    let disk = Memory::with(empty());
    disk.slots().keep(floor(1)).unwrap();
    disk.done();
    assert_eq!(disk.slots().load().unwrap(), Some(floor(1)));
    assert_eq!(disk.done(), [Done::Wrote(0), Done::Synced]);
}

#[test]
fn a_full_disk_is_an_error_and_the_floor_stays() {
    let disk = Memory::with(empty());
    let mut slots = disk.slots();
    slots.keep(floor(1)).unwrap();
    disk.0.borrow_mut().writes_fail = true;
    assert!(matches!(slots.keep(floor(2)), Err(FloorError::Io(_))));
    assert_eq!(slots.load().unwrap(), Some(floor(1)));

    // A real one that is always full.
    let full = OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
    let certain = Certain { place: Place::First, slot: Slot { sequence: 1, floor: Some(floor(1)) } };
    let mut slots = Slots { disk: full, name: "floor".to_owned(), certain: Some(certain) };
    let error = slots.keep(floor(2)).unwrap_err();
    let FloorError::Io(cause) = error else { panic!("{error:?}") };
    let cause = cause.downcast::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::StorageFull);
    assert_eq!(slots.load().unwrap(), Some(floor(1)));
}

#[test]
fn a_sync_is_asked_of_the_system() {
    // There are devices that cannot be synced, and then it says so.
    assert!(Disk::sync(&File::open("/dev/null").unwrap()).is_err());
}

#[test]
fn a_copy_that_another_version_wrote_is_never_passed_over() {
    let disk = Memory::with(empty());
    let mut slots = disk.slots();
    for height in 1..4 {
        slots.keep(floor(height)).unwrap();
    }
    for place in [0, LEN] {
        let mut bytes = disk.bytes();
        let newer = Slot::sealed("beam-floor 2\nwhatever it may say").unwrap();
        bytes[place..place + LEN].copy_from_slice(&newer);
        let error = Memory::with(bytes).slots().load().unwrap_err();
        assert!(error.to_string().contains("does not understand it"), "{error}");
    }
}
