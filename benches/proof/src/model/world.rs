//! The whole: machines, the register, writes that may still happen, and what the judge remembers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use beam_core::id::{Lineage, SessionId};
use beam_core::register::Version;
use beam_core::signing::{Height, Lock, Mark, Record, View};

use super::bounds::{Bounds, Left};
use super::host::{Host, Process};
use super::rule::Rule;

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// The machines.
    pub hosts: Vec<Arc<Host>>,
    /// The register's cell.
    pub cell: Arc<View>,
    /// Writes that somebody has given up, and which may still happen.
    pub late: Vec<Arc<Write>>,
    /// An earlier content of the register, to which it may be put back.
    pub backup: Option<Arc<View>>,
    /// What may still go wrong.
    pub left: Left,
    /// Whether anybody has voted for a block: until then the two blocks are the same but for their names.
    pub some_block: bool,
    /// What the judge remembers.
    pub judge: Judge,
}

/// What the judge remembers, in no record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Judge {
    /// For each position, all that the register has held there ([`Vote::bit`](super::vote::Vote::bit)).
    pub held: [u16; POSITIONS_MAX],
    /// For each position, all that was signed there by anybody.
    pub signed: [u16; POSITIONS_MAX],
    /// The lock as it was made, whatever the record says.
    pub lock: Option<Lock>,
    /// The process that has become the owner, whatever its name is.
    pub owner: Option<Process>,
    /// Whether the register was put back.
    pub put_back: bool,
    /// Whether its record was made anew.
    pub made_anew: bool,
    /// Whether a stranger has signed.
    pub stranger: bool,
    /// What was broken first.
    pub broken: Option<Rule>,
}

/// The most positions that a model may have, with the one after them.
pub const POSITIONS_MAX: usize = 8;

/// A write that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    /// The version that it expects.
    pub expected: Version,
    /// What it writes.
    pub record: Record,
    /// A fingerprint of the record on which it was decided.
    pub base: u64,
    /// The process that wants it.
    pub by: Process,
    /// The run of the node for whose request it is.
    pub session: Option<SessionId>,
    /// Which blocks that run had asked to precommit where.
    pub shown: u16,
}

impl World {
    /// Machines that have just started, and a record that has just been made.
    #[must_use]
    pub fn new(bounds: &Bounds) -> Self {
        let record = Record::begin(Lineage::from_random(1), Mark::end_of(Height(0)));
        let hosts = (0..bounds.signers)
            .map(|slot| Arc::new(Host::start(Process { slot, start: 0 }, 0, None)))
            .collect();
        Self {
            hosts,
            cell: Arc::new(View { version: Version::FIRST, record }),
            late: Vec::new(),
            backup: None,
            left: Left::all(bounds),
            some_block: false,
            judge: Judge {
                held: [0; POSITIONS_MAX],
                signed: [0; POSITIONS_MAX],
                lock: None,
                owner: None,
                put_back: false,
                made_anew: false,
                stranger: false,
                broken: None,
            },
        }
    }

    /// The machine in this slot, to be changed.
    pub fn host_mut(&mut self, slot: u8) -> Option<&mut Host> {
        self.hosts.get_mut(usize::from(slot)).map(Arc::make_mut)
    }

    /// The machine in this slot.
    #[must_use]
    pub fn host(&self, slot: u8) -> Option<&Host> {
        self.hosts.get(usize::from(slot)).map(AsRef::as_ref)
    }

    /// Whether this slot's machine may be the next that something happens to: of machines that differ in their names only, the first is.
    #[must_use]
    pub fn has_its_turn(&self, slot: u8) -> bool {
        let fresh = self.hosts.iter().find(|host| !host.touched).map(|host| host.process.slot);
        fresh.is_none_or(|fresh| slot <= fresh) || self.host(slot).is_some_and(|host| host.touched)
    }
}

/// A fingerprint of a record.
#[must_use]
pub fn print_of(record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.hash(&mut hasher);
    hasher.finish()
}

impl Judge {
    /// A rule was broken. The first one counts.
    pub fn breaks(&mut self, rule: Rule) {
        self.broken.get_or_insert(rule);
    }
}
