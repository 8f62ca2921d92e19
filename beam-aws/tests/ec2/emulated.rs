//! What becomes of things in the emulator's account, looked at as anybody else would: by EC2's own calls.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    DomainType, Filter, HttpTokensState, Instance, InstanceAttributeName, ResourceType, Tag,
    TagSpecification, Volume,
};
use beam_aws::ec2::{Ec2Cloud, tags};
use beam_core::cloud_provider::{
    AddressId, CloudError, CloudProvider as _, FleetTag, InstanceId, Launch, Role, SnapshotId,
    SnapshotRequest, TemplateId, Token, VolumeId, VolumeRequest, VolumeSource, VolumeState, Zone,
};
use beam_core::signing::Height;

use crate::common::{REGION, cloud_at, emulator, new_run, raw, template};

/// A fleet that no other test has.
struct Fleet {
    cloud: Ec2Cloud,
    raw: Client,
    template: TemplateId,
    tag: FleetTag,
}

impl Fleet {
    async fn new() -> Self {
        let (run, raw) = (new_run(), raw().await);
        let template = template(&raw, &format!("emulated-{run}")).await;
        let cloud = cloud_at(emulator().await.endpoint()).await;
        Self { cloud, raw, template, tag: FleetTag::new(format!("emulated-{run}")) }
    }

    fn token(&self, name: &str) -> Token {
        Token::new(format!("{}-{name}", self.tag))
    }

    fn launch(&self, name: &str, role: Role) -> Launch {
        Launch {
            token: self.token(name),
            fleet: self.tag.clone(),
            role,
            name: name.to_owned(),
            template: self.template.clone(),
            snapshot: None,
        }
    }

    async fn sentry(&self, name: &str) -> InstanceId {
        self.cloud.launch(&self.launch(name, Role::Sentry)).await.unwrap()
    }

    async fn data_volume(&self, of: &InstanceId) -> VolumeId {
        let listed = self.cloud.instances(&self.tag).await.unwrap();
        listed.into_iter().find(|one| one.id == *of).and_then(|one| one.data_volume).unwrap()
    }

    async fn snapshot(&self, of: &InstanceId) -> SnapshotId {
        let request = SnapshotRequest {
            token: self.token("snapshot"),
            fleet: self.tag.clone(),
            volume: self.data_volume(of).await,
            chain: "emulated-1".parse().unwrap(),
            height: Height(42),
        };
        self.cloud.take_snapshot(&request).await.unwrap()
    }

    fn from_snapshot(&self, name: &str, snapshot: &SnapshotId, zone: &str) -> VolumeRequest {
        let source = VolumeSource::Snapshot {
            snapshot: snapshot.clone(),
            zone: Zone::new(zone),
            rate_mib_per_s: Some(200),
        };
        VolumeRequest { token: self.token(name), fleet: self.tag.clone(), source }
    }

    async fn see(&self, id: &InstanceId) -> Instance {
        let seen = self.raw.describe_instances().instance_ids(id.as_str()).send().await.unwrap();
        seen.reservations()[0].instances()[0].clone()
    }

    async fn disks(&self, of: &InstanceId) -> BTreeMap<String, Volume> {
        let filter = Filter::builder().name("attachment.instance-id").values(of.as_str()).build();
        let seen = self.raw.describe_volumes().filters(filter).send().await.unwrap();
        let device = |volume: &Volume| volume.attachments()[0].device().unwrap().to_owned();
        seen.volumes().iter().map(|volume| (device(volume), volume.clone())).collect()
    }
}

fn tagged(listed: &[Tag]) -> BTreeMap<&str, &str> {
    listed.iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_carries_its_tags_and_asks_for_a_token_whatever_its_template_says() {
    let fleet = Fleet::new().await;
    let id = fleet.sentry("one").await;
    let seen = fleet.see(&id).await;
    assert_eq!(seen.metadata_options().unwrap().http_tokens(), Some(&HttpTokensState::Required));
    let (tags, token) = (tagged(seen.tags()), fleet.token("one"));
    assert_eq!(tags[tags::FLEET], fleet.tag.as_str());
    assert_eq!(tags[tags::TOKEN], token.as_str());
    assert_eq!((tags[tags::ROLE], tags[tags::NAME]), ("sentry", "one"));
    assert_eq!(tags[tags::DATA_DEVICE], "/dev/sdf");
    let disks = fleet.disks(&id).await;
    assert_eq!(disks.keys().collect::<Vec<_>>(), ["/dev/sdf", "/dev/xvda"]);
    for disk in disks.values() {
        let tags = tagged(disk.tags());
        assert_eq!((tags[tags::FLEET], tags[tags::ROLE]), (fleet.tag.as_str(), "sentry"));
        assert_eq!(disk.attachments()[0].delete_on_termination(), Some(true));
    }
    assert_eq!(fleet.data_volume(&id).await.as_str(), disks["/dev/sdf"].volume_id().unwrap());
    fleet.cloud.terminate(&id).await.unwrap();
    assert!(fleet.disks(&id).await.is_empty(), "its disks go with it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_disk_is_filled_from_a_snapshot_by_the_launch() {
    let fleet = Fleet::new().await;
    let first = fleet.sentry("first").await;
    let snapshot = fleet.snapshot(&first).await;
    let launch = Launch { snapshot: Some(snapshot.clone()), ..fleet.launch("second", Role::Sentry) };
    let second = fleet.cloud.launch(&launch).await.unwrap();
    let disks = fleet.disks(&second).await;
    assert_eq!(disks["/dev/sdf"].snapshot_id(), Some(snapshot.as_str()));
    assert_ne!(disks["/dev/xvda"].snapshot_id(), Some(snapshot.as_str()));
    let gone = Launch {
        snapshot: Some(SnapshotId::new("snap-00000000000000000")),
        ..fleet.launch("third", Role::Sentry)
    };
    assert!(matches!(fleet.cloud.launch(&gone).await, Err(CloudError::NotFound(_))));
    for template in ["lt-00000000000000000:1", "no-such-template:1"] {
        let gone = Launch { template: TemplateId::new(template), ..fleet.launch("fourth", Role::Sentry) };
        let error = fleet.cloud.launch(&gone).await.unwrap_err();
        assert!(matches!(error, CloudError::NotFound(_)), "{template}: {error:?}");
    }
    assert_eq!(fleet.cloud.instances(&fleet.tag).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_is_protected_twice() {
    let fleet = Fleet::new().await;
    let id = fleet.cloud.launch(&fleet.launch("validator", Role::Validator)).await.unwrap();
    let protected = |error: CloudError| match error {
        CloudError::Protected(why) => why,
        other => panic!("{other:?}"),
    };
    assert!(protected(fleet.cloud.terminate(&id).await.unwrap_err()).contains("is a validator"));
    // Somebody edits its tags.
    for role in ["", "sentry"] {
        let tag = Tag::builder().key(tags::ROLE).value(role).build();
        fleet.raw.create_tags().resources(id.as_str()).tags(tag).send().await.unwrap();
        protected(fleet.cloud.terminate(&id).await.unwrap_err());
    }
    let asked = fleet.raw.describe_instance_attribute().instance_id(id.as_str());
    let asked = asked.attribute(InstanceAttributeName::DisableApiTermination).send().await.unwrap();
    assert_eq!(asked.disable_api_termination().and_then(|value| value.value()), Some(true));
    let state = fleet.see(&id).await.state().and_then(|state| state.name().cloned()).unwrap();
    assert_eq!(state.as_str(), "running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_nobodys_is_neither_listed_nor_touched() {
    let fleet = Fleet::new().await;
    let (raw, cloud) = (&fleet.raw, &fleet.cloud);
    let run = raw.run_instances().min_count(1).max_count(1).image_id("ami-1").send().await.unwrap();
    let machine = InstanceId::new(run.instances()[0].instance_id().unwrap());
    let address = raw.allocate_address().domain(DomainType::Vpc).send().await.unwrap();
    let address = AddressId::new(address.allocation_id().unwrap());
    let zone = format!("{REGION}a");
    let volume = raw.create_volume().availability_zone(&zone).size(1).send().await.unwrap();
    let volume = VolumeId::new(volume.volume_id().unwrap());
    let snapshot = raw.create_snapshot().volume_id(volume.as_str()).send().await.unwrap();
    let snapshot = SnapshotId::new(snapshot.snapshot_id().unwrap());
    let sentry = fleet.sentry("own").await;
    for outcome in [
        cloud.terminate(&machine).await,
        cloud.move_address(&address, &sentry).await,
        cloud.detach_address(&address).await,
        cloud.release_address(&address).await,
        cloud.attach_volume(&volume, &sentry).await,
        cloud.detach_volume(&volume).await,
        cloud.delete_volume(&volume).await,
        cloud.delete_snapshot(&snapshot).await,
    ] {
        assert!(matches!(outcome, Err(CloudError::Protected(_))), "{outcome:?}");
    }
    assert_eq!(cloud.instances(&fleet.tag).await.unwrap().len(), 1);
    assert!(cloud.addresses(&fleet.tag).await.unwrap().is_empty());
    assert!(cloud.snapshots(&fleet.tag).await.unwrap().is_empty());
    let listed = cloud.volumes(&fleet.tag).await.unwrap();
    assert!(listed.iter().all(|one| one.attached.as_ref() == Some(&sentry)), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machines_former_address_stays_allocated() {
    let fleet = Fleet::new().await;
    let cloud = &fleet.cloud;
    let sentry = fleet.sentry("rotated").await;
    let left = cloud.addresses_left().await.unwrap().unwrap();
    let attacked = cloud.allocate_address(&fleet.tag, &fleet.token("attacked")).await.unwrap();
    let fresh = cloud.allocate_address(&fleet.tag, &fleet.token("fresh")).await.unwrap();
    // The emulator serves other tests at the same time.
    assert!(cloud.addresses_left().await.unwrap().unwrap() <= left.saturating_sub(2));
    cloud.move_address(&attacked, &sentry).await.unwrap();
    cloud.move_address(&fresh, &sentry).await.unwrap();
    let listed = cloud.addresses(&fleet.tag).await.unwrap();
    let at = |id: &AddressId| listed.iter().find(|one| one.id == *id).unwrap().attached.clone();
    assert_eq!((at(&attacked), at(&fresh)), (None, Some(sentry.clone())));
    let machine = &cloud.instances(&fleet.tag).await.unwrap()[0];
    let address = listed.iter().find(|one| one.id == fresh).unwrap().address;
    assert_eq!(machine.public_address, Some(address));
    for id in [&attacked, &fresh] {
        cloud.detach_address(id).await.unwrap();
        cloud.release_address(id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_goes_from_snapshot_to_machine_and_away_again() {
    let fleet = Fleet::new().await;
    let cloud = &fleet.cloud;
    let first = fleet.sentry("first").await;
    let snapshot = fleet.snapshot(&first).await;
    let seen = fleet.see(&first).await;
    let zone = seen.placement().unwrap().availability_zone().unwrap();
    let request = fleet.from_snapshot("disk", &snapshot, zone);
    let disk = cloud.create_volume(&request).await.unwrap();
    assert_eq!(cloud.create_volume(&request).await.unwrap(), disk);
    let listed = cloud.volumes(&fleet.tag).await.unwrap();
    let listed = listed.iter().find(|one| one.id == disk).unwrap();
    assert_eq!((listed.state, listed.size_gib), (VolumeState::Available, 10));
    assert_eq!((listed.token.as_ref(), listed.zone.as_str()), (Some(&request.token), zone));
    let seen = fleet.raw.describe_volumes().volume_ids(disk.as_str()).send().await.unwrap();
    assert_eq!(seen.volumes()[0].volume_type().map(|kind| kind.as_str()), Some("gp3"));

    // The first has a data disk; a machine whose data disk was taken off takes another.
    assert!(matches!(cloud.attach_volume(&disk, &first).await, Err(CloudError::InUse(_))));
    let former = fleet.data_volume(&first).await;
    cloud.detach_volume(&former).await.unwrap();
    cloud.detach_volume(&former).await.unwrap();
    cloud.attach_volume(&disk, &first).await.unwrap();
    cloud.attach_volume(&disk, &first).await.unwrap();
    assert_eq!(fleet.data_volume(&first).await, disk);
    let second = fleet.sentry("second").await;
    assert!(matches!(cloud.attach_volume(&disk, &second).await, Err(CloudError::InUse(_))));
    assert!(matches!(cloud.delete_volume(&disk).await, Err(CloudError::InUse(_))));
    cloud.detach_volume(&disk).await.unwrap();
    for gone in [&disk, &former] {
        cloud.delete_volume(gone).await.unwrap();
    }

    let nowhere = fleet.from_snapshot("nowhere", &snapshot, "eu-central-9z");
    let error = cloud.create_volume(&nowhere).await.unwrap_err();
    assert!(matches!(error, CloudError::Invalid(_)), "{error:?}");
    cloud.delete_snapshot(&snapshot).await.unwrap();
    let gone = fleet.from_snapshot("gone", &snapshot, zone);
    assert!(matches!(cloud.create_volume(&gone).await, Err(CloudError::NotFound(_))));
}

/// A person may give Beam a thing of their own by its tags.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_tags_is_the_fleets() {
    let fleet = Fleet::new().await;
    let tag = Tag::builder().key(tags::FLEET).value(fleet.tag.as_str()).build();
    let tags = TagSpecification::builder().resource_type(ResourceType::ElasticIp).tags(tag).build();
    let given =
        fleet.raw.allocate_address().domain(DomainType::Vpc).tag_specifications(tags).send().await.unwrap();
    let listed = fleet.cloud.addresses(&fleet.tag).await.unwrap();
    assert_eq!((listed.len(), listed[0].token.clone()), (1, None));
    fleet.cloud.release_address(&AddressId::new(given.allocation_id().unwrap())).await.unwrap();
    assert!(fleet.cloud.addresses(&fleet.tag).await.unwrap().is_empty());
}
