//! What is sent to launch a machine.
//!
//! A template says what a machine is; a launch adds what Beam must be sure of, and sends it whole, whatever the template has:
//!
//! * **The token** twice: as the client token, by which EC2 itself makes no second machine, and as a tag, by which it is found.
//! * **Tags** of fleet, role and name, on the machine and on its disks. The token is the machine's alone.
//! * **IMDSv2 only.** What runs on a machine and can be talked into fetching a URL must not get at the machine's role.
//! * **Disks.** All of the template's are sent again, since EC2 does not promise whether it joins or replaces them. The data disk is
//!   filled from the snapshot, and has room for it. A sentry's disks go with the machine; a validator's stay as the template says.
//! * **A validator cannot be ended** by a call, not even by somebody who has the right to: whoever means it takes the protection away first.

use std::fmt;

use aws_sdk_ec2::operation::run_instances::RunInstancesInput;
use aws_sdk_ec2::operation::run_instances::builders::RunInstancesInputBuilder;
use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, HttpTokensState, InstanceMetadataEndpointState,
    InstanceMetadataOptionsRequest, InstanceMetadataTagsState, LaunchTemplateBlockDeviceMapping,
    LaunchTemplateEbsBlockDevice, LaunchTemplateInstanceMetadataOptions, LaunchTemplateSpecification,
    ResourceType, ResponseLaunchTemplateData, Snapshot as Listed,
};
use beam_core::cloud_provider::{CloudError, Launch, Role, TemplateId};

use super::tags::{self, Tags};
use super::{disks, snapshots};

/// A template by its id or its name, and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    id: Option<String>,
    name: Option<String>,
    pub(super) version: String,
}

impl Template {
    /// Takes `lt-0123456789abcdef0:7`, or `name:7`. EC2's words for a version, `$Default` and `$Latest`, are taken too.
    pub(super) fn of(id: &TemplateId) -> Result<Self, CloudError> {
        let invalid = || {
            let shown: String = id.as_str().chars().take(80).collect();
            CloudError::Invalid(format!(
                "template {shown:?}: its id or its name, a colon, and its version, such as \"lt-0123456789abcdef0:7\""
            ))
        };
        let (named, version) = id.as_str().rsplit_once(':').ok_or_else(invalid)?;
        let number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        if named.is_empty() || !(number || ["$Default", "$Latest"].contains(&version)) {
            return Err(invalid());
        }
        let is_id = named.starts_with("lt-");
        let named = Some(named.to_owned());
        let (id, name) = if is_id { (named, None) } else { (None, named) };
        Ok(Self { id, name, version: version.to_owned() })
    }

    pub(super) fn id(&self) -> Option<String> {
        self.id.clone()
    }

    pub(super) fn name(&self) -> Option<String> {
        self.name.clone()
    }

    fn specification(&self) -> LaunchTemplateSpecification {
        LaunchTemplateSpecification::builder()
            .set_launch_template_id(self.id.clone())
            .set_launch_template_name(self.name.clone())
            .version(&self.version)
            .build()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.id.as_ref().or(self.name.as_ref()).map_or("", String::as_str);
        write!(f, "{named}:{}", self.version)
    }
}

/// The request for one machine.
pub(super) fn run(
    launch: &Launch,
    template: &Template,
    data: &ResponseLaunchTemplateData,
    snapshot: Option<&Listed>,
) -> Result<RunInstancesInputBuilder, CloudError> {
    if launch.name.chars().count() > tags::VALUE_CHARS_MAX {
        return Err(CloudError::Invalid(format!("a name has at most {} characters", tags::VALUE_CHARS_MAX)));
    }
    let tags = |tags: Tags| tags.with(tags::ROLE, tags::role(launch.role)).with(tags::NAME, &launch.name);
    let of_machine = tags(Tags::new(&launch.fleet, &launch.token)?);
    let of_disks = tags(Tags::of_fleet(&launch.fleet)?);
    let devices = data.block_device_mappings().iter().filter_map(|mapping| mapping.device_name());
    let device = disks::data(devices, None, None);
    let fill = match (snapshot, device) {
        (None, _) => None,
        (Some(snapshot), Some(device)) => Some(Fill { device, snapshot }),
        (Some(_), None) => {
            return Err(CloudError::Invalid(format!(
                "template {template} has no data disk to fill: one disk beside the root, or one at {}",
                disks::DEVICE
            )));
        }
    };
    let mapping = |mapping| disk(mapping, fill.as_ref(), launch.role);
    let mappings: Vec<_> = data.block_device_mappings().iter().map(mapping).collect::<Result<_, _>>()?;
    let of_machine = match device {
        Some(device) => of_machine.with(tags::DATA_DEVICE, device),
        None => of_machine,
    };
    Ok(RunInstancesInput::builder()
        .launch_template(template.specification())
        .min_count(1)
        .max_count(1)
        .client_token(launch.token.as_str())
        .tag_specifications(of_machine.for_new(ResourceType::Instance))
        .tag_specifications(of_disks.for_new(ResourceType::Volume))
        .metadata_options(metadata(data.metadata_options()))
        .set_disable_api_termination((launch.role == Role::Validator).then_some(true))
        .set_block_device_mappings((!mappings.is_empty()).then_some(mappings)))
}

/// What a data disk is filled with.
struct Fill<'a> {
    device: &'a str,
    snapshot: &'a Listed,
}

fn disk(
    of: &LaunchTemplateBlockDeviceMapping,
    fill: Option<&Fill<'_>>,
    role: Role,
) -> Result<BlockDeviceMapping, CloudError> {
    let fill = fill.filter(|fill| of.device_name() == Some(fill.device)).map(|fill| fill.snapshot);
    let ebs = match (of.ebs(), fill) {
        (Some(ebs), fill) => Some(ebs_disk(ebs, fill, role)?),
        (None, Some(fill)) => {
            Some(ebs_disk(&LaunchTemplateEbsBlockDevice::builder().build(), Some(fill), role)?)
        }
        (None, None) => None,
    };
    Ok(BlockDeviceMapping::builder()
        .set_device_name(of.device_name().map(str::to_owned))
        .set_virtual_name(of.virtual_name().map(str::to_owned))
        .set_no_device(of.no_device().map(str::to_owned))
        .set_ebs(ebs)
        .build())
}

fn ebs_disk(
    of: &LaunchTemplateEbsBlockDevice,
    fill: Option<&Listed>,
    role: Role,
) -> Result<EbsBlockDevice, CloudError> {
    if let Some(fill) = fill {
        snapshots::usable(fill)?;
    }
    let snapshot = fill.map_or(of.snapshot_id(), Listed::snapshot_id);
    // Smaller than the snapshot is a mistake that EC2 refuses; without a size of its own a disk is as large as the snapshot.
    let size =
        of.volume_size().map(|size| fill.and_then(Listed::volume_size).map_or(size, |full| size.max(full)));
    // One cannot take an encrypted snapshot's encryption away, and need not say so.
    let encrypted = of.encrypted().filter(|encrypted| *encrypted || fill.is_none());
    let goes_too = if role == Role::Sentry { Some(true) } else { of.delete_on_termination() };
    Ok(EbsBlockDevice::builder()
        .set_snapshot_id(snapshot.map(str::to_owned))
        .set_volume_size(size)
        .set_encrypted(encrypted)
        .set_delete_on_termination(goes_too)
        .set_iops(of.iops())
        .set_kms_key_id(of.kms_key_id().map(str::to_owned))
        .set_volume_type(of.volume_type().cloned())
        .set_throughput(of.throughput())
        // Of an empty disk there is nothing to initialise, and EC2 refuses to.
        .set_volume_initialization_rate(of.volume_initialization_rate().filter(|_| snapshot.is_some()))
        .set_ebs_card_index(of.ebs_card_index())
        .build())
}

/// The template's own, with a token for every read.
fn metadata(of: Option<&LaunchTemplateInstanceMetadataOptions>) -> InstanceMetadataOptionsRequest {
    let endpoint = of.and_then(LaunchTemplateInstanceMetadataOptions::http_endpoint);
    let tags = of.and_then(LaunchTemplateInstanceMetadataOptions::instance_metadata_tags);
    InstanceMetadataOptionsRequest::builder()
        .http_tokens(HttpTokensState::Required)
        .set_http_endpoint(endpoint.map(|state| InstanceMetadataEndpointState::from(state.as_str())))
        .set_instance_metadata_tags(tags.map(|state| InstanceMetadataTagsState::from(state.as_str())))
        .set_http_put_response_hop_limit(of.and_then(|of| of.http_put_response_hop_limit()))
        .build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{
        LaunchTemplateHttpTokensState, LaunchTemplateInstanceMetadataTagsState, SnapshotState, VolumeType,
    };
    use beam_core::cloud_provider::{FleetTag, SnapshotId, Token};

    use super::*;

    fn launch(role: Role) -> Launch {
        Launch {
            token: Token::new("t-1"),
            fleet: FleetTag::new("hub"),
            role,
            name: "sentry-1".to_owned(),
            template: TemplateId::new("lt-1:3"),
            snapshot: Some(SnapshotId::new("snap-1")),
        }
    }

    fn disk_at(device: &str, gib: Option<i32>) -> LaunchTemplateBlockDeviceMapping {
        let ebs = LaunchTemplateEbsBlockDevice::builder()
            .set_volume_size(gib)
            .volume_type(VolumeType::Gp3)
            .iops(4000)
            .throughput(250)
            .volume_initialization_rate(300)
            .build();
        LaunchTemplateBlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
    }

    fn template(disks: &[LaunchTemplateBlockDeviceMapping]) -> ResponseLaunchTemplateData {
        ResponseLaunchTemplateData::builder().set_block_device_mappings(Some(disks.to_vec())).build()
    }

    fn snapshot(state: SnapshotState) -> Listed {
        Listed::builder().snapshot_id("snap-1").volume_size(500).state(state).build()
    }

    fn sent(launch: &Launch, data: &ResponseLaunchTemplateData, fill: Option<&Listed>) -> RunInstancesInput {
        let template = Template::of(&launch.template).unwrap();
        run(launch, &template, data, fill).unwrap().build().unwrap()
    }

    fn tags_of(sent: &RunInstancesInput, thing: &ResourceType) -> Tags {
        let of = |spec: &&aws_sdk_ec2::types::TagSpecification| spec.resource_type() == Some(thing);
        Tags::of(sent.tag_specifications().iter().find(of).unwrap().tags())
    }

    #[test]
    fn a_template_is_named_with_its_version() {
        let of = |text: &str| Template::of(&TemplateId::new(text));
        let (id, name) = (of("lt-1:3").unwrap(), of("beam/sentry:$Latest").unwrap());
        assert_eq!((id.id().as_deref(), id.name(), id.version.as_str()), (Some("lt-1"), None, "3"));
        assert_eq!(
            (name.id(), name.name().as_deref(), name.version.as_str()),
            (None, Some("beam/sentry"), "$Latest")
        );
        for text in ["", "lt-1", "lt-1:", ":3", "lt-1:$Newest", "lt-1:-1", "lt-1:3.0"] {
            assert!(matches!(of(text), Err(CloudError::Invalid(said)) if said.contains("version")), "{text}");
        }
    }

    #[test]
    fn the_token_makes_it_one_machine_and_finds_it() {
        let sent = sent(&launch(Role::Sentry), &template(&[]), None);
        assert_eq!(sent.client_token(), Some("t-1"));
        assert_eq!((sent.min_count(), sent.max_count()), (Some(1), Some(1)));
        assert_eq!(sent.launch_template().unwrap().launch_template_id(), Some("lt-1"));
        assert_eq!(sent.launch_template().unwrap().version(), Some("3"));
        for thing in [ResourceType::Instance, ResourceType::Volume] {
            let tags = tags_of(&sent, &thing);
            assert!(tags.is(tags::FLEET, "hub"), "{tags:?}");
            assert!(tags.is(tags::ROLE, "sentry") && tags.is(tags::NAME, "sentry-1"), "{tags:?}");
        }
        assert!(tags_of(&sent, &ResourceType::Instance).is(tags::TOKEN, "t-1"));
        assert_eq!(tags_of(&sent, &ResourceType::Volume).token(), None, "a disk that came with it has none");
    }

    #[test]
    fn whatever_the_template_says_a_token_is_asked_for_every_read_of_metadata() {
        let optional = LaunchTemplateInstanceMetadataOptions::builder()
            .http_tokens(LaunchTemplateHttpTokensState::Optional)
            .http_put_response_hop_limit(2)
            .instance_metadata_tags(LaunchTemplateInstanceMetadataTagsState::Enabled)
            .build();
        let with = ResponseLaunchTemplateData::builder().metadata_options(optional).build();
        let sent_with = sent(&Launch { snapshot: None, ..launch(Role::Sentry) }, &with, None);
        let options = sent_with.metadata_options().unwrap();
        assert_eq!(options.http_tokens(), Some(&HttpTokensState::Required));
        assert_eq!(options.http_put_response_hop_limit(), Some(2), "the rest is the template's");
        assert_eq!(options.instance_metadata_tags(), Some(&InstanceMetadataTagsState::Enabled));
        let bare = sent(&launch(Role::Sentry), &template(&[]), None);
        assert_eq!(bare.metadata_options().unwrap().http_tokens(), Some(&HttpTokensState::Required));
    }

    #[test]
    fn a_validator_cannot_be_ended_by_a_call() {
        let data = template(&[]);
        assert_eq!(sent(&launch(Role::Validator), &data, None).disable_api_termination(), Some(true));
        assert_eq!(sent(&launch(Role::Sentry), &data, None).disable_api_termination(), None);
    }

    #[test]
    fn the_data_disk_is_filled_and_has_room_and_all_else_is_as_the_template_has_it() {
        let data = template(&[disk_at("/dev/xvda", Some(20)), disk_at("/dev/sdf", Some(100))]);
        let full = snapshot(SnapshotState::Completed);
        let sent = sent(&launch(Role::Sentry), &data, Some(&full));
        assert!(tags_of(&sent, &ResourceType::Instance).is(tags::DATA_DEVICE, "/dev/sdf"));
        let [root, filled] = sent.block_device_mappings() else { panic!("{sent:?}") };
        let (root_disk, filled_disk) = (root.ebs().unwrap(), filled.ebs().unwrap());
        assert_eq!((root.device_name(), root_disk.snapshot_id()), (Some("/dev/xvda"), None));
        assert_eq!((filled.device_name(), filled_disk.snapshot_id()), (Some("/dev/sdf"), Some("snap-1")));
        assert_eq!((root_disk.volume_size(), filled_disk.volume_size()), (Some(20), Some(500)));
        assert_eq!(filled_disk.volume_type(), Some(&VolumeType::Gp3));
        assert_eq!((filled_disk.iops(), filled_disk.throughput()), (Some(4000), Some(250)));
        assert_eq!(root_disk.volume_initialization_rate(), None, "an empty disk has nothing to initialise");
        assert_eq!(filled_disk.volume_initialization_rate(), Some(300));
    }

    #[test]
    fn a_disk_without_a_size_is_as_large_as_its_snapshot_and_a_larger_one_stays_so() {
        for (gib, wanted) in [(None, None), (Some(100), Some(500)), (Some(900), Some(900))] {
            let data = template(&[disk_at("/dev/sdf", gib)]);
            let sent = sent(&launch(Role::Sentry), &data, Some(&snapshot(SnapshotState::Completed)));
            assert_eq!(sent.block_device_mappings()[0].ebs().unwrap().volume_size(), wanted);
        }
    }

    #[test]
    fn a_sentrys_disks_go_with_it_and_a_validators_stay_as_the_template_says() {
        let data = template(&[disk_at("/dev/xvda", None), disk_at("/dev/sdf", None)]);
        let goes = |role| {
            let sent = sent(&launch(role), &data, None);
            let of = |mapping: &BlockDeviceMapping| mapping.ebs().unwrap().delete_on_termination();
            sent.block_device_mappings().iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(goes(Role::Sentry), [Some(true), Some(true)]);
        assert_eq!(goes(Role::Validator), [None, None]);
    }

    #[test]
    fn encryption_is_kept_and_never_taken_away() {
        for (template_has, filled, wanted) in
            [(Some(true), true, Some(true)), (Some(false), true, None), (Some(false), false, Some(false))]
        {
            let ebs = LaunchTemplateEbsBlockDevice::builder().set_encrypted(template_has).build();
            let disk = LaunchTemplateBlockDeviceMapping::builder().device_name("/dev/sdf").ebs(ebs).build();
            let full = snapshot(SnapshotState::Completed);
            let sent = sent(&launch(Role::Sentry), &template(&[disk]), filled.then_some(&full));
            assert_eq!(sent.block_device_mappings()[0].ebs().unwrap().encrypted(), wanted);
        }
    }

    #[test]
    fn what_cannot_be_filled_is_refused_before_anything_is_sent() {
        let of = |data: &ResponseLaunchTemplateData, state| {
            let launch = launch(Role::Sentry);
            let template = Template::of(&launch.template).unwrap();
            run(&launch, &template, data, Some(&snapshot(state))).unwrap_err()
        };
        let (no_disk, disk) = (template(&[]), template(&[disk_at("/dev/sdf", None)]));
        let error = of(&no_disk, SnapshotState::Completed);
        assert!(matches!(&error, CloudError::Invalid(said) if said.contains("no data disk")), "{error:?}");
        assert!(matches!(of(&disk, SnapshotState::Pending), CloudError::NotReady(_)));
        assert!(matches!(of(&disk, SnapshotState::Error), CloudError::Invalid(_)));
        let long = Launch { name: "x".repeat(257), ..launch(Role::Sentry) };
        let template = Template::of(&long.template).unwrap();
        assert!(matches!(run(&long, &template, &disk, None), Err(CloudError::Invalid(_))));
    }
}
