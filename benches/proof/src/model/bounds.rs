//! How far a model goes: everything it does not bound may happen at any time and in any order.

use std::fmt;

use beam_core::signing::Mark;

/// One configuration.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Bounds {
    /// Machines with the same key, each with a signer and a node of its own (1 to 3).
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub signers: u8,
    /// What nodes ask for, in order.
    #[arg(
        long,
        value_name = "MARKS",
        value_delimiter = ',',
        default_value = "1/0/precommit,1/1/prevote,2/0/prevote"
    )]
    pub positions: Vec<Mark>,
    /// Requests of each node.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub asks: u8,
    /// Requests of one node that wait at the same time.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub at_once: u8,
    /// Everything that goes wrong, of any kind below: no history has more.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub faults: u8,
    /// Of these: the register fails a read or a write, loses the answer before or after it took effect, lets it take effect later, answers a
    /// write with what it wrote itself, or answers late.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub register: u8,
    /// Of these: the floor is not written, or is but nobody hears of it; or the key fails.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub local: u8,
    /// Of these: a request runs out of time while its machine waits for the register, the disk or the key, or for the owner.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub stalls: u8,
    /// Of these: kill -9 of a machine, which starts again from its own disk.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub crashes: u8,
    /// Of these: kill -9 of a machine, which starts again from an empty disk, an earlier one, or a copy of another's.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub disks: u8,
    /// Of these: a node starts again and its signer does not.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sessions: u8,
    /// Of these: somebody hands the ownership to one of the machines.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub switches: u8,
    /// Of these: takeovers are paused on a machine.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub pauses: u8,
    /// Of these: a machine is shown a signature of its own key on the chain.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sightings: u8,
    /// Of these: the same, of a signature that none of the machines has made.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub strangers: u8,
    /// Of these: the register is put back to an earlier record.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub put_backs: u8,
    /// Of these: the register's record is made anew, in another lineage.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub lineages: u8,
}

impl Bounds {
    /// The most positions that nodes may ask for.
    pub const POSITIONS_MAX: usize = super::world::POSITIONS_MAX - 1;

    /// Whether a model of these bounds would be one.
    ///
    /// # Errors
    /// What is wrong with them, for people.
    pub fn check(&self) -> Result<(), String> {
        let rising = self.positions.is_sorted_by(|one, next| one < next);
        if self.positions.is_empty() || self.positions.len() > Self::POSITIONS_MAX || !rising {
            return Err(format!(
                "--positions must be 1 to {} marks, each above the one before",
                Self::POSITIONS_MAX
            ));
        }
        Ok(())
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is told at the field of `Bounds` that bounds it")]
pub enum Kind {
    Register,
    Local,
    Stall,
    Crash,
    Disk,
    Session,
    Switch,
    Pause,
    Sighting,
    Stranger,
    PutBack,
    Lineage,
}

/// How much of it may still happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    any: u8,
    of: [u8; 12],
}

impl Left {
    /// Nothing has happened yet.
    #[must_use]
    pub fn all(bounds: &Bounds) -> Self {
        let Bounds { faults, register, local, stalls, crashes, disks, sessions, .. } = *bounds;
        let Bounds { switches, pauses, sightings, strangers, put_backs, lineages, .. } = *bounds;
        Self {
            any: faults,
            of: [
                register, local, stalls, crashes, disks, sessions, switches, pauses, sightings, strangers,
                put_backs, lineages,
            ],
        }
    }

    /// Whether one more of it may happen.
    #[must_use]
    pub fn may(&self, kind: Kind) -> bool {
        self.any > 0 && self.of.get(kind as usize).is_some_and(|left| *left > 0)
    }

    /// One of it happens.
    pub fn spend(&mut self, kind: Kind) {
        self.any = self.any.saturating_sub(1);
        if let Some(left) = self.of.get_mut(kind as usize) {
            *left = left.saturating_sub(1);
        }
        if self.any == 0 {
            // What may not happen any more makes no difference.
            self.of = [0; 12];
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let positions: Vec<String> = self.positions.iter().map(ToString::to_string).collect();
        write!(
            f,
            "{} signers; {} requests each, {} at once, for {}; {} faults",
            self.signers,
            self.asks,
            self.at_once,
            positions.join(" "),
            self.faults
        )?;
        let kinds = [
            ("register", self.register),
            ("floor or key", self.local),
            ("stall", self.stalls),
            ("crash", self.crashes),
            ("disk lost, old or copied", self.disks),
            ("node restart", self.sessions),
            ("switch", self.switches),
            ("pause", self.pauses),
            ("sighting", self.sightings),
            ("stranger", self.strangers),
            ("put back", self.put_backs),
            ("made anew", self.lineages),
        ];
        let some: Vec<String> = kinds
            .iter()
            .filter(|(_, most)| *most > 0)
            .map(|(kind, most)| format!("{kind} \u{2264} {most}"))
            .collect();
        if some.is_empty() { Ok(()) } else { write!(f, " ({})", some.join(", ")) }
    }
}
