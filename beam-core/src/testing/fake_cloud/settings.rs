//! What a test may set of the cloud, apart from faults.

use std::time::Duration;

/// How long the cloud takes to finish what it accepted.
///
/// AWS promises none of these. The defaults are what is usually seen there, rounded; a decision that needs them to be
/// so is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// A machine from pending to running. That is long before its programs run.
    pub boot: Duration,
    /// A machine from ending to ended. Only then are its disks and its address free.
    pub end: Duration,
    /// How long an ended machine is still listed.
    pub remembered: Duration,
    /// A volume from creating to available, whatever it is made from: it fills later.
    pub volume: Duration,
    /// A volume from its machine to available.
    pub detach: Duration,
    /// A volume from deleting to gone.
    pub delete: Duration,
    /// A snapshot from pending to complete. On AWS it depends on how much was written since the one before.
    pub snapshot: Duration,
    /// From the answer to a moved address until its traffic follows.
    pub data_path: Duration,
}

impl Delays {
    /// Everything is finished before the next call, as emulators have it.
    pub const NONE: Self = Self {
        boot: Duration::ZERO,
        end: Duration::ZERO,
        remembered: Duration::from_secs(3600),
        volume: Duration::ZERO,
        detach: Duration::ZERO,
        delete: Duration::ZERO,
        snapshot: Duration::ZERO,
        data_path: Duration::ZERO,
    };
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            boot: Duration::from_secs(15),
            end: Duration::from_secs(40),
            remembered: Duration::from_secs(3600),
            volume: Duration::from_secs(5),
            detach: Duration::from_secs(5),
            delete: Duration::from_secs(5),
            snapshot: Duration::from_secs(180),
            data_path: Duration::from_secs(10),
        }
    }
}

/// How many of each the account may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Machines that have not ended. (AWS counts their processors.)
    pub instances: usize,
    /// Addresses, attached or not.
    pub addresses: usize,
    /// Volumes, also those of machines.
    pub volumes: usize,
    /// Snapshots, complete or not.
    pub snapshots: usize,
}

impl Default for Quotas {
    /// Five addresses, as a new account on AWS has; of the rest, more than a small fleet needs.
    fn default() -> Self {
        Self { instances: 50, addresses: 5, volumes: 500, snapshots: 500 }
    }
}

/// How late lists are. Only lists: a call that names a thing sees it as it is. The search for a token, where the cloud
/// keeps none, is a list too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListLag {
    /// A list shows what is.
    #[default]
    None,
    /// A list shows what was so long ago.
    Fixed(Duration),
    /// Each list shows what was at some moment not longer ago than `max`: a later list may know less than an earlier
    /// one, as when another server answers.
    UpTo {
        /// The longest lag.
        max: Duration,
        /// What the lags are drawn from.
        seed: u64,
    },
}

impl ListLag {
    /// The longest lag.
    #[must_use]
    pub const fn max(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Fixed(lag) | Self::UpTo { max: lag, .. } => lag,
        }
    }
}

/// How many calls the cloud takes: a bucket of tokens, one a call, that fills steadily.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls at once, after a pause.
    pub burst: u32,
    /// Calls a second, on average.
    pub per_second: u32,
}
