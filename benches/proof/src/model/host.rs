//! One machine: its signer, its node, its disk, and what it has under way outside.

use std::sync::Arc;
use std::time::Duration;

use beam_core::id::{SessionId, SignerId};
use beam_core::machine::Machine as _;
use beam_core::signing::{Attempt, Event, Floor, RequestId, Signer, SignerConfig};
use beam_core::takeover::TakeoverConfig;
use beam_core::time::Instant;

use super::vote::Vote;
use super::world::Write;

/// A machine and the node on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    /// The machine itself, the very code that signs.
    pub signer: Signer,
    /// Which process this is.
    pub process: Process,
    /// Its node's run.
    pub session: SessionId,
    /// How often its node was started.
    pub sessions: u8,
    /// Its own clock. Clocks of different machines have nothing to do with one another.
    pub now: Instant,
    /// What is on its disk.
    pub disk: Option<Floor>,
    /// What was there before the last write: what an old snapshot of the volume would hold.
    pub earlier: Option<Floor>,
    /// What it has under way.
    pub pending: Vec<Op>,
    /// What its node waits for.
    pub waiting: Vec<Waiting>,
    /// The position its node asked for last: a node goes forward until it is started again.
    pub reached: u8,
    /// Which blocks its node, in this run, has asked to precommit where.
    pub shown: u16,
    /// Requests made so far.
    pub asks: u8,
    /// How often it was woken since it had nothing to do.
    pub wakes: u8,
    /// Whether takeovers are paused on it.
    pub paused: bool,
    /// Whether anything has ever happened to it: until then, such machines are the same but for their names.
    pub touched: bool,
    /// A stranger's vote that it has been shown, and how many requests it may have been busy with then.
    pub stranger: Option<(Vote, u8)>,
}

/// One start of one machine's signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// Which machine.
    pub slot: u8,
    /// Which start.
    pub start: u8,
}

impl Process {
    /// The id that its signer draws: of this start, and of no other.
    #[must_use]
    pub fn id(self) -> SignerId {
        SignerId::from_random(0x1000 * (1 + u128::from(self.slot)) + u128::from(self.start))
    }
}

/// A request that has no answer yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// Its name.
    pub id: RequestId,
    /// Since when.
    pub since: Instant,
    /// What for.
    pub vote: Vote,
    /// The run of the node that asked.
    pub session: SessionId,
}

/// Something under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The register is to be read.
    Read(Attempt),
    /// The register is to be written.
    Swap(Attempt, Arc<Write>),
    /// The floor is to be kept.
    Floor(Attempt, Floor),
    /// The key is to sign.
    Sign(Attempt, Vec<u8>),
    /// It is done, and the answer is on its way.
    Answer(Attempt, Arc<Event>),
}

impl Op {
    /// The attempt that it answers.
    #[must_use]
    pub fn attempt(&self) -> Attempt {
        match self {
            Self::Read(attempt)
            | Self::Swap(attempt, _)
            | Self::Floor(attempt, _)
            | Self::Sign(attempt, _)
            | Self::Answer(attempt, _) => *attempt,
        }
    }
}

/// A machine's name for people.
#[must_use]
pub fn name(slot: u8) -> char {
    char::from(b'a'.saturating_add(slot))
}

/// How long a standby waits: less than one look at the register takes, so that it waits for one look. A longer wait would be the same look
/// many times over.
const TAKEOVER: TakeoverConfig = TakeoverConfig {
    takeover_after: Duration::from_millis(20),
    cap: Duration::from_millis(20),
    calm_heights: 1,
    rank: 1,
};

impl Host {
    /// A machine that starts, for the nth time, with this disk.
    #[must_use]
    pub fn start(process: Process, sessions: u8, disk: Option<Floor>) -> Self {
        let config = SignerConfig { me: process.id(), takeover: TAKEOVER };
        Self {
            signer: Signer::new(config, disk.clone()),
            process,
            session: session(process.slot, sessions),
            sessions,
            now: Instant::default(),
            disk,
            earlier: None,
            pending: Vec::new(),
            waiting: Vec::new(),
            reached: 0,
            shown: 0,
            asks: 0,
            wakes: 0,
            paused: false,
            touched: process.start > 0,
            stranger: None,
        }
    }

    /// Its node starts again: a new run, which has seen nothing.
    pub fn new_session(&mut self) {
        self.sessions = self.sessions.saturating_add(1);
        self.session = session(self.process.slot, self.sessions);
        self.reached = 0;
        self.shown = 0;
    }

    /// When the request that waits longest must be answered.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.since + Signer::ANSWER_WITHIN).min()
    }

    /// The same machine with smaller numbers: a clock and attempts that count from what is still remembered of them.
    pub fn rebase(&mut self) {
        let oldest = self.pending.iter().map(Op::attempt).min();
        let begin =
            self.waiting.iter().map(|waiting| waiting.since).chain([self.now]).min().unwrap_or_default();
        let quiet = self.waiting.is_empty() && self.signer.wake_at().is_none();
        if quiet {
            self.wakes = 0;
        }
        let time = begin.since_start();
        let gone = oldest.map_or(0, |oldest| oldest.0.saturating_sub(1));
        if oldest.is_none() || gone > 0 || !time.is_zero() {
            self.signer.rebase(oldest, time);
        }
        for op in &mut self.pending {
            op.rebase(gone);
        }
        for waiting in &mut self.waiting {
            waiting.since = Instant::at(waiting.since.since_start().saturating_sub(time));
        }
        self.now = Instant::at(self.now.since_start().saturating_sub(time));
    }
}

impl Op {
    fn rebase(&mut self, gone: u64) {
        let less = |attempt: &mut Attempt| attempt.0 = attempt.0.saturating_sub(gone);
        match self {
            Self::Read(attempt)
            | Self::Swap(attempt, _)
            | Self::Floor(attempt, _)
            | Self::Sign(attempt, _) => {
                less(attempt);
            }
            Self::Answer(attempt, event) => {
                less(attempt);
                if gone > 0 {
                    let event = Arc::make_mut(event);
                    match event {
                        Event::Read { attempt, .. }
                        | Event::Swapped { attempt, .. }
                        | Event::FloorKept { attempt, .. }
                        | Event::Signed { attempt, .. } => less(attempt),
                        Event::Woken | Event::Asked { .. } | Event::Seen(_) | Event::Paused(_) => {}
                    }
                }
            }
        }
    }
}

fn session(slot: u8, sessions: u8) -> SessionId {
    SessionId::from_random(0x100_0000 * (1 + u128::from(slot)) + u128::from(sessions))
}
