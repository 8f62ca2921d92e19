//! The pilot's side tasks: each has a name and an owner who awaits it.
//!
//! A side task looks, tells or answers; nothing is signed by it. One that ends early is told as an error and the rest goes on:
//! no page, metric or log line is worth a signer. What signs and what runs the node is not here but in
//! [`Pilot`](super::pilot::Pilot), which ends when one of those does.

use std::collections::HashMap;
use std::future::Future;

use tokio::task::{Id, JoinError, JoinSet};

/// The owner of the side tasks.
pub(crate) struct Tasks {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { running: JoinSet::new(), names: HashMap::new() }
    }

    /// Runs a task until the pilot ends; then it is dropped at one of its awaits. What has something to finish is none of these:
    /// see [`Pilot`](super::pilot::Pilot), which ends those in their order.
    pub(crate) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.running.spawn(task);
        self.names.insert(handle.id(), name);
    }

    /// Tells of each task that ends although nobody told it to. Never ends itself; safe to drop midway.
    pub(crate) async fn tell_of_ends(&mut self) {
        loop {
            match self.running.join_next_with_id().await {
                Some(ended) => self.tell(ended),
                None => std::future::pending().await,
            }
        }
    }

    fn tell(&mut self, ended: Result<(Id, ()), JoinError>) {
        let (id, error) = match ended {
            Ok((id, ())) => (id, None),
            Err(error) => (error.id(), Some(error)),
        };
        let task = self.names.remove(&id).unwrap_or("?");
        tracing::error!(
            task,
            error = error.map(|error| error.to_string()),
            "a part of the pilot has ended by itself"
        );
    }

    /// Ends them all.
    pub(crate) async fn end(mut self) {
        self.running.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_end_waits_for_nobody_and_leaves_nobody() {
        let (mut tasks, held) = (Tasks::new(), Arc::new(()));
        let holds = held.clone();
        tasks.spawn("never ends", async move {
            let _holds = holds;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&held), 2);
        let began = tokio::time::Instant::now();
        tasks.end().await;
        assert_eq!((Arc::strong_count(&held), began.elapsed()), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn an_early_end_is_taken_note_of_and_the_rest_goes_on() {
        let mut tasks = Tasks::new();
        tasks.spawn("ends", async {});
        tasks.spawn("panics", async { panic!("on purpose") });
        tasks.spawn("goes on", std::future::pending());
        let _ = timeout(Duration::from_secs(1), tasks.tell_of_ends()).await;
        assert_eq!(tasks.names.values().collect::<Vec<_>>(), [&"goes on"]);
    }
}
