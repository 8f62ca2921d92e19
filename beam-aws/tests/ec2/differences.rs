//! What moto gets wrong of the contract, and why. Each must show, and as it says here: the suite sees to that.
//!
//! Other things it gets wrong do not show, because `Ec2Cloud` reads before it writes; then another test looks:
//!
//! | moto | what looks |
//! |---|---|
//! | makes a second machine or disk for the same client token | `a_launch_repeated_is_told_to_ec2_as_the_same`, `a_copy_is_told_to_ec2_with_its_token` |
//! | releases an attached address | the table of codes in `errors`, `attached_it_is_not_released_and_detached_it_takes_nothing_to_detach` |
//! | attaches a disk to two machines | the same table, `a_disk_is_taken_from_nobody_and_put_nowhere_where_it_cannot_be` |
//! | lets a machine go on showing an address that was taken from it | nothing: no address is ever taken from a machine without detaching it |
//! | ignores `DisableApiTermination` of a launch | `a_launch_repeated_is_told_to_ec2_as_the_same`, `a_validator_is_protected_twice` |
//! | ignores subnet and security groups of a template | nothing of ours: they are sent with the template's name, or not at all |
//! | finishes everything at once | the suite's clauses that it calls not staged; states are told apart in the unit tests |
//! | takes images, kinds of machine and zones that are not there | the table of codes in `errors` |

use beam_core::testing::cloud_contract::Difference;

const NO_QUOTA: &str =
    "moto has no quota; that EC2's `AddressLimitExceeded` is a quota is looked at in `answers`";
const NO_COPY: &str =
    "moto has no CopyVolumes; what is sent is looked at in `wire`, what comes back by nobody yet";

pub(crate) const MOTO: &[Difference] = &[
    Difference {
        clause: "the_address_of_a_machine_that_ends_stays_allocated",
        shows: "the address, allocated and free is not seen",
        reason: "moto leaves an address attached to a machine that has ended; AWS detaches it, and nothing of ours is in between",
    },
    Difference {
        clause: "a_direct_copy_is_in_the_same_zone_and_says_so",
        shows: "CopyVolumes in eu-central-1",
        reason: NO_COPY,
    },
    Difference {
        clause: "a_direct_copy_asked_for_twice_with_its_token_is_one",
        shows: "CopyVolumes in eu-central-1",
        reason: NO_COPY,
    },
    Difference {
        clause: "a_zone_that_the_cloud_does_not_have_is_invalid",
        shows: "gave Ok(VolumeId(",
        reason: "moto makes a disk in any zone; that EC2's `InvalidZone.NotFound` is an invalid request is in the table of codes",
    },
    Difference {
        clause: "the_quota_of_addresses_is_an_error_of_its_own",
        shows: "there is no quota",
        reason: NO_QUOTA,
    },
    Difference {
        clause: "a_released_address_makes_room_for_another",
        shows: "there is no quota",
        reason: NO_QUOTA,
    },
];
