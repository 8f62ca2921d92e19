//! EC2's calls, one method each: what is sent is decided elsewhere, what goes wrong is judged elsewhere.
//!
//! Two clients: what only asks is repeated by the SDK when EC2 is ill or throttles; what changes something is sent once.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::copy_volumes::builders::CopyVolumesInputBuilder;
use aws_sdk_ec2::operation::create_snapshot::builders::CreateSnapshotInputBuilder;
use aws_sdk_ec2::operation::create_volume::builders::CreateVolumeInputBuilder;
use aws_sdk_ec2::operation::describe_instances::DescribeInstancesOutput;
use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput;
use aws_sdk_ec2::operation::describe_volumes::DescribeVolumesOutput;
use aws_sdk_ec2::operation::run_instances::builders::RunInstancesInputBuilder;
use aws_sdk_ec2::types::{
    AccountAttributeName, Address, DomainType, Filter, Instance, ResponseLaunchTemplateData, Snapshot,
    TagSpecification, Volume,
};
use beam_core::cloud_provider::{AddressId, CloudError, InstanceId, SnapshotId, VolumeId};

use super::errors::{self, Answer, Call};
use super::launches::Template;
use super::timeouts::{PAGE_SIZE, PAGES_MAX};
use super::{addresses, answers};

/// The clients, and the region that they speak to, by which errors call it.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) asks: Client,
    pub(super) does: Client,
    pub(super) region: String,
    /// How long one request is waited for.
    pub(super) attempt_within: Duration,
}

/// A client would say pages of itself, and nothing that helps.
impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, attempt_within, .. } = self;
        f.debug_struct("Api")
            .field("region", region)
            .field("attempt_within", attempt_within)
            .finish_non_exhaustive()
    }
}

/// All of a list, page by page; or an error, if it has no end.
macro_rules! all_pages {
    ($api:expr, $name:literal, $request:expr, $items:expr) => {{
        // A token that is given twice the SDK would take for the end: half a list, and no error.
        let pages = $request.into_paginator().page_size(PAGE_SIZE).stop_on_duplicate_token(false);
        let (mut pages, mut all) = (pages.send(), Vec::new());
        let mut count = 0_usize;
        loop {
            let Some(page) = pages.next().await else { break Ok(all) };
            if count >= PAGES_MAX {
                break Err($api.strange($name, "a list without end"));
            }
            all.extend($items($api.judged($api.asks($name), page)?));
            count = count.saturating_add(1);
        }
    }};
}

impl Api {
    fn asks(&self, name: &'static str) -> Call {
        self.call(name, false)
    }

    fn does(&self, name: &'static str) -> Call {
        self.call(name, true)
    }

    fn call(&self, name: &'static str, changes: bool) -> Call {
        Call { name, region: self.region.clone(), changes, within: self.attempt_within }
    }

    fn judged<T, E>(&self, call: Call, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<T, CloudError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        answer.map_err(|error| errors::judge(&call, answers::of(&error)))
    }

    async fn done<T, E>(
        &self,
        name: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, CloudError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        self.judged(self.does(name), answer.await)
    }

    /// An answer that lacks what such an answer has.
    pub(super) fn strange(&self, name: &'static str, what: &str) -> CloudError {
        errors::judge(&self.asks(name), Answer::Strange(what.to_owned()))
    }

    /// The id of what was made; without it, whether it was is a doubt.
    fn id(&self, name: &'static str, id: Option<String>) -> Result<String, CloudError> {
        id.ok_or_else(|| errors::judge(&self.does(name), Answer::Strange("it has no id".to_owned())))
    }

    /// The one thing that was asked for by its id.
    fn one<T>(&self, name: &'static str, things: Option<Vec<T>>, id: &str) -> Result<T, CloudError> {
        let first = things.unwrap_or_default().into_iter().next();
        first.ok_or_else(|| CloudError::NotFound(format!("{}: {id}", self.asks(name))))
    }

    pub(super) async fn instances(&self, filter: Filter) -> Result<Vec<Instance>, CloudError> {
        let request = self.asks.describe_instances().filters(filter);
        all_pages!(self, "DescribeInstances", request, |page: DescribeInstancesOutput| {
            let reservations = page.reservations.unwrap_or_default().into_iter();
            reservations.flat_map(|reservation| reservation.instances.unwrap_or_default())
        })
    }

    pub(super) async fn instance(&self, id: &InstanceId) -> Result<Instance, CloudError> {
        const CALL: &str = "DescribeInstances";
        let answer = self.asks.describe_instances().instance_ids(id.as_str()).send().await;
        let reservations = self.judged(self.asks(CALL), answer)?.reservations.unwrap_or_default().into_iter();
        let instances = reservations.flat_map(|of| of.instances.unwrap_or_default()).collect();
        self.one(CALL, Some(instances), id.as_str())
    }

    pub(super) async fn template(
        &self,
        template: &Template,
    ) -> Result<ResponseLaunchTemplateData, CloudError> {
        const CALL: &str = "DescribeLaunchTemplateVersions";
        let request = self
            .asks
            .describe_launch_template_versions()
            .set_launch_template_id(template.id())
            .set_launch_template_name(template.name())
            .versions(&template.version);
        let found = self.judged(self.asks(CALL), request.send().await)?.launch_template_versions;
        let found = self.one(CALL, found, &template.to_string())?;
        found.launch_template_data.ok_or_else(|| self.strange(CALL, "a template without content"))
    }

    pub(super) async fn run(&self, request: RunInstancesInputBuilder) -> Result<InstanceId, CloudError> {
        const CALL: &str = "RunInstances";
        let made = self.done(CALL, request.send_with(&self.does)).await?.instances.unwrap_or_default();
        let id = made.into_iter().next().and_then(|instance| instance.instance_id);
        self.id(CALL, id).map(InstanceId::new)
    }

    pub(super) async fn terminate(&self, id: &InstanceId) -> Result<(), CloudError> {
        let request = self.does.terminate_instances().instance_ids(id.as_str());
        self.done("TerminateInstances", request.send()).await.map(drop)
    }

    /// All of the account if there is no filter.
    pub(super) async fn addresses(&self, filter: Option<Filter>) -> Result<Vec<Address>, CloudError> {
        let request = self.asks.describe_addresses().set_filters(filter.map(|filter| vec![filter]));
        let answer = self.judged(self.asks("DescribeAddresses"), request.send().await)?;
        Ok(answer.addresses.unwrap_or_default())
    }

    pub(super) async fn address(&self, id: &AddressId) -> Result<Address, CloudError> {
        const CALL: &str = "DescribeAddresses";
        let answer = self.asks.describe_addresses().allocation_ids(id.as_str()).send().await;
        self.one(CALL, self.judged(self.asks(CALL), answer)?.addresses, id.as_str())
    }

    /// How many addresses the account may have in the region, if EC2 says so.
    pub(super) async fn addresses_max(&self) -> Result<Option<u32>, CloudError> {
        let name = AccountAttributeName::from(addresses::MAX_ATTRIBUTE);
        let request = self.asks.describe_account_attributes().attribute_names(name);
        let answer = self.judged(self.asks("DescribeAccountAttributes"), request.send().await)?;
        Ok(addresses::max(answer.account_attributes()))
    }

    pub(super) async fn allocate(&self, tags: TagSpecification) -> Result<AddressId, CloudError> {
        const CALL: &str = "AllocateAddress";
        let request = self.does.allocate_address().domain(DomainType::Vpc).tag_specifications(tags);
        let made = self.done(CALL, request.send()).await?;
        self.id(CALL, made.allocation_id).map(AddressId::new)
    }

    pub(super) async fn associate(&self, address: &AddressId, to: &InstanceId) -> Result<(), CloudError> {
        let request = self.does.associate_address().allocation_id(address.as_str()).instance_id(to.as_str());
        // EC2 takes an address from wherever it is if this is left out.
        let request = request.allow_reassociation(false);
        self.done("AssociateAddress", request.send()).await.map(drop)
    }

    pub(super) async fn disassociate(&self, association: &str) -> Result<(), CloudError> {
        let request = self.does.disassociate_address().association_id(association);
        match self.done("DisassociateAddress", request.send()).await {
            // Somebody was quicker; it is detached.
            Err(CloudError::NotFound(_)) => Ok(()),
            answer => answer.map(drop),
        }
    }

    pub(super) async fn release(&self, address: &AddressId) -> Result<(), CloudError> {
        let request = self.does.release_address().allocation_id(address.as_str());
        self.done("ReleaseAddress", request.send()).await.map(drop)
    }

    pub(super) async fn snapshots(&self, filter: Filter) -> Result<Vec<Snapshot>, CloudError> {
        let request = self.asks.describe_snapshots().owner_ids("self").filters(filter);
        all_pages!(self, "DescribeSnapshots", request, |page: DescribeSnapshotsOutput| {
            page.snapshots.unwrap_or_default()
        })
    }

    pub(super) async fn snapshot(&self, id: &SnapshotId) -> Result<Snapshot, CloudError> {
        const CALL: &str = "DescribeSnapshots";
        let answer = self.asks.describe_snapshots().snapshot_ids(id.as_str()).send().await;
        self.one(CALL, self.judged(self.asks(CALL), answer)?.snapshots, id.as_str())
    }

    pub(super) async fn create_snapshot(
        &self,
        request: CreateSnapshotInputBuilder,
    ) -> Result<SnapshotId, CloudError> {
        const CALL: &str = "CreateSnapshot";
        let made = self.done(CALL, request.send_with(&self.does)).await?;
        self.id(CALL, made.snapshot_id).map(SnapshotId::new)
    }

    pub(super) async fn delete_snapshot(&self, id: &SnapshotId) -> Result<(), CloudError> {
        let request = self.does.delete_snapshot().snapshot_id(id.as_str());
        self.done("DeleteSnapshot", request.send()).await.map(drop)
    }

    pub(super) async fn volumes(&self, filter: Filter) -> Result<Vec<Volume>, CloudError> {
        let request = self.asks.describe_volumes().filters(filter);
        all_pages!(self, "DescribeVolumes", request, |page: DescribeVolumesOutput| page
            .volumes
            .unwrap_or_default())
    }

    pub(super) async fn volume(&self, id: &VolumeId) -> Result<Volume, CloudError> {
        const CALL: &str = "DescribeVolumes";
        let answer = self.asks.describe_volumes().volume_ids(id.as_str()).send().await;
        self.one(CALL, self.judged(self.asks(CALL), answer)?.volumes, id.as_str())
    }

    pub(super) async fn create_volume(
        &self,
        request: CreateVolumeInputBuilder,
    ) -> Result<VolumeId, CloudError> {
        const CALL: &str = "CreateVolume";
        let made = self.done(CALL, request.send_with(&self.does)).await?;
        self.id(CALL, made.volume_id).map(VolumeId::new)
    }

    pub(super) async fn copy_volume(&self, request: CopyVolumesInputBuilder) -> Result<VolumeId, CloudError> {
        const CALL: &str = "CopyVolumes";
        let made = self.done(CALL, request.send_with(&self.does)).await?.volumes.unwrap_or_default();
        self.id(CALL, made.into_iter().next().and_then(|volume| volume.volume_id)).map(VolumeId::new)
    }

    pub(super) async fn attach_volume(
        &self,
        id: &VolumeId,
        to: &InstanceId,
        device: &str,
    ) -> Result<(), CloudError> {
        let request =
            self.does.attach_volume().volume_id(id.as_str()).instance_id(to.as_str()).device(device);
        self.done("AttachVolume", request.send()).await.map(drop)
    }

    pub(super) async fn detach_volume(&self, id: &VolumeId, from: &InstanceId) -> Result<(), CloudError> {
        let request = self.does.detach_volume().volume_id(id.as_str()).instance_id(from.as_str());
        self.done("DetachVolume", request.send()).await.map(drop)
    }

    pub(super) async fn delete_volume(&self, id: &VolumeId) -> Result<(), CloudError> {
        let request = self.does.delete_volume().volume_id(id.as_str());
        self.done("DeleteVolume", request.send()).await.map(drop)
    }
}
