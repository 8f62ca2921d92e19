//! Where a fault happens: the lab, whom it strikes, and how long its parts take.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::Connection;
use serde_json::Value;

use super::Pace;
use crate::lab::Lab;
use crate::machine::Machine;
use crate::wait;

/// From a pilot's start to its node's answer. It replays the chain first.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// From a blow to what shows that it took effect. A report is made each second, and what it tells of may take two more.
const SHOWS_WITHIN: Duration = Duration::from_secs(30);

/// A fault's scene.
pub(super) struct Scene<'a> {
    pub(super) lab: &'a mut Lab,
    /// Whom it strikes.
    pub(super) machine: String,
    pub(super) pace: Pace,
    pub(super) tell: &'a (dyn Fn(String) + Sync),
    pub(super) notes: Notes,
}

/// What a fault remembers from its blow to its repair. If it fails in between, all that was done to the lab ends with this.
#[derive(Default)]
pub(super) struct Notes {
    /// The victim's node.
    pub(super) node: Option<i32>,
    /// How many requests the victim's signer had refused.
    pub(super) refused: Option<u64>,
    /// How far a counter of each machine concerned had come.
    pub(super) counted: Vec<(String, u64)>,
    /// What holds the register's lock.
    pub(super) lock: Option<Mutex<Connection>>,
    /// A copy of the victim that runs.
    pub(super) third: Option<Machine>,
}

impl Scene<'_> {
    /// Says what is being done.
    pub(super) fn tell(&self, what: impl Into<String>) {
        (self.tell)(what.into());
    }

    /// The machine that is struck.
    pub(super) fn victim(&mut self) -> Result<&mut Machine> {
        self.lab.machine(&self.machine)
    }

    /// Starts the machine that was struck, and waits until its node answers.
    pub(super) async fn start(&mut self) -> Result<()> {
        self.tell(format!("{} starts again", self.machine));
        let victim = self.victim()?;
        victim.start()?;
        victim.wait_ready(READY_WITHIN).await
    }

    /// Waits until the node of the machine that was struck answers.
    pub(super) async fn node_answers(&mut self) -> Result<()> {
        self.victim()?.wait_ready(READY_WITHIN).await
    }

    /// Lets the time pass for which things stay broken.
    pub(super) async fn stay_down(&self, what: &str) {
        self.tell(format!("{what} for {:?}", self.pace.down));
        tokio::time::sleep(self.pace.down).await;
    }

    /// Waits until `shows` says that the fault took effect.
    ///
    /// # Errors
    /// When it does not in time: then the fault did not strike, and nothing is proved by what it cost.
    pub(super) async fn shows<F, Fut>(what: &str, shows: F) -> Result<()>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Option<()>>>,
    {
        wait::until(&format!("the fault to take effect: {what}"), SHOWS_WITHIN, shows).await
    }

    /// Waits until the pilot of `machine` reports what is wanted of it.
    ///
    /// # Errors
    /// As [`shows`](Self::shows).
    pub(super) async fn reports(
        &mut self,
        machine: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<()> {
        let machine = self.lab.machine(machine)?;
        Self::shows(what, || async {
            Ok(machine.report().await.is_ok_and(|report| wanted(&report)).then_some(()))
        })
        .await
    }
}

/// A number of a pilot's report, 0 if it is not there.
pub(super) fn figure(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// What a time on a monotonic clock was on the wall's, in milliseconds since 1970, by a clock that does not jump meanwhile.
pub(super) fn wall_ms(at: Instant) -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let then = now.saturating_sub(at.elapsed());
    u64::try_from(then.as_millis()).unwrap_or(u64::MAX)
}
