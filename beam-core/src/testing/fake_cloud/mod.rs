//! A cloud in memory that behaves as AWS does, in virtual time.
//!
//! Emulators check what is on the wire; they finish at once, have no quotas, and take what AWS refuses. This one is for
//! decisions. It shows, each thing settable:
//!
//! | what AWS does | here |
//! |---|---|
//! | accepts at once, finishes later | [`FakeCloud::set_delays`], and a clock that only [`advance`](FakeCloud::advance) moves |
//! | five addresses an account, other quotas | [`FakeCloud::set_quotas`] |
//! | refuses: in use, not ready, not found, the same token with other arguments | as [`CloudProvider`] says |
//! | gives a moved address's machine back its former state, bills moves | [`FakeCloud::calls`] |
//! | sends the traffic later than it answers | [`FakeCloud::arrives_at`] |
//! | has late lists | [`FakeCloud::set_list_lag`] |
//! | throttles | [`FakeCloud::set_rate_limits`] |
//! | has no machines left in a zone | [`FakeCloud::set_zone_full`] |
//! | fills a volume long after it is available | [`FakeCloud::filled_mib`] |
//! | loses requests and answers | [`FakeCloud::script`], [`FakeCloud::set_odds`] |
//! | is used by people too | [`FakeCloud::end_by_hand`] and its like |
//!
//! It stands for cloud and implementation at once: a call here may be two there, a read and a write, and is counted so.
//! Nothing in it reads a clock or draws a random number, so a test repeats. All state is bounded, by quotas and names.

mod addresses;
mod agenda;
mod bucket;
mod fault;
mod instances;
mod outside;
mod provider;
mod settings;
mod snapshots;
mod views;
mod volumes;
mod world;

use std::sync::Mutex;
use std::time::Duration;

pub use fault::{CloudFault, CloudOdds};
pub use settings::{Delays, ListLag, Quotas, RateLimit};
pub use world::CloudCalls;
use world::World;

use super::{Dice, lock};
use crate::cloud_provider::{AddressId, CloudError, InstanceId, TemplateId, VolumeId, Zone};

/// Keeps the contract of [`CloudProvider`](crate::cloud_provider::CloudProvider), in any mood. See the head of this
/// module's file for what it shows, and [`settle`](Self::settle) for a test to which time does not matter.
#[derive(Debug, Default)]
pub struct FakeCloud {
    world: Mutex<World>,
}

impl FakeCloud {
    /// How long a caller waits for one call, in tokio's time.
    pub const CALL_MAX: Duration = Duration::from_secs(5);

    /// The zones that there are.
    pub const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];

    /// How fast a volume from a snapshot is filled without an asked rate, in MiB/s. AWS promises none.
    pub const LAZY_RATE_MIB_PER_S: u32 = 20;

    /// A cloud where nothing is but one template, for machines in the first zone with a data disk of 100 GiB.
    #[must_use]
    pub fn new() -> Self {
        let cloud = Self::default();
        cloud.add_template(&Zone::new("zone-a"), 100);
        cloud
    }

    /// The template that a new cloud has.
    #[must_use]
    pub fn template(&self) -> TemplateId {
        world::template_id(1)
    }

    /// Adds a template for machines in a zone, with a data disk of so many GiB.
    pub fn add_template(&self, zone: &Zone, data_gib: u32) -> TemplateId {
        lock(&self.world).add_template(zone, data_gib)
    }

    /// Sets how long the cloud takes, for what is accepted from now on.
    pub fn set_delays(&self, delays: Delays) {
        lock(&self.world).delays = delays;
    }

    /// Sets how many of each there may be. What is there stays.
    pub fn set_quotas(&self, quotas: Quotas) {
        lock(&self.world).quotas = quotas;
    }

    /// Sets how late lists are. Of what was before this call they show nothing older than now.
    pub fn set_list_lag(&self, lag: ListLag) {
        lock(&self.world).set_list_lag(lag);
    }

    /// Sets how many calls the cloud takes that read, and that write; `None` is no limit. The buckets are full.
    pub fn set_rate_limits(&self, reads: Option<RateLimit>, writes: Option<RateLimit>) {
        lock(&self.world).set_rate_limits(reads, writes);
    }

    /// Sets whether a zone has no machines left.
    pub fn set_zone_full(&self, zone: &Zone, full: bool) {
        let mut world = lock(&self.world);
        if full {
            world.full.insert(zone.clone());
        } else {
            world.full.remove(zone);
        }
    }

    /// Sets whether machines without a fixed address have a passing one, as in a subnet that gives them. They do not at
    /// first.
    pub fn set_passing_addresses(&self, given: bool) {
        lock(&self.world).gives_addresses = given;
    }

    /// What happens to the next calls, one after the other; `None` lets one through.
    pub fn script(&self, faults: impl IntoIterator<Item = Option<CloudFault>>) {
        lock(&self.world).faults.script.extend(faults);
    }

    /// Faults by chance, after the script. With calls in the same order, they are the same for a seed.
    pub fn set_odds(&self, seed: u64, odds: CloudOdds) {
        lock(&self.world).faults.chance = Some((Dice::new(seed), odds));
    }

    /// The cloud's clock: the time since it began, which is 1970 in what it lists.
    #[must_use]
    pub fn now(&self) -> Duration {
        lock(&self.world).clock
    }

    /// Lets the clock go on. What falls due happens, in its order.
    pub fn advance(&self, by: Duration) {
        let mut world = lock(&self.world);
        let to = world.clock.saturating_add(by);
        world.run_to(to);
    }

    /// When something happens next by itself, by the cloud's clock: a simulation may jump there.
    #[must_use]
    pub fn next_change(&self) -> Option<Duration> {
        lock(&self.world).agenda.next()
    }

    /// Lets the clock go on until everything accepted is finished and lists show it. Ended machines are still listed.
    pub fn settle(&self) {
        let mut world = lock(&self.world);
        // What happens may put down more; each thing has an end, so this has one.
        while let Some(at) = world.agenda.settled() {
            world.run_to(at);
        }
        let shown = world.clock.saturating_add(world.views.lag().max());
        world.run_to(shown);
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> CloudCalls {
        lock(&self.world).calls
    }

    /// Where traffic to an address arrives now. After a move or a detachment that is the former place for a while.
    #[must_use]
    pub fn arrives_at(&self, address: &AddressId) -> Option<InstanceId> {
        lock(&self.world).paths.get(address).cloned()
    }

    /// How many MiB of a volume can be read at full speed by now; `None` if there is no such volume.
    #[must_use]
    pub fn filled_mib(&self, volume: &VolumeId) -> Option<u64> {
        lock(&self.world).filled_mib(volume)
    }
}

fn not_found(what: &impl std::fmt::Display) -> CloudError {
    CloudError::NotFound(what.to_string())
}
