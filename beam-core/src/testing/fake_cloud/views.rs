//! What lists show: what is, or what was a while ago.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::settings::ListLag;
use crate::cloud_provider::{
    Address, AddressId, FleetTag, Instance, InstanceId, Snapshot, SnapshotId, Volume, VolumeId,
};
use crate::testing::Dice;

/// How many past states are kept. With more changes within the lag the oldest are dropped: lists are fresher then.
const VIEWS_MAX: usize = 256;

/// Everything that lists can show.
#[derive(Clone, Debug, Default)]
pub(super) struct Things {
    pub(super) instances: BTreeMap<InstanceId, Owned<Instance>>,
    pub(super) addresses: BTreeMap<AddressId, Owned<Address>>,
    pub(super) volumes: BTreeMap<VolumeId, Owned<Volume>>,
    pub(super) snapshots: BTreeMap<SnapshotId, Owned<Snapshot>>,
}

/// A thing, and whose it is.
#[derive(Clone, Debug)]
pub(super) struct Owned<T> {
    pub(super) fleet: FleetTag,
    pub(super) thing: T,
}

/// What one fleet has of one kind.
pub(super) fn listed<K, T: Clone>(things: &BTreeMap<K, Owned<T>>, fleet: &FleetTag) -> Vec<T> {
    things.values().filter(|owned| owned.fleet == *fleet).map(|owned| owned.thing.clone()).collect()
}

/// The past, as far back as lists may look.
#[derive(Debug, Default)]
pub(super) struct Views {
    lag: ListLag,
    dice: Option<Dice>,
    past: VecDeque<(Duration, Things)>,
}

impl Views {
    pub(super) fn set_lag(&mut self, lag: ListLag, now: Duration, things: &Things) {
        self.lag = lag;
        self.dice = match lag {
            ListLag::UpTo { seed, .. } => Some(Dice::new(seed)),
            ListLag::None | ListLag::Fixed(_) => None,
        };
        self.past.clear();
        self.keep(now, things);
    }

    pub(super) const fn lag(&self) -> ListLag {
        self.lag
    }

    /// Remembers what is now.
    pub(super) fn keep(&mut self, now: Duration, things: &Things) {
        if self.lag == ListLag::None {
            return;
        }
        self.past.push_back((now, things.clone()));
        let oldest = now.saturating_sub(self.lag.max());
        // The newest of those that are too old is still what a list looking that far back shows.
        while self.past.len() > VIEWS_MAX || self.past.get(1).is_some_and(|(at, _)| *at <= oldest) {
            self.past.pop_front();
        }
    }

    /// What a list shows now.
    pub(super) fn shown<'a>(&'a mut self, now: Duration, things: &'a Things) -> &'a Things {
        let lag = match self.lag {
            ListLag::None => return things,
            ListLag::Fixed(lag) => lag,
            ListLag::UpTo { max, .. } => {
                let millis = u64::try_from(max.as_millis()).unwrap_or(u64::MAX);
                let drawn = self.dice.as_mut().map_or(0, |dice| dice.below(millis.saturating_add(1)));
                Duration::from_millis(drawn)
            }
        };
        let seen = now.saturating_sub(lag);
        let newest = self.past.iter().rev().find(|(at, _)| *at <= seen).or_else(|| self.past.front());
        newest.map_or(things, |(_, then)| then)
    }
}
