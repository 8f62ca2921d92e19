//! A caller as the contract wants it: it asks again when it may, and gives up when it must.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::harness::CloudHarness;
use crate::cloud_provider::{
    Address, AddressId, CloudError, CloudProvider, FleetTag, Instance, InstanceId, Launch, Snapshot,
    SnapshotId, SnapshotRequest, Token, Volume, VolumeId, VolumeRequest,
};

/// How long one call may take, in tokio's time: "some seconds", and room for a slow test machine.
pub(super) const CALL_MAX: Duration = Duration::from_secs(30);

/// How often a call is made before its error counts.
const TRIES_MAX: u32 = 40;

/// The wait before the second try; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Asks again after [`CloudError::Throttled`] and `Unavailable`, and after `OutcomeUnknown` once lists have settled.
pub(super) struct Patient<'h> {
    harness: &'h dyn CloudHarness,
    inner: Arc<dyn CloudProvider>,
    gone_is_done: bool,
}

/// One call, bounded.
pub(super) async fn bounded<T>(call: impl Future<Output = Result<T, CloudError>>) -> Result<T, CloudError> {
    match tokio::time::timeout(CALL_MAX, call).await {
        Ok(answer) => answer,
        Err(_) => Err(CloudError::Invalid(format!("a call took more than {CALL_MAX:?}"))),
    }
}

/// What a call of the trait is before it is awaited.
type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, CloudError>> + Send + 'a>>;

impl<'h> Patient<'h> {
    pub(super) fn new(harness: &'h dyn CloudHarness) -> Self {
        Self { harness, inner: harness.cloud(), gone_is_done: true }
    }

    /// One that takes not found for not found, even after doubt: for what never was.
    pub(super) fn strict(harness: &'h dyn CloudHarness) -> Self {
        Self { gone_is_done: false, ..Self::new(harness) }
    }

    /// Makes a call until it is answered for certain. Says whether there was doubt on the way.
    async fn ask<'a, T>(&self, call: impl Fn() -> Call<'a, T>) -> (Result<T, CloudError>, bool) {
        let (mut pause, mut doubt) = (PAUSE_MIN, false);
        for _ in 1..TRIES_MAX {
            match bounded(call()).await {
                Err(CloudError::Throttled | CloudError::Unavailable(_)) => self.harness.wait(pause).await,
                Err(CloudError::OutcomeUnknown(_)) => {
                    doubt = true;
                    self.harness.wait(pause.max(self.harness.list_lag())).await;
                }
                answer => return (answer, doubt),
            }
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
        (bounded(call()).await, doubt)
    }

    /// The same, for what is forgotten once it is done: not found after doubt is done.
    async fn ask_gone<'a>(&self, call: impl Fn() -> Call<'a, ()>) -> Result<(), CloudError> {
        match self.ask(call).await {
            (Err(CloudError::NotFound(_)), true) if self.gone_is_done => Ok(()),
            (answer, _) => answer,
        }
    }

    pub(super) async fn instances(&self, fleet: &FleetTag) -> Result<Vec<Instance>, CloudError> {
        self.ask(|| self.inner.instances(fleet)).await.0
    }

    pub(super) async fn launch(&self, launch: &Launch) -> Result<InstanceId, CloudError> {
        self.ask(|| self.inner.launch(launch)).await.0
    }

    pub(super) async fn terminate(&self, instance: &InstanceId) -> Result<(), CloudError> {
        self.ask(|| self.inner.terminate(instance)).await.0
    }

    pub(super) async fn addresses(&self, fleet: &FleetTag) -> Result<Vec<Address>, CloudError> {
        self.ask(|| self.inner.addresses(fleet)).await.0
    }

    pub(super) async fn addresses_left(&self) -> Result<Option<u32>, CloudError> {
        self.ask(|| self.inner.addresses_left()).await.0
    }

    pub(super) async fn allocate_address(
        &self,
        fleet: &FleetTag,
        token: &Token,
    ) -> Result<AddressId, CloudError> {
        self.ask(|| self.inner.allocate_address(fleet, token)).await.0
    }

    pub(super) async fn move_address(&self, address: &AddressId, to: &InstanceId) -> Result<(), CloudError> {
        self.ask(|| self.inner.move_address(address, to)).await.0
    }

    pub(super) async fn detach_address(&self, address: &AddressId) -> Result<(), CloudError> {
        self.ask(|| self.inner.detach_address(address)).await.0
    }

    pub(super) async fn release_address(&self, address: &AddressId) -> Result<(), CloudError> {
        self.ask_gone(|| self.inner.release_address(address)).await
    }

    pub(super) async fn volumes(&self, fleet: &FleetTag) -> Result<Vec<Volume>, CloudError> {
        self.ask(|| self.inner.volumes(fleet)).await.0
    }

    pub(super) async fn create_volume(&self, request: &VolumeRequest) -> Result<VolumeId, CloudError> {
        self.ask(|| self.inner.create_volume(request)).await.0
    }

    pub(super) async fn attach_volume(&self, volume: &VolumeId, to: &InstanceId) -> Result<(), CloudError> {
        self.ask(|| self.inner.attach_volume(volume, to)).await.0
    }

    pub(super) async fn detach_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        self.ask(|| self.inner.detach_volume(volume)).await.0
    }

    pub(super) async fn delete_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        self.ask_gone(|| self.inner.delete_volume(volume)).await
    }

    pub(super) async fn snapshots(&self, fleet: &FleetTag) -> Result<Vec<Snapshot>, CloudError> {
        self.ask(|| self.inner.snapshots(fleet)).await.0
    }

    pub(super) async fn take_snapshot(&self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError> {
        self.ask(|| self.inner.take_snapshot(request)).await.0
    }

    pub(super) async fn delete_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CloudError> {
        self.ask_gone(|| self.inner.delete_snapshot(snapshot)).await
    }
}
