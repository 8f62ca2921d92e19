//! The proof: every number that was compared, for people and for programs.

use std::fmt::Write as _;

use beam_core::signing::{Height, Known, Mark};
use serde::Serialize;

use super::evidence::{FromChain, FromFile};

/// Everything that a mark was worked out from.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Proof {
    pub(crate) files: Vec<FromFile>,
    pub(crate) chain: Option<FromChain>,
    /// Why the chain was not asked, or did not answer.
    pub(crate) chain_unknown: Option<String>,
    /// What this machine has seen of the register, if it ever ran.
    pub(crate) floor: Option<Mark>,
    /// Where the register is, if it has a record.
    pub(crate) register: Option<Mark>,
}

impl Proof {
    /// All positions that somebody remembers.
    pub(crate) fn remembered(&self) -> Vec<Mark> {
        let files = self.files.iter().filter_map(|file| file.mark);
        let vote = self.chain.as_ref().and_then(|chain| chain.our_last_vote);
        files.chain(vote).chain(self.floor).chain(self.register).collect()
    }

    pub(crate) fn tip(&self) -> Option<Height> {
        self.chain.as_ref().map(|chain| chain.height)
    }

    /// The table for people.
    pub(crate) fn table(&self) -> String {
        let never = || "never signed".to_owned();
        let mark = |mark: Option<Mark>| mark.map_or_else(never, |mark| mark.in_words());
        let mut rows: Vec<(String, String)> = self
            .files
            .iter()
            .map(|file| (format!("{} ({})", file.path.display(), file.format), mark(file.mark)))
            .collect();
        rows.extend(self.register.map(|at| ("the register's record".to_owned(), at.in_words())));
        rows.extend(self.floor.map(|at| ("this machine's floor".to_owned(), at.in_words())));
        if let Some(chain) = &self.chain {
            let vote = chain.our_last_vote.map_or_else(
                || format!("none from height {} on", chain.looked_back_to),
                |mark| mark.to_string(),
            );
            rows.push((format!("the chain's newest height, at {}", chain.rpc), chain.height.to_string()));
            rows.push((
                "  above it, something may be signed up to".to_owned(),
                chain.height.0.saturating_add(Known::TIP_MARGIN).to_string(),
            ));
            let now = if chain.signs_now { ": somebody signs NOW" } else { "" };
            rows.push(("  our last vote that the chain shows".to_owned(), format!("{vote}{now}")));
        }
        if let Some(why) = &self.chain_unknown {
            rows.push(("the chain's newest height".to_owned(), format!("not known: {why}")));
        }
        let width = rows.iter().map(|(what, _)| what.chars().count()).max().unwrap_or_default();
        rows.iter().fold(String::new(), |mut text, (what, value)| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "  {what:<width$}  {value}");
            text
        })
    }
}
