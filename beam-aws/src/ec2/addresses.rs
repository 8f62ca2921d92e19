//! Elastic IPs: how EC2's answer becomes ours, and what a move takes.
//!
//! EC2 moves an address that is attached elsewhere without a word, unless it is told not to, and may charge for a move that changes nothing.
//! So a move is decided on what was read: nothing, if the address is there; a refusal, if another machine has it; else the machine's
//! former address is detached first, and the call says that the address must not be taken from anybody (`AllowReassociation = false`).

use aws_sdk_ec2::types::{AccountAttribute, Address as Listed, Instance};
use beam_core::cloud_provider::{Address, AddressId, CloudError, InstanceId, InstanceState};

use super::instances;
use super::tags::Tags;

/// An address of a list. `None` if the answer lacks what every address has.
pub(super) fn of(listed: &Listed) -> Option<Address> {
    Some(Address {
        id: AddressId::new(listed.allocation_id()?),
        token: Tags::of(listed.tags()).token(),
        address: listed.public_ip()?.parse().ok()?,
        attached: instance(listed).map(InstanceId::new),
    })
}

/// Empty in place of absent is how some answers have it.
fn instance(listed: &Listed) -> Option<&str> {
    listed.instance_id().filter(|id| !id.is_empty())
}

fn association(listed: &Listed) -> Option<&str> {
    listed.association_id().filter(|id| !id.is_empty())
}

/// By which EC2 says how many addresses an account may have in a region.
pub(super) const MAX_ATTRIBUTE: &str = "vpc-max-elastic-ips";

/// How many those are, of an answer about the account.
pub(super) fn max(attributes: &[AccountAttribute]) -> Option<u32> {
    let named = |of: &&AccountAttribute| of.attribute_name() == Some(MAX_ATTRIBUTE);
    let values = attributes.iter().find(named)?.attribute_values();
    values.first()?.attribute_value()?.parse().ok()
}

/// How many more there may be, if there are so many.
pub(super) fn left(max: u32, there: usize) -> u32 {
    max.saturating_sub(u32::try_from(there).unwrap_or(u32::MAX))
}

/// What a move takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// It is there.
    Nothing,
    /// Detach the machine's former addresses, by these associations, then attach the new one.
    Go { former: Vec<String> },
}

/// Decides on a move from what was read. `held` are the addresses that the machine has.
pub(super) fn plan_move(address: &Listed, to: &InstanceId, held: &[Listed]) -> Result<Move, CloudError> {
    ours(address)?;
    if instance(address) == Some(to.as_str()) {
        return Ok(Move::Nothing);
    }
    free(address)?;
    let has = |held: &&Listed| instance(held) == Some(to.as_str());
    let former = held.iter().filter(has).filter_map(association).map(str::to_owned).collect();
    Ok(Move::Go { former })
}

/// Whether a machine can be given an address. One that begins cannot yet, one that ends no more.
pub(super) fn takes(to: &Instance) -> Result<(), CloudError> {
    match instances::state(to) {
        Some(InstanceState::Running | InstanceState::Stopped) => Ok(()),
        state => {
            let (id, state) = (to.instance_id().unwrap_or_default(), state.map_or("?", name));
            Err(CloudError::NotReady(format!("{id} is {state}: it cannot be given an address")))
        }
    }
}

fn name(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Pending => "pending",
        InstanceState::Running => "running",
        InstanceState::Stopped => "stopped",
        InstanceState::Ending => "ending",
        InstanceState::Terminated => "terminated",
    }
}

/// The association that ends, if it is attached.
pub(super) fn plan_detach(address: &Listed) -> Result<Option<String>, CloudError> {
    ours(address)?;
    Ok(association(address).map(str::to_owned))
}

/// Whether it may be given back for good.
pub(super) fn releasable(address: &Listed) -> Result<(), CloudError> {
    ours(address)?;
    free(address)
}

fn ours(address: &Listed) -> Result<(), CloudError> {
    if Tags::of(address.tags()).ours() {
        return Ok(());
    }
    Err(CloudError::Protected(format!(
        "{} has no fleet in its tags: it may be nothing of Beam's",
        address.allocation_id().unwrap_or_default()
    )))
}

fn free(address: &Listed) -> Result<(), CloudError> {
    let Some(association) = association(address) else { return Ok(()) };
    // A NAT gateway or a load balancer is no instance.
    let holder = instance(address).or(address.network_interface_id()).unwrap_or(association);
    let id = address.allocation_id().unwrap_or_default();
    Err(CloudError::InUse(format!("{id} is attached to {holder}: detach it there first")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::builders::AddressBuilder;
    use aws_sdk_ec2::types::{AccountAttributeValue, InstanceState as State, InstanceStateName, Tag};
    use beam_core::cloud_provider::Token;

    use super::super::tags;
    use super::*;

    fn address(id: &str) -> AddressBuilder {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        Listed::builder()
            .allocation_id(id)
            .public_ip("203.0.113.7")
            .tags(tag(tags::FLEET, "hub"))
            .tags(tag(tags::TOKEN, "t-1"))
    }

    fn at(id: &str, instance: &str) -> Listed {
        address(id).instance_id(instance).association_id(format!("assoc-{id}")).build()
    }

    fn to(instance: &str) -> InstanceId {
        InstanceId::new(instance)
    }

    #[test]
    fn an_address_is_what_its_answer_and_its_tags_say() {
        let wanted = |attached: Option<&str>| {
            Some(Address {
                id: AddressId::new("eipalloc-1"),
                token: Some(Token::new("t-1")),
                address: [203, 0, 113, 7].into(),
                attached: attached.map(InstanceId::new),
            })
        };
        assert_eq!(of(&at("eipalloc-1", "i-1")), wanted(Some("i-1")));
        assert_eq!(of(&address("eipalloc-1").build()), wanted(None));
        assert_eq!(of(&address("eipalloc-1").instance_id("").build()), wanted(None));
        assert_eq!(of(&Listed::builder().build()), None);
        assert_eq!(of(&address("eipalloc-1").public_ip("none").build()), None);
    }

    #[test]
    fn a_move_to_where_it_is_takes_nothing() {
        let there = at("eipalloc-1", "i-1");
        assert_eq!(plan_move(&there, &to("i-1"), &[there.clone()]).unwrap(), Move::Nothing);
    }

    #[test]
    fn an_address_is_never_taken_from_another_machine() {
        let error = plan_move(&at("eipalloc-1", "i-2"), &to("i-1"), &[]).unwrap_err();
        assert!(matches!(&error, CloudError::InUse(said) if said.contains("i-2")), "{error:?}");
        let nat = address("eipalloc-1").association_id("assoc").network_interface_id("eni-1").build();
        let error = plan_move(&nat, &to("i-1"), &[]).unwrap_err();
        assert!(matches!(&error, CloudError::InUse(said) if said.contains("eni-1")), "{error:?}");
    }

    #[test]
    fn the_machines_former_address_is_detached_and_nobody_elses() {
        let free = address("eipalloc-1").build();
        assert_eq!(plan_move(&free, &to("i-1"), &[]).unwrap(), Move::Go { former: vec![] });
        let held = [at("eipalloc-2", "i-1"), at("eipalloc-3", "i-3")];
        let wanted = Move::Go { former: vec!["assoc-eipalloc-2".to_owned()] };
        assert_eq!(plan_move(&free, &to("i-1"), &held).unwrap(), wanted);
    }

    #[test]
    fn a_machine_that_begins_or_ends_is_given_no_address() {
        for (name, takes_it) in [
            (InstanceStateName::Running, true),
            (InstanceStateName::Pending, false),
            (InstanceStateName::Stopped, true),
            (InstanceStateName::ShuttingDown, false),
            (InstanceStateName::Terminated, false),
        ] {
            let state = State::builder().name(name.clone()).build();
            let machine = Instance::builder().instance_id("i-1").state(state).build();
            match takes(&machine) {
                Ok(()) => assert!(takes_it, "{name}"),
                Err(error) => {
                    assert!(!takes_it && matches!(error, CloudError::NotReady(_)), "{name}: {error:?}")
                }
            }
        }
    }

    #[test]
    fn attached_it_is_not_released_and_detached_it_takes_nothing_to_detach() {
        let (free, held) = (address("eipalloc-1").build(), at("eipalloc-1", "i-1"));
        releasable(&free).unwrap();
        assert!(matches!(releasable(&held), Err(CloudError::InUse(_))));
        assert_eq!(plan_detach(&free).unwrap(), None);
        assert_eq!(plan_detach(&held).unwrap().as_deref(), Some("assoc-eipalloc-1"));
    }

    #[test]
    fn what_is_left_is_what_the_account_may_have_less_what_there_is() {
        let told = |name: &str, value: &str| {
            let value = AccountAttributeValue::builder().attribute_value(value).build();
            AccountAttribute::builder().attribute_name(name).attribute_values(value).build()
        };
        assert_eq!(max(&[told("max-elastic-ips", "9"), told(MAX_ATTRIBUTE, "5")]), Some(5));
        for silent in [vec![], vec![told("max-elastic-ips", "9")], vec![told(MAX_ATTRIBUTE, "many")]] {
            assert_eq!(max(&silent), None);
        }
        assert_eq!([left(5, 0), left(5, 3), left(5, 5), left(5, 9)], [5, 2, 0, 0]);
    }

    #[test]
    fn what_is_not_beams_is_left_alone() {
        let strange = Listed::builder().allocation_id("eipalloc-9").public_ip("203.0.113.9").build();
        for error in [
            plan_move(&strange, &to("i-1"), &[]).unwrap_err(),
            plan_detach(&strange).unwrap_err(),
            releasable(&strange).unwrap_err(),
        ] {
            assert!(
                matches!(&error, CloudError::Protected(said) if said.contains("eipalloc-9")),
                "{error:?}"
            );
        }
    }
}
