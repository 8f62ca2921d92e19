//! The simulated cloud, as the suite wants it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use beam_core::cloud_provider::{CloudProvider, TemplateId, Zone};
use beam_core::testing::{CloudFault, CloudHarness, Delays, FakeCloud, Outside};

/// A simulated cloud, and the one that is asked: itself, or one that spoils what it does.
pub(crate) struct Simulated {
    pub(crate) simulated: Arc<FakeCloud>,
    pub(crate) asked: Arc<dyn CloudProvider>,
    pub(crate) list_lag: Duration,
}

impl Simulated {
    /// One that finishes everything at once.
    pub(crate) fn calm() -> Self {
        let simulated = Arc::new(FakeCloud::new());
        simulated.set_delays(Delays::NONE);
        Self { asked: simulated.clone(), simulated, list_lag: Duration::ZERO }
    }

    /// One that takes as long as AWS usually does.
    pub(crate) fn slow() -> Self {
        let stage = Self::calm();
        stage.simulated.set_delays(Delays::default());
        stage
    }
}

#[async_trait]
impl CloudHarness for Simulated {
    fn cloud(&self) -> Arc<dyn CloudProvider> {
        self.asked.clone()
    }

    fn template(&self) -> TemplateId {
        self.simulated.template()
    }

    fn other_zone(&self) -> Option<Zone> {
        Some(Zone::new(FakeCloud::ZONES[1]))
    }

    fn list_lag(&self) -> Duration {
        self.list_lag
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(1200)
    }

    async fn wait(&self, at_least: Duration) {
        self.simulated.advance(at_least);
    }

    async fn outside(&self, what: Outside<'_>) -> bool {
        let cloud = &self.simulated;
        match what {
            Outside::EndMachine(id) => return cloud.end_by_hand(id).is_ok(),
            Outside::StopMachine(id) => return cloud.stop_by_hand(id).is_ok(),
            Outside::LaunchByHand(fleet) => {
                drop(cloud.launch_by_hand(fleet, &Zone::new(FakeCloud::ZONES[0])))
            }
            Outside::LoseAnswer => cloud.script([Some(CloudFault::LostAnswer)]),
            Outside::LoseRequest => cloud.script([Some(CloudFault::LostRequest)]),
            Outside::Hang => cloud.script([Some(CloudFault::Hanging)]),
            Outside::Throttle => cloud.script([Some(CloudFault::Throttled)]),
            Outside::BreakLine => cloud.script([Some(CloudFault::Unavailable)]),
            Outside::FillZone => cloud.script([Some(CloudFault::NoCapacity)]),
        }
        true
    }

    fn moves_billed(&self) -> Option<u64> {
        Some(self.simulated.calls().moves_billed)
    }
}
