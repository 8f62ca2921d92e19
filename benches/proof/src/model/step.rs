//! One thing happens: the machine is told, its actions are taken up, and each is judged.

use std::sync::Arc;

use beam_core::id::Lineage;
use beam_core::machine::Machine as _;
use beam_core::signing::{
    Action, Event, Handover, ReadOutcome, Record, RequestId, Sighting, Signatures, Signer, SwapOutcome, View,
};

use super::bounds::Kind;
use super::happening::{Disk, Fate, Happening, WAKES_MAX};
use super::host::{Host, Op, Process, Waiting};
use super::register;
use super::rule::Rule;
use super::tally::{Tally, What};
use super::vote::{Value, Vote, Votes};
use super::world::{World, Write, print_of};

/// What every step needs besides the world.
#[derive(Clone, Copy, Debug)]
pub struct With<'a> {
    /// The votes of this model.
    pub votes: &'a Votes,
    /// Where it is noted what has happened.
    pub tally: &'a Tally,
}

impl World {
    /// Lets it happen; `None` if it cannot.
    pub fn happen(&mut self, with: With<'_>, happening: &Happening) -> Option<()> {
        match *happening {
            Happening::Ask(slot, vote) => self.ask(with, slot, vote)?,
            Happening::Done(slot, place, fate) => self.done(with, slot, place, fate)?,
            Happening::Wake(slot) => {
                let host = self.host_mut(slot)?;
                host.wakes = host.wakes.saturating_add(1);
                host.now = host.signer.wake_at()?.max(host.now);
                self.tell(with, slot, Event::Woken)?;
            }
            Happening::Expire(slot) => {
                let natural = self.host(slot)?.pending.is_empty() && self.host(slot)?.wakes >= WAKES_MAX;
                if !natural && self.left.may(Kind::Stall) {
                    self.left.spend(Kind::Stall);
                }
                let host = self.host_mut(slot)?;
                host.now = host.deadline()?.max(host.now);
                self.tell(with, slot, Event::Woken)?;
            }
            Happening::Crash(slot, disk) => self.crash(with, slot, disk)?,
            Happening::NewSession(slot) => {
                self.left.spend(Kind::Session);
                self.host_mut(slot)?.new_session();
            }
            Happening::Pause(slot, paused) => {
                if paused {
                    self.left.spend(Kind::Pause);
                }
                self.host_mut(slot)?.paused = paused;
                self.tell(with, slot, Event::Paused(paused))?;
            }
            Happening::Seen(slot, vote) => self.seen(with, slot, vote)?,
            Happening::Land(late) => {
                let place = usize::from(late);
                self.late.get(place)?;
                let write = self.late.remove(place);
                if self.write(with, &write) {
                    with.tally.note(What::LateWriteWon);
                }
            }
            Happening::Switch(slot) => self.switch(slot)?,
            Happening::Backup => self.backup = Some(self.cell.clone()),
            Happening::PutBack => {
                self.left.spend(Kind::PutBack);
                self.cell = self.backup.clone()?;
                self.judge.put_back = true;
                self.begin_again();
            }
            Happening::MakeAnew(at) => {
                self.left.spend(Kind::Lineage);
                let lineage = Lineage::from_random(2);
                let record = Record::begin(lineage, with.votes.mark(at)?);
                self.cell = Arc::new(View { version: beam_core::register::Version::FIRST, record });
                self.judge.made_anew = true;
                self.begin_again();
            }
        }
        Some(())
    }

    /// The same world with smaller numbers, and without what makes no difference any more.
    pub fn settle(&mut self, slot: Option<u8>) {
        if let Some(host) = slot.and_then(|slot| self.host_mut(slot)) {
            host.touched = true;
            host.rebase();
        }
        // While versions only grow, a write that expects an earlier one has lost for good.
        if !self.judge.put_back
            && !self.judge.made_anew
            && !self.left.may(Kind::PutBack)
            && !self.left.may(Kind::Lineage)
        {
            let cell = self.cell.clone();
            self.late.retain(|write| register::may_yet_fit(&cell, write.expected, &write.record));
        }
        if !self.left.may(Kind::PutBack) {
            self.backup = None;
        }
    }

    fn ask(&mut self, with: With<'_>, slot: u8, vote: Vote) -> Option<()> {
        let statement = with.votes.statement(vote)?.clone();
        self.some_block |= vote.value != Value::Nil;
        let host = self.host_mut(slot)?;
        host.asks = host.asks.saturating_add(1);
        host.reached = vote.at;
        if statement.mark().step == beam_core::signing::Step::Precommit {
            host.shown |= shown(vote);
        }
        let id = RequestId(u64::from(host.asks));
        let session = host.session;
        host.waiting.push(Waiting { id, since: host.now, vote, session });
        self.tell(with, slot, Event::Asked { request: id, session, statement, extension: None })
    }

    /// Tells a machine of an event, takes up what it does, and judges it.
    pub fn tell(&mut self, with: With<'_>, slot: u8, event: Event) -> Option<()> {
        let host = self.host_mut(slot)?;
        let now = host.now;
        for action in host.signer.step(now, event) {
            self.take_up(with, slot, action)?;
        }
        let host = self.host(slot)?;
        let late = host.waiting.iter().any(|waiting| host.now.since(waiting.since) >= Signer::ANSWER_WITHIN);
        if late {
            self.judge.breaks(Rule::AnsweredInTime);
        }
        Some(())
    }

    fn take_up(&mut self, with: With<'_>, slot: u8, action: Action) -> Option<()> {
        let host = self.host_mut(slot)?;
        match action {
            Action::Read { attempt } => host.pending.push(Op::Read(attempt)),
            Action::Swap { attempt, expected, record } => {
                let asked = host.waiting.iter().find(|waiting| {
                    with.votes.statement(waiting.vote).is_some_and(|wanted| wanted.bytes() == record.bytes)
                });
                let (by, session, shown) = (host.process, asked.map(|asked| asked.session), host.shown);
                // A request of a run that is over has shown no more than that run had; its successor has shown nothing of its own.
                let shown = if session == Some(host.session) { shown } else { u16::MAX };
                let takes_over = record.handover == Handover::Takeover && record.since == record.mark;
                let paused = host.paused;
                let base = host.signer.view().map_or(0, |view| print_of(&view.record));
                let write = Write { expected, record, base, by, session, shown };
                host.pending.push(Op::Swap(attempt, Arc::new(write)));
                if takes_over && paused {
                    self.judge.breaks(Rule::PauseHolds);
                }
                self.judge_decision(slot)?;
            }
            Action::KeepFloor { attempt, floor } => host.pending.push(Op::Floor(attempt, floor)),
            Action::Sign { attempt, bytes, .. } => {
                // The key may be quick: it counts as signed from here on.
                self.judge_signing(with, slot, &bytes)?;
                self.host_mut(slot)?.pending.push(Op::Sign(attempt, bytes));
            }
            Action::Answer { request, answer } => {
                let Some(place) = host.waiting.iter().position(|waiting| waiting.id == request) else {
                    self.judge.breaks(Rule::AnsweredOnce);
                    return Some(());
                };
                let asked = host.waiting.remove(place);
                if let Some((_, busy)) = &mut host.stranger {
                    *busy = busy.saturating_sub(1);
                }
                match answer {
                    Ok(release) => self.judge_release(with, slot, &asked, &release)?,
                    Err(refusal) => with.tally.note(What::of_refusal(&refusal)),
                }
            }
            Action::Tell(notice) => self.judge_notice(with, &notice),
        }
        Some(())
    }

    /// Something that a machine has under way is done, or goes wrong.
    pub fn done(&mut self, with: With<'_>, slot: u8, place: u8, fate: Fate) -> Option<()> {
        let host = self.host_mut(slot)?;
        let place = usize::from(place);
        host.pending.get(place)?;
        let op = host.pending.remove(place);
        match (&op, fate) {
            (_, Fate::Well) => {}
            (Op::Floor(..) | Op::Sign(..), _) => self.left.spend(Kind::Local),
            _ => self.left.spend(Kind::Register),
        }
        let attempt = op.attempt();
        let event = match op {
            Op::Read(attempt) => {
                let outcome = match fate {
                    Fate::Fails => ReadOutcome::Failed,
                    _ => ReadOutcome::Found(View::clone(&self.cell)),
                };
                Event::Read { attempt, outcome }
            }
            Op::Swap(attempt, write) => Event::Swapped { attempt, outcome: self.swap(with, write, fate) },
            Op::Floor(attempt, floor) => {
                let kept = match fate {
                    Fate::Fails => false,
                    Fate::DoneUnheard => {
                        keep(self.host_mut(slot)?, floor);
                        false
                    }
                    _ => keep(self.host_mut(slot)?, floor),
                };
                Event::FloorKept { attempt, kept }
            }
            Op::Sign(attempt, bytes) => {
                let signatures = Signatures { statement: bytes, extension: None };
                Event::Signed { attempt, signatures: (fate != Fate::Fails).then_some(signatures) }
            }
            Op::Answer(_, event) => Event::clone(&event),
        };
        if fate == Fate::SlowAnswer {
            self.host_mut(slot)?.pending.push(Op::Answer(attempt, Arc::new(event)));
            return Some(());
        }
        self.tell(with, slot, event)
    }

    fn swap(&mut self, with: With<'_>, write: Arc<Write>, fate: Fate) -> SwapOutcome {
        match fate {
            Fate::Fails => SwapOutcome::Failed,
            Fate::Lost => SwapOutcome::Unknown,
            Fate::Later => {
                self.late.push(write);
                SwapOutcome::Unknown
            }
            Fate::DoneUnheard => {
                self.write(with, &write);
                SwapOutcome::Unknown
            }
            Fate::Doubled => {
                self.write(with, &write);
                SwapOutcome::Lost(ReadOutcome::Found(View::clone(&self.cell)))
            }
            Fate::Well | Fate::SlowAnswer => {
                if self.write(with, &write) {
                    SwapOutcome::Won(self.cell.version)
                } else {
                    with.tally.note(What::WriteLost);
                    SwapOutcome::Lost(ReadOutcome::Found(View::clone(&self.cell)))
                }
            }
        }
    }

    /// A write reaches the register.
    fn write(&mut self, with: With<'_>, write: &Write) -> bool {
        let before = self.cell.clone();
        let won = register::swap(&mut self.cell, write.expected, &write.record);
        if won {
            self.judge_write(with, &before.record, write);
        }
        won
    }

    fn switch(&mut self, slot: u8) -> Option<()> {
        self.left.spend(Kind::Switch);
        let process = self.host(slot)?.process;
        let record = self.cell.record.handed_to(process.id(), Handover::Switchover)?;
        let expected = self.cell.version;
        if register::swap(&mut self.cell, expected, &record) {
            self.judge.owner = Some(process);
        }
        Some(())
    }

    /// kill -9 and a new process: what was under way at the register may still happen, the rest is gone.
    fn crash(&mut self, with: With<'_>, slot: u8, disk: Disk) -> Option<()> {
        self.left.spend(if matches!(disk, Disk::Own { .. }) { Kind::Crash } else { Kind::Disk });
        let clone = match disk {
            Disk::CloneOf(other) => self.host(other)?.disk.clone(),
            _ => None,
        };
        let host = self.host_mut(slot)?;
        let mut late = Vec::new();
        for op in std::mem::take(&mut host.pending) {
            match op {
                Op::Swap(_, write) => late.push(write),
                Op::Floor(_, floor) if disk == (Disk::Own { written: true }) => {
                    keep(host, floor);
                }
                Op::Read(_) | Op::Floor(..) | Op::Sign(..) | Op::Answer(..) => {}
            }
        }
        let (floor, earlier) = match disk {
            Disk::Own { .. } => (host.disk.take(), host.earlier.take()),
            Disk::Empty => (None, host.earlier.take()),
            Disk::Earlier => (host.earlier.take(), None),
            Disk::CloneOf(_) => (clone, host.earlier.take()),
        };
        let process = Process { slot, start: host.process.start.saturating_add(1) };
        let started = Host::start(process, host.sessions.saturating_add(1), floor);
        *host = Host { earlier, asks: host.asks, ..started };
        self.late.extend(late);
        with.tally.note(What::Crash);
        Some(())
    }

    fn seen(&mut self, with: With<'_>, slot: u8, vote: Vote) -> Option<()> {
        let statement = with.votes.statement(vote)?;
        let sighting = Sighting { mark: statement.mark(), block: statement.block().cloned() };
        let signed = self.judge.signed.get(usize::from(vote.at)).copied().unwrap_or_default();
        let ours = (0..3).any(|clock| signed & Vote { clock, ..vote }.bit() > 0);
        if ours {
            self.left.spend(Kind::Sighting);
        } else {
            self.left.spend(Kind::Stranger);
            self.judge.stranger = true;
            let above = self.cell.record.mark < sighting.mark;
            let host = self.host_mut(slot)?;
            if above {
                // A read that began before may be older than the signature; one request may still be answered by it.
                let busy = host.waiting.len().max(usize::from(!host.pending.is_empty()));
                let busy = u8::try_from(busy).unwrap_or(u8::MAX);
                host.stranger = Some((vote, busy));
            }
        }
        self.tell(with, slot, Event::Seen(sighting))
    }
}

/// A floor store as its contract says; whether it kept the floor.
fn keep(host: &mut Host, floor: beam_core::signing::Floor) -> bool {
    match &host.disk {
        Some(kept) if kept.lineage != floor.lineage => return false,
        Some(kept) if kept.mark >= floor.mark => return true,
        Some(_) | None => {}
    }
    host.earlier = host.disk.replace(floor);
    true
}

/// The bit of a precommit for a block, among those that a session has asked for.
pub(super) fn shown(vote: Vote) -> u16 {
    match vote.value {
        Value::Nil => 0,
        Value::A => 1 << (2 * vote.at),
        Value::B => 2 << (2 * vote.at),
    }
}
