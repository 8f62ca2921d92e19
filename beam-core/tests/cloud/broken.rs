//! Clouds that break the contract, each in one way, and the clauses that notice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use beam_core::cloud_provider::{
    Address, AddressId, CloudError, CloudProvider, FleetTag, Instance, InstanceId, Launch, Role, Snapshot,
    SnapshotId, SnapshotRequest, Token, Volume, VolumeId, VolumeRequest, VolumeSource, Zone,
};
use beam_core::signing::Height;
use beam_core::testing::{FakeCloud, cloud_contract};

use crate::stage::Simulated;

/// Ways to break the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    ForgetsLaunchTokens,
    ForgetsAddressTokens,
    ForgetsVolumeTokens,
    ForgetsSnapshotTokens,
    TriesAgainWithANewToken,
    TerminatesValidators,
    LosesRoles,
    SaysEndedAndDoesNothing,
    StealsAddresses,
    ReleasesWhatIsAttached,
    ReleasesTheFormer,
    ReleasesOnDetach,
    BillsEveryMove,
    ListsOtherFleets,
    HidesErrorsInEmptyLists,
    CallsDoubtFailure,
    CallsThrottlingUnavailable,
    CallsQuotasInvalid,
    CallsTheUnreadyInvalid,
    ComplainsOfWhatIsDone,
    NeverGivesUp,
    StealsVolumes,
    DeletesAttachedVolumes,
    IgnoresZones,
    IgnoresRates,
    IgnoresSnapshots,
    RoundsHeights,
    CountsNoAddresses,
}

/// Each, and a clause that must notice it.
const CAUGHT: [(Broken, &str); 28] = [
    (Broken::ForgetsLaunchTokens, "a_launch_repeated_with_its_token_is_one_machine"),
    (Broken::ForgetsAddressTokens, "an_allocation_repeated_with_its_token_is_one_address"),
    (Broken::ForgetsVolumeTokens, "a_volume_asked_for_twice_with_its_token_is_one"),
    (Broken::ForgetsSnapshotTokens, "a_snapshot_asked_for_twice_with_its_token_is_one"),
    (Broken::TriesAgainWithANewToken, "a_lost_answer_to_a_launch_is_doubt_and_asked_again_is_one"),
    (Broken::TerminatesValidators, "a_validator_is_never_terminated"),
    (Broken::LosesRoles, "a_machine_carries_what_it_was_launched_with"),
    (Broken::SaysEndedAndDoesNothing, "a_machine_that_ends_is_listed_as_ended_or_not_at_all"),
    (Broken::StealsAddresses, "an_attached_address_is_not_taken_from_its_machine"),
    (Broken::ReleasesWhatIsAttached, "an_attached_address_is_not_released"),
    (Broken::ReleasesTheFormer, "a_machine_given_another_address_leaves_the_former_allocated"),
    (Broken::ReleasesOnDetach, "a_detached_address_stays_allocated"),
    (Broken::BillsEveryMove, "moving_an_address_to_where_it_is_costs_nothing"),
    (Broken::ListsOtherFleets, "a_list_holds_its_own_fleet_and_nothing_else"),
    (Broken::HidesErrorsInEmptyLists, "a_list_out_of_reach_is_no_empty_list"),
    (Broken::CallsDoubtFailure, "a_lost_request_is_doubt_and_asked_again_is_done"),
    (Broken::CallsThrottlingUnavailable, "a_throttled_call_says_so_and_changes_nothing"),
    (Broken::CallsQuotasInvalid, "the_quota_of_addresses_is_an_error_of_its_own"),
    (Broken::CallsTheUnreadyInvalid, "a_machine_that_only_begins_takes_no_address"),
    (Broken::ComplainsOfWhatIsDone, "detaching_an_address_twice_is_detaching_it_once"),
    (Broken::NeverGivesUp, "a_silent_cloud_is_doubt_within_some_seconds"),
    (Broken::StealsVolumes, "an_attached_volume_is_not_given_to_another_machine"),
    (Broken::DeletesAttachedVolumes, "an_attached_volume_is_not_deleted"),
    (Broken::IgnoresZones, "a_volume_is_made_in_another_zone"),
    (Broken::IgnoresRates, "a_rate_that_the_cloud_does_not_have_is_invalid"),
    (Broken::IgnoresSnapshots, "a_machine_from_a_snapshot_is_filled_from_it"),
    (Broken::RoundsHeights, "a_snapshot_says_what_it_holds"),
    (Broken::CountsNoAddresses, "how_many_addresses_are_left_counts_down"),
];

#[tokio::test(start_paused = true)]
async fn a_broken_cloud_is_noticed_and_the_clause_named() {
    for (how, clause) in CAUGHT {
        let report = cloud_contract::survey(&broken(how), &[]).await;
        assert!(report.breaks(clause), "{how:?} is not noticed by {clause}:\n{report}");
    }
}

/// A cloud that is broken so, and slow, so that all can be seen.
pub(crate) fn broken(how: Broken) -> Simulated {
    let stage = Simulated::slow();
    let inner = stage.simulated.clone();
    let asked = Arc::new(Spoilt { how, inner, made: AtomicU32::new(0), fleets: Mutex::default() });
    Simulated { asked, ..stage }
}

struct Spoilt {
    how: Broken,
    inner: Arc<FakeCloud>,
    made: AtomicU32,
    fleets: Mutex<BTreeSet<FleetTag>>,
}

impl Spoilt {
    fn is(&self, how: Broken) -> bool {
        self.how == how
    }

    /// The token, or another each time.
    fn token(&self, token: &Token, forgets: Broken) -> Token {
        if !self.is(forgets) {
            return token.clone();
        }
        Token::new(format!("{token}-{}", self.made.fetch_add(1, Ordering::Relaxed)))
    }

    /// Which fleets a list shows.
    fn fleets(&self, fleet: &FleetTag) -> Vec<FleetTag> {
        let mut fleets = self.fleets.lock().unwrap();
        fleets.insert(fleet.clone());
        if self.is(Broken::ListsOtherFleets) { fleets.iter().cloned().collect() } else { vec![fleet.clone()] }
    }

    fn answer<T>(&self, answer: Result<T, CloudError>) -> Result<T, CloudError> {
        answer.map_err(|error| match (self.how, error) {
            (Broken::CallsDoubtFailure, CloudError::OutcomeUnknown(cause)) => CloudError::Unavailable(cause),
            (Broken::CallsThrottlingUnavailable, CloudError::Throttled) => {
                CloudError::Unavailable("busy".into())
            }
            (Broken::CallsQuotasInvalid, CloudError::Quota(what))
            | (Broken::CallsTheUnreadyInvalid, CloudError::NotReady(what)) => CloudError::Invalid(what),
            (_, error) => error,
        })
    }

    fn list<T>(&self, list: Result<Vec<T>, CloudError>) -> Result<Vec<T>, CloudError> {
        if self.is(Broken::HidesErrorsInEmptyLists) {
            Ok(list.unwrap_or_default())
        } else {
            self.answer(list)
        }
    }

    async fn holder(&self, id: &AddressId) -> Option<InstanceId> {
        let fleets = self.fleets.lock().unwrap().clone();
        for fleet in fleets {
            let found = self.inner.addresses(&fleet).await.unwrap_or_default();
            if let Some(found) = found.into_iter().find(|found| found.id == *id) {
                return found.attached;
            }
        }
        None
    }
}

#[async_trait]
impl CloudProvider for Spoilt {
    async fn instances(&self, fleet: &FleetTag) -> Result<Vec<Instance>, CloudError> {
        let mut all = Vec::new();
        for fleet in self.fleets(fleet) {
            all.extend(self.list(self.inner.instances(&fleet).await)?);
        }
        if self.is(Broken::LosesRoles) {
            all.iter_mut().for_each(|found| found.role = Some(Role::Sentry));
        }
        Ok(all)
    }

    async fn launch(&self, launch: &Launch) -> Result<InstanceId, CloudError> {
        let mut launch = launch.clone();
        launch.token = self.token(&launch.token, Broken::ForgetsLaunchTokens);
        if self.is(Broken::IgnoresSnapshots) {
            launch.snapshot = None;
        }
        match self.inner.launch(&launch).await {
            Err(CloudError::OutcomeUnknown(_)) if self.is(Broken::TriesAgainWithANewToken) => {
                launch.token = Token::new(format!("{}-again", launch.token));
                let _ = self.inner.launch(&launch).await;
                Err(CloudError::OutcomeUnknown("tried again".into()))
            }
            Err(CloudError::OutcomeUnknown(cause)) if self.is(Broken::NeverGivesUp) => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                Err(CloudError::OutcomeUnknown(cause))
            }
            answer => self.answer(answer),
        }
    }

    async fn terminate(&self, instance: &InstanceId) -> Result<(), CloudError> {
        if self.is(Broken::SaysEndedAndDoesNothing) {
            return Ok(());
        }
        match self.inner.terminate(instance).await {
            Err(CloudError::Protected(_)) if self.is(Broken::TerminatesValidators) => {
                self.inner.end_by_hand(instance)
            }
            answer => self.answer(answer),
        }
    }

    async fn addresses(&self, fleet: &FleetTag) -> Result<Vec<Address>, CloudError> {
        let mut all = Vec::new();
        for fleet in self.fleets(fleet) {
            all.extend(self.list(self.inner.addresses(&fleet).await)?);
        }
        Ok(all)
    }

    async fn addresses_left(&self) -> Result<Option<u32>, CloudError> {
        if self.is(Broken::CountsNoAddresses) {
            return Ok(Some(5));
        }
        self.answer(self.inner.addresses_left().await)
    }

    async fn allocate_address(&self, fleet: &FleetTag, token: &Token) -> Result<AddressId, CloudError> {
        let token = self.token(token, Broken::ForgetsAddressTokens);
        self.answer(self.inner.allocate_address(fleet, &token).await)
    }

    async fn move_address(&self, address: &AddressId, to: &InstanceId) -> Result<(), CloudError> {
        let steals =
            self.is(Broken::StealsAddresses) && self.holder(address).await.is_some_and(|now| now != *to);
        if steals || self.is(Broken::BillsEveryMove) {
            self.inner.detach_address(address).await?;
        }
        let mut former = None;
        if self.is(Broken::ReleasesTheFormer) {
            let fleets = self.fleets.lock().unwrap().clone();
            for fleet in fleets {
                let found = self.inner.addresses(&fleet).await.unwrap_or_default();
                former = former.or(found.into_iter().find(|found| found.attached.as_ref() == Some(to)));
            }
        }
        let answer = self.answer(self.inner.move_address(address, to).await);
        if let Some(former) = former
            && former.id != *address
        {
            let _ = self.inner.release_address(&former.id).await;
        }
        answer
    }

    async fn detach_address(&self, address: &AddressId) -> Result<(), CloudError> {
        if self.is(Broken::ComplainsOfWhatIsDone) && self.holder(address).await.is_none() {
            return Err(CloudError::Invalid("not attached".to_owned()));
        }
        let answer = self.answer(self.inner.detach_address(address).await);
        if self.is(Broken::ReleasesOnDetach) {
            self.inner.release_address(address).await?;
        }
        answer
    }

    async fn release_address(&self, address: &AddressId) -> Result<(), CloudError> {
        if self.is(Broken::ReleasesWhatIsAttached) {
            self.inner.detach_address(address).await?;
        }
        self.answer(self.inner.release_address(address).await)
    }

    async fn volumes(&self, fleet: &FleetTag) -> Result<Vec<Volume>, CloudError> {
        let mut all = Vec::new();
        for fleet in self.fleets(fleet) {
            all.extend(self.list(self.inner.volumes(&fleet).await)?);
        }
        Ok(all)
    }

    async fn create_volume(&self, request: &VolumeRequest) -> Result<VolumeId, CloudError> {
        let mut request = request.clone();
        request.token = self.token(&request.token, Broken::ForgetsVolumeTokens);
        if let VolumeSource::Snapshot { zone, rate_mib_per_s, .. } = &mut request.source {
            if self.is(Broken::IgnoresZones) {
                *zone = Zone::new(FakeCloud::ZONES[0]);
            }
            if self.is(Broken::IgnoresRates) {
                *rate_mib_per_s = None;
            }
        }
        self.answer(self.inner.create_volume(&request).await)
    }

    async fn attach_volume(&self, volume: &VolumeId, to: &InstanceId) -> Result<(), CloudError> {
        match self.inner.attach_volume(volume, to).await {
            Err(CloudError::InUse(_)) if self.is(Broken::StealsVolumes) => {
                self.inner.detach_volume(volume).await?;
                self.inner.settle();
                self.inner.attach_volume(volume, to).await
            }
            answer => self.answer(answer),
        }
    }

    async fn detach_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        self.answer(self.inner.detach_volume(volume).await)
    }

    async fn delete_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        match self.inner.delete_volume(volume).await {
            Err(CloudError::InUse(_)) if self.is(Broken::DeletesAttachedVolumes) => {
                self.inner.detach_volume(volume).await?;
                self.inner.settle();
                self.inner.delete_volume(volume).await
            }
            answer => self.answer(answer),
        }
    }

    async fn snapshots(&self, fleet: &FleetTag) -> Result<Vec<Snapshot>, CloudError> {
        let mut all = Vec::new();
        for fleet in self.fleets(fleet) {
            all.extend(self.list(self.inner.snapshots(&fleet).await)?);
        }
        Ok(all)
    }

    async fn take_snapshot(&self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError> {
        let mut request = request.clone();
        request.token = self.token(&request.token, Broken::ForgetsSnapshotTokens);
        if self.is(Broken::RoundsHeights) {
            request.height = Height(request.height.0 / 10 * 10);
        }
        self.answer(self.inner.take_snapshot(&request).await)
    }

    async fn delete_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CloudError> {
        self.answer(self.inner.delete_snapshot(snapshot).await)
    }
}
