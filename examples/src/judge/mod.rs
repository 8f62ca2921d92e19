//! The judge: did our validator ever contradict itself?
//!
//! One rule: at each height, round and step a validator makes at most one statement. The judge
//! knows four sources, and compares every statement of the first two with each other:
//!
//! 1. the machines' audit files: what Beam says it let out;
//! 2. votes of our validator as plain validators received them: what did get out;
//! 3. evidence in blocks: what the chain itself proved;
//! 4. on a Hub-like chain, what its modules did about it: x/evidence, tombstoned, jailed.
//!
//! A judge that saw nothing acquits nobody: see [`Outcome::NothingSeen`]. That it can convict is
//! shown by the tests below on made-up input, and by `tests/network.rs` and `tests/hub.rs` on real double signers.

pub mod audit;
pub mod canonical;
mod punishment;
mod verdict;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::chain::{Block, Chain, Vote, Watcher};
use crate::hub::Modules;
use crate::network::Validator;
use audit::Entry;
use canonical::{Position, Statement};

pub use punishment::Punishment;
pub use verdict::{Claim, Conflict, Outcome, Verdict};

/// Everything the judge looks at.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// The chain; a statement for another is an error.
    pub chain_id: String,
    /// The lines of all audit files.
    pub audit: Vec<Entry>,
    /// Votes of our validator, as often as they were seen.
    pub votes: Vec<Vote>,
    /// The chain's blocks.
    pub blocks: Vec<Block>,
    /// How often the watch was interrupted, and votes may have been overlooked.
    pub interruptions: u64,
    /// What the chain's modules did to our validator; `None` on a chain without such modules.
    pub punishment: Option<Punishment>,
}

impl Case {
    /// Gathers the case from a running network: the audit files, what `watcher` recorded, and every
    /// block of `chain` so far.
    ///
    /// # Errors
    /// When a file or the chain cannot be read.
    pub async fn gather(
        chain_id: &str,
        audit_files: &[PathBuf],
        watcher: &Watcher,
        chain: &Chain,
    ) -> Result<Self> {
        let height = chain.height().await?;
        let blocks = chain.blocks(1..=height).await?;
        let record = watcher.record();
        Ok(Self {
            chain_id: chain_id.to_owned(),
            audit: audit::read_all(audit_files)?,
            votes: record.votes,
            blocks,
            interruptions: record.reconnections,
            punishment: None,
        })
    }

    /// Asks the chain's modules too.
    ///
    /// # Errors
    /// When they do not answer.
    pub async fn with_modules(self, modules: &Modules, validator: &Validator) -> Result<Self> {
        let punishment = Punishment::ask(modules, validator).await?;
        Ok(Self { punishment: Some(punishment), ..self })
    }

    /// Judges.
    ///
    /// # Errors
    /// When something in the case cannot be read: that is no verdict at all.
    pub fn verdict(&self) -> Result<Verdict> {
        let mut verdict =
            Verdict { blocks: count(&self.blocks), interruptions: self.interruptions, ..Verdict::default() };
        let mut statements = Statements::default();
        for (line, entry) in self.audit.iter().enumerate() {
            let place = || format!("audit entry {line}, of {}", entry.machine);
            let statement = entry.statement().with_context(place)?;
            ensure!(
                statement.chain_id == self.chain_id,
                "{}: of another chain, {}",
                place(),
                statement.chain_id
            );
            let from = format!(
                "{} let out ({:?}, at {} ms, epoch {})",
                entry.machine, entry.how, entry.at_ms, entry.epoch
            );
            statements.add(statement, from);
            let examined = verdict.signatures.entry(entry.machine.clone()).or_default();
            *examined = examined.saturating_add(1);
        }
        for vote in &self.votes {
            let statement = Statement::of_vote(vote, &self.chain_id)?;
            if !self.audit.is_empty() && !statements.knows(&statement) {
                verdict.unaudited = verdict.unaudited.saturating_add(1);
            }
            statements.add(statement, format!("{} received", vote.seen_by));
            let seen = verdict.votes.entry(vote.seen_by.clone()).or_default();
            *seen = seen.saturating_add(1);
        }
        verdict.conflicts = statements.conflicts();
        verdict.punishment = self.punishment.clone();
        verdict.evidence = self.blocks.iter().flat_map(|block| block.evidence.clone()).collect();
        Ok(verdict)
    }
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// The different statements made at each position, each with who told of it first.
#[derive(Default)]
struct Statements {
    made: BTreeMap<Position, Vec<(Statement, String)>>,
}

impl Statements {
    fn add(&mut self, statement: Statement, from: String) {
        let made = self.made.entry(statement.position).or_default();
        if !made.iter().any(|(known, _)| known.content == statement.content) {
            made.push((statement, from));
        }
    }

    fn knows(&self, statement: &Statement) -> bool {
        let made = self.made.get(&statement.position);
        made.is_some_and(|made| made.iter().any(|(known, _)| known.content == statement.content))
    }

    /// Each statement after the first at a position contradicts that first.
    fn conflicts(&self) -> Vec<Conflict> {
        let claim = |(statement, from): &(Statement, String)| Claim {
            from: from.clone(),
            block: statement.block.clone(),
            content: statement.content.clone(),
        };
        self.made
            .iter()
            .filter_map(|(position, made)| Some((position, made.split_first()?)))
            .flat_map(|(position, (first, others))| {
                others.iter().map(|other| Conflict {
                    position: *position,
                    one: claim(first),
                    other: claim(other),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::canonical::Step;
    use super::testing::{CHAIN, entry, entry_at, seen};
    use super::*;

    fn block(height: u64) -> Block {
        let (time, proposer, last_commit, evidence) = Default::default();
        Block { height, time, proposer, last_commit, evidence }
    }

    fn case(audit: Vec<Entry>, votes: Vec<Vote>) -> Case {
        let blocks = vec![block(1), block(2)];
        Case { chain_id: CHAIN.to_owned(), audit, votes, blocks, ..Case::default() }
    }

    #[test]
    fn one_statement_a_position_is_clean() {
        let audit = vec![
            entry("a", 5, Step::Proposal, Some(1)),
            entry("a", 5, Step::Prevote, Some(1)),
            entry("a", 5, Step::Precommit, Some(1)),
            entry("b", 6, Step::Precommit, None),
        ];
        let votes = vec![seen("v1", 5, Step::Prevote, Some(1)), seen("v2", 5, Step::Precommit, Some(1))];
        let verdict = case(audit, votes).verdict().unwrap();
        assert_eq!(verdict.outcome(), Outcome::Clean, "{verdict}");
        assert_eq!(verdict.signatures.get("a"), Some(&3));
        assert_eq!(verdict.signatures.get("b"), Some(&1));
        assert_eq!((verdict.votes.len(), verdict.blocks, verdict.unaudited), (2, 2, 0));
    }

    #[test]
    fn the_same_vote_at_another_time_is_clean() {
        let first = entry_at("a", 5, Step::Precommit, Some(1), 1);
        let later = entry_at("b", 5, Step::Precommit, Some(1), 2);
        assert_ne!(first.sign_bytes, later.sign_bytes);
        let votes = vec![seen("v1", 5, Step::Precommit, Some(1))];
        assert_eq!(case(vec![first, later], votes).verdict().unwrap().outcome(), Outcome::Clean);
    }

    #[test]
    fn two_machines_with_different_votes_are_a_conflict() {
        let audit = vec![entry("a", 5, Step::Precommit, Some(1)), entry("b", 5, Step::Precommit, Some(2))];
        let verdict = case(audit, Vec::new()).verdict().unwrap();
        assert_eq!(verdict.outcome(), Outcome::Guilty);
        let text = verdict.to_string();
        assert!(text.contains("height 5, round 0, precommit"), "{text}");
        assert!(text.contains("a let out") && text.contains("b let out"), "{text}");
    }

    #[test]
    fn a_vote_and_nil_are_a_conflict() {
        let audit = vec![entry("a", 5, Step::Prevote, Some(1)), entry("a", 5, Step::Prevote, None)];
        assert_eq!(case(audit, Vec::new()).verdict().unwrap().outcome(), Outcome::Guilty);
    }

    #[test]
    fn the_same_proposal_at_another_time_is_a_conflict() {
        let audit =
            vec![entry_at("a", 5, Step::Proposal, Some(1), 1), entry_at("b", 5, Step::Proposal, Some(1), 2)];
        assert_eq!(case(audit, Vec::new()).verdict().unwrap().outcome(), Outcome::Guilty);
    }

    #[test]
    fn different_votes_at_two_nodes_are_a_conflict_without_any_audit() {
        let votes = vec![seen("v1", 5, Step::Prevote, Some(1)), seen("v2", 5, Step::Prevote, Some(2))];
        assert_eq!(case(Vec::new(), votes).verdict().unwrap().conflicts.len(), 1);
    }

    #[test]
    fn a_vote_on_the_network_that_contradicts_the_audit_is_a_conflict() {
        let audit = vec![entry("a", 5, Step::Precommit, Some(1))];
        let verdict = case(audit, vec![seen("v1", 5, Step::Precommit, Some(2))]).verdict().unwrap();
        assert_eq!((verdict.outcome(), verdict.unaudited), (Outcome::Guilty, 1));
    }

    #[test]
    fn a_vote_no_machine_admits_is_counted() {
        let audit = vec![entry("a", 5, Step::Precommit, Some(1))];
        let verdict = case(audit, vec![seen("v1", 6, Step::Precommit, Some(2))]).verdict().unwrap();
        assert_eq!((verdict.outcome(), verdict.unaudited), (Outcome::Clean, 1));
    }

    #[test]
    fn evidence_alone_is_guilty() {
        let mut case = case(vec![entry("a", 5, Step::Prevote, Some(1))], Vec::new());
        case.blocks.push(Block { evidence: vec!["voted twice".to_owned()], ..block(3) });
        assert_eq!(case.verdict().unwrap().outcome(), Outcome::Guilty);
    }

    fn punished(punishment: Punishment) -> Verdict {
        let mut case = case(vec![entry("a", 5, Step::Prevote, Some(1))], Vec::new());
        case.punishment = Some(punishment);
        case.verdict().unwrap()
    }

    #[test]
    fn what_the_chain_found_is_guilty_whatever_we_saw() {
        let held = Punishment { evidence: vec!["signed twice".to_owned()], ..Punishment::default() };
        let tombstoned = Punishment { tombstoned: true, jailed: true, ..Punishment::default() };
        for punishment in [held, tombstoned] {
            let verdict = punished(punishment);
            assert_eq!(verdict.outcome(), Outcome::Guilty, "{verdict}");
        }
        assert_eq!(punished(Punishment::default()).outcome(), Outcome::Clean);
    }

    #[test]
    fn a_jailed_validator_is_not_clean() {
        let verdict = punished(Punishment { jailed: true, ..Punishment::default() });
        assert_eq!(verdict.outcome(), Outcome::Jailed);
        assert!(verdict.must_be_clean().is_err());
    }

    #[test]
    fn a_case_without_signatures_acquits_nobody() {
        assert_eq!(case(Vec::new(), Vec::new()).verdict().unwrap().outcome(), Outcome::NothingSeen);
    }

    #[test]
    fn a_signature_for_another_chain_is_no_verdict() {
        let mut case = case(vec![entry("a", 5, Step::Prevote, Some(1))], Vec::new());
        case.chain_id = "other".to_owned();
        assert!(case.verdict().is_err());
    }
}
