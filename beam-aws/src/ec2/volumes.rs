//! Disks: how EC2's answer becomes ours, what is sent to make one, and what attaching takes.

use std::time::SystemTime;

use aws_sdk_ec2::operation::copy_volumes::CopyVolumesInput;
use aws_sdk_ec2::operation::copy_volumes::builders::CopyVolumesInputBuilder;
use aws_sdk_ec2::operation::create_volume::CreateVolumeInput;
use aws_sdk_ec2::operation::create_volume::builders::CreateVolumeInputBuilder;
use aws_sdk_ec2::types::{
    Instance, ResourceType, Snapshot, Volume as Listed, VolumeAttachment, VolumeAttachmentState,
    VolumeState as State, VolumeType,
};
use beam_core::cloud_provider::{
    CloudError, InstanceId, InstanceState, SnapshotId, Volume, VolumeId, VolumeOrigin, VolumeRequest,
    VolumeState, Zone,
};

use super::tags::{self, Tags};
use super::{disks, instances, snapshots};

/// The kind of disk that is made from a snapshot, which does not say what it was taken of: the one that costs least, at 3,000 operations and
/// 125 MiB a second, whatever its size.
pub const KIND: &str = "gp3";

/// How fast EC2 fills a disk from a snapshot if it is paid to, in MiB/s (`VolumeInitializationRate`).
pub const RATE_MIB_PER_S: std::ops::RangeInclusive<u32> = 100..=300;

/// A disk of a list. `None` if the answer lacks what every disk has.
pub(super) fn of(listed: &Listed) -> Option<Volume> {
    Some(Volume {
        id: VolumeId::new(listed.volume_id()?),
        token: Tags::of(listed.tags()).token(),
        zone: Zone::new(listed.availability_zone()?),
        size_gib: listed.size()?.try_into().ok()?,
        state: state(listed)?,
        attached: attachment(listed).and_then(VolumeAttachment::instance_id).map(InstanceId::new),
        made_from: made_from(listed),
        created: SystemTime::try_from(*listed.create_time()?).ok()?,
    })
}

fn state(listed: &Listed) -> Option<VolumeState> {
    Some(match listed.state()? {
        State::Available => VolumeState::Available,
        State::InUse => VolumeState::InUse,
        State::Deleting | State::Deleted => VolumeState::Deleting,
        State::Error => VolumeState::Failed,
        // Also what EC2 has not had so far: it cannot be used yet.
        _ => VolumeState::Creating,
    })
}

/// The machine that has it, takes it or gives it back.
fn attachment(listed: &Listed) -> Option<&VolumeAttachment> {
    listed.attachments().iter().find(|of| of.state() != Some(&VolumeAttachmentState::Detached))
}

fn made_from(listed: &Listed) -> Option<VolumeOrigin> {
    let named = |id: Option<&str>| id.filter(|id| !id.is_empty()).map(str::to_owned);
    let copied = named(listed.source_volume_id()).map(|id| VolumeOrigin::Volume(VolumeId::new(id)));
    copied.or_else(|| named(listed.snapshot_id()).map(|id| VolumeOrigin::Snapshot(SnapshotId::new(id))))
}

/// The request for a disk filled from a snapshot, in a zone.
pub(super) fn from_snapshot(
    request: &VolumeRequest,
    snapshot: &Snapshot,
    zone: &Zone,
    rate: Option<u32>,
) -> Result<CreateVolumeInputBuilder, CloudError> {
    if let Some(rate) = rate.filter(|rate| !RATE_MIB_PER_S.contains(rate)) {
        let (from, to) = (RATE_MIB_PER_S.start(), RATE_MIB_PER_S.end());
        return Err(CloudError::Invalid(format!("a rate of {rate} MiB/s: EC2 has {from} to {to}")));
    }
    snapshots::usable(snapshot)?;
    Ok(CreateVolumeInput::builder()
        .client_token(request.token.as_str())
        .tag_specifications(tags_of(request)?.for_new(ResourceType::Volume))
        .set_snapshot_id(snapshot.snapshot_id().map(str::to_owned))
        .availability_zone(zone.as_str())
        .volume_type(VolumeType::from(KIND))
        .set_volume_initialization_rate(rate.and_then(|rate| rate.try_into().ok())))
}

/// The request for a copy of a disk, in its zone, of its kind and as fast: EC2 would make it another kind if it was not told.
pub(super) fn copy(request: &VolumeRequest, of: &Listed) -> Result<CopyVolumesInputBuilder, CloudError> {
    let id = of.volume_id().unwrap_or_default();
    if !matches!(state(of), Some(VolumeState::Available | VolumeState::InUse)) {
        return Err(CloudError::NotReady(format!("{id} still begins, or goes: it cannot be copied")));
    }
    // Only these kinds can be told how fast they are; EC2 lists a number for others too.
    let told = matches!(of.volume_type(), Some(VolumeType::Gp3 | VolumeType::Io1 | VolumeType::Io2));
    Ok(CopyVolumesInput::builder()
        .client_token(request.token.as_str())
        .tag_specifications(tags_of(request)?.for_new(ResourceType::Volume))
        .source_volume_id(id)
        .set_volume_type(of.volume_type().cloned())
        .set_iops(of.iops().filter(|_| told))
        .set_throughput(of.throughput().filter(|_| of.volume_type() == Some(&VolumeType::Gp3))))
}

fn tags_of(request: &VolumeRequest) -> Result<Tags, CloudError> {
    Ok(Tags::new(&request.fleet, &request.token)?.with(tags::NAME, request.fleet.as_str()))
}

/// What attaching takes: the device to attach at, or nothing if it is there.
pub(super) fn plan_attach(volume: &Listed, to: &Instance) -> Result<Option<String>, CloudError> {
    let (id, machine) = (volume.volume_id().unwrap_or_default(), to.instance_id().unwrap_or_default());
    ours(volume)?;
    if let Some(held) = attachment(volume).and_then(VolumeAttachment::instance_id) {
        if held == machine {
            return Ok(None);
        }
        return Err(CloudError::InUse(format!("{id} is attached to {held}: detach it there first")));
    }
    let zone = to.placement().and_then(|placement| placement.availability_zone());
    if zone != volume.availability_zone() {
        let (of, zone) = (volume.availability_zone().unwrap_or("?"), zone.unwrap_or("?"));
        return Err(CloudError::Invalid(format!("{id} is in {of}, {machine} in {zone}")));
    }
    if let Some(other) = instances::data_volume(to) {
        return Err(CloudError::InUse(format!("{machine} has another data disk, {other}")));
    }
    if state(volume) != Some(VolumeState::Available) {
        return Err(CloudError::NotReady(format!("{id} is not available")));
    }
    if !matches!(instances::state(to), Some(InstanceState::Running | InstanceState::Stopped)) {
        return Err(CloudError::NotReady(format!("{machine} neither runs nor is stopped")));
    }
    let tags = Tags::of(to.tags());
    Ok(Some(tags.get(tags::DATA_DEVICE).unwrap_or(disks::DEVICE).to_owned()))
}

/// The machine that it is taken from, if one has it.
pub(super) fn plan_detach(volume: &Listed) -> Result<Option<InstanceId>, CloudError> {
    ours(volume)?;
    // One that comes off already needs no second call.
    let held = attachment(volume).filter(|of| of.state() != Some(&VolumeAttachmentState::Detaching));
    Ok(held.and_then(VolumeAttachment::instance_id).map(InstanceId::new))
}

/// Whether a call is needed to delete it.
pub(super) fn plan_delete(volume: &Listed) -> Result<bool, CloudError> {
    ours(volume)?;
    if let Some(held) = attachment(volume).and_then(VolumeAttachment::instance_id) {
        let id = volume.volume_id().unwrap_or_default();
        return Err(CloudError::InUse(format!("{id} is attached to {held}: detach it there first")));
    }
    Ok(state(volume) != Some(VolumeState::Deleting))
}

fn ours(volume: &Listed) -> Result<(), CloudError> {
    if Tags::of(volume.tags()).ours() {
        return Ok(());
    }
    let id = volume.volume_id().unwrap_or_default();
    Err(CloudError::Protected(format!("{id} has no fleet in its tags: it may be nothing of Beam's")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::primitives::DateTime;
    use aws_sdk_ec2::types::builders::{InstanceBuilder, VolumeBuilder};
    use aws_sdk_ec2::types::{
        EbsInstanceBlockDevice, InstanceBlockDeviceMapping, InstanceState as MachineState, InstanceStateName,
        Placement, SnapshotState, Tag,
    };
    use beam_core::cloud_provider::{FleetTag, Token, VolumeSource};

    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag::builder().key(key).value(value).build()
    }

    fn volume(state: State) -> VolumeBuilder {
        Listed::builder()
            .volume_id("vol-1")
            .availability_zone("eu-central-1a")
            .size(500)
            .state(state)
            .create_time(DateTime::from_secs(7))
            .tags(tag(tags::FLEET, "hub"))
    }

    fn held_by(machine: &str, state: VolumeAttachmentState) -> Listed {
        volume(State::InUse)
            .attachments(VolumeAttachment::builder().instance_id(machine).state(state).build())
            .build()
    }

    fn machine(state: InstanceStateName) -> InstanceBuilder {
        Instance::builder()
            .instance_id("i-1")
            .state(MachineState::builder().name(state).build())
            .placement(Placement::builder().availability_zone("eu-central-1a").build())
            .root_device_name("/dev/xvda")
    }

    fn with_disk(machine: InstanceBuilder, device: &str) -> Instance {
        let ebs = EbsInstanceBlockDevice::builder().volume_id("vol-9").build();
        let disk = InstanceBlockDeviceMapping::builder().device_name(device).ebs(ebs).build();
        machine.block_device_mappings(disk).build()
    }

    fn snapshot(state: SnapshotState) -> Snapshot {
        Snapshot::builder().snapshot_id("snap-1").state(state).build()
    }

    fn request() -> VolumeRequest {
        VolumeRequest {
            token: Token::new("t-1"),
            fleet: FleetTag::new("hub"),
            source: VolumeSource::Volume(VolumeId::new("vol-1")),
        }
    }

    #[test]
    fn a_disk_is_what_its_answer_and_its_tags_say() {
        let listed = volume(State::Available).snapshot_id("snap-1").tags(tag(tags::TOKEN, "t-1")).build();
        let wanted = Volume {
            id: VolumeId::new("vol-1"),
            token: Some(Token::new("t-1")),
            zone: Zone::new("eu-central-1a"),
            size_gib: 500,
            state: VolumeState::Available,
            attached: None,
            made_from: Some(VolumeOrigin::Snapshot(SnapshotId::new("snap-1"))),
            created: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(7),
        };
        assert_eq!(of(&listed), Some(wanted));
        let empty = of(&volume(State::Creating).snapshot_id("").source_volume_id("").build()).unwrap();
        assert_eq!((empty.token, empty.made_from), (None, None));
        let copied = of(&volume(State::Creating).source_volume_id("vol-0").build()).unwrap();
        assert_eq!(copied.made_from, Some(VolumeOrigin::Volume(VolumeId::new("vol-0"))));
        assert_eq!(of(&Listed::builder().build()), None);
    }

    #[test]
    fn a_machine_holds_a_disk_until_it_has_given_it_back() {
        for (state, wanted) in [
            (VolumeAttachmentState::Attaching, Some("i-1")),
            (VolumeAttachmentState::Attached, Some("i-1")),
            (VolumeAttachmentState::Detaching, Some("i-1")),
            (VolumeAttachmentState::Busy, Some("i-1")),
            (VolumeAttachmentState::Detached, None),
        ] {
            assert_eq!(of(&held_by("i-1", state)).unwrap().attached, wanted.map(InstanceId::new));
        }
    }

    #[test]
    fn states_are_told_apart_by_what_can_be_done() {
        for (is, wanted) in [
            (State::Creating, VolumeState::Creating),
            (State::Available, VolumeState::Available),
            (State::InUse, VolumeState::InUse),
            (State::Deleting, VolumeState::Deleting),
            (State::Deleted, VolumeState::Deleting),
            (State::Error, VolumeState::Failed),
            (State::from("of next year"), VolumeState::Creating),
        ] {
            assert_eq!(state(&volume(is).build()), Some(wanted));
        }
    }

    #[test]
    fn a_disk_from_a_snapshot_is_made_once_where_it_shall_be_and_filled_as_fast_as_asked() {
        let full = snapshot(SnapshotState::Completed);
        let zone = Zone::new("eu-central-1b");
        let sent = from_snapshot(&request(), &full, &zone, Some(300)).unwrap().build().unwrap();
        assert_eq!((sent.client_token(), sent.snapshot_id()), (Some("t-1"), Some("snap-1")));
        assert_eq!(sent.availability_zone(), Some("eu-central-1b"));
        assert_eq!(
            (sent.volume_type(), sent.volume_initialization_rate()),
            (Some(&VolumeType::Gp3), Some(300))
        );
        let tags = Tags::of(sent.tag_specifications()[0].tags());
        assert!(tags.is(tags::FLEET, "hub") && tags.is(tags::TOKEN, "t-1"), "{tags:?}");
        let slow = from_snapshot(&request(), &full, &zone, None).unwrap().build().unwrap();
        assert_eq!(slow.volume_initialization_rate(), None, "what costs is not asked for unasked");
        for rate in [0, 99, 301, u32::MAX] {
            let error = from_snapshot(&request(), &full, &zone, Some(rate)).unwrap_err();
            assert!(matches!(&error, CloudError::Invalid(said) if said.contains("100 to 300")), "{error:?}");
        }
        let error = from_snapshot(&request(), &snapshot(SnapshotState::Pending), &zone, None).unwrap_err();
        assert!(matches!(error, CloudError::NotReady(_)), "{error:?}");
    }

    #[test]
    fn a_copy_is_made_once_and_is_of_the_same_kind() {
        let fast = volume(State::InUse).volume_type(VolumeType::Gp3).iops(8000).throughput(500).build();
        let sent = copy(&request(), &fast).unwrap().build().unwrap();
        assert_eq!((sent.client_token(), sent.source_volume_id()), (Some("t-1"), Some("vol-1")));
        assert_eq!(sent.volume_type(), Some(&VolumeType::Gp3));
        assert_eq!((sent.iops(), sent.throughput()), (Some(8000), Some(500)));
        let old = volume(State::Available).volume_type(VolumeType::Gp2).iops(1500).build();
        let sent = copy(&request(), &old).unwrap().build().unwrap();
        assert_eq!(
            (sent.volume_type(), sent.iops(), sent.throughput()),
            (Some(&VolumeType::Gp2), None, None)
        );
        for state in [State::Creating, State::Deleting, State::Error] {
            let error = copy(&request(), &volume(state).build()).unwrap_err();
            assert!(matches!(error, CloudError::NotReady(_)), "{error:?}");
        }
    }

    #[test]
    fn a_disk_is_attached_as_the_data_disk() {
        let run = || machine(InstanceStateName::Running);
        let free = volume(State::Available).build();
        assert_eq!(
            plan_attach(&free, &with_disk(run(), "/dev/xvda")).unwrap().as_deref(),
            Some(disks::DEVICE)
        );
        let tagged = run().tags(tag(tags::DATA_DEVICE, "/dev/sdh")).build();
        assert_eq!(plan_attach(&free, &tagged).unwrap().as_deref(), Some("/dev/sdh"));
        let stopped = machine(InstanceStateName::Stopped).build();
        assert_eq!(plan_attach(&free, &stopped).unwrap().as_deref(), Some(disks::DEVICE));
        assert_eq!(
            plan_attach(&held_by("i-1", VolumeAttachmentState::Attached), &run().build()).unwrap(),
            None
        );
    }

    #[test]
    fn a_disk_is_taken_from_nobody_and_put_nowhere_where_it_cannot_be() {
        let run = || machine(InstanceStateName::Running);
        let free = volume(State::Available).build();
        let error =
            plan_attach(&held_by("i-2", VolumeAttachmentState::Attached), &run().build()).unwrap_err();
        assert!(matches!(&error, CloudError::InUse(said) if said.contains("i-2")), "{error:?}");
        let error = plan_attach(&free, &with_disk(run(), "/dev/sdf")).unwrap_err();
        assert!(matches!(&error, CloudError::InUse(said) if said.contains("vol-9")), "{error:?}");
        let far = run().placement(Placement::builder().availability_zone("eu-central-1b").build()).build();
        assert!(matches!(plan_attach(&free, &far), Err(CloudError::Invalid(_))));
        for state in [State::Creating, State::Deleting, State::Error] {
            let error = plan_attach(&volume(state).build(), &run().build()).unwrap_err();
            assert!(matches!(error, CloudError::NotReady(_)), "{error:?}");
        }
        for state in
            [InstanceStateName::Pending, InstanceStateName::ShuttingDown, InstanceStateName::Terminated]
        {
            let error = plan_attach(&free, &machine(state).build()).unwrap_err();
            assert!(matches!(error, CloudError::NotReady(_)), "{error:?}");
        }
    }

    #[test]
    fn a_disk_is_detached_once_and_deleted_only_when_free() {
        assert_eq!(plan_detach(&volume(State::Available).build()).unwrap(), None);
        let held = held_by("i-1", VolumeAttachmentState::Attached);
        assert_eq!(plan_detach(&held).unwrap(), Some(InstanceId::new("i-1")));
        assert_eq!(plan_detach(&held_by("i-1", VolumeAttachmentState::Detaching)).unwrap(), None);
        assert!(matches!(plan_delete(&held), Err(CloudError::InUse(_))));
        assert!(plan_delete(&volume(State::Available).build()).unwrap());
        assert!(plan_delete(&volume(State::Error).build()).unwrap());
        assert!(!plan_delete(&volume(State::Deleting).build()).unwrap());
    }

    #[test]
    fn what_is_not_beams_is_left_alone() {
        let strange = volume(State::Available).set_tags(None).build();
        for error in [
            plan_attach(&strange, &machine(InstanceStateName::Running).build()).unwrap_err(),
            plan_detach(&strange).unwrap_err(),
            plan_delete(&strange).unwrap_err(),
        ] {
            assert!(matches!(&error, CloudError::Protected(said) if said.contains("vol-1")), "{error:?}");
        }
    }
}
