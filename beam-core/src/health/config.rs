//! When a node counts as ill, and how patient one is.

use std::time::Duration;

use crate::id::ChainId;

/// How a node's health is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    /// The chain that the node must be of.
    pub chain: ChainId,
    /// For how long a height may stand before somebody looks closer. A few blocks' time.
    pub still_after: Duration,
    /// How many heights the node may be behind the others before that is told.
    pub lag_blocks_max: u64,
    /// How many of our votes may be missing in a row before that is told.
    pub missed_in_a_row_max: u64,
    /// How often the node may be restarted within any `restart_window`; 0 leaves it to people.
    pub restarts_max: u32,
    /// See `restarts_max`.
    pub restart_window: Duration,
    /// How long a node that was just started is left alone: it opens its database, replays blocks, finds its peers.
    pub start_grace: Duration,
}

impl HealthConfig {
    /// Right for blocks of about 6 seconds.
    #[must_use]
    pub fn new(chain: ChainId) -> Self {
        Self {
            chain,
            still_after: Duration::from_secs(30),
            lag_blocks_max: 5,
            missed_in_a_row_max: 3,
            restarts_max: 3,
            restart_window: Duration::from_secs(60 * 60),
            start_grace: Duration::from_secs(120),
        }
    }
}

/// How many blocks others must be ahead, and rising, to say that the chain goes on without us. One is no evidence: they were asked
/// a moment later.
pub(super) const AHEAD_BLOCKS_MIN: u64 = 2;

/// How long the signer may be away before the node counts as frozen by it. Our own signer is back within a fraction of a second.
pub(super) const SIGNER_GONE_AFTER: Duration = Duration::from_secs(10);

/// A node whose signer is away is restarted after this many times `still_after`: its socket is lost, and it does not listen on a new
/// one.
pub(super) const SIGNER_LOST_PATIENCE: u32 = 2;

/// How many blocks a node may commit while our signer is away before it is clear that it does not need our signer.
pub(super) const BYPASS_BLOCKS: u64 = 3;

/// A node whose RPC is silent may be signing: a restart waits this many times `still_after`.
pub(super) const SILENT_PATIENCE: u32 = 4;

/// How long a node without peers is left to find some by itself: it dials the ones it knows every 5 s for some 3 minutes, and then
/// ever more seldom.
pub(super) const NO_PEERS_PATIENCE: Duration = Duration::from_secs(10 * 60);

/// How long a node may catch up without getting any further.
pub(super) const CATCHING_UP_STALLS_AFTER: Duration = Duration::from_secs(10 * 60);

/// The pause after a restart; it doubles with each further one in the window.
pub(super) const PAUSE_MIN: Duration = Duration::from_secs(2 * 60);

/// A node that was well for so long may be restarted again, even if the last restarts were used up and did not heal it.
pub(super) const CALM_AFTER: Duration = Duration::from_secs(10 * 60);

/// A restart that was asked for and not answered by then is given up. It counts all the same.
pub(super) const RESTARTED_WITHIN: Duration = Duration::from_secs(10 * 60);

/// Readings older than this tell nothing any more.
pub(super) const READINGS_STALE_AFTER: Duration = Duration::from_secs(60);
