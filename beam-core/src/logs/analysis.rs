//! Lines in, causes out, in constant memory.
//!
//! Every line is counted once, as what it was. A cause that is over (the signer came back, a block was committed again) is kept
//! and said to be over, one step less severe: the person who reads must know what was, and the script that asks must not page
//! for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::address::{self, Address};
use super::fold::{Fold, Told};
use super::line::{Captured, Mark};
use super::plain::uncoloured;
use super::report::Lines;
use super::rules::{self, Event};
use super::tally::{Sighting, Tally};
use super::{Cause, Record, Stamp};

/// For how long no block may be committed before that is a finding.
pub const NO_BLOCKS_AFTER: Duration = Duration::from_secs(60);
/// How many persistent peers that are out of reach are remembered at once.
const DOWN_MAX: usize = 64;

/// Takes in a log line by line.
///
/// ```
/// use beam_core::logs::{Analysis, Cause};
///
/// let mut analysis = Analysis::default();
/// analysis.line(b"7:41AM ERR UPGRADE \"v2\" NEEDED at height: 497: {} module=x/upgrade");
/// let report = analysis.report();
/// assert_eq!(report.findings[0].cause, Cause::UpgradeNeeded);
/// assert_eq!(report.findings[0].first_height, Some(497));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    own: Option<Address>,
    since: Option<Stamp>,
    until: Option<Stamp>,
    scratch: Vec<u8>,
    fold: Fold,
    /// The last time that was known.
    pub(super) now: Option<Stamp>,
    pub(super) from: Option<Stamp>,
    pub(super) lines: Lines,
    pub(super) tallies: BTreeMap<Cause, Tally>,
    pub(super) chain: Chain,
    run: Run,
    /// Persistent peers that are out of reach.
    down: BTreeSet<String>,
}

/// What the log says of the chain.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chain {
    pub(super) first_height: Option<u64>,
    pub(super) last_height: Option<u64>,
    pub(super) blocks: u64,
    pub(super) starts: u64,
    pub(super) round_max: u64,
    pub(super) validator: Option<bool>,
    /// The height that needed more rounds last, so that each counts once.
    late_height: Option<u64>,
    pub(super) late_blocks: u64,
    last_block_at: Option<Stamp>,
}

/// What the log says of the process that runs now.
#[derive(Clone, Debug, Default, PartialEq)]
struct Run {
    /// It has committed a block.
    worked: bool,
    /// It was told to stop, or has said why it ends.
    ending: bool,
    /// How many times in a row it counted no peers at all.
    lonely: u32,
    /// It has just said that somebody else votes with its key, and names the key in its next line.
    met_itself: bool,
}

impl Analysis {
    /// One that knows whose log it is. Without an address, what the log says of its own validator is taken.
    #[must_use]
    pub fn of(own: Option<Address>) -> Self {
        Self { own, ..Self::default() }
    }

    /// Looks only at lines from that moment to that one. Lines before the first one that has a time count as in between.
    #[must_use]
    pub fn between(mut self, since: Option<Stamp>, until: Option<Stamp>) -> Self {
        (self.since, self.until) = (since, until);
        self
    }

    /// Takes in a line, without its newline: as a node writes it, or as the capture has stamped it.
    pub fn line(&mut self, line: &[u8]) {
        let (stamp, mark, text) = match Captured::read(line) {
            Some(captured) => (Some(captured.at), captured.mark, captured.text),
            None => (None, Mark::Said, line),
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        self.lines.all += 1;
        self.lines.bytes += u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
        match mark {
            Mark::Said => self.said(stamp, stamp, text, &mut scratch),
            Mark::Found => self.said(None, stamp, text, &mut scratch),
            Mark::Rest => self.lines.rests += 1,
            Mark::Note => self.note(stamp, text),
        }
        self.scratch = scratch;
    }

    /// `stamp` is when it was said, if that is known, and `by` when it had been said.
    fn said(&mut self, stamp: Option<Stamp>, by: Option<Stamp>, text: &[u8], scratch: &mut Vec<u8>) {
        let text = uncoloured(text, scratch);
        let record = Record::read(text);
        let at = stamp.or_else(|| record?.at);
        if let Some(at) = at {
            self.now = Some(at);
        }
        if self.outside(at.or(by)) {
            self.lines.outside += 1;
            return;
        }
        if at.is_some() {
            self.from = self.from.or(at);
            self.lines.timed += 1;
        }
        match record {
            Some(record) => {
                self.lines.records += 1;
                if !self.fold.is_empty() {
                    let told = self.fold.end();
                    self.told(told);
                }
                self.record(&record);
            }
            None => {
                self.lines.texts += 1;
                let told = self.fold.line(text);
                self.told(told);
            }
        }
    }

    /// Whether a line that had been said by then, and not before `now`, is none that was asked for.
    fn outside(&self, by: Option<Stamp>) -> bool {
        let before = |since| by.or(self.now).is_some_and(|by| by < since);
        let after = |until| self.now.is_some_and(|now| now > until);
        self.since.is_some_and(before) || self.until.is_some_and(after)
    }

    /// The pilot's own words: the only ones that matter here say that something is missing.
    fn note(&mut self, stamp: Option<Stamp>, text: &[u8]) {
        self.lines.notes += 1;
        self.now = stamp.or(self.now);
        if text.starts_with(super::NOTE_DROPPED.as_bytes()) && !self.outside(stamp) {
            self.fault(Cause::LogGap, None, None, || String::from_utf8_lossy(text).into_owned());
        }
    }

    fn told(&mut self, told: Option<Told>) {
        if let Some(Told { cause, line }) = told {
            self.run.ending = true;
            let upgrade = rules::upgrade(&line);
            let (name, height) = upgrade.map_or((None, None), |(name, height)| (Some(name), Some(height)));
            self.fault(cause, name.as_deref(), height, || line);
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        match rules::meaning(record) {
            Event::Routine => {}
            Event::Committed => self.committed(record),
            Event::Round(round) => self.round(record, round),
            Event::Started => self.started(),
            Event::Stopping => {
                self.run.ending = true;
                self.chain.last_block_at = None;
            }
            Event::Role { address, validator } => {
                self.chain.validator = Some(validator);
                self.own = self.own.or_else(|| address::of_hex(&address));
            }
            Event::PeerUp(id) => {
                self.down.remove(&*id);
                self.peers_mended();
            }
            Event::Peers(count) => self.peers(count),
            Event::Unjailed(who) => {
                if self.is_own(&who) != Some(false) {
                    self.mend(Cause::Jailed);
                }
            }
            Event::SomeoneJailed(who) => {
                self.someone(&who, record, [Cause::Jailed, Cause::MaybeJailed, Cause::OthersJailed]);
            }
            Event::SomeoneTwice(who) => {
                if std::mem::take(&mut self.run.met_itself) {
                    self.own = self.own.or_else(|| address::of_hex(&who));
                }
                let causes = [Cause::DoubleSign, Cause::MaybeDoubleSign, Cause::OthersDoubleSign];
                self.someone(&who, record, causes);
            }
            Event::Fault(cause, subject) => self.fault_of(cause, subject.as_deref(), record),
        }
    }

    fn committed(&mut self, record: &Record<'_>) {
        self.silence();
        let chain = &mut self.chain;
        chain.blocks = chain.blocks.saturating_add(1);
        chain.first_height = chain.first_height.or(record.height);
        chain.last_height = record.height.or(chain.last_height);
        chain.last_block_at = self.now;
        self.run.worked = true;
        self.tallies.values_mut().for_each(Tally::block_committed);
    }

    /// No block for a while is a finding, told when it ends or when the log does.
    fn silence(&mut self) {
        let (Some(last), Some(now)) = (self.chain.last_block_at, self.now) else { return };
        let silent = now.since(last);
        if silent < NO_BLOCKS_AFTER {
            return;
        }
        let height = self.chain.last_height;
        let example =
            || format!("{} s without a block after height {}", silent.as_secs(), height.unwrap_or_default());
        self.fault(Cause::NoBlocks, None, height, example);
    }

    fn round(&mut self, record: &Record<'_>, round: u64) {
        if round == 0 {
            return;
        }
        self.chain.round_max = self.chain.round_max.max(round);
        if self.chain.late_height != record.height {
            self.chain.late_height = record.height;
            self.chain.late_blocks = self.chain.late_blocks.saturating_add(1);
        }
        self.fault_of(Cause::Rounds, None, record);
    }

    fn started(&mut self) {
        if self.run.worked && !self.run.ending {
            self.fault(Cause::EndedUnheard, None, self.chain.last_height, String::new);
        }
        self.run = Run::default();
        self.chain.starts = self.chain.starts.saturating_add(1);
        // One that has never had a block may have a long way to sync.
        self.chain.last_block_at = self.now.filter(|_| self.chain.blocks > 0);
    }

    fn peers(&mut self, count: u64) {
        if count > 0 {
            self.run.lonely = 0;
            self.mend(Cause::NoPeers);
            return;
        }
        // The first count of every start is none.
        self.run.lonely = self.run.lonely.saturating_add(1);
        if self.run.lonely > 1 {
            self.fault(Cause::NoPeers, None, None, || "Ensure peers numInPeers=0 numOutPeers=0".to_owned());
        }
    }

    fn peers_mended(&mut self) {
        if self.down.is_empty() {
            self.mend(Cause::PeerUnreachable);
        }
    }

    /// Whether this is our validator's address, or the beginning of it in hexadecimal; `None` if ours is not known.
    fn is_own(&self, who: &str) -> Option<bool> {
        let own = self.own?;
        let hex = own.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let begins = who.len() >= 12 && hex.starts_with(&who.to_ascii_uppercase());
        Some(begins || address::of_bech32(who) == Some(own))
    }

    fn someone(&mut self, who: &str, record: &Record<'_>, [ours, perhaps, others]: [Cause; 3]) {
        let cause = match self.is_own(who) {
            Some(true) => ours,
            None => perhaps,
            Some(false) => others,
        };
        self.fault_of(cause, Some(who), record);
    }

    fn fault_of(&mut self, cause: Cause, subject: Option<&str>, record: &Record<'_>) {
        if self.run.ending && cause == Cause::PeersLost {
            // It hangs up on everybody while it stops.
            return;
        }
        if cause == Cause::PeerUnreachable && self.down.len() < DOWN_MAX {
            self.down.extend(subject.map(str::to_owned));
        }
        self.run.met_itself |=
            cause == Cause::DoubleSign && record.message.starts_with(b"found conflicting vote");
        let named = || rules::upgrade(&record.text()).or_else(|| rules::upgrade(&record.error()?));
        let height = match cause {
            Cause::UpgradeNeeded => record.height.or_else(|| named().map(|(_, height)| height)),
            _ => record.height,
        };
        self.fault(cause, subject, height, || example(record));
    }

    fn fault(
        &mut self,
        cause: Cause,
        subject: Option<&str>,
        height: Option<u64>,
        example: impl FnOnce() -> String,
    ) {
        let sighting = Sighting { at: self.now, height, subject };
        self.tallies.entry(cause).or_default().seen(&sighting, example);
    }

    fn mend(&mut self, cause: Cause) {
        if let Some(tally) = self.tallies.get_mut(&cause) {
            tally.mend();
        }
    }

    /// The log ends here: what is still being read is told.
    pub(super) fn end(&mut self) {
        let told = self.fold.end();
        self.told(told);
        self.silence();
    }
}

/// What a record says, in one line.
pub(super) fn example(record: &Record<'_>) -> String {
    let text = match record.error() {
        Some(error) => format!("{}: {error}", record.text()),
        None => record.text().into_owned(),
    };
    super::plain::printable(text.replace('\n', " ").as_bytes()).into_owned()
}
