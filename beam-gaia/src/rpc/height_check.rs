//! Whether the node's height advances: the one thing that a frozen node cannot pretend.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use beam_core::health_check::{Health, HealthCheck};
use beam_core::signing::Height;
use beam_core::time::Instant;

use super::{NodeRpc, RpcError};

/// What is remembered from one check to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The height that was seen last.
    pub height: Height,
    /// When that height was seen first.
    pub since: Instant,
    /// Whether the node was ever seen to go from one height to the next; before that nobody knows whether it does.
    pub moved: bool,
}

/// What the node says this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its height.
    pub height: Height,
    /// Whether it fetches old blocks.
    pub catching_up: bool,
}

/// How the node is, and what to remember for the next time.
///
/// | the node | is |
/// |---|---|
/// | does not answer | down |
/// | answers with something else | unknown |
/// | is catching up | degraded |
/// | is asked for the first time, or fell back to a lower height | unknown |
/// | was seen to advance, the last time no longer than `still_after` ago | fine |
/// | has not advanced for longer than `still_after` | down |
/// | was not yet seen to advance | unknown |
///
/// A chain that stands still looks like a node that does: whoever acts on this must look at the other nodes too.
#[must_use]
pub fn judge(
    before: Option<Progress>,
    now: Instant,
    reading: Result<Reading, &RpcError>,
    still_after: Duration,
) -> (Option<Progress>, Health) {
    let reading = match reading {
        Ok(reading) => reading,
        Err(error @ RpcError::Unreachable(_)) => return (before, Health::Down(error.to_string())),
        Err(error) => return (before, Health::Unknown(error.to_string())),
    };
    let (progress, news) = remember(before, now, reading.height);
    let still_for = now.since(progress.since);
    let health = if reading.catching_up {
        Health::Degraded(format!("the node is catching up, at height {}", reading.height))
    } else if let Some(news) = news {
        Health::Unknown(news)
    } else if still_for > still_after {
        Health::Down(format!("the node stands at height {} for {} s", reading.height, still_for.as_secs()))
    } else if progress.moved {
        Health::Fine
    } else {
        Health::Unknown(format!("the node was not yet seen to leave height {}", reading.height))
    };
    (Some(progress), health)
}

/// The new memory, and what there is to say if it begins anew.
fn remember(before: Option<Progress>, now: Instant, height: Height) -> (Progress, Option<String>) {
    let anew = Progress { height, since: now, moved: false };
    match before {
        None => (anew, Some(format!("the node was asked for the first time, at height {height}"))),
        Some(before) if height < before.height => {
            (anew, Some(format!("the node fell from height {} to {height}", before.height)))
        }
        Some(before) if height > before.height => (Progress { moved: true, ..anew }, None),
        Some(before) => (before, None),
    }
}

/// Checks that the node's height advances.
#[derive(Debug)]
pub struct NodeHeight {
    rpc: NodeRpc,
    still_after: Duration,
    began: tokio::time::Instant,
    progress: Mutex<Option<Progress>>,
}

impl NodeHeight {
    /// Checks this node; it stands still if its height is the same for longer than `still_after`, which should be a few blocks' time.
    #[must_use]
    pub fn new(rpc: NodeRpc, still_after: Duration) -> Self {
        Self { rpc, still_after, began: tokio::time::Instant::now(), progress: Mutex::new(None) }
    }
}

#[async_trait]
impl HealthCheck for NodeHeight {
    fn name(&self) -> &str {
        "node height"
    }

    async fn check(&self) -> Health {
        let answer = self.rpc.status().await;
        let reading =
            answer.as_ref().map(|status| Reading { height: status.height, catching_up: status.catching_up });
        let now = Instant::at(self.began.elapsed());
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, health) = judge(*progress, now, reading, self.still_after);
        *progress = next;
        health
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_server::{Answer, Server};
    use super::*;

    const STILL_AFTER: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> Instant {
        Instant::at(Duration::from_secs(seconds))
    }

    fn synced(height: u64) -> Reading {
        Reading { height: Height(height), catching_up: false }
    }

    /// What is said of these readings, one after the other, each at its second.
    fn story<'a>(
        readings: impl IntoIterator<Item = (u64, Result<Reading, &'a RpcError>)>,
    ) -> Vec<&'static str> {
        let mut progress = None;
        readings
            .into_iter()
            .map(|(second, reading)| {
                let (next, health) = judge(progress, at(second), reading, STILL_AFTER);
                progress = next;
                match health {
                    Health::Fine => "fine",
                    Health::Degraded(_) => "degraded",
                    Health::Down(_) => "down",
                    Health::Unknown(_) => "unknown",
                }
            })
            .collect()
    }

    #[test]
    fn nothing_is_known_before_it_was_seen_to_advance() {
        assert_eq!(
            story([(0, Ok(synced(7))), (1, Ok(synced(7))), (5, Ok(synced(8)))]),
            ["unknown", "unknown", "fine"]
        );
    }

    #[test]
    fn a_height_may_stay_for_a_while_and_not_longer() {
        let readings = [(0, 7), (6, 8), (7, 8), (36, 8), (37, 8), (38, 9)].map(|(s, h)| (s, Ok(synced(h))));
        assert_eq!(story(readings), ["unknown", "fine", "fine", "fine", "down", "fine"]);
    }

    #[test]
    fn one_that_never_advances_is_down_in_the_end() {
        assert_eq!(
            story([(0, Ok(synced(7))), (30, Ok(synced(7))), (31, Ok(synced(7)))]),
            ["unknown", "unknown", "down"]
        );
    }

    #[test]
    fn one_that_catches_up_is_degraded_however_fast_it_is() {
        let behind = |height| Ok(Reading { height: Height(height), catching_up: true });
        assert_eq!(
            story([(0, behind(1)), (1, behind(900)), (2, Ok(synced(901)))]),
            ["degraded", "degraded", "fine"]
        );
    }

    #[test]
    fn one_that_does_not_answer_is_down_and_comes_back() {
        let gone = RpcError::Unreachable("connection refused".into());
        let odd = RpcError::Refused(500);
        assert_eq!(
            story([
                (0, Err(&gone)),
                (1, Ok(synced(7))),
                (2, Ok(synced(8))),
                (3, Err(&odd)),
                (4, Err(&gone)),
                (5, Ok(synced(8)))
            ]),
            ["down", "unknown", "fine", "unknown", "down", "fine"]
        );
    }

    #[test]
    fn one_that_fell_back_begins_anew() {
        let readings = [(0, 7), (1, 8), (2, 3), (3, 3), (4, 4)].map(|(s, h)| (s, Ok(synced(h))));
        assert_eq!(story(readings), ["unknown", "fine", "unknown", "unknown", "fine"]);
    }

    #[tokio::test]
    async fn a_node_is_followed_from_first_sight_to_its_end() {
        let status =
            |height| include_str!("fixtures/status.json").replace("\"21\"", &format!("\"{height}\""));
        let server = Server::start(Answer::ok(status(21))).await;
        let check = NodeHeight::new(NodeRpc::new(server.address), STILL_AFTER);
        assert_eq!(check.name(), "node height");
        assert!(matches!(check.check().await, Health::Unknown(_)));
        server.says(Answer::ok(status(22)));
        assert_eq!(check.check().await, Health::Fine);
        server.says(Answer::ok(include_str!("fixtures/status_catching_up.json")));
        assert!(matches!(check.check().await, Health::Degraded(_)));
        server.stop().await;
        assert!(matches!(check.check().await, Health::Down(_)));
    }
}
