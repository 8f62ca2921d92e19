//! A watcher: subscribed to votes and blocks at several nodes, for as long as it lives.
//!
//! What concerns our validator is recorded and kept; everything is also told to listeners, who may
//! fall behind without the record losing anything. Events a node sends while the connection to it
//! is down are lost; each reconnection is counted so that the judge can say so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use super::event::{Block, Event, Vote, VoteKind};
use super::rpc::{self, Rpc, Session};
use crate::network::Validator;
use crate::wait;

/// The subscriptions of a watcher.
const QUERIES: [&str; 2] = ["tm.event='Vote'", "tm.event='NewBlock'"];
/// From connecting to the answer of both subscriptions.
const SUBSCRIBES_WITHIN: Duration = Duration::from_secs(10);
/// A node pings its clients every 27 s, so a longer silence is a dead connection.
const SILENCE_LIMIT: Duration = Duration::from_secs(40);
/// Before connecting again to a node that was lost.
const RECONNECT_AFTER: Duration = Duration::from_millis(100);
/// Events kept for a listener that is slower than the network.
const LISTENER_BUFFER: usize = 8_192;

/// What was seen so far, in the order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Every vote of our validator, once per node that saw it.
    pub votes: Vec<Vote>,
    /// The height of the newest block seen anywhere.
    pub height: u64,
    /// How often a connection was lost and made again.
    pub reconnections: u64,
    /// Nodes whose subscriptions stood at least once.
    subscribed: u64,
}

/// Watches several nodes. Dropping it ends the watch.
#[derive(Debug)]
pub struct Watcher {
    record: Arc<Mutex<Record>>,
    events: broadcast::Sender<Event>,
    _tasks: JoinSet<()>,
}

impl Watcher {
    /// Watches the nodes given by name and RPC port; returns once every one is subscribed.
    ///
    /// # Errors
    /// When a node takes no subscription in time.
    pub async fn start(nodes: Vec<(String, u16)>, validator: Validator) -> Result<Self> {
        let record = Arc::new(Mutex::new(Record::default()));
        let (events, _) = broadcast::channel(LISTENER_BUFFER);
        let expected = u64::try_from(nodes.len())?;
        let mut tasks = JoinSet::new();
        for (name, port) in nodes {
            let follower = Follower {
                name,
                rpc: Rpc::new(port),
                validator: validator.clone(),
                record: Arc::clone(&record),
                events: events.clone(),
            };
            tasks.spawn(follower.run());
        }
        let watcher = Self { record, events, _tasks: tasks };
        wait::until("all nodes to take subscriptions", SUBSCRIBES_WITHIN, || {
            let ready = watcher.lock().subscribed >= expected;
            std::future::ready(Ok(ready.then_some(())))
        })
        .await?;
        Ok(watcher)
    }

    /// A copy of what was seen so far.
    pub fn record(&self) -> Record {
        self.lock().clone()
    }

    /// Every event from now on, votes of the other validators too.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// The height of the newest block seen anywhere; 0 before the first.
    pub fn height(&self) -> u64 {
        self.lock().height
    }

    /// Waits for a vote of our validator that `wanted` accepts, past ones included.
    ///
    /// # Errors
    /// When none came in time; the message names `what`.
    pub async fn wait_for_vote(
        &self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&Vote) -> bool,
    ) -> Result<Vote> {
        wait::until(what, within, || {
            let found = self.lock().votes.iter().find(|vote| wanted(vote)).cloned();
            std::future::ready(Ok(found))
        })
        .await
    }

    /// Waits for our validator's first precommit for a block above `height`: the sign that it is
    /// back, told by its peers.
    ///
    /// # Errors
    /// When none came in time.
    pub async fn wait_for_signature_after(&self, height: u64, within: Duration) -> Result<Vote> {
        let what = format!("a precommit of our validator above height {height}");
        self.wait_for_vote(&what, within, |vote| {
            vote.kind == VoteKind::Precommit && vote.block.is_some() && vote.height > height
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }
}

/// A record is plain data, whole after every push; a panic elsewhere does not spoil it.
fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Follows one node.
struct Follower {
    name: String,
    rpc: Rpc,
    validator: Validator,
    record: Arc<Mutex<Record>>,
    events: broadcast::Sender<Event>,
}

impl Follower {
    async fn run(self) {
        let mut known = false;
        loop {
            let subscribed = tokio::time::timeout(SUBSCRIBES_WITHIN, self.subscribe()).await;
            if let Ok(Ok(mut session)) = subscribed {
                self.count_subscription(known);
                known = true;
                // However it ends, the remedy is the same: connect again.
                let _ = self.follow(&mut session).await;
            }
            tokio::time::sleep(RECONNECT_AFTER).await;
        }
    }

    fn count_subscription(&self, again: bool) {
        let mut record = lock(&self.record);
        let counter = if again { &mut record.reconnections } else { &mut record.subscribed };
        *counter = counter.saturating_add(1);
    }

    async fn subscribe(&self) -> Result<Session> {
        let mut session = self.rpc.open().await?;
        let mut unanswered = Vec::new();
        for query in QUERIES {
            unanswered.push(Value::from(session.request("subscribe", json!({ "query": query })).await?));
        }
        // Events of the first subscription may come before the answer to the second; events carry
        // the number of their subscription, like answers, but never an empty result.
        while !unanswered.is_empty() {
            let message = session.next().await?;
            let id = message.get("id").cloned().unwrap_or_default();
            let result = rpc::result(message)?;
            match result.get("data") {
                None => unanswered.retain(|open| *open != id),
                Some(_) => self.take(&result)?,
            }
        }
        Ok(session)
    }

    async fn follow(&self, session: &mut Session) -> Result<()> {
        loop {
            let Ok(message) = tokio::time::timeout(SILENCE_LIMIT, session.next()).await else {
                bail!("{} said nothing for {SILENCE_LIMIT:?}", self.name);
            };
            // An error here is the node throwing a slow client out.
            self.take(&rpc::result(message?)?)?;
        }
    }

    fn take(&self, result: &Value) -> Result<()> {
        let arrived = Instant::now();
        let value = result.pointer("/data/value").unwrap_or(&Value::Null);
        match result.pointer("/data/type").and_then(Value::as_str) {
            Some("tendermint/event/Vote") => {
                let vote = Vote::parse(value, &self.name, arrived)?;
                if vote.validator == self.validator.address {
                    lock(&self.record).votes.push(vote.clone());
                }
                self.tell(Event::Vote(vote));
            }
            Some("tendermint/event/NewBlock") => {
                let block = value.get("block").unwrap_or(&Value::Null);
                let block = Block::parse(block, &self.validator.address)?;
                let mut record = lock(&self.record);
                record.height = record.height.max(block.height);
                drop(record);
                self.tell(Event::Block { seen_by: self.name.clone(), block, arrived });
            }
            _ => bail!("{} sent an event of another kind", self.name),
        }
        Ok(())
    }

    /// Nobody listening is no error.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}
