//! [`CloudProvider`], call by call: what has to be known is asked, what follows from it is decided elsewhere, and what is decided is done.

use async_trait::async_trait;
use aws_sdk_ec2::types::ResourceType;
use beam_core::cloud_provider::{
    Address, AddressId, CloudError, CloudProvider, FleetTag, Instance, InstanceId, Launch, Snapshot,
    SnapshotId, SnapshotRequest, Token, Volume, VolumeId, VolumeRequest,
};

use super::addresses::{self, Move};
use super::instances::{self, End};
use super::tags::{self, Tags};
use super::{Ec2Cloud, Filling, Plan, looked, of_machine, snapshots, volumes};

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
