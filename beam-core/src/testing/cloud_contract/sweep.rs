//! Sweeping up behind a clause, so that quotas are there for the next.

use super::harness::Outside;
use super::stage::Stage;
use crate::cloud_provider::{CloudError, InstanceState, Volume, VolumeState};
use crate::testing::Breach;

impl Stage<'_> {
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
