//! What came of a run, and of many.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::judge::Signed;

/// Something that must never be, and was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, in microseconds of virtual time.
    pub at: u64,
    /// What.
    pub what: String,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The seed that repeats it.
    pub seed: u64,
    /// What went wrong, if anything did.
    pub violation: Option<Violation>,
    /// What happened, a line an event, if a story was asked for.
    pub story: String,
    /// A sum over everything that happened, in order: two runs with the same one went the same way.
    pub digest: u64,
    /// What was counted.
    pub counts: Counts,
    /// At how many points, before the faults ended, something could have struck.
    pub points: u64,
    /// The faults that struck.
    pub struck: Vec<Fault>,
    /// Whether the owner's machine was among those struck.
    pub owner_struck: bool,
    /// What became of our vote at each height that has a successor, from height 1 on.
    pub ours: Vec<Signed>,
}

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            violation: None,
            story: String::new(),
            digest: seed,
            counts: Counts::default(),
            points: 0,
            struck: Vec::new(),
            owner_struck: false,
            ours: Vec::new(),
        }
    }

    /// How many blocks our validator missed, as the chain's slashing counts them: a precommit for nil is none.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.ours.iter().filter(|vote| **vote == Signed::Absent).count() as u64
    }

    /// How many of our precommits in the commits are for nil.
    #[must_use]
    pub fn nil(&self) -> u64 {
        self.ours.iter().filter(|vote| **vote == Signed::Nil).count() as u64
    }
}

/// What is counted of a run, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How much time went by in the world, in microseconds.
    pub virtual_micros: u64,
    /// How many events that took.
    pub events: u64,
    /// How many blocks the chain made.
    pub heights: u64,
    /// How many signatures were made with our key.
    pub signatures: u64,
    /// How many left a pilot.
    pub released: u64,
    /// How often a standby took over.
    pub takeovers: u64,
    /// How often a person handed over.
    pub switchovers: u64,
    /// How often a signer stopped.
    pub halts: u64,
    /// Prevotes for nil while our validator was locked by a precommit of another session. Tendermint's paper allows them; `CometBFT` 0.38 itself
    /// prevotes its lock.
    pub nil_while_locked: u64,
    /// Prevotes refused because of another session's lock (rule 6).
    pub locked: u64,
    /// Heights that were not committed in their first round.
    pub later_rounds: u64,
    /// Our prevotes at heights at which our validator was locked.
    pub after_lock: u64,
    /// The longest that a node of ours waited for an answer, in microseconds, time that its machine stood still included.
    pub longest_wait: u64,
}

impl Counts {
    /// Takes in those of another run.
    fn add(&mut self, other: &Self) {
        self.virtual_micros += other.virtual_micros;
        self.events += other.events;
        self.heights += other.heights;
        self.signatures += other.signatures;
        self.released += other.released;
        self.takeovers += other.takeovers;
        self.switchovers += other.switchovers;
        self.halts += other.halts;
        self.nil_while_locked += other.nil_while_locked;
        self.locked += other.locked;
        self.later_rounds += other.later_rounds;
        self.after_lock += other.after_lock;
        self.longest_wait = self.longest_wait.max(other.longest_wait);
    }
}

/// What faults of one kind cost when they struck alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// How many runs had this fault and no other.
    pub runs: u64,
    /// How many of them missed so many blocks: none, one, two, and so on; the last place is for all above.
    pub missed: [u64; 8],
    /// The most that one of them missed.
    pub most: u64,
    /// Precommits for nil, in all of them.
    pub nil: u64,
}

/// Many runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many.
    pub runs: u64,
    /// Seeds of runs that went wrong, and what did.
    pub failed: Vec<(u64, String)>,
    /// What was counted in all of them.
    pub counts: Counts,
    /// Faults that struck, by kind.
    pub struck: BTreeMap<Fault, u64>,
    /// What faults cost that struck alone.
    pub alone: BTreeMap<Fault, Cost>,
    /// The same, of those that struck the machine that signs.
    pub alone_on_owner: BTreeMap<Fault, Cost>,
}

impl Summary {
    /// Takes in one run.
    pub fn add(&mut self, run: &Run) {
        self.runs += 1;
        if let Some(violation) = &run.violation {
            self.failed.push((run.seed, violation.what.clone()));
        }
        self.counts.add(&run.counts);
        for fault in &run.struck {
            *self.struck.entry(*fault).or_default() += 1;
        }
        if let [fault] = run.struck[..] {
            self.alone.entry(fault).or_default().add(run);
            if run.owner_struck {
                self.alone_on_owner.entry(fault).or_default().add(run);
            }
        }
    }

    /// Takes in another summary.
    pub fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.failed.extend(other.failed);
        self.failed.sort();
        self.counts.add(&other.counts);
        for (fault, count) in other.struck {
            *self.struck.entry(fault).or_default() += count;
        }
        for (into, from) in [(&mut self.alone, other.alone), (&mut self.alone_on_owner, other.alone_on_owner)]
        {
            for (fault, cost) in from {
                into.entry(fault).or_default().merge(&cost);
            }
        }
    }
}

impl Cost {
    fn add(&mut self, run: &Run) {
        let missed = run.missed();
        self.runs += 1;
        self.missed[(missed as usize).min(self.missed.len() - 1)] += 1;
        self.most = self.most.max(missed);
        self.nil += run.nil();
    }

    fn merge(&mut self, other: &Self) {
        self.runs += other.runs;
        for (mine, theirs) in self.missed.iter_mut().zip(other.missed) {
            *mine += theirs;
        }
        self.most = self.most.max(other.most);
        self.nil += other.nil;
    }
}
