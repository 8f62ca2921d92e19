//! Going on: from every state, each machine that is left alone signs the next height.
//!
//! All faults end, nobody else acts, and no write that was given up comes late. What the machine has under way is done; its node's
//! requests are answered or run out; then the node asks for the height after all that the model's nodes ask for. The request must be answered
//! with a signature, within its deadline. A machine that has stopped is excused, and so is one that stops here (the judge sees to it that
//! nobody stops without cause). Nobody is excused for anything else.

use beam_core::machine::Machine as _;
use beam_core::signing::{Event, RequestId};

use super::happening::{Fate, Happening};
use super::host::Waiting;
use super::step::With;
use super::vote::{Value, Vote};
use super::world::World;

/// Far more steps than it can take.
const STEPS_MAX: u32 = 1000;

/// One machine, left alone.
struct Alone<'a> {
    world: World,
    with: With<'a>,
    slot: u8,
    /// What happens, if somebody wants to know.
    told: Option<Vec<String>>,
}

impl World {
    /// Whether this machine, left alone, signs the next height, or has stopped.
    #[must_use]
    pub fn goes_on_alone(&self, with: With<'_>, slot: u8) -> bool {
        Alone::new(self, with, slot, None).signs().unwrap_or(false)
    }

    /// The same, in words.
    #[must_use]
    pub fn tell_alone(&self, with: With<'_>, slot: u8) -> Vec<String> {
        let mut alone = Alone::new(self, with, slot, Some(Vec::new()));
        let signs = alone.signs();
        let mut told = alone.told.unwrap_or_default();
        told.push(match (signs, alone.world.judge.broken) {
            (Some(true), _) => "it goes on".to_owned(),
            (_, Some(rule)) => format!("broken: {rule}"),
            (_, None) => "it has not signed".to_owned(),
        });
        told
    }
}

impl<'a> Alone<'a> {
    fn new(world: &World, with: With<'a>, slot: u8, told: Option<Vec<String>>) -> Self {
        let mut world = world.clone();
        world.late.clear();
        Self { world, with, slot, told }
    }

    fn signs(&mut self) -> Option<bool> {
        if self.world.host(self.slot)?.signer.halted().is_some() {
            return Some(true);
        }
        self.world.host_mut(self.slot)?.paused = false;
        self.world.tell(self.with, self.slot, Event::Paused(false))?;
        self.run_out()?;
        let host = self.world.host_mut(self.slot)?;
        let vote = Vote { at: self.with.votes.len(), value: Value::A, clock: self.slot };
        let statement = self.with.votes.statement(vote)?.clone();
        let (id, session, since) = (RequestId(u64::MAX), host.session, host.now);
        host.waiting.push(Waiting { id, since, vote, session });
        if let Some(told) = &mut self.told {
            told.push(Happening::Ask(self.slot, vote).tell(&self.world, self.with.votes));
        }
        self.world.tell(
            self.with,
            self.slot,
            Event::Asked { request: id, session, statement, extension: None },
        )?;
        self.run_out()?;
        let next = self.world.judge.signed.get(usize::from(self.with.votes.len()))?;
        let stopped = self.world.host(self.slot)?.signer.halted().is_some();
        Some((*next > 0 || stopped) && self.world.judge.broken.is_none())
    }

    /// Does what is under way and lets time go by until the machine has nothing more to do.
    fn run_out(&mut self) -> Option<()> {
        for _ in 0..STEPS_MAX {
            let host = self.world.host(self.slot)?;
            if host.signer.halted().is_some() {
                return Some(());
            }
            let happening = if host.pending.is_empty() {
                host.signer.wake_at().map(|_| Happening::Wake(self.slot))
            } else {
                Some(Happening::Done(self.slot, 0, Fate::Well))
            };
            let Some(happening) = happening else { return Some(()) };
            if let Some(told) = &mut self.told {
                told.push(happening.tell(&self.world, self.with.votes));
            }
            self.world.happen(self.with, &happening)?;
        }
        None
    }
}
