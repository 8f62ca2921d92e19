//! Blockscape, Cosmos Hub 3, 2020-05-20, height 1,955,889: tombstoned.
//!
//! Two of its nodes were active at once and asked one another for permission before each signature, in a log replicated by Raft.
//! The log was kept for too short a time: a twin that lagged behind asked for a height that had been signed already, and whose
//! entry had been pruned. Nobody remembered, so it was permitted. (Blockscape, "Validator Update #1" and "#2".)
//!
//! *The tool of the day* answered "has this been signed?" from a list of what had been signed, and a list must end somewhere.
//!
//! *In Beam* the register holds one mark and no list. Whatever is below it is refused, however old, and nothing is pruned because
//! there is nothing to prune. Two real pilots show it, with a twin asking for every position that was ever signed.
//!
//! *What Beam does not stop:* somebody who puts the register itself back to an old state that no machine has seen beyond.

use std::collections::VecDeque;

use beam_benches::node::Node;
use beam_gaia::privval::messages::SignedMsgType;

use crate::lone_pilot::LonePilot;

/// How far the chain gets while the twin lags.
const HEIGHTS: i64 = 50;
/// What the permission log of the second half still remembers.
const RETENTION: usize = 20;
const STEPS: [SignedMsgType; 2] = [SignedMsgType::Prevote, SignedMsgType::Precommit];
/// The twin's blocks are others.
const TWIN: i64 = 1_000_000;

async fn node(pilot: &LonePilot) -> Node {
    let socket = pilot.socket();
    tokio::task::spawn_blocking(move || Node::listen(&socket, || Ok(())).unwrap()).await.unwrap()
}

fn positions() -> impl DoubleEndedIterator<Item = (i64, SignedMsgType)> {
    (1..=HEIGHTS).flat_map(|height| STEPS.map(|step| (height, step)))
}

/// As Blockscape's: whoever asks first for a position may sign there, as far as is remembered.
#[derive(Default)]
struct PermissionLog(VecDeque<(i64, SignedMsgType)>);

impl PermissionLog {
    fn permits(&mut self, position: (i64, SignedMsgType)) -> bool {
        let signed = self.0.contains(&position);
        if !signed {
            self.0.push_back(position);
            if self.0.len() > RETENTION {
                self.0.pop_front();
            }
        }
        !signed
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blockscape_2020_a_lagging_twin_asks_for_what_was_signed_long_ago() {
    let mut leading = LonePilot::prepare();
    let mut lagging = leading.beside();
    leading.start().await;
    lagging.start().await;
    let (mut first, mut twin) = (node(&leading).await, node(&lagging).await);
    let asked = tokio::task::spawn_blocking(move || {
        for (height, step) in positions() {
            first.vote(height, step, height).unwrap().unwrap();
        }
        positions().map(|(height, step)| twin.vote(height, step, TWIN + height).unwrap()).collect::<Vec<_>>()
    });
    let answers = asked.await.unwrap();
    for ((height, step), answer) in positions().zip(answers) {
        let refusal = answer.expect_err("signed twice");
        let newest = (height, step) == (HEIGHTS, SignedMsgType::Precommit);
        let why = if newest { "something else is recorded" } else { "is behind the register" };
        assert!(refusal.contains(why), "{height}: {refusal}");
    }

    let mut log = PermissionLog::default();
    assert!(positions().all(|position| log.permits(position)), "each is signed once, by the leading one");
    // The newest are still remembered.
    let twice = positions().rev().filter(|position| log.permits(*position)).count();
    println!("with a log of {RETENTION} permissions, {twice} of {} positions were signed twice", HEIGHTS * 2);
    assert!(twice > 0);
}
