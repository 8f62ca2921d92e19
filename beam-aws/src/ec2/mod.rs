//! Machines on EC2, fixed addresses (Elastic IPs), and disks with their snapshots (EBS).
//!
//! # How it keeps the contract of [`CloudProvider`]
//! * **Only the fleet's own.** Everything that is made here carries [`tags`] from the call that makes it. What does not is not ended, released
//!   or deleted, whatever id is given.
//! * **Asked once, made once.** The token of a machine or a disk is EC2's client token. EC2 takes none for addresses and snapshots: they are
//!   looked for by their tag first, for longer if the same was asked for a moment ago.
//! * **Honest about doubt.** What changes something is sent once, and only what EC2 itself refused, or what never left, has failed; the rest is
//!   [`CloudError::OutcomeUnknown`].
//! * **Done already is done.** EC2 is read before it is written.
//! * **Lists lag.** What is not found is looked for again for [`Access::visible_within`] before it is said to be not there.
//! * **A validator is never terminated.** Its tags are read first, and what has no role in its tags is left alone too. A validator that is launched
//!   here is also protected on EC2's side (`DisableApiTermination`).
//! * **Bounded.** Own timeouts, in [`timeouts`].
//!
//! Machines are launched with IMDSv2 only, whatever their template says.
//!
//! # What was tried
//! The contract suite on moto, an emulator that is right about names, codes and shapes and wrong about much else: `tests/ec2` lists each
//! difference with its reason. On a real account by nobody yet: `BEAM_AWS_LIVE=1` runs the same suite there.
//!
//! ```no_run
//! # async fn f() -> Result<(), beam_core::cloud_provider::CloudError> {
//! use beam_aws::ec2::{Access, Ec2Cloud, Region};
//! use beam_core::cloud_provider::{CloudProvider, FleetTag};
//!
//! let region = Region { name: "eu-central-1".into(), endpoint: None };
//! let cloud = Ec2Cloud::open(region, &Access::default()).await?;
//! for instance in cloud.instances(&FleetTag::new("hub")).await? {
//!     println!("{} is {:?}", instance.name, instance.state);
//! }
//! # Ok(()) }
//! ```

mod addresses;
mod answers;
mod api;
mod asked;
mod connect;
pub mod disks;
mod errors;
mod instances;
mod launches;
mod snapshots;
pub mod tags;
pub mod timeouts;
pub mod volumes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_ec2::operation::copy_volumes::builders::CopyVolumesInputBuilder;
use aws_sdk_ec2::operation::create_volume::builders::CreateVolumeInputBuilder;
use aws_sdk_ec2::operation::run_instances::builders::RunInstancesInputBuilder;
use aws_sdk_ec2::types::{Filter, ResourceType};
use beam_core::cloud_provider::{
    Address, AddressId, CloudError, CloudProvider, FleetTag, Instance, InstanceId, Launch, Snapshot,
    SnapshotId, SnapshotRequest, Token, Volume, VolumeId, VolumeRequest, VolumeSource,
};
use tokio::time::{sleep, timeout};

pub use connect::{Access, Credentials, Region};

use addresses::Move;
use api::Api;
use asked::Asked;
use instances::End;
use launches::Template;
use tags::Tags;
use timeouts::{LOOK_AGAIN_AFTER, LOOKS_WITHIN};

/// The calls that a fleet makes, by the names that IAM has for them. `CreateTags` is never called: IAM wants it allowed for calls that
/// make a thing with its tags. `RunInstances` from a template also needs `iam:PassRole` for the role that the template gives.
pub const ACTIONS: [&str; 20] = [
    "AllocateAddress",
    "AssociateAddress",
    "AttachVolume",
    "CopyVolumes",
    "CreateSnapshot",
    "CreateTags",
    "CreateVolume",
    "DeleteSnapshot",
    "DeleteVolume",
    "DescribeAccountAttributes",
    "DescribeAddresses",
    "DescribeInstances",
    "DescribeLaunchTemplateVersions",
    "DescribeSnapshots",
    "DescribeVolumes",
    "DetachVolume",
    "DisassociateAddress",
    "ReleaseAddress",
    "RunInstances",
    "TerminateInstances",
];

/// One account in one region of EC2. See the [module](self).
#[derive(Clone, Debug)]
pub struct Ec2Cloud {
    api: Api,
    asked: Arc<Asked>,
    visible_within: Duration,
}

impl Ec2Cloud {
    /// Finds credentials and makes the clients. EC2 itself is not asked.
    ///
    /// # Errors
    /// [`CloudError`]: `Invalid` if there are no such regions or endpoints, `Denied` if there are no credentials.
    pub async fn open(region: Region, access: &Access) -> Result<Self, CloudError> {
        let api = connect::api(region, access).await?;
        Ok(Self {
            api,
            asked: Arc::new(Asked::new(access.visible_within)),
            visible_within: access.visible_within,
        })
    }

    /// The machine that was launched with a token.
    async fn launched(&self, token: &Token) -> Result<Option<InstanceId>, CloudError> {
        let listed = self.api.instances(tags::of_token(token)?).await?;
        let made = listed.iter().filter(|one| Tags::of(one.tags()).is(tags::TOKEN, token.as_str()));
        // There is one. If two programs used one token at once before EC2 knew of it, the elder is the one.
        let made = made.min_by_key(|one| one.launch_time().map(|time| time.secs()));
        Ok(made.and_then(|one| one.instance_id()).map(InstanceId::new))
    }

    async fn allocated(&self, token: &Token) -> Result<Option<AddressId>, CloudError> {
        let listed = self.api.addresses(Some(tags::of_token(token)?)).await?;
        let made = listed.iter().filter(|one| Tags::of(one.tags()).is(tags::TOKEN, token.as_str()));
        Ok(made.filter_map(|one| one.allocation_id()).min().map(AddressId::new))
    }

    async fn taken(&self, token: &Token) -> Result<Option<SnapshotId>, CloudError> {
        let listed = self.api.snapshots(tags::of_token(token)?).await?;
        let made = listed.iter().filter(|one| Tags::of(one.tags()).is(tags::TOKEN, token.as_str()));
        let made = made.min_by_key(|one| one.start_time().map(|time| time.secs()));
        Ok(made.and_then(|one| one.snapshot_id()).map(SnapshotId::new))
    }

    /// The disk that was made with a token.
    async fn filled(&self, token: &Token) -> Result<Option<VolumeId>, CloudError> {
        let listed = self.api.volumes(tags::of_token(token)?).await?;
        let made = listed.iter().filter(|one| Tags::of(one.tags()).is(tags::TOKEN, token.as_str()));
        let made = made.min_by_key(|one| one.create_time().map(|time| time.secs()));
        Ok(made.and_then(|one| one.volume_id()).map(VolumeId::new))
    }

    /// What was made with a token already: looked for once, and for longer if it was asked for a moment ago.
    async fn made<T, F>(&self, token: &Token, look: impl Fn() -> F) -> Result<Option<T>, CloudError>
    where
        F: Future<Output = Result<Option<T>, CloudError>>,
    {
        let lately = self.asked.lately(token, Instant::now());
        let mut pauses = self.pauses();
        loop {
            if let Some(found) = look().await? {
                return Ok(Some(found));
            }
            match pauses.next() {
                Some(pause) if lately => sleep(pause).await,
                _ => break,
            }
        }
        self.asked.note(token, Instant::now());
        Ok(None)
    }

    /// What is there, if it is there or comes to light.
    async fn seen<T, F>(&self, look: impl Fn() -> F) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, CloudError>>,
    {
        let mut pauses = self.pauses();
        loop {
            match (look().await, pauses.next()) {
                (Err(CloudError::NotFound(_)), Some(pause)) => sleep(pause).await,
                (answer, _) => return answer,
            }
        }
    }

    /// How long is waited between one look and the next: `visible_within` in all.
    fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let (mut left, mut next) = (self.visible_within, LOOK_AGAIN_AFTER);
        std::iter::from_fn(move || {
            let pause = next.min(left);
            (left, next) = (left.saturating_sub(pause), next.saturating_mul(2));
            (!pause.is_zero()).then_some(pause)
        })
    }

    /// What a launch takes.
    async fn plan_launch(
        &self,
        launch: &Launch,
    ) -> Result<Plan<InstanceId, Box<RunInstancesInputBuilder>>, CloudError> {
        let template = Template::of(&launch.template)?;
        // EC2 gives the same machine for the same token, but refuses it if template or snapshot have changed or gone since.
        if let Some(made) = self.launched(&launch.token).await? {
            return Ok(Plan::There(made));
        }
        let data = self.api.template(&template).await?;
        let snapshot = match &launch.snapshot {
            Some(id) => Some(self.seen(|| self.api.snapshot(id)).await?),
            None => None,
        };
        launches::run(launch, &template, &data, snapshot.as_ref())
            .map(|request| Plan::Make(Box::new(request)))
    }

    /// What a disk takes.
    async fn plan_volume(&self, request: &VolumeRequest) -> Result<Plan<VolumeId, Filling>, CloudError> {
        // As for a machine: what it was made from may have gone since.
        if let Some(made) = self.filled(&request.token).await? {
            return Ok(Plan::There(made));
        }
        Ok(Plan::Make(match &request.source {
            VolumeSource::Snapshot { snapshot, zone, rate_mib_per_s } => {
                let snapshot = self.seen(|| self.api.snapshot(snapshot)).await?;
                Filling::Snapshot(volumes::from_snapshot(request, &snapshot, zone, *rate_mib_per_s)?)
            }
            VolumeSource::Volume(volume) => {
                let volume = self.seen(|| self.api.volume(volume)).await?;
                Filling::Volume(volumes::copy(request, &volume)?)
            }
        }))
    }

    /// Takes the machine's former addresses from it and gives it the new one.
    async fn attach(
        &self,
        address: &AddressId,
        to: &InstanceId,
        former: &[String],
    ) -> Result<(), CloudError> {
        for association in former {
            self.api.disassociate(association).await?;
        }
        self.api.associate(address, to).await
    }
}

/// What making something takes: nothing, or one call.
enum Plan<Id, Request> {
    There(Id),
    Make(Request),
}

/// The call that makes a disk.
enum Filling {
    Snapshot(CreateVolumeInputBuilder),
    Volume(CopyVolumesInputBuilder),
}

/// What has to be asked, in bounded time. Nothing is changed on the way.
async fn looked<T>(look: impl Future<Output = Result<T, CloudError>>) -> Result<T, CloudError> {
    timeout(LOOKS_WITHIN, look).await.unwrap_or_else(|_| {
        let what =
            format!("EC2 did not tell what had to be known within {LOOKS_WITHIN:?}; nothing was changed");
        Err(CloudError::Unavailable(what.into()))
    })
}

/// Finds the addresses that a machine has.
fn of_machine(id: &InstanceId) -> Filter {
    Filter::builder().name("instance-id").values(id.as_str()).build()
}

#[async_trait]
impl CloudProvider for Ec2Cloud {
    async fn instances(&self, fleet: &FleetTag) -> Result<Vec<Instance>, CloudError> {
        let listed = looked(self.api.instances(tags::of_fleet(fleet)?)).await?;
        let listed = listed.iter().filter(|one| Tags::of(one.tags()).is(tags::FLEET, fleet.as_str()));
        let strange = || self.api.strange("DescribeInstances", "a machine without id, state, zone or time");
        listed.map(|one| instances::of(one).ok_or_else(strange)).collect()
    }

    async fn launch(&self, launch: &Launch) -> Result<InstanceId, CloudError> {
        match looked(self.plan_launch(launch)).await? {
            Plan::There(made) => Ok(made),
            Plan::Make(request) => self.api.run(*request).await,
        }
    }

    async fn terminate(&self, instance: &InstanceId) -> Result<(), CloudError> {
        let found = looked(self.seen(|| self.api.instance(instance))).await?;
        match instances::end(&found)? {
            End::Nothing => Ok(()),
            End::Terminate => self.api.terminate(instance).await,
        }
    }

    async fn addresses(&self, fleet: &FleetTag) -> Result<Vec<Address>, CloudError> {
        let listed = looked(self.api.addresses(Some(tags::of_fleet(fleet)?))).await?;
        let listed = listed.iter().filter(|one| Tags::of(one.tags()).is(tags::FLEET, fleet.as_str()));
        let strange = || self.api.strange("DescribeAddresses", "an address without id or number");
        listed.map(|one| addresses::of(one).ok_or_else(strange)).collect()
    }

    async fn addresses_left(&self) -> Result<Option<u32>, CloudError> {
        looked(async {
            let Some(max) = self.api.addresses_max().await? else { return Ok(None) };
            Ok(Some(addresses::left(max, self.api.addresses(None).await?.len())))
        })
        .await
    }

    async fn allocate_address(&self, fleet: &FleetTag, token: &Token) -> Result<AddressId, CloudError> {
        let tags = Tags::new(fleet, token)?.for_new(ResourceType::ElasticIp);
        match looked(self.made(token, || self.allocated(token))).await? {
            Some(made) => Ok(made),
            None => self.api.allocate(tags).await,
        }
    }

    async fn move_address(&self, address: &AddressId, to: &InstanceId) -> Result<(), CloudError> {
        let plan = looked(async {
            let found = self.seen(|| self.api.address(address)).await?;
            let plan = addresses::plan_move(&found, to, &self.api.addresses(Some(of_machine(to))).await?)?;
            if plan != Move::Nothing {
                addresses::takes(&self.seen(|| self.api.instance(to)).await?)?;
            }
            Ok(plan)
        });
        let Move::Go { former } = plan.await? else { return Ok(()) };
        match self.attach(address, to, &former).await {
            // The machine's former address may be gone from it: that is not "nothing changed".
            Err(error) if !former.is_empty() => Err(CloudError::OutcomeUnknown(error.into())),
            answer => answer,
        }
    }

    async fn detach_address(&self, address: &AddressId) -> Result<(), CloudError> {
        let found = looked(self.seen(|| self.api.address(address))).await?;
        match addresses::plan_detach(&found)? {
            Some(association) => self.api.disassociate(&association).await,
            None => Ok(()),
        }
    }

    async fn release_address(&self, address: &AddressId) -> Result<(), CloudError> {
        addresses::releasable(&looked(self.seen(|| self.api.address(address))).await?)?;
        self.api.release(address).await
    }

    async fn volumes(&self, fleet: &FleetTag) -> Result<Vec<Volume>, CloudError> {
        let listed = looked(self.api.volumes(tags::of_fleet(fleet)?)).await?;
        let listed = listed.iter().filter(|one| Tags::of(one.tags()).is(tags::FLEET, fleet.as_str()));
        let strange = || self.api.strange("DescribeVolumes", "a disk without id, zone, size, state or time");
        listed.map(|one| volumes::of(one).ok_or_else(strange)).collect()
    }

    async fn create_volume(&self, request: &VolumeRequest) -> Result<VolumeId, CloudError> {
        match looked(self.plan_volume(request)).await? {
            Plan::There(made) => Ok(made),
            Plan::Make(Filling::Snapshot(create)) => self.api.create_volume(create).await,
            Plan::Make(Filling::Volume(copy)) => self.api.copy_volume(copy).await,
        }
    }

    async fn attach_volume(&self, volume: &VolumeId, to: &InstanceId) -> Result<(), CloudError> {
        let plan = looked(async {
            let found = self.seen(|| self.api.volume(volume)).await?;
            volumes::plan_attach(&found, &self.seen(|| self.api.instance(to)).await?)
        });
        match plan.await? {
            Some(device) => self.api.attach_volume(volume, to, &device).await,
            None => Ok(()),
        }
    }

    async fn detach_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        let found = looked(self.seen(|| self.api.volume(volume))).await?;
        match volumes::plan_detach(&found)? {
            Some(from) => self.api.detach_volume(volume, &from).await,
            None => Ok(()),
        }
    }

    async fn delete_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        let found = looked(self.seen(|| self.api.volume(volume))).await?;
        if volumes::plan_delete(&found)? { self.api.delete_volume(volume).await } else { Ok(()) }
    }

    async fn snapshots(&self, fleet: &FleetTag) -> Result<Vec<Snapshot>, CloudError> {
        let listed = looked(self.api.snapshots(tags::of_fleet(fleet)?)).await?;
        let listed = listed.iter().filter(|one| Tags::of(one.tags()).is(tags::FLEET, fleet.as_str()));
        Ok(listed.filter_map(snapshots::of).collect())
    }

    async fn take_snapshot(&self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError> {
        let take = snapshots::take(request)?;
        match looked(self.made(&request.token, || self.taken(&request.token))).await? {
            Some(made) => Ok(made),
            None => self.api.create_snapshot(take).await,
        }
    }

    async fn delete_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CloudError> {
        snapshots::deletable(&looked(self.seen(|| self.api.snapshot(snapshot))).await?)?;
        self.api.delete_snapshot(snapshot).await
    }
}
