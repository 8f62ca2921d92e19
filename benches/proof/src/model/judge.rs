//! The judge: the promise, told from outside, with a memory of its own. It asks the signer nothing but why it has stopped and what it has read.

use beam_core::signing::{Halt, Lock, Notice, Record, Release, Statement, Step};

use super::host::Waiting;
use super::rule::Rule;
use super::step::With;
use super::tally::What;
use super::vote::{Value, Vote, Votes};
use super::world::{World, Write, print_of};

impl World {
    /// A machine gives bytes to its key.
    pub(super) fn judge_signing(&mut self, with: With<'_>, slot: u8, bytes: &[u8]) -> Option<()> {
        let Some(vote) = with.votes.of(bytes) else {
            self.judge.breaks(Rule::WrittenFirst);
            return Some(());
        };
        let at = usize::from(vote.at);
        if self.judge.held.get(at).is_none_or(|held| held & vote.bit() == 0) {
            self.judge.breaks(Rule::WrittenFirst);
        }
        let signed = self.judge.signed.get_mut(at)?;
        *signed |= vote.bit();
        let values = signed.count_ones();
        // With a register that was put back, what no floor remembers may be signed again. That is not promised.
        if values > 1 && !self.judge.put_back && !self.judge.made_anew {
            self.judge.breaks(Rule::OneValue);
        }
        let host = self.host(slot)?;
        let record = host.signer.view().map(|view| &view.record);
        let mark = with.votes.mark(vote.at)?;
        let against = host.disk.as_ref().is_some_and(|floor| {
            let below = mark < floor.mark || (mark == floor.mark && floor.bytes != bytes);
            below || record.is_some_and(|record| record.lineage != floor.lineage)
        });
        // What the register holds by now is no stranger's any more.
        let known = |seen: Vote| {
            let held = self.judge.held.get(usize::from(seen.at)).copied().unwrap_or_default();
            (0..3).any(|clock| held & Vote { clock, ..seen }.bit() > 0)
        };
        let stranger =
            host.stranger.is_some_and(|(seen, busy)| busy == 0 && vote.at <= seen.at && !known(seen));
        if against {
            self.judge.breaks(Rule::FloorHolds);
        }
        if stranger {
            self.judge.breaks(Rule::StrangerStops);
        }
        Some(())
    }

    /// A signature leaves a machine.
    pub(super) fn judge_release(
        &mut self,
        with: With<'_>,
        slot: u8,
        asked: &Waiting,
        release: &Release,
    ) -> Option<()> {
        let host = self.host(slot)?;
        let floor = host.disk.as_ref().is_some_and(|floor| floor.mark >= release.mark);
        let fits = with.votes.of(&release.bytes).is_some_and(|vote| {
            let mark = with.votes.mark(vote.at);
            let time = vote.clock == asked.vote.clock || mark.is_some_and(|mark| mark.step != Step::Proposal);
            let same = vote.at == asked.vote.at && vote.value == asked.vote.value && time;
            same && release.signatures.statement == release.bytes && mark == Some(release.mark)
        });
        let signed = with.votes.of(&release.bytes).is_some_and(|vote| {
            let signed = self.judge.signed.get(usize::from(vote.at));
            signed.is_some_and(|signed| signed & vote.bit() > 0)
        });
        with.tally.note(if release.repeated { What::Repeated } else { What::Signed });
        if !floor {
            self.judge.breaks(Rule::FloorFirst);
        }
        if !fits || !signed {
            self.judge.breaks(Rule::AnswerFits);
        }
        Some(())
    }

    /// A write has won.
    pub(super) fn judge_write(&mut self, with: With<'_>, before: &Record, write: &Write) {
        let after = &write.record;
        let vote = with.votes.of(&after.bytes);
        if let Some(held) = vote.and_then(|vote| self.judge.held.get_mut(usize::from(vote.at))) {
            *held |= vote.map_or(0, Vote::bit);
        }
        // A register that was put back, or made anew, counts its versions again: a write that was decided upon before may find the very
        // version that it expects, in another record. Nothing is promised about what the register holds then (see
        // `beam_core::signing::adopt`); what is signed is judged all the same.
        let outside = self.judge.put_back || self.judge.made_anew;
        if outside && write.base != print_of(before) {
            with.tally.note(What::BlindWrite);
            return self.begin_again();
        }
        if after.lineage != before.lineage {
            self.judge.breaks(Rule::SameLineage);
        }
        if after.mark <= before.mark {
            self.judge.breaks(Rule::Forward);
        }
        self.judge_owner(with, before, write);
        match vote {
            Some(vote) => self.judge_lock(with.votes, vote, write),
            None => self.judge.breaks(Rule::WrittenFirst),
        }
    }

    /// Nobody decides to write on top of a record that the floor on its own disk contradicts, not even above the floor.
    pub(super) fn judge_decision(&mut self, slot: u8) -> Option<()> {
        let host = self.host(slot)?;
        let before = host.signer.view().map(|view| &view.record);
        let contradicts = before.zip(host.disk.as_ref()).is_some_and(|(before, floor)| {
            let other = before.mark == floor.mark && before.bytes != floor.bytes;
            before.lineage != floor.lineage || before.mark < floor.mark || other
        });
        if contradicts {
            self.judge.breaks(Rule::FloorHolds);
        }
        Some(())
    }

    fn judge_owner(&mut self, with: With<'_>, before: &Record, write: &Write) {
        let moved = self.judge.owner != Some(write.by);
        let epochs = u64::from(moved);
        let named = write.record.owner == Some(write.by.id());
        if write.record.epoch.0 != before.epoch.0 + epochs || !named {
            self.judge.breaks(Rule::NewOwnerNewEpoch);
        }
        if moved {
            with.tally.note(if self.judge.owner.is_some() { What::Takeover } else { What::FirstOwner });
        }
        self.judge.owner = Some(write.by);
    }

    fn judge_lock(&mut self, votes: &Votes, vote: Vote, write: &Write) {
        let Some(mark) = votes.mark(vote.at) else { return };
        let block = votes.statement(vote).and_then(Statement::block);
        let made = self.judge.lock.take().filter(|lock| lock.height == mark.height);
        if let (Some(lock), Some(block), Step::Prevote) = (&made, block, mark.step) {
            let bound = write.session != Some(lock.session) && *block != lock.block;
            if bound && !saw_why(votes, lock, write) {
                self.judge.breaks(Rule::LockBinds);
            }
        }
        self.judge.lock = match (mark.step, block, write.session) {
            (Step::Precommit, Some(block), Some(session)) => {
                Some(Lock { height: mark.height, round: mark.round, block: block.clone(), session })
            }
            _ => made,
        };
        if self.judge.lock != write.record.lock {
            self.judge.breaks(Rule::LockBinds);
        }
    }

    /// The register was changed by a hand from outside: what it holds now is all that can be known.
    pub(super) fn begin_again(&mut self) {
        let record = &self.cell.record;
        self.judge.lock.clone_from(&record.lock);
        let processes = self.hosts.iter().map(|host| host.process);
        // Starts are numbered, so the owner's process is known even if it is gone.
        self.judge.owner = processes
            .flat_map(|process| {
                (0..=process.start).map(move |start| super::host::Process { start, ..process })
            })
            .find(|process| record.owner == Some(process.id()));
    }

    pub(super) fn judge_notice(&mut self, with: With<'_>, notice: &Notice) {
        let Notice::Halted(halt) = notice else { return };
        with.tally.note(What::Stopped);
        let judge = &self.judge;
        let cause = match halt {
            Halt::PutBack { .. } => judge.put_back || judge.made_anew,
            Halt::OtherLineage => judge.made_anew,
            Halt::Stranger { .. } => judge.stranger || judge.put_back || judge.made_anew,
            _ => false,
        };
        if !cause {
            self.judge.breaks(Rule::StopsWithCause);
        }
    }
}

/// Whether the session that writes has asked to precommit another block in a later round of the lock's height.
fn saw_why(votes: &Votes, lock: &Lock, write: &Write) -> bool {
    (0..votes.len()).any(|at| {
        let later = votes.mark(at).is_some_and(|mark| {
            mark.step == Step::Precommit && mark.height == lock.height && mark.round > lock.round
        });
        later
            && [Value::A, Value::B].into_iter().any(|value| {
                let vote = Vote { at, value, clock: 0 };
                let other = votes
                    .statement(vote)
                    .and_then(Statement::block)
                    .is_some_and(|block| *block != lock.block);
                other && write.shown & super::step::shown(vote) > 0
            })
    })
}
