//! Clouds that break the contract, each in one way, and the clauses that notice.

use std::collections::BTreeSet;

use beam_core::testing::cloud_contract;

pub(crate) use crate::spoilt::broken;

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
    InventsAMachine,
    TakesAllTokensForOne,
    MisplacesDisks,
    HidesOrigins,
    ShowsValidatorsRunning,
    CallsTheMissingInvalid,
    CallsFullZonesQuotas,
    SwapsDisks,
    AttachesNothing,
    ComplainsOfHeldDisks,
    CallsDenialUnavailable,
}

/// Each, and a clause that must notice it.
const CAUGHT: [(Broken, &str); 40] = [
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
    (Broken::InventsAMachine, "an_unused_fleet_lists_nothing"),
    (Broken::TakesAllTokensForOne, "another_token_is_another_machine"),
    (Broken::MisplacesDisks, "a_machine_has_a_data_disk_in_its_zone"),
    (Broken::HidesOrigins, "a_direct_copy_is_in_the_same_zone_and_says_so"),
    (Broken::ShowsValidatorsRunning, "a_validator_that_a_person_ended_is_listed_as_ended"),
    (Broken::CallsTheMissingInvalid, "a_template_that_never_was_is_not_found"),
    (Broken::CallsFullZonesQuotas, "a_zone_without_room_is_no_capacity_and_makes_nothing"),
    (Broken::SwapsDisks, "a_machine_with_a_data_disk_takes_no_other"),
    (Broken::AttachesNothing, "a_volume_is_attached_as_the_data_disk"),
    (Broken::ComplainsOfHeldDisks, "attaching_a_volume_to_where_it_is_changes_nothing"),
    (Broken::CallsDenialUnavailable, "what_the_credentials_may_not_do_is_denied"),
    (Broken::CallsQuotasInvalid, "the_quota_of_machines_is_an_error_of_its_own"),
];

/// And each clause is broken by one of them: none is there for show.
#[tokio::test(start_paused = true)]
async fn a_broken_cloud_is_noticed_and_the_clause_named() {
    let mut red = BTreeSet::new();
    for (how, clause) in CAUGHT {
        let report = cloud_contract::survey(&broken(how), &[]).await;
        assert!(report.breaks(clause), "{how:?} is not noticed by {clause}:\n{report}");
        red.extend(report.breaches.iter().map(|breach| breach.statement));
    }
    let green: Vec<_> =
        cloud_contract::clauses().map(|clause| clause.name).filter(|name| !red.contains(name)).collect();
    assert!(green.is_empty(), "no broken cloud breaks {green:#?}");
}
