//! How many addresses a fleet holds ready, so that an attacked sentry can have another at once.
//!
//! * **Spare** is an address that is attached to nothing and not in quarantine. There shall be
//!   [`SpareConfig::spare`] of them: each costs money while it waits (on AWS about 3.65 USD a month).
//! * **Quarantine**: an address that was attacked is detached and stays ours until the attack is over; released, it
//!   would be somebody else's with the attack. It is neither spare nor released before its time.
//! * **Quota**: no more is asked for than the account may have. What is missing then is said, for a person to see to:
//!   another quota, or fewer addresses elsewhere.
//! * **No churn**: it never allocates and releases at once, and a plan carried out leaves nothing to do. What goes is
//!   what was attacked before: peers have it in their address books, and so has the attacker.
//! * **An address of a person** (without a token) is neither counted nor touched.
//!
//! A late list may show an address as free that was attached a moment ago: the cloud refuses to release it. It may lack
//! one that was just allocated: say how many are [`coming`](spare_plan), or there will be too many for a while.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::cloud_provider::{Address, AddressId};

/// How many addresses are held ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpareConfig {
    /// Addresses that are attached to nothing and can be given to a machine at once.
    pub spare: u32,
}

impl Default for SpareConfig {
    /// Two: one is taken by an attack, and the attacker may find it before there is another.
    fn default() -> Self {
        Self { spare: 2 }
    }
}

/// What is to be done. Never both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparePlan {
    /// How many addresses to allocate.
    pub allocate: u32,
    /// Which to release.
    pub release: Vec<AddressId>,
    /// How many are missing and cannot be had within the quota.
    pub short: u32,
}

/// What is to be done with a fleet's addresses, as they are listed.
///
/// * `quarantine`: until when an attacked address is kept, by the clock of `now`. Entries stay after their time, and mark
///   what was attacked; for addresses that are not listed they mean nothing.
/// * `coming`: how many were allocated and are not listed yet.
/// * `left`: how many more the account may have, if the cloud tells; else the plan asks for all that are missing, and the
///   cloud's [`Quota`](crate::cloud_provider::CloudError::Quota) says the rest.
#[must_use]
pub fn spare_plan(
    addresses: &[Address],
    quarantine: &BTreeMap<AddressId, SystemTime>,
    coming: u32,
    left: Option<u32>,
    now: SystemTime,
    config: &SpareConfig,
) -> SparePlan {
    let is_spare = |address: &&Address| {
        address.token.is_some()
            && address.attached.is_none()
            && quarantine.get(&address.id).is_none_or(|until| *until <= now)
    };
    let mut spare: Vec<&AddressId> = addresses.iter().filter(is_spare).map(|address| &address.id).collect();
    let listed = u32::try_from(spare.len()).unwrap_or(u32::MAX);
    let missing = config.spare.saturating_sub(listed.saturating_add(coming));
    let allocate = missing.min(left.unwrap_or(u32::MAX));
    // Only what is listed is released for being too many: what is coming is counted when it is here.
    let surplus = listed.saturating_sub(config.spare);
    spare.sort_by_key(|id| (!quarantine.contains_key(*id), *id));
    let release = spare.into_iter().take(usize::try_from(surplus).unwrap_or(usize::MAX)).cloned().collect();
    SparePlan { allocate, release, short: missing.saturating_sub(allocate) }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::cloud_provider::{InstanceId, Token};

    fn address(number: u8, attached: bool, ours: bool) -> Address {
        Address {
            id: AddressId::new(format!("address-{number:02}")),
            token: ours.then(|| Token::new(format!("token-{number}"))),
            address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, number)),
            attached: attached.then(|| InstanceId::new("machine")),
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    const NOW: u64 = 1000;

    fn plan(
        addresses: &[Address],
        quarantine: &BTreeMap<AddressId, SystemTime>,
        left: Option<u32>,
    ) -> SparePlan {
        spare_plan(addresses, quarantine, 0, left, at(NOW), &SpareConfig::default())
    }

    #[test]
    fn what_is_missing_is_allocated_within_the_quota_and_the_rest_is_said() {
        let quarantine = BTreeMap::new();
        assert_eq!(plan(&[], &quarantine, None), SparePlan { allocate: 2, ..SparePlan::default() });
        let one = [address(1, false, true), address(2, true, true), address(3, false, false)];
        assert_eq!(plan(&one, &quarantine, Some(5)), SparePlan { allocate: 1, ..SparePlan::default() });
        assert_eq!(plan(&one, &quarantine, Some(0)), SparePlan { short: 1, ..SparePlan::default() });
        let coming = spare_plan(&one, &quarantine, 1, Some(5), at(NOW), &SpareConfig::default());
        assert_eq!(coming, SparePlan::default());
    }

    #[test]
    fn an_attacked_address_is_kept_for_its_time_and_goes_first_after_it() {
        let three = [address(1, false, true), address(2, false, true), address(3, false, true)];
        let attacked = |until| BTreeMap::from([(three[2].id.clone(), at(until))]);
        assert_eq!(plan(&three, &attacked(NOW + 1), None), SparePlan::default());
        assert_eq!(plan(&three, &attacked(NOW), None).release, [three[2].id.clone()]);
        assert_eq!(plan(&three, &BTreeMap::new(), None).release, [three[0].id.clone()]);
    }

    prop_compose! {
        fn any_fleet()(parts in proptest::collection::vec((any::<bool>(), any::<bool>(), proptest::option::of(NOW - 5..NOW + 5)), 0..12))
            -> (Vec<Address>, BTreeMap<AddressId, SystemTime>)
        {
            let (mut addresses, mut quarantine) = (Vec::new(), BTreeMap::new());
            for (number, (attached, ours, until)) in (0_u8..).zip(parts) {
                let address = address(number, attached, ours);
                if let Some(until) = until {
                    quarantine.insert(address.id.clone(), at(until));
                }
                addresses.push(address);
            }
            (addresses, quarantine)
        }
    }

    proptest! {
        #[test]
        fn never_what_is_attached_or_in_quarantine_or_a_persons((addresses, quarantine) in any_fleet(), spare in 0..5_u32) {
            let plan = spare_plan(&addresses, &quarantine, 0, None, at(NOW), &SpareConfig { spare });
            for id in &plan.release {
                let found = addresses.iter().find(|address| address.id == *id).unwrap();
                prop_assert!(found.attached.is_none() && found.token.is_some());
                prop_assert!(quarantine.get(id).is_none_or(|until| *until <= at(NOW)));
            }
        }

        #[test]
        fn never_more_than_the_quota_and_never_both(
            (addresses, quarantine) in any_fleet(), spare in 0..5_u32, coming in 0..3_u32, left in 0..5_u32,
        ) {
            let config = SpareConfig { spare };
            let plan = spare_plan(&addresses, &quarantine, coming, Some(left), at(NOW), &config);
            prop_assert!(plan.allocate <= left);
            prop_assert!(plan.short == 0 || plan.allocate == left);
            prop_assert!(plan.release.is_empty() || plan.allocate + plan.short == 0);
        }

        #[test]
        fn always_nothing_left_to_do_after_it_is_done((addresses, quarantine) in any_fleet(), spare in 0..5_u32, left in 0..5_u32) {
            let config = SpareConfig { spare };
            let first = spare_plan(&addresses, &quarantine, 0, Some(left), at(NOW), &config);
            let mut then: Vec<_> =
                addresses.into_iter().filter(|address| !first.release.contains(&address.id)).collect();
            then.extend((100_u8..).take(first.allocate as usize).map(|number| address(number, false, true)));
            let still = spare_plan(&then, &quarantine, 0, Some(left - first.allocate), at(NOW), &config);
            prop_assert_eq!(still, SparePlan { short: first.short, ..SparePlan::default() });
        }

        #[test]
        fn never_one_released_for_one_that_is_coming((addresses, quarantine) in any_fleet(), coming in 0..4_u32) {
            let config = SpareConfig::default();
            let without = spare_plan(&addresses, &quarantine, 0, None, at(NOW), &config);
            let with = spare_plan(&addresses, &quarantine, coming, None, at(NOW), &config);
            prop_assert_eq!(with.release, without.release);
            prop_assert!(with.allocate <= without.allocate);
        }
    }
}
