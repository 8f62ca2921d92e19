//! The pilot's side tasks: each has a name and an owner who awaits it.
//!
//! A side task looks, tells or answers; nothing is signed by it. One that ends early is told as an error and the rest goes on:
//! no page, metric or log line is worth a signer. What signs and what runs the node is not here but in
//! [`Pilot`](super::pilot::Pilot), which ends when one of those does.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

/// How long all of them together may take to end once told, before they are dropped where they stand.
const END_WITHIN: Duration = Duration::from_secs(3);

/// The owner of the side tasks.
pub(crate) struct Tasks {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    stop: watch::Sender<bool>,
}

/// Tells a task that it shall end.
#[cfg_attr(not(test), allow(dead_code, reason = "none of the tasks so far has anything to finish"))]
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

#[cfg_attr(not(test), allow(dead_code, reason = "as above"))]
impl Stop {
    /// Waits until it shall.
    pub(crate) async fn told(&mut self) {
        // An error means that whoever could tell is gone: then it is time to.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { running: JoinSet::new(), names: HashMap::new(), stop: watch::Sender::new(false) }
    }

    /// Runs a task until the pilot ends. One that has something to finish then listens to [`stop`](Self::stop); any other is
    /// dropped at one of its awaits.
    pub(crate) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.running.spawn(task);
        self.names.insert(handle.id(), name);
    }

    /// For a task that has something to finish: a request to answer, a file to close.
    #[cfg_attr(not(test), allow(dead_code, reason = "as above"))]
    pub(crate) fn stop(&self) -> Stop {
        Stop(self.stop.subscribe())
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
        self.stop.send_replace(true);
        // Those that listen to `stop` end by themselves, which is soon; the others never would.
        if timeout(END_WITHIN, self.listeners_end()).await.is_err() {
            tracing::warn!(within = ?END_WITHIN, "not every part of the pilot has ended in time");
        }
        self.running.shutdown().await;
    }

    async fn listeners_end(&mut self) {
        while self.stop.receiver_count() > 0 && self.running.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_listens_finishes_and_who_does_not_is_dropped() {
        let (mut tasks, finished) = (Tasks::new(), Arc::new(AtomicBool::new(false)));
        let (mut stop, done) = (tasks.stop(), finished.clone());
        tasks.spawn("finishes", async move {
            stop.told().await;
            tokio::time::sleep(END_WITHIN / 2).await;
            done.store(true, Ordering::SeqCst);
        });
        tasks.spawn("never ends", std::future::pending());
        tasks.end().await;
        assert!(finished.load(Ordering::SeqCst));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_finish_holds_up_nobody_for_long() {
        let mut tasks = Tasks::new();
        let stop = tasks.stop();
        tasks.spawn("listens and does not end", async move {
            let _stop = stop;
            std::future::pending::<()>().await;
        });
        let began = tokio::time::Instant::now();
        tasks.end().await;
        assert_eq!(began.elapsed(), END_WITHIN);
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
