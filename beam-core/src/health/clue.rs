//! What a node's log tells about it that its RPC does not.
//!
//! Texts of cosmos-sdk 0.47 to 0.53 and `CometBFT` 0.37 to 0.38, as they appear in both of gaiad's log formats. A
//! clue names; it never suffices for a restart.

use crate::health::Upgrade;
use crate::logs;
use crate::signing::Height;

/// One line's worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clue {
    /// The consensus thread has ended; the process stays. What comes before it says why.
    ConsensusFailure,
    /// The chain's upgrade is due, and this program does not know it.
    UpgradeNeeded(Upgrade),
    /// The height at which the node was told to halt is reached.
    HaltHeight(Height),
    /// The program is not the one for this height: too new, or too old.
    WrongBinary,
    /// The node's state is not the network's.
    StateDiverged,
    /// The node waits for its signer.
    SignerGone,
    /// There is no room left on the node's disk.
    DiskFull,
}

impl Clue {
    /// What a clue from the log means for the node's health; `None` if nothing that its RPC would not tell better.
    #[must_use]
    pub fn of(told: &logs::Clue) -> Option<Self> {
        use logs::Clue as Told;
        match told {
            Told::ConsensusFailure { reason } => {
                Some(Self::in_line(reason).unwrap_or(Self::ConsensusFailure))
            }
            Told::UpgradeNeeded { name, height } => {
                Some(Self::UpgradeNeeded(Upgrade { name: name.clone(), height: Height(*height) }))
            }
            Told::EarlyBinary | Told::WrongBinary => Some(Self::WrongBinary),
            Told::AppHash => Some(Self::StateDiverged),
            Told::DiskFull => Some(Self::DiskFull),
            Told::SignerGone => Some(Self::SignerGone),
            // The consensus failure that follows names the height.
            Told::HaltHeight => None,
            Told::SignerRefused { .. }
            | Told::ConflictingVote { .. }
            | Told::Jailed
            | Told::WalLost
            | Told::Panic { .. }
            | Told::StartRefused { .. } => None,
        }
    }

    /// What this line tells; `None` if nothing.
    ///
    /// ```
    /// use beam_core::health::Clue;
    ///
    /// let line = r#"7:49AM ERR CONSENSUS FAILURE!!! err="..." module=consensus"#;
    /// assert_eq!(Clue::in_line(line), Some(Clue::ConsensusFailure));
    /// assert_eq!(Clue::in_line("7:49AM INF committed state height=12"), None);
    /// ```
    #[must_use]
    pub fn in_line(line: &str) -> Option<Self> {
        // A consensus failure's own line repeats the reason, so the reasons come first.
        if line.contains("BINARY UPDATED BEFORE TRIGGER") || line.contains("upgrade handler is missing for") {
            return Some(Self::WrongBinary);
        }
        if let Some(upgrade) = upgrade_needed(line) {
            return Some(Self::UpgradeNeeded(upgrade));
        }
        if let Some((_, rest)) = line.split_once("halt per configuration height ") {
            return number(rest).map(Self::HaltHeight);
        }
        [
            ("wrong Block.Header.AppHash", Self::StateDiverged),
            ("no space left on device", Self::DiskFull),
            ("SignerListener: Blocking for connection", Self::SignerGone),
            ("CONSENSUS FAILURE!!!", Self::ConsensusFailure),
        ]
        .into_iter()
        .find_map(|(text, clue)| line.contains(text).then_some(clue))
    }
}

/// `UPGRADE "v2" NEEDED at height: 497: ...`, with the quotes escaped where the log is JSON or quotes its values.
fn upgrade_needed(line: &str) -> Option<Upgrade> {
    let (before, after) = line.split_once("NEEDED at height: ")?;
    let (_, name) = before.rsplit_once("UPGRADE ")?;
    let name = name.trim().trim_matches(['\\', '"']);
    Some(Upgrade { name: name.to_owned(), height: number(after)? })
}

/// The number with which the text begins.
fn number(text: &str) -> Option<Height> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().map(Height)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Real lines of such a chain, cut where they only go on.
    #[test]
    fn real_lines_are_read() {
        let upgrade = Some(Clue::UpgradeNeeded(Upgrade { name: "v2".to_owned(), height: Height(497) }));
        for (line, clue) in [
            (
                "\u{1b}[90m7:49AM\u{1b}[0m \u{1b}[31mERR\u{1b}[0m UPGRADE \"v2\" NEEDED at height: 497: INFO \u{1b}[36mmodule=\u{1b}[0mx/upgrade",
                upgrade.clone(),
            ),
            (
                r#"7:49AM ERR error in proxyAppConn.FinalizeBlock err="UPGRADE \"v2\" NEEDED at height: 497: INFO" module=state"#,
                upgrade.clone(),
            ),
            (
                r#"{"level":"error","module":"server","message":"CONSENSUS FAILURE!!!","err":"failed to apply block; error UPGRADE \"v2\" NEEDED at height: 497: INFO"}"#,
                upgrade,
            ),
            (
                r#"7:46AM ERR CONSENSUS FAILURE!!! err="failed to apply block; error halt per configuration height 429 time 0" module=consensus"#,
                Some(Clue::HaltHeight(Height(429))),
            ),
            (
                r#"ERR BINARY UPDATED BEFORE TRIGGER! UPGRADE "v2" - in binary but not executed on chain. Downgrade your binary"#,
                Some(Clue::WrongBinary),
            ),
            (
                "panic: wrong app version 0, upgrade handler is missing for v2 upgrade plan",
                Some(Clue::WrongBinary),
            ),
            ("ERR SignerListener: Blocking for connection module=privval", Some(Clue::SignerGone)),
            (
                "panic: error writing batch to DB: write /x/000013.log: no space left on device",
                Some(Clue::DiskFull),
            ),
            (
                "ERR Error in validation err=\"wrong Block.Header.AppHash.  Expected 00, got 01\"",
                Some(Clue::StateDiverged),
            ),
            ("INF Timed out dur=4998 height=497 module=consensus round=0 step=RoundStepNewHeight", None),
            ("UPGRADE \"v2\" NEEDED at height: ", None),
            ("halt per configuration height soon", None),
            ("", None),
        ] {
            assert_eq!(Clue::in_line(line), clue, "{line}");
        }
    }
}
