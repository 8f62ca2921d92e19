//! What the judge found, in numbers and in words.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

use super::Punishment;
use super::canonical::Position;
use crate::chain::short;

/// The judge's answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Signatures were examined and none contradicts another.
    Clean,
    /// The validator contradicted itself.
    Guilty,
    /// It did not contradict itself, but missed so much that the chain put it in jail.
    Jailed,
    /// There was no signature to examine, so there is nothing to say.
    NothingSeen,
}

/// One side of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who told of it, in words.
    pub from: String,
    /// The hash of the block it is about; `None` is nil.
    pub block: Option<String>,
    /// The bytes compared.
    pub content: Vec<u8>,
}

/// Two different statements at one position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Where.
    pub position: Position,
    /// The statement that came first in the order of examination.
    pub one: Claim,
    /// The one that differs.
    pub other: Claim,
}

/// What the judge found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Signatures in the audit files, by machine.
    pub signatures: BTreeMap<String, u64>,
    /// Votes of our validator, by the node that received them.
    pub votes: BTreeMap<String, u64>,
    /// Blocks looked through for evidence.
    pub blocks: u64,
    /// Contradictions.
    pub conflicts: Vec<Conflict>,
    /// Evidence in blocks, a readable line each.
    pub evidence: Vec<String>,
    /// Votes received of which no audit file knows, where there are audit files. No contradiction,
    /// but something the machines did not write down.
    pub unaudited: u64,
    /// How often a watch was interrupted, and votes may have been overlooked.
    pub interruptions: u64,
    /// What the chain's modules did to our validator; `None` on a chain without such modules.
    pub punishment: Option<Punishment>,
}

impl Verdict {
    /// The answer in one word.
    pub fn outcome(&self) -> Outcome {
        let punishment = self.punishment.as_ref();
        if !self.conflicts.is_empty()
            || !self.evidence.is_empty()
            || punishment.is_some_and(Punishment::is_for_double_signing)
        {
            Outcome::Guilty
        } else if punishment.is_some_and(|punishment| punishment.jailed) {
            Outcome::Jailed
        } else if self.signatures.is_empty() && self.votes.is_empty() {
            Outcome::NothingSeen
        } else {
            Outcome::Clean
        }
    }

    /// Adds what was found on another chain. Whoever wants to know whether each of them was clean asks each before.
    pub fn add(&mut self, other: Self) {
        for (sum, more) in [(&mut self.signatures, other.signatures), (&mut self.votes, other.votes)] {
            for (name, count) in more {
                let sum = sum.entry(name).or_default();
                *sum = sum.saturating_add(count);
            }
        }
        self.blocks = self.blocks.saturating_add(other.blocks);
        self.conflicts.extend(other.conflicts);
        self.evidence.extend(other.evidence);
        self.unaudited = self.unaudited.saturating_add(other.unaudited);
        self.interruptions = self.interruptions.saturating_add(other.interruptions);
        if let Some(punishment) = other.punishment {
            self.punishment.get_or_insert_default().add(punishment);
        }
    }

    /// Insists on a clean verdict.
    ///
    /// # Errors
    /// With the whole verdict as its message.
    pub fn must_be_clean(&self) -> Result<()> {
        match self.outcome() {
            Outcome::Clean => Ok(()),
            Outcome::Guilty | Outcome::Jailed | Outcome::NothingSeen => bail!("{self}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.outcome() {
            Outcome::Clean => "no contradiction",
            Outcome::Guilty => "the validator contradicted itself",
            Outcome::Jailed => "the validator did not contradict itself, and is in jail",
            Outcome::NothingSeen => "nothing was seen, so nothing is proved",
        };
        writeln!(f, "{word}")?;
        for (machine, signatures) in &self.signatures {
            writeln!(f, "  {signatures} signatures let out by {machine}")?;
        }
        for (node, votes) in &self.votes {
            writeln!(f, "  {votes} votes received by {node}")?;
        }
        writeln!(f, "  {} blocks, {} pieces of evidence", self.blocks, self.evidence.len())?;
        if self.unaudited > 0 {
            writeln!(f, "  {} votes received that no machine wrote down", self.unaudited)?;
        }
        if self.interruptions > 0 {
            writeln!(f, "  {} interruptions of the watch", self.interruptions)?;
        }
        for conflict in &self.conflicts {
            writeln!(f, "  conflict at {conflict}")?;
        }
        for evidence in &self.evidence {
            writeln!(f, "  {evidence}")?;
        }
        if let Some(Punishment { evidence, tombstoned, jailed }) = &self.punishment {
            writeln!(f, "  the chain: tombstoned {tombstoned}, jailed {jailed}")?;
            for held in evidence {
                writeln!(f, "  {held}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.position, self.one, self.other)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.from, short(self.block.as_deref().unwrap_or_default()))
    }
}
