//! What a running pilot knows of its machine, in one value: what `/status` answers, what `beam status` shows of a machine, what
//! metrics are made from. Made in one place, read everywhere.
//!
//! Times are milliseconds since 1970 by this machine's clock: for people, compared with nothing. What is not known is `None`.

#[cfg(test)]
pub(crate) mod samples;

use std::time::Duration;

use beam_core::signing::{Handover, Mark};
use serde::{Deserialize, Serialize};

use crate::clock::millis;
use crate::config::Role;

/// A report older than this comes from a pilot whose loops do not turn. Reports are made every second, and each look at the world
/// that one waits for ends within 5 s.
pub(crate) const AGE_MAX: Duration = Duration::from_secs(30);

/// The name of this form of the report.
pub(crate) const SCHEMA: &str = "beam.report/1";

/// How a machine does, in one word. The exit codes of `beam status` say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It does its work.
    Fine,
    /// It works, but somebody should look.
    #[default]
    Degraded,
    /// It does not work.
    Down,
}

/// Everything about one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) chain_id: String,
    /// The pilot's version.
    pub(crate) version: String,
    pub(crate) started_ms: u64,
    /// When this was put together. A report that does not grow younger comes from a pilot that hangs.
    pub(crate) updated_ms: u64,
    pub(crate) state: State,
    /// Why the state is what it is, a sentence each; empty if it is fine.
    pub(crate) reasons: Vec<String>,
    pub(crate) node: NodeReport,
    /// On validators.
    pub(crate) signer: Option<SignerReport>,
    /// On validators, once known: the chain's view of our votes.
    pub(crate) votes: Option<VotesReport>,
    /// Takeovers by this validator's machines are paused.
    pub(crate) pause: Option<PauseReport>,
    pub(crate) disk: Option<DiskReport>,
}

/// The node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NodeReport {
    /// Its process id, while it runs.
    pub(crate) pid: Option<u32>,
    /// How often this pilot has started it.
    pub(crate) starts: u64,
    /// Why it could not be started, if that is how it stands.
    pub(crate) trouble: Option<String>,
    /// The keys of its configuration that it takes in with its next start only.
    pub(crate) pending_restart: Vec<String>,
    /// The program's version, such as `v28.0.0`, and the name that it gives itself.
    pub(crate) version: Option<String>,
    pub(crate) height: Option<u64>,
    /// How far the others are that we can see: sentries, peers, the register.
    pub(crate) network_height: Option<u64>,
    /// `network_height - height`, not below 0.
    pub(crate) lag_blocks: Option<u64>,
    pub(crate) catching_up: Option<bool>,
    pub(crate) latest_block_ms: Option<u64>,
    pub(crate) peers_inbound: Option<u64>,
    pub(crate) peers_outbound: Option<u64>,
    /// What it suffers from, by the fixed name of a [`Condition`](beam_core::health::Condition); `None` if nothing.
    pub(crate) condition: Option<String>,
    /// The same in words, with what to do about it.
    pub(crate) condition_text: Option<String>,
    /// How often it was restarted to heal it, within the window that limits that.
    pub(crate) heals: u32,
    /// The upgrade that the chain has planned, if known.
    pub(crate) upgrade: Option<UpgradeReport>,
}

/// A planned upgrade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UpgradeReport {
    pub(crate) name: String,
    pub(crate) height: u64,
}

/// The signer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SignerReport {
    /// The validator's consensus address.
    pub(crate) validator: String,
    /// This start of this process.
    pub(crate) id: String,
    /// Whether it believes that it is the owner. The register alone knows.
    pub(crate) owns: bool,
    pub(crate) epoch: Option<u64>,
    /// The mark last seen in the register.
    pub(crate) mark: Option<Mark>,
    /// The last mark that this machine released a signature for.
    pub(crate) signed: Option<Mark>,
    /// Why it has stopped, if it has.
    pub(crate) halted: Option<String>,
    /// Whether the node is connected to it.
    pub(crate) connected: bool,
    /// Signatures released, and requests refused, since the pilot began.
    pub(crate) released: u64,
    pub(crate) refused: u64,
    /// Takeovers and switches seen since the pilot began.
    pub(crate) handovers: u64,
    pub(crate) last_handover: Option<Handover>,
    pub(crate) register: RegisterReport,
    /// How long this machine waits for the owner now.
    pub(crate) takeover_after_ms: Option<u64>,
}

/// How the register answers this machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RegisterReport {
    /// Operations that were answered, and that were not, since the pilot began.
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// Of the last operations.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// When it last answered.
    pub(crate) last_ok_ms: Option<u64>,
    /// When it last did not.
    pub(crate) last_failed_ms: Option<u64>,
}

/// What the chain shows of our votes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct VotesReport {
    /// The heights looked at since the pilot began: from the first to the last, all of them but those in `unknown`.
    pub(crate) from_height: u64,
    pub(crate) to_height: u64,
    /// Of those: without our vote (what counts against us), and with a vote for nil (which does not).
    pub(crate) missed: u64,
    pub(crate) nil: u64,
    /// Heights whose commit could not be had.
    pub(crate) unknown: u64,
    /// Of `missed`: while this machine's node or signer was at fault, and while many validators were absent.
    pub(crate) missed_own: u64,
    pub(crate) missed_network: u64,
    /// Of `missed`: our vote was seen on the network and not included by the next proposer.
    pub(crate) seen_not_included: u64,
    /// Missed among the last 100 heights.
    pub(crate) missed_last_100: u64,
    /// Missed in a row up to now.
    pub(crate) missed_in_a_row: u64,
    /// The chain's own window: its length, what it counts against us, and how many more we may miss before we are jailed.
    pub(crate) window: Option<u64>,
    pub(crate) missed_in_window: Option<u64>,
    pub(crate) left_to_jail: Option<u64>,
    pub(crate) jailed: Option<bool>,
    pub(crate) tombstoned: Option<bool>,
}

/// Takeovers are paused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PauseReport {
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) since_ms: u64,
    pub(crate) until_ms: u64,
}

/// The file system that holds the node's home.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DiskReport {
    pub(crate) free_bytes: u64,
    pub(crate) total_bytes: u64,
}

impl RegisterReport {
    /// Whether its last word was an answer; `None` before the first. No register is asked while the chain stands, so the age of an
    /// answer says nothing.
    pub(crate) fn answers(&self) -> Option<bool> {
        match (self.last_ok_ms, self.last_failed_ms) {
            (None, None) => None,
            (ok, failed) => Some(ok >= failed),
        }
    }
}

impl DiskReport {
    /// How much is free, in hundredths.
    pub(crate) fn free_percent(&self) -> Option<u64> {
        self.free_bytes.saturating_mul(100).checked_div(self.total_bytes)
    }
}

impl Report {
    /// Whether it is too old to be believed. Across machines this may be a clock that is off as well.
    pub(crate) fn is_old(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.updated_ms) > millis(AGE_MAX)
    }

    /// A report that knows nothing yet but who it is of.
    pub(crate) fn begin(name: &str, role: Role, chain_id: &str, now_ms: u64) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            name: name.to_owned(),
            role,
            chain_id: chain_id.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_ms: now_ms,
            updated_ms: now_ms,
            state: State::Degraded,
            reasons: vec!["the pilot has just started".to_owned()],
            node: NodeReport::default(),
            signer: None,
            votes: None,
            pause: None,
            disk: None,
        }
    }
}
