//! What can happen next.

use std::fmt;

use super::bounds::{Bounds, Kind};
use super::host::{Host, Op, name};
use super::vote::{Value, Vote, Votes};
use super::world::World;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A machine's node asks for a signature.
    Ask(u8, Vote),
    /// What a machine has under way is done, or goes wrong.
    Done(u8, u8, Fate),
    /// Time goes by on a machine until its signer wants to be woken.
    Wake(u8),
    /// Time goes by on a machine until its oldest request is due, with nothing of all the rest done meanwhile.
    Expire(u8),
    /// kill -9 of a machine, and a new start.
    Crash(u8, Disk),
    /// A machine's node starts again, and its signer does not.
    NewSession(u8),
    /// Takeovers are paused on a machine, or are not any more.
    Pause(u8, bool),
    /// A machine is shown a signature of its key on the chain.
    Seen(u8, Vote),
    /// A write that was given up takes effect.
    Land(u8),
    /// A third party hands the ownership to a machine.
    Switch(u8),
    /// The register's content is copied.
    Backup,
    /// The register is put back to the copy.
    PutBack,
    /// The register's record is deleted and made anew, from this position on.
    MakeAnew(u8),
}

/// How it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Well.
    Well,
    /// It fails, and nothing was done.
    Fails,
    /// It is done, but nobody hears of it: a write's outcome is unknown, a floor counts as not kept.
    DoneUnheard,
    /// A write's outcome is unknown, and it was not done.
    Lost,
    /// A write's outcome is unknown, and it may be done later.
    Later,
    /// A write is done, tried once more by a client library, and finds itself in place.
    Doubled,
    /// It is done now, and the answer comes later.
    SlowAnswer,
}

/// From which disk a machine starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// Its own. A floor that was being written is there, or is not.
    Own {
        /// Whether it is.
        written: bool,
    },
    /// An empty one.
    Empty,
    /// Its own, as it was one write earlier.
    Earlier,
    /// A copy of this machine's.
    CloneOf(u8),
}

/// How often one machine is woken before its next wake is the deadline: more are more of the same.
pub(super) const WAKES_MAX: u8 = 3;
/// Writes that were given up and are not forgotten. (There is never reason for more within the bounds of faults that we use.)
const LATE_MAX: usize = 3;

/// Everything that can happen.
pub fn all(world: &World, bounds: &Bounds, votes: &Votes, out: &mut Vec<Happening>) {
    if world.judge.broken.is_some() {
        return;
    }
    for host in &world.hosts {
        if world.has_its_turn(host.process.slot) {
            of_host(world, bounds, votes, host, out);
        }
    }
    for late in (0..).take(world.late.len()) {
        out.push(Happening::Land(late));
    }
    if world.left.may(Kind::PutBack) {
        match &world.backup {
            None => out.push(Happening::Backup),
            Some(backup) if *backup != world.cell => out.push(Happening::PutBack),
            Some(_) => {}
        }
    }
    if world.left.may(Kind::Lineage) {
        out.extend((0..votes.len()).map(Happening::MakeAnew));
    }
}

fn of_host(world: &World, bounds: &Bounds, votes: &Votes, host: &Host, out: &mut Vec<Happening>) {
    let slot = host.process.slot;
    let left = &world.left;
    if host.asks < bounds.asks && host.waiting.len() < usize::from(bounds.at_once) {
        asks(world, votes, host, out);
    }
    for (place, op) in (0..).zip(&host.pending) {
        out.extend(fates(world, op).iter().map(|fate| Happening::Done(slot, place, *fate)));
    }
    let (wake, deadline) = (beam_core::machine::Machine::wake_at(&host.signer), host.deadline());
    let wakes = wake.is_some() && wake != deadline && host.wakes < WAKES_MAX;
    if wakes {
        out.push(Happening::Wake(slot));
    }
    // It costs nothing if there is nothing else to wait for.
    if deadline.is_some() && (left.may(Kind::Stall) || (!wakes && host.pending.is_empty())) {
        out.push(Happening::Expire(slot));
    }
    if host.touched {
        crashes(world, host, out);
    }
    if left.may(Kind::Session) && (host.shown > 0 || host.reached > 0 || !host.waiting.is_empty()) {
        out.push(Happening::NewSession(slot));
    }
    if host.paused {
        out.push(Happening::Pause(slot, false));
    } else if left.may(Kind::Pause) {
        out.push(Happening::Pause(slot, true));
    }
    if left.may(Kind::Switch) && world.cell.record.owner != Some(host.process.id()) {
        out.push(Happening::Switch(slot));
    }
    if host.signer.halted().is_none() {
        sightings(world, votes, host, out);
    }
}

/// A node asks for something where it is or further on. While nobody has voted for a block, the two blocks are one.
fn asks(world: &World, votes: &Votes, host: &Host, out: &mut Vec<Happening>) {
    for at in host.reached..votes.len() {
        for value in [Value::Nil, Value::A, Value::B] {
            let vote = Vote { at, value, clock: host.process.slot };
            if votes.statement(vote).is_some() && (world.some_block || value != Value::B) {
                out.push(Happening::Ask(host.process.slot, vote));
            }
        }
    }
}

fn fates(world: &World, op: &Op) -> &'static [Fate] {
    let (register, local) = (world.left.may(Kind::Register), world.left.may(Kind::Local));
    match op {
        Op::Read(_) if register => &[Fate::Well, Fate::Fails, Fate::SlowAnswer],
        Op::Swap(..) if register && world.late.len() < LATE_MAX => &[
            Fate::Well,
            Fate::Fails,
            Fate::DoneUnheard,
            Fate::Lost,
            Fate::Later,
            Fate::Doubled,
            Fate::SlowAnswer,
        ],
        Op::Floor(..) if local => &[Fate::Well, Fate::Fails, Fate::DoneUnheard],
        Op::Sign(..) if local => &[Fate::Well, Fate::Fails],
        Op::Read(_) | Op::Swap(..) | Op::Floor(..) | Op::Sign(..) | Op::Answer(..) => &[Fate::Well],
    }
}

fn crashes(world: &World, host: &Host, out: &mut Vec<Happening>) {
    let slot = host.process.slot;
    if world.left.may(Kind::Crash) {
        out.push(Happening::Crash(slot, Disk::Own { written: false }));
        if host.pending.iter().any(|op| matches!(op, Op::Floor(..))) {
            out.push(Happening::Crash(slot, Disk::Own { written: true }));
        }
    }
    if world.left.may(Kind::Disk) {
        if host.disk.is_some() {
            out.push(Happening::Crash(slot, Disk::Empty));
        }
        if host.earlier.is_some() {
            out.push(Happening::Crash(slot, Disk::Earlier));
        }
        for other in &world.hosts {
            if other.process.slot != slot && other.disk != host.disk && other.disk.is_some() {
                out.push(Happening::Crash(slot, Disk::CloneOf(other.process.slot)));
            }
        }
    }
}

/// The chain may show whatever somebody has signed, and what a stranger has.
fn sightings(world: &World, votes: &Votes, host: &Host, out: &mut Vec<Happening>) {
    let (ours, strangers) = (world.left.may(Kind::Sighting), world.left.may(Kind::Stranger));
    if !ours && !strangers {
        return;
    }
    for (at, signed) in (0..votes.len()).zip(world.judge.signed) {
        for value in [Value::Nil, Value::A, Value::B] {
            let of = |clock| Vote { at, value, clock };
            let by_us = (0..3).any(|clock| signed & of(clock).bit() > 0);
            let sensible = votes.statement(of(0)).is_some() && (world.some_block || value != Value::B);
            if sensible && if by_us { ours } else { strangers } {
                out.push(Happening::Seen(host.process.slot, of(0)));
            }
        }
    }
}

impl Happening {
    /// What happens, for people.
    #[must_use]
    pub fn tell(&self, world: &World, votes: &Votes) -> String {
        match self {
            Self::Ask(slot, vote) => format!("{}: its node asks for {}", name(*slot), votes.name(*vote)),
            Self::Done(slot, place, fate) => {
                let op = world.host(*slot).and_then(|host| host.pending.get(usize::from(*place)));
                let what = op.map_or_else(String::new, |op| tell_op(op, votes));
                format!("{}: {what} {fate}", name(*slot))
            }
            Self::Wake(slot) => format!("{}: time goes by until it wakes", name(*slot)),
            Self::Expire(slot) => format!("{}: time goes by until its oldest request is due", name(*slot)),
            Self::Crash(slot, disk) => format!("{}: killed and started again, with {disk}", name(*slot)),
            Self::NewSession(slot) => format!("{}: its node starts again", name(*slot)),
            Self::Pause(slot, true) => format!("{}: takeovers are paused", name(*slot)),
            Self::Pause(slot, false) => format!("{}: takeovers are not paused any more", name(*slot)),
            Self::Seen(slot, vote) => {
                format!("{}: the chain shows {} of its key", name(*slot), votes.name(*vote))
            }
            Self::Land(late) => {
                let write = world.late.get(usize::from(*late));
                let what = write.map_or_else(String::new, |write| {
                    format!("the write of {} by {}", write.record.mark, name(write.by.slot))
                });
                format!("{what}, given up before, reaches the register")
            }
            Self::Switch(slot) => format!("somebody hands the ownership to {}", name(*slot)),
            Self::Backup => "the register is copied".to_owned(),
            Self::PutBack => "the register is put back to the copy".to_owned(),
            Self::MakeAnew(at) => {
                let mark = votes.mark(*at).map_or_else(String::new, |mark| mark.to_string());
                format!("the register's record is made anew at {mark}")
            }
        }
    }
}

fn tell_op(op: &Op, votes: &Votes) -> String {
    let vote = |bytes: &[u8]| {
        votes.of(bytes).map_or_else(|| "(nothing)".to_owned(), |vote| votes.name(vote).to_string())
    };
    match op {
        Op::Read(_) => "its read".to_owned(),
        Op::Swap(_, write) => format!(
            "its write of {} (epoch {}, expecting version {})",
            vote(&write.record.bytes),
            write.record.epoch,
            write.expected
        ),
        Op::Floor(_, floor) => format!("keeping the floor {}", floor.mark.in_words()),
        Op::Sign(_, bytes) => format!("signing {}", vote(bytes)),
        Op::Answer(..) => "a late answer".to_owned(),
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "is done",
            Self::Fails => "fails",
            Self::DoneUnheard => "is done, and its answer is lost",
            Self::Lost => "is lost, and nobody knows that it was not done",
            Self::Later => "is given up, and may be done later",
            Self::Doubled => "is done, and a retry finds it in place",
            Self::SlowAnswer => "is done, and its answer comes later",
        })
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { written: false } => f.write_str("its own disk"),
            Self::Own { written: true } => f.write_str("its own disk, the floor just written"),
            Self::Empty => f.write_str("an empty disk"),
            Self::Earlier => f.write_str("its disk as it was before"),
            Self::CloneOf(other) => write!(f, "a copy of {}'s disk", name(*other)),
        }
    }
}

impl Happening {
    /// The machine to which it happens, if it is one.
    #[must_use]
    pub fn whom(&self) -> Option<u8> {
        match self {
            Self::Ask(slot, _)
            | Self::Done(slot, ..)
            | Self::Wake(slot)
            | Self::Expire(slot)
            | Self::Crash(slot, _)
            | Self::NewSession(slot)
            | Self::Pause(slot, _)
            | Self::Seen(slot, _)
            | Self::Switch(slot) => Some(*slot),
            Self::Land(_) | Self::Backup | Self::PutBack | Self::MakeAnew(_) => None,
        }
    }
}
