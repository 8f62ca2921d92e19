//! Machines: how EC2's answer becomes ours, and which may be ended.

use std::net::IpAddr;
use std::time::SystemTime;

use aws_sdk_ec2::types::{Instance as Listed, InstanceStateName};
use beam_core::cloud_provider::{CloudError, Instance, InstanceId, InstanceState, Role, VolumeId, Zone};

use super::disks;
use super::tags::{self, Tags};

/// A machine of a list. `None` if the answer lacks what every machine has.
pub(super) fn of(listed: &Listed) -> Option<Instance> {
    let tags = Tags::of(listed.tags());
    Some(Instance {
        id: InstanceId::new(listed.instance_id()?),
        token: tags.token(),
        role: tags.role(),
        name: tags.get(tags::NAME).unwrap_or_default().to_owned(),
        state: state(listed)?,
        zone: Zone::new(listed.placement()?.availability_zone()?),
        private_address: address(listed.private_ip_address()),
        public_address: address(listed.public_ip_address()),
        data_volume: data_volume(listed),
        launched: SystemTime::try_from(*listed.launch_time()?).ok()?,
    })
}

/// How far it is.
pub(super) fn state(listed: &Listed) -> Option<InstanceState> {
    Some(match listed.state()?.name()? {
        InstanceStateName::Running => InstanceState::Running,
        InstanceStateName::Stopping | InstanceStateName::Stopped => InstanceState::Stopped,
        InstanceStateName::ShuttingDown => InstanceState::Ending,
        InstanceStateName::Terminated => InstanceState::Terminated,
        // Of a state that EC2 has not had so far we know that it is none of these: it may yet run.
        _ => InstanceState::Pending,
    })
}

fn address(text: Option<&str>) -> Option<IpAddr> {
    text?.parse().ok()
}

/// The disk that holds the chain's data.
pub(super) fn data_volume(listed: &Listed) -> Option<VolumeId> {
    let (mappings, tags) = (listed.block_device_mappings(), Tags::of(listed.tags()));
    let devices = mappings.iter().filter_map(|mapping| mapping.device_name());
    let device = disks::data(devices, listed.root_device_name(), tags.get(tags::DATA_DEVICE))?;
    let mapping = mappings.iter().find(|mapping| mapping.device_name() == Some(device))?;
    mapping.ebs()?.volume_id().map(VolumeId::new)
}

/// What ending it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It ends already, or has ended.
    Nothing,
    /// One call.
    Terminate,
}

/// Whether a machine may be ended. Only a sentry that says so: what has no role that we know may be a validator.
///
/// Of a machine that has ended EC2 forgets the tags after a while; to end it again changes nothing, whatever it was.
pub(super) fn end(listed: &Listed) -> Result<End, CloudError> {
    let (id, tags) = (listed.instance_id().unwrap_or_default(), Tags::of(listed.tags()));
    let protected = |why: &str| Err(CloudError::Protected(format!("{id} {why}")));
    match tags.role() {
        Some(Role::Validator) => protected("is a validator: a person ends it, by hand"),
        _ if matches!(state(listed), Some(InstanceState::Ending | InstanceState::Terminated)) => {
            Ok(End::Nothing)
        }
        None => protected("has no role in its tags: it may be a validator, or nothing of Beam's"),
        Some(Role::Sentry) if !tags.ours() => {
            protected("has no fleet in its tags: it may be nothing of Beam's")
        }
        Some(Role::Sentry) => Ok(End::Terminate),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::primitives::DateTime;
    use aws_sdk_ec2::types::builders::InstanceBuilder;
    use aws_sdk_ec2::types::{
        EbsInstanceBlockDevice, InstanceBlockDeviceMapping, InstanceState as State, Placement, Tag,
    };

    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag::builder().key(key).value(value).build()
    }

    fn in_state(name: InstanceStateName) -> InstanceBuilder {
        Listed::builder()
            .instance_id("i-1")
            .state(State::builder().name(name).build())
            .launch_time(DateTime::from_secs(7))
            .placement(Placement::builder().availability_zone("eu-central-1a").build())
    }

    fn disk(device: &str, volume: &str) -> InstanceBlockDeviceMapping {
        let ebs = EbsInstanceBlockDevice::builder().volume_id(volume).build();
        InstanceBlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
    }

    #[test]
    fn a_machine_is_what_its_answer_and_its_tags_say() {
        let listed = in_state(InstanceStateName::Running)
            .private_ip_address("10.0.0.5")
            .public_ip_address("203.0.113.7")
            .root_device_name("/dev/xvda")
            .block_device_mappings(disk("/dev/xvda", "vol-root"))
            .block_device_mappings(disk("/dev/sdf", "vol-data"))
            .tags(tag(tags::FLEET, "hub"))
            .tags(tag(tags::TOKEN, "t-1"))
            .tags(tag(tags::ROLE, "sentry"))
            .tags(tag(tags::NAME, "sentry-1"))
            .build();
        let wanted = Instance {
            id: InstanceId::new("i-1"),
            token: Some(beam_core::cloud_provider::Token::new("t-1")),
            role: Some(Role::Sentry),
            name: "sentry-1".to_owned(),
            state: InstanceState::Running,
            zone: Zone::new("eu-central-1a"),
            private_address: Some([10, 0, 0, 5].into()),
            public_address: Some([203, 0, 113, 7].into()),
            data_volume: Some(VolumeId::new("vol-data")),
            launched: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(7),
        };
        assert_eq!(of(&listed), Some(wanted));
    }

    #[test]
    fn a_persons_machine_has_what_it_has() {
        let bare = of(&in_state(InstanceStateName::Pending).private_ip_address("").build()).unwrap();
        assert_eq!((bare.token, bare.role, bare.name.as_str()), (None, None, ""));
        assert_eq!((bare.private_address, bare.public_address, bare.data_volume), (None, None, None));
        assert_eq!(of(&Listed::builder().build()), None);
    }

    #[test]
    fn states_are_told_apart_by_what_can_still_become_of_them() {
        for (name, wanted) in [
            (InstanceStateName::Pending, InstanceState::Pending),
            (InstanceStateName::Running, InstanceState::Running),
            (InstanceStateName::Stopping, InstanceState::Stopped),
            (InstanceStateName::Stopped, InstanceState::Stopped),
            (InstanceStateName::ShuttingDown, InstanceState::Ending),
            (InstanceStateName::Terminated, InstanceState::Terminated),
            (InstanceStateName::from("of next year"), InstanceState::Pending),
        ] {
            assert_eq!(state(&in_state(name).build()), Some(wanted));
        }
    }

    #[test]
    fn only_what_says_that_it_is_a_sentry_of_beams_is_ended() {
        let fleet = || tag(tags::FLEET, "hub");
        let end_of = |name: InstanceStateName, with: &[Tag]| {
            end(&in_state(name).set_tags(Some(with.to_vec())).build()).map_err(|error| match error {
                CloudError::Protected(why) => why,
                other => panic!("{other:?}"),
            })
        };
        let (sentry, validator) = (tag(tags::ROLE, "sentry"), tag(tags::ROLE, "validator"));
        let run = InstanceStateName::Running;
        assert_eq!(end_of(run.clone(), &[fleet(), sentry.clone()]), Ok(End::Terminate));
        assert!(end_of(run.clone(), &[fleet(), validator.clone()]).unwrap_err().contains("is a validator"));
        assert!(end_of(run.clone(), &[fleet()]).unwrap_err().contains("no role"));
        assert!(end_of(run.clone(), &[fleet(), tag(tags::ROLE, "archive")]).unwrap_err().contains("no role"));
        assert!(end_of(run, &[sentry.clone()]).unwrap_err().contains("no fleet"));
        for gone in [InstanceStateName::ShuttingDown, InstanceStateName::Terminated] {
            assert_eq!(end_of(gone.clone(), &[fleet(), sentry.clone()]), Ok(End::Nothing));
            assert_eq!(end_of(gone.clone(), &[]), Ok(End::Nothing));
            end_of(gone, &[fleet(), validator.clone()]).unwrap_err();
        }
        assert_eq!(end_of(InstanceStateName::Stopped, &[fleet(), sentry]), Ok(End::Terminate));
    }
}
