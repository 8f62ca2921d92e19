//! One pass after the other: read what the node has said, stamp it, write it down.

use std::fs;
use std::io;
use std::time::Duration;

use beam_core::logs::address::Address;
use beam_core::logs::{Clue, LINE_LEN_MAX, Limits, Mark, NOTE_DROPPED, Part, Splitter, Stamp, Watch};

use super::folder::LogFolder;
use super::keeper::Keeper;
use super::open_log::OpenLog;
use super::place::{Place, PlaceFile};
use super::spool::Spool;

/// For how long the beginning of a line is held back in the hope of its end.
pub const HELD_MAX: Duration = Duration::from_secs(2);
/// How much waits in memory when the log cannot be written; what is older goes.
pub const WAITING_LEN_MAX: usize = 4 * 1024 * 1024;
/// What is read at once.
const BLOCK_LEN: usize = 128 * 1024;
/// What is written at once: more than the longest line.
const PIECE_LEN: usize = 2 * LINE_LEN_MAX;

/// What the capture of a node's output needs to know.
#[derive(Clone, Debug)]
pub struct CaptureConfig {
    /// Where everything lies. It is made if it is not there.
    pub folder: LogFolder,
    /// When files are closed and removed.
    pub limits: Limits,
    /// The validator's address, if this machine serves one: some clues are about it alone.
    pub own: Option<Address>,
}

/// How a capture does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureState {
    /// Lines written since it was opened.
    pub lines: u64,
    /// Lines dropped since it was opened, because the log could not be written.
    pub dropped: u64,
    /// Why the last pass was not done, in words, with what to do about it.
    pub trouble: Option<String>,
}

/// The capture, which somebody else runs: [`CaptureThread`](super::CaptureThread), or a test.
#[derive(Debug)]
pub struct Capture {
    config: CaptureConfig,
    spool: Option<Spool>,
    log: OpenLog,
    place_file: PlaceFile,
    noted: Option<Place>,
    /// Up to where the raw file was read.
    read_to: u64,
    /// Up to where it was there already when we came.
    found_to: u64,
    splitter: Splitter,
    /// Since when the beginning of a line is held.
    held_since: Option<Stamp>,
    /// Stamped lines that are not in the log yet.
    waiting: Vec<u8>,
    lost: Lost,
    watch: Watch,
    keeper: Keeper,
    state: CaptureState,
    block: Vec<u8>,
}

/// What was dropped and is not told yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lost {
    lines: u64,
    bytes: u64,
}

impl Capture {
    /// Takes up where the last capture of this folder stopped.
    ///
    /// # Errors
    /// [`io::Error`] if the folder or a file in it cannot be made or opened.
    pub fn open(config: CaptureConfig) -> io::Result<Self> {
        let folder = &config.folder;
        fs::create_dir_all(folder.path())?;
        let mut log = OpenLog::open(folder)?;
        let (place, spool) = (Place::noted(folder), Spool::open(&folder.raw())?);
        let known =
            place.filter(|place| spool.as_ref().is_some_and(|spool| spool.inode() == place.raw_inode));
        if let Some(place) = known.filter(|place| place.log_inode == log.inode()) {
            log.cut(place.log_len)?;
        }
        let place_file = PlaceFile::open(&folder.place())?;
        let watch = Watch::of(config.own);
        let mut capture = Self {
            config,
            spool: None,
            log,
            place_file,
            noted: known,
            read_to: 0,
            found_to: 0,
            splitter: Splitter::new(LINE_LEN_MAX),
            held_since: None,
            waiting: Vec::new(),
            lost: Lost::default(),
            watch,
            keeper: Keeper::default(),
            state: CaptureState::default(),
            block: vec![0; BLOCK_LEN],
        };
        if let Some(spool) = spool {
            capture.begin(spool, known.map(|place| place.raw_offset))?;
        }
        capture.tidy()?;
        Ok(capture)
    }

    /// Begins with a raw file: where the last capture stopped, or with all that is left of it.
    fn begin(&mut self, spool: Spool, from: Option<u64>) -> io::Result<()> {
        let len = spool.len()?;
        self.read_to = from.filter(|from| *from <= len).unwrap_or_else(|| spool.first_data().min(len));
        self.found_to = len;
        self.spool = Some(spool);
        let found = len.saturating_sub(self.read_to);
        if found > 0 {
            let note = format!(
                "{found} bytes were there when the pilot came; the stamps of the lines marked ~ say when they were read"
            );
            self.note(&note, super::now());
        }
        Ok(())
    }

    /// Does what there is to do, and says whether there may be more at once. `clue` is told what the node's words mean.
    ///
    /// # Errors
    /// [`io::Error`] if something could not be read or written; nothing is lost by it, and the next pass tries again.
    pub fn pass(&mut self, now: Stamp, clue: &mut dyn FnMut(Stamp, Clue)) -> io::Result<bool> {
        let read = self.read(now, clue);
        let written = self.write(now);
        let more = read?;
        written?;
        if self.keeper.is_due() {
            self.tidy()?;
        }
        Ok(more)
    }

    /// From the next pass on these limits hold, also for what is there.
    pub fn limit(&mut self, limits: Limits) {
        self.config.limits = limits;
        self.keeper.ask();
    }

    fn read(&mut self, now: Stamp, clue: &mut dyn FnMut(Stamp, Clue)) -> io::Result<bool> {
        if self.spool.is_none() {
            let Some(spool) = Spool::open(&self.config.folder.raw())? else { return Ok(false) };
            // It was made while we looked: what is in it was said just now.
            (self.read_to, self.found_to, self.spool) = (0, 0, Some(spool));
        }
        let Some(spool) = &self.spool else { return Ok(false) };
        if spool.len()? < self.read_to {
            // Somebody has emptied it.
            self.read_to = 0;
            self.found_to = 0;
        }
        let len = spool.read(self.read_to, &mut self.block)?;
        if len > 0 {
            self.take(len, now, clue);
            return Ok(len == self.block.len());
        }
        self.end_held(now, clue);
        if self.spool.as_ref().is_some_and(Spool::is_replaced) {
            self.spool = None;
            return Ok(true);
        }
        Ok(false)
    }

    /// Stamps the first `len` bytes of the block.
    fn take(&mut self, len: usize, now: Stamp, clue: &mut dyn FnMut(Stamp, Clue)) {
        // What was found and what came after are stamped apart, even if they come in one block.
        let found =
            usize::try_from(self.found_to.saturating_sub(self.read_to)).unwrap_or(usize::MAX).min(len);
        let block = std::mem::take(&mut self.block);
        for (part, mark) in [(block.get(..found), Mark::Found), (block.get(found..len), Mark::Said)] {
            let mut splitter = std::mem::replace(&mut self.splitter, Splitter::new(LINE_LEN_MAX));
            splitter.push(part.unwrap_or_default(), |part| self.stamp(part, mark, now, clue));
            self.splitter = splitter;
        }
        self.block = block;
        self.read_to = self.read_to.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        self.held_since = (self.splitter.held() > 0).then_some(now);
    }

    fn stamp(&mut self, part: Part<'_>, mark: Mark, now: Stamp, clue: &mut dyn FnMut(Stamp, Clue)) {
        let mark = if part.rest { Mark::Rest } else { mark };
        let from = self.waiting.len();
        self.waiting.extend_from_slice(format!("{now} {} ", char::from(mark.byte())).as_bytes());
        self.waiting.extend_from_slice(part.text);
        if let Some((at, what)) = self.waiting.get(from..).and_then(|line| self.watch.line(line)) {
            clue(at, what);
        }
        self.waiting.push(b'\n');
    }

    /// The beginning of a line whose end does not come is written down as it is.
    fn end_held(&mut self, now: Stamp, clue: &mut dyn FnMut(Stamp, Clue)) {
        // A clock that was put back must not hold it for ever.
        let old = |since: Stamp| now.since(since) >= HELD_MAX || now < since;
        if self.held_since.is_some_and(old) {
            let mark = if self.read_to <= self.found_to { Mark::Found } else { Mark::Said };
            let mut splitter = std::mem::replace(&mut self.splitter, Splitter::new(LINE_LEN_MAX));
            splitter.flush(|part| self.stamp(part, mark, now, clue));
            self.splitter = splitter;
            self.held_since = None;
        }
    }

    fn note(&mut self, words: &str, now: Stamp) {
        self.waiting
            .extend_from_slice(format!("{now} {} {words}\n", char::from(Mark::Note.byte())).as_bytes());
    }

    /// Writes down what waits, and notes the place.
    fn write(&mut self, now: Stamp) -> io::Result<()> {
        if self.waiting.is_empty() && self.lost == Lost::default() {
            return Ok(());
        }
        let closed = self.close_if_due(now);
        let written = self.append(now);
        if written.is_err() {
            self.drop_if_much();
        }
        self.note_place()?;
        written.and(closed)
    }

    fn append(&mut self, now: Stamp) -> io::Result<()> {
        if self.lost != Lost::default() {
            let Lost { lines, bytes } = self.lost;
            let note = format!(
                "{now} {} {NOTE_DROPPED}{lines} lines ({bytes} bytes): the log could not be written\n",
                char::from(Mark::Note.byte())
            );
            self.log.append(note.as_bytes(), now)?;
            self.lost = Lost::default();
        }
        // Piece by piece, so that a little room is of use.
        while !self.waiting.is_empty() {
            let piece = self.waiting.get(..PIECE_LEN).unwrap_or(&self.waiting);
            let len = piece.iter().rposition(|byte| *byte == b'\n').map_or(self.waiting.len(), |end| end + 1);
            let piece = self.waiting.get(..len).unwrap_or_default();
            self.log.append(piece, now)?;
            self.state.lines = self.state.lines.saturating_add(said(piece));
            self.waiting.drain(..len);
        }
        self.forget_waiting();
        Ok(())
    }

    fn forget_waiting(&mut self) {
        self.waiting.clear();
        // A flood that is over must not keep its room.
        self.waiting.shrink_to(2 * BLOCK_LEN);
    }

    fn drop_if_much(&mut self) {
        if self.waiting.len() > WAITING_LEN_MAX {
            let lines = said(&self.waiting);
            self.lost.lines = self.lost.lines.saturating_add(lines);
            self.lost.bytes =
                self.lost.bytes.saturating_add(u64::try_from(self.waiting.len()).unwrap_or(u64::MAX));
            self.state.dropped = self.state.dropped.saturating_add(lines);
            self.forget_waiting();
        }
    }

    /// If nothing waits, raw file and log agree, but for the beginning of a line.
    fn note_place(&mut self) -> io::Result<()> {
        let Some(spool) = &mut self.spool else { return Ok(()) };
        if !self.waiting.is_empty() {
            return Ok(());
        }
        let held = u64::try_from(self.splitter.held()).unwrap_or(u64::MAX);
        let raw_offset = self.read_to.saturating_sub(held);
        let place = Place {
            raw_inode: spool.inode(),
            raw_offset,
            log_inode: self.log.inode(),
            log_len: self.log.len(),
        };
        self.place_file.note(&place)?;
        self.noted = Some(place);
        // Only what the noted place is beyond: a pilot that comes after us reads from there.
        spool.give_back(raw_offset)?;
        if held == 0 && spool.empty_if_long(self.read_to)? {
            (self.read_to, self.found_to) = (0, 0);
            self.place_file.note(&Place { raw_offset: 0, ..place })?;
        }
        Ok(())
    }

    fn close_if_due(&mut self, now: Stamp) -> io::Result<()> {
        if !self.config.limits.closes(self.log.len(), self.log.began(), now) {
            return Ok(());
        }
        self.log.close(&self.config.folder, now)?;
        // Before anything is in the new log: whoever is killed from here on knows what to cut.
        if let Some(noted) = &mut self.noted {
            (noted.log_inode, noted.log_len) = (self.log.inode(), self.log.len());
            self.place_file.note(noted)?;
        }
        self.tidy()
    }

    fn tidy(&mut self) -> io::Result<()> {
        let raw = self.spool.as_ref().map_or(0, Spool::on_disk);
        let open = raw.saturating_add(self.log.len());
        self.keeper.tidy(&self.config.folder, self.config.limits, open)
    }

    /// Everything that was said is written down, also the beginning of a line. The node should have ended.
    ///
    /// # Errors
    /// [`io::Error`] if that could not be done; the next capture does it.
    pub fn finish(&mut self, now: Stamp, clue: &mut dyn FnMut(Stamp, Clue)) -> io::Result<()> {
        while self.pass(now, clue)? {}
        self.held_since = self.held_since.map(|_| Stamp::default());
        self.pass(now, clue).map(|_| ())
    }

    /// How it does.
    #[must_use]
    pub fn state(&self) -> &CaptureState {
        &self.state
    }

    #[cfg(test)]
    pub(super) fn without_holes(&mut self) {
        if let Some(spool) = &mut self.spool {
            spool.makes_holes = false;
        }
    }
}

/// How many of these lines are the node's.
fn said(lines: &[u8]) -> u64 {
    let lines = lines.split_inclusive(|byte| *byte == b'\n');
    let said = lines.filter(|line| line.get(Stamp::LEN + 1) != Some(&Mark::Note.byte()));
    u64::try_from(said.count()).unwrap_or(u64::MAX)
}
