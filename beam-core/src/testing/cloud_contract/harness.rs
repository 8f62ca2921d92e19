//! What the suite needs to know of a backend.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::cloud_provider::{CloudProvider, FleetTag, InstanceId, TemplateId, Zone};

/// What somebody other than the provider does, for a clause that is about it.
#[derive(Clone, Copy, Debug)]
pub enum Outside<'a> {
    /// A person ends a machine, as the suite's validators must be. Who runs the suite on a real account must do it, or
    /// they stay.
    EndMachine(&'a InstanceId),
    /// A person stops a running machine, or begins to.
    StopMachine(&'a InstanceId),
    /// A person launches a machine with the fleet's tag, and without role, name and token.
    LaunchByHand(&'a FleetTag),
    /// The next call that may change something is done, and its answer lost.
    LoseAnswer,
    /// The next call that may change something does not reach the cloud, and the connection breaks after sending.
    LoseRequest,
    /// The next call gets no answer, ever.
    Hang,
    /// The next call is throttled.
    Throttle,
    /// The next call does not reach the cloud, for certain: no connection, or a server's error.
    BreakLine,
    /// The next machine that is launched finds no room in its zone.
    FillZone,
}

/// What the suite needs to know of a backend. Only the first two are needed; each of the rest lets it check more.
#[async_trait]
pub trait CloudHarness: Send + Sync {
    /// The cloud.
    fn cloud(&self) -> Arc<dyn CloudProvider>;

    /// A template for machines with a data disk of their own.
    fn template(&self) -> TemplateId;

    /// A number that no earlier run in the same account has had: fleets and tokens are made from it.
    fn run(&self) -> u64 {
        0
    }

    /// A zone in which the template's machines are not, if the region has one.
    fn other_zone(&self) -> Option<Zone> {
        None
    }

    /// How late lists may be.
    fn list_lag(&self) -> Duration {
        Duration::ZERO
    }

    /// How long something accepted may take to be finished, as [`wait`](Self::wait) counts. It bounds a whole clause in
    /// tokio's time, too.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Lets at least so much time pass. Sleeps by default; a virtual clock jumps.
    async fn wait(&self, at_least: Duration) {
        tokio::time::sleep(at_least).await;
    }

    /// Does something from outside, and says whether it could. By default it can do nothing.
    async fn outside(&self, what: Outside<'_>) -> bool {
        let _ = what;
        false
    }

    /// How often an address was attached so far, as the cloud would bill it; `None` if nobody counts.
    fn moves_billed(&self) -> Option<u64> {
        None
    }
}
