//! What one clause works with: a fleet of its own, and things in it.

use std::sync::Arc;
use std::time::Duration;

use super::clause::Verdict;
use super::harness::{CloudHarness, Outside};
use super::patient::Patient;
use crate::cloud_provider::{
    Address, AddressId, CloudError, CloudProvider, FleetTag, Instance, InstanceId, InstanceState, Launch,
    Role, Snapshot, SnapshotId, SnapshotRequest, SnapshotState, Token, Volume, VolumeId, VolumeRequest,
    VolumeSource, VolumeState,
};
use crate::signing::Height;
use crate::testing::Breach;

/// The first pause between two looks; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What one clause works with.
pub(super) struct Stage<'h> {
    pub(super) harness: &'h dyn CloudHarness,
    /// The cloud, asked patiently.
    pub(super) cloud: Patient<'h>,
    /// The same, for things that never were.
    pub(super) strict: Patient<'h>,
    /// The clause's own fleet.
    pub(super) fleet: FleetTag,
    prefix: String,
}

/// Waits for something, but not for ever.
pub(super) struct Waiting<'h> {
    harness: &'h dyn CloudHarness,
    what: &'static str,
    pause: Duration,
    waited: Duration,
}

impl Waiting<'_> {
    /// Waits a little, or gives up, saying what there was instead.
    pub(super) async fn more(&mut self, seen: &(impl std::fmt::Debug + Sync)) -> Result<(), Breach> {
        let patience = self.harness.patience();
        ensure!(self.waited < patience, "after {patience:?} {} is not seen, but {seen:?}", self.what);
        self.harness.wait(self.pause).await;
        self.waited = self.waited.saturating_add(self.pause);
        self.pause = self.pause.saturating_mul(2).min(PAUSE_MAX);
        Ok(())
    }
}

impl<'h> Stage<'h> {
    pub(super) fn new(harness: &'h dyn CloudHarness, number: usize) -> Self {
        let prefix = format!("contract-{:x}-{number}", harness.run());
        let (cloud, strict) = (Patient::new(harness), Patient::strict(harness));
        Self { harness, cloud, strict, fleet: FleetTag::new(&prefix), prefix }
    }

    /// The provider itself, for a call that is made once.
    pub(super) fn once(&self) -> Arc<dyn CloudProvider> {
        self.harness.cloud()
    }

    /// A token of this clause.
    pub(super) fn token(&self, name: &str) -> Token {
        Token::new(format!("{}-{name}", self.prefix))
    }

    /// Another fleet, that has nothing.
    pub(super) fn other_fleet(&self) -> FleetTag {
        FleetTag::new(format!("{}-other", self.prefix))
    }

    /// A sentry that should be.
    pub(super) fn sentry(&self, name: &str) -> Launch {
        Launch {
            token: self.token(name),
            fleet: self.fleet.clone(),
            role: Role::Sentry,
            name: name.to_owned(),
            template: self.harness.template(),
            snapshot: None,
        }
    }

    /// A validator that should be.
    pub(super) fn validator(&self, name: &str) -> Launch {
        Launch { role: Role::Validator, ..self.sentry(name) }
    }

    /// A snapshot that should be.
    pub(super) fn snapshot_of(&self, volume: &VolumeId, name: &str) -> Result<SnapshotRequest, Breach> {
        Ok(SnapshotRequest {
            token: self.token(name),
            fleet: self.fleet.clone(),
            volume: volume.clone(),
            chain: "contract-1".parse()?,
            height: Height(42),
        })
    }

    /// A volume that should be.
    pub(super) fn volume_from(&self, source: VolumeSource, name: &str) -> VolumeRequest {
        VolumeRequest { token: self.token(name), fleet: self.fleet.clone(), source }
    }

    /// Lets lists show what was answered before.
    pub(super) async fn lists_settle(&self) {
        let lag = self.harness.list_lag();
        if !lag.is_zero() {
            self.harness.wait(lag).await;
        }
    }

    pub(super) fn waiting(&self, what: &'static str) -> Waiting<'h> {
        Waiting { harness: self.harness, what, pause: PAUSE_MIN, waited: Duration::ZERO }
    }

    /// The machine, once it is listed so.
    pub(super) async fn instance(
        &self,
        id: &InstanceId,
        what: &'static str,
        so: impl Fn(&Instance) -> bool,
    ) -> Result<Instance, Breach> {
        let mut waiting = self.waiting(what);
        loop {
            let found = self.cloud.instances(&self.fleet).await?.into_iter().find(|found| found.id == *id);
            match found {
                Some(found) if so(&found) => return Ok(found),
                other => waiting.more(&other).await?,
            }
        }
    }

    /// Waits until a machine has ended, or is forgotten.
    pub(super) async fn ended(&self, id: &InstanceId) -> Result<(), Breach> {
        self.lists_settle().await;
        let mut waiting = self.waiting("the end of a machine");
        loop {
            let found = self.cloud.instances(&self.fleet).await?.into_iter().find(|found| found.id == *id);
            match found {
                Some(found) if found.state != InstanceState::Terminated => waiting.more(&found).await?,
                _ => return Ok(()),
            }
        }
    }

    /// A sentry of this name that runs, launched now, with its data disk.
    pub(super) async fn running(&self, name: &str) -> Result<Instance, Breach> {
        let id = self.cloud.launch(&self.sentry(name)).await?;
        self.instance(&id, "a running machine with its data disk", |found| {
            found.state == InstanceState::Running && found.data_volume.is_some()
        })
        .await
    }

    /// A sentry that runs, and its data disk.
    pub(super) async fn running_with_disk(&self, name: &str) -> Result<(Instance, VolumeId), Breach> {
        let instance = self.running(name).await?;
        match instance.data_volume.clone() {
            Some(volume) => Ok((instance, volume)),
            None => Err(Breach::new("the template's machine has no data volume")),
        }
    }

    /// A sentry that runs and has no data disk: its own was taken off and deleted.
    pub(super) async fn running_without_disk(&self, name: &str) -> Result<Instance, Breach> {
        let (instance, own) = self.running_with_disk(name).await?;
        self.cloud.detach_volume(&own).await?;
        self.volume(&own, "a detached volume", |found| found.state == VolumeState::Available).await?;
        self.cloud.delete_volume(&own).await?;
        self.instance(&instance.id, "a machine without data disk", |found| found.data_volume.is_none()).await
    }

    /// The address, once it is listed so.
    pub(super) async fn address(
        &self,
        id: &AddressId,
        what: &'static str,
        so: impl Fn(&Address) -> bool,
    ) -> Result<Address, Breach> {
        let mut waiting = self.waiting(what);
        loop {
            let found = self.cloud.addresses(&self.fleet).await?.into_iter().find(|found| found.id == *id);
            match found {
                Some(found) if so(&found) => return Ok(found),
                other => waiting.more(&other).await?,
            }
        }
    }

    /// An address that is attached to nothing, allocated now, and listed.
    pub(super) async fn free_address(&self, name: &str) -> Result<Address, Breach> {
        let id = self.cloud.allocate_address(&self.fleet, &self.token(name)).await?;
        self.address(&id, "a free address", |found| found.attached.is_none()).await
    }

    /// Moves an address to a machine, and waits until both lists say so.
    pub(super) async fn moved(&self, address: &Address, to: &InstanceId) -> Result<(), Breach> {
        self.cloud.move_address(&address.id, to).await?;
        self.address(&address.id, "an attached address", |found| found.attached.as_ref() == Some(to)).await?;
        let shown = Some(address.address);
        self.instance(to, "the machine's fixed address", |found| found.public_address == shown)
            .await
            .map(drop)
    }

    /// The volume, once it is listed so.
    pub(super) async fn volume(
        &self,
        id: &VolumeId,
        what: &'static str,
        so: impl Fn(&Volume) -> bool,
    ) -> Result<Volume, Breach> {
        let mut waiting = self.waiting(what);
        loop {
            let found = self.cloud.volumes(&self.fleet).await?.into_iter().find(|found| found.id == *id);
            match found {
                Some(found) if so(&found) => return Ok(found),
                other => waiting.more(&other).await?,
            }
        }
    }

    /// Waits until a volume is no longer listed.
    pub(super) async fn volume_gone(&self, id: &VolumeId) -> Result<(), Breach> {
        self.lists_settle().await;
        let mut waiting = self.waiting("a list without the volume");
        loop {
            match self.cloud.volumes(&self.fleet).await?.into_iter().find(|found| found.id == *id) {
                Some(found) => waiting.more(&found).await?,
                None => return Ok(()),
            }
        }
    }

    /// A volume that is available, made now.
    pub(super) async fn free_volume(&self, source: VolumeSource, name: &str) -> Result<Volume, Breach> {
        let id = self.cloud.create_volume(&self.volume_from(source, name)).await?;
        self.volume(&id, "an available volume", |found| found.state == VolumeState::Available).await
    }

    /// The snapshot, once it is listed so.
    pub(super) async fn snapshot(
        &self,
        id: &SnapshotId,
        what: &'static str,
        so: impl Fn(&Snapshot) -> bool,
    ) -> Result<Snapshot, Breach> {
        let mut waiting = self.waiting(what);
        loop {
            let found = self.cloud.snapshots(&self.fleet).await?.into_iter().find(|found| found.id == *id);
            match found {
                Some(found) if so(&found) => return Ok(found),
                other => waiting.more(&other).await?,
            }
        }
    }

    /// A complete snapshot of a volume, taken now.
    pub(super) async fn complete(&self, volume: &VolumeId, name: &str) -> Result<Snapshot, Breach> {
        let id = self.cloud.take_snapshot(&self.snapshot_of(volume, name)?).await?;
        self.snapshot(&id, "a complete snapshot", |found| found.state == SnapshotState::Complete).await
    }

    /// Judges the answer to a call that was made too early. `unfinished` is what the list said right after it; a list
    /// that may be late says nothing of what was when the call was made.
    pub(super) fn too_early<T: std::fmt::Debug>(
        &self,
        answer: &Result<T, CloudError>,
        unfinished: bool,
    ) -> Result<Verdict, Breach> {
        match answer {
            Err(CloudError::NotReady(_)) => Ok(Verdict::Kept),
            Ok(_) if !unfinished || !self.harness.list_lag().is_zero() => {
                Ok(Verdict::NotStaged("see what is unfinished"))
            }
            other => Err(Breach::new(format!("made too early, the call gave {other:?}, expected NotReady"))),
        }
    }

    /// Ends and gives back whatever the fleet has. Stops at the first error: what is left is in nobody's way.
    pub(super) async fn sweep(&self) -> Result<(), Breach> {
        self.lists_settle().await;
        for found in self.cloud.instances(&self.fleet).await? {
            if matches!(found.state, InstanceState::Ending | InstanceState::Terminated) {
                continue;
            }
            match self.cloud.terminate(&found.id).await {
                Err(CloudError::Protected(_)) => {
                    self.harness.outside(Outside::EndMachine(&found.id)).await;
                }
                ended => ended?,
            }
            self.ended(&found.id).await?;
        }
        self.lists_settle().await;
        for found in self.cloud.addresses(&self.fleet).await? {
            self.cloud.detach_address(&found.id).await?;
            self.cloud.release_address(&found.id).await?;
        }
        for found in self.cloud.volumes(&self.fleet).await? {
            if matches!(found.state, VolumeState::Available | VolumeState::Creating | VolumeState::Failed) {
                let so = |found: &Volume| found.state != VolumeState::Creating;
                self.volume(&found.id, "a volume that is made", so).await?;
                self.cloud.delete_volume(&found.id).await?;
            }
        }
        for found in self.cloud.snapshots(&self.fleet).await? {
            self.cloud.delete_snapshot(&found.id).await?;
        }
        Ok(())
    }
}
