//! Beam's own account: one JSON line for each signature a machine let out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::canonical::{Position, Statement, Step, unhex};

/// How a machine came to let a signature out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It won the position in the register and signed.
    Swapped,
    /// It repeated a signature that was already there.
    Repeated,
}

/// One line of an audit file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// When it was let out: milliseconds since 1970, by the machine's clock.
    pub at_ms: u64,
    /// The machine that let it out.
    pub machine: String,
    /// The chain it is for.
    pub chain_id: String,
    /// The height.
    pub height: u64,
    /// The round.
    pub round: u64,
    /// What was signed.
    pub step: Step,
    /// The bytes the signature covers, hexadecimal.
    pub sign_bytes: String,
    /// The signature, hexadecimal.
    pub signature: String,
    /// The epoch of the machine's right to sign.
    pub epoch: u64,
    /// How it came about.
    pub how: How,
}

impl Entry {
    /// What the signed bytes say. The rest of the line must agree with them.
    ///
    /// # Errors
    /// When the bytes are no vote or proposal, or are about something else than the line says.
    pub fn statement(&self) -> Result<Statement> {
        let statement = Statement::parse(&unhex(&self.sign_bytes)?)?;
        let claimed = Position { height: self.height, round: self.round, step: self.step };
        ensure!(
            statement.position == claimed,
            "the line says {claimed}, its bytes say {}",
            statement.position
        );
        ensure!(statement.chain_id == self.chain_id, "the line and its bytes name different chains");
        Ok(statement)
    }
}

/// Reads an audit file as it grows.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    read: usize,
    lines: usize,
}

impl Tail {
    /// Starts at the beginning of `path`, which need not exist yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf(), read: 0, lines: 0 }
    }

    /// The entries added since the last call. A line without its end is left for the next: it is being written, or was cut
    /// when its machine was killed (a write that crosses a page ends there). The next start ends a cut line, which is then passed
    /// over: if its signature left, the vote is counted as one that no machine wrote down.
    ///
    /// # Errors
    /// When the file cannot be read, or a whole line is not an entry.
    pub fn poll(&mut self) -> Result<Vec<Entry>> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.path.display())),
        };
        let Some(fresh) = bytes.get(self.read..) else {
            bail!("{} became shorter: an audit file only grows", self.path.display());
        };
        let mut entries = Vec::new();
        for line in fresh.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            let place = || format!("{}, line {}", self.path.display(), self.lines.saturating_add(1));
            match serde_json::from_slice(line.trim_ascii_end()) {
                Ok(entry) => entries.push(entry),
                Err(error) if error.is_eof() => {}
                Err(error) => return Err(error).with_context(place),
            }
            self.read = self.read.saturating_add(line.len());
            self.lines = self.lines.saturating_add(1);
        }
        Ok(entries)
    }
}

/// All entries of several audit files.
///
/// # Errors
/// When one is missing or has a whole line that is no entry. See [`Tail::poll`] for lines that were cut.
pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for path in paths {
        ensure!(path.is_file(), "there is no audit file {}", path.display());
        entries.extend(Tail::new(path).poll()?);
    }
    Ok(entries)
}

/// How good an entry's claim to its block is; the least is the best.
///
/// A precommit for a block goes before one for nil, which does not make the block, and winning the position in the
/// register before repeating what the winner signed: a standby may let the same signature out a moment earlier.
pub fn claim(entry: &Entry) -> (bool, bool, u64, &str) {
    let is_nil = entry.statement().is_ok_and(|statement| statement.block.is_none());
    (is_nil, entry.how != How::Swapped, entry.at_ms, &entry.machine)
}

/// Which machine signed the precommit of each height: the block's owner, so to speak. See [`claim`].
pub fn owners(entries: &[Entry]) -> BTreeMap<u64, String> {
    let mut best: BTreeMap<u64, &Entry> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.step == Step::Precommit) {
        let known = best.entry(entry.height).or_insert(entry);
        if claim(entry) < claim(known) {
            *known = entry;
        }
    }
    best.into_iter().map(|(height, entry)| (height, entry.machine.clone())).collect()
}

/// The machine that owns one block, if any machine signed its precommit.
pub fn owner_of(entries: &[Entry], height: u64) -> Option<String> {
    owners(entries).remove(&height)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, line};
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.jsonl");
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn a_torn_last_line_is_left_out() {
        let whole = line("a", 5, Step::Prevote, Some(1));
        let torn = line("a", 5, Step::Precommit, Some(1));
        let (_dir, path) = file(&format!("{whole}\n{}", &torn[..40]));
        assert_eq!(read_all(&[path]).unwrap().len(), 1);
    }

    #[test]
    fn a_line_cut_by_a_kill_is_passed_over_and_a_whole_one_that_is_no_entry_is_an_error() {
        let whole = line("a", 5, Step::Prevote, Some(1));
        for cut in 1..whole.len() {
            let (_dir, path) = file(&format!("{}\n{whole}\n", &whole[..cut]));
            assert_eq!(read_all(&[path]).unwrap().len(), 1, "{cut}");
        }
        for wrong in ["{}", "something", &whole[1..], &format!("{whole}{whole}")] {
            let (_dir, path) = file(&format!("{wrong}\n{whole}\n"));
            let error = format!("{:#}", read_all(&[path]).unwrap_err());
            assert!(error.contains("line 1"), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error_for_the_judge_and_nothing_yet_for_a_tail() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.jsonl");
        assert!(read_all(std::slice::from_ref(&path)).is_err());
        assert_eq!(Tail::new(&path).poll().unwrap(), []);
    }

    #[test]
    fn a_tail_gives_each_entry_once() {
        let (_dir, path) = file(&format!("{}\n", line("a", 5, Step::Prevote, Some(1))));
        let mut tail = Tail::new(&path);
        assert_eq!(tail.poll().unwrap().len(), 1);
        let before = fs::read_to_string(&path).unwrap();
        let next = line("a", 5, Step::Precommit, Some(1));
        fs::write(&path, format!("{before}{}", &next[..30])).unwrap();
        assert_eq!(tail.poll().unwrap().len(), 0);
        fs::write(&path, format!("{before}{next}\n")).unwrap();
        assert_eq!(tail.poll().unwrap().len(), 1);
    }

    #[test]
    fn a_line_that_disagrees_with_its_bytes_is_refused() {
        let mut entry = entry("a", 5, Step::Precommit, Some(1));
        assert!(entry.statement().is_ok());
        entry.height = 6;
        assert!(entry.statement().is_err());
    }

    #[test]
    fn the_owner_of_a_block_won_its_precommit() {
        let at = |at_ms, entry: Entry| Entry { at_ms, ..entry };
        let entries = [
            at(10, entry("b", 5, Step::Prevote, Some(1))),
            at(20, entry("b", 5, Step::Precommit, Some(1))),
            at(15, entry("a", 5, Step::Precommit, Some(1))),
            at(30, entry("a", 6, Step::Precommit, None)),
            at(40, entry("b", 6, Step::Precommit, Some(1))),
            Entry { how: How::Repeated, ..at(49, entry("a", 8, Step::Precommit, Some(1))) },
            at(50, entry("b", 8, Step::Precommit, Some(1))),
        ];
        assert_eq!(owner_of(&entries, 5).as_deref(), Some("a"));
        assert_eq!(owner_of(&entries, 6).as_deref(), Some("b"), "a nil precommit makes no block");
        assert_eq!(owner_of(&entries, 7), None);
        assert_eq!(owner_of(&entries, 8).as_deref(), Some("b"), "repeating is not owning");
    }
}
