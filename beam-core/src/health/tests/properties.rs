//! What never happens, whatever is seen.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::story::healthy;
use crate::health::{
    Action, Answer, Consensus, Event, HealthConfig, NodeHealth, Peers, Readings, Remedy, SignerLink, Source,
    Status, Upgrade, Votes,
};
use crate::logs::Clue;
use crate::machine::Machine;
use crate::signing::{Attempt, Height};
use crate::time::Instant;

/// What the others do during a story.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Chain {
    GoesOn,
    Stands,
    IsNotKnown,
}

#[derive(Clone, Debug)]
enum Happens {
    Looked(Readings),
    Told(Clue),
    Started,
    /// Again, and as it was.
    Configured,
    Obeyed(bool),
    Nothing,
}

fn node() -> impl Strategy<Value = Answer> {
    let status = |(height, catching_up, odd): (u64, bool, bool)| {
        let network = if odd { "other" } else { "hub" }.parse().unwrap();
        Answer::Status(Status { network, height: Height(height), catching_up })
    };
    let unlikely = || proptest::bool::weighted(0.05);
    prop_oneof![
        1 => Just(Answer::NotAsked),
        4 => Just(Answer::Silent),
        1 => Just(Answer::Odd("404".to_owned())),
        20 => (1000_u64..1003, unlikely(), unlikely()).prop_map(status),
    ]
}

/// Any look at a node that hardly moves; the others are filled in later.
fn readings() -> impl Strategy<Value = Readings> {
    let consensus = select(vec![None, Some(Consensus::Answers), Some(Consensus::Hangs)]);
    let peers = select(vec![None, Some(0), Some(5)])
        .prop_map(|peers| peers.map(|outbound| Peers { inbound: 0, outbound }));
    let signer = proptest::option::of((any::<bool>(), 0_u64..3))
        .prop_map(|signer| signer.map(|(connected, keys_given)| SignerLink { connected, keys_given }));
    let height = || proptest::option::weighted(0.8, 999_u64..1003).prop_map(|height| height.map(Height));
    let upgrade = proptest::option::weighted(0.1, 999_u64..1003)
        .prop_map(|height| height.map(|height| Upgrade { name: "v2".to_owned(), height: Height(height) }));
    (node(), consensus, peers, signer, height(), upgrade, proptest::bool::weighted(0.95)).prop_map(
        |(node, consensus, peers, signer, app_height, upgrade, running)| Readings {
            running: Some(running),
            node,
            app_height,
            consensus,
            peers,
            upgrade,
            signer,
            votes: Some(Votes { seated: true, to: Height(1000), missed_in_a_row: 0 }),
            ..healthy()
        },
    )
}

fn clue() -> impl Strategy<Value = Clue> {
    let (words, height) = (|| "words".to_owned(), Height(1002));
    select(vec![
        Clue::ConsensusFailure { reason: words(), why: None },
        Clue::ConsensusFailure { reason: words(), why: Some(Box::new(Clue::HaltHeight { height })) },
        Clue::UpgradeNeeded { name: "v2".to_owned(), height },
        Clue::HaltHeight { height },
        Clue::EarlyBinary,
        Clue::WrongBinary,
        Clue::DiskFull,
        Clue::SignerGone,
        Clue::SignerRefused { reason: words() },
        Clue::ConflictingVote { height: None },
        Clue::Jailed,
        Clue::AppHash,
        Clue::WalLost,
        Clue::Panic { reason: words() },
        Clue::StartRefused { reason: words() },
    ])
}

/// Stretches of time in which much the same is seen again and again, as in life; else nothing ever lasts.
fn stories() -> impl Strategy<Value = Vec<(u64, Happens)>> {
    let once = prop_oneof![
        6 => (readings(), 1_usize..80).prop_map(|(readings, times)| (Happens::Looked(readings), times)),
        2 => clue().prop_map(|clue| (Happens::Told(clue), 1)),
        1 => Just((Happens::Started, 1)),
        1 => Just((Happens::Configured, 1)),
        3 => any::<bool>().prop_map(|done| (Happens::Obeyed(done), 1)),
        1 => Just((Happens::Nothing, 1)),
    ];
    let stretch = (once, 1_u64..30).prop_map(|((happens, times), seconds)| vec![(seconds, happens); times]);
    proptest::collection::vec(stretch, 1..40).prop_map(|stretches| stretches.concat())
}

fn config() -> HealthConfig {
    HealthConfig { start_grace: Duration::from_secs(60), ..HealthConfig::new("hub".parse().unwrap()) }
}

/// The seconds at which the node was restarted, and since when it had run. Checks at each that it had a reason.
fn restarts(story: &[(u64, Happens)], chain: Chain) -> Vec<u64> {
    let mut health = NodeHealth::new(config());
    let (mut now, mut started, mut last) = (0, None, None);
    let mut restarts = Vec::new();
    for (seconds, happens) in story {
        now += seconds;
        let event = match happens {
            Happens::Looked(readings) => Event::Looked(seen(readings, chain, now)),
            Happens::Told(clue) => Event::Told(clue.clone()),
            Happens::Started => Event::Started,
            Happens::Configured => Event::Configured(config()),
            Happens::Obeyed(done) => Event::Restarted { attempt: last.unwrap_or(Attempt(0)), done: *done },
            Happens::Nothing => Event::Woken,
        };
        let is_look = matches!(event, Event::Looked(_));
        if event == Event::Started {
            started = Some(now);
        }
        for action in health.step(Instant::at(Duration::from_secs(now)), event) {
            if let Action::Restart { attempt, because } = action {
                assert!(is_look, "on fresh readings only");
                assert_eq!(because.remedy(), Remedy::Restart);
                let grace = config().start_grace.as_secs();
                assert!(started.is_none_or(|started| now - started > grace), "left alone at first");
                last = Some(attempt);
                restarts.push(now);
            }
        }
    }
    restarts
}

fn seen(readings: &Readings, chain: Chain, now: u64) -> Readings {
    let height = match chain {
        Chain::GoesOn => 1000 + now / 5,
        Chain::Stands | Chain::IsNotKnown => 1010,
    };
    let mut others = [Source::Register, Source::Reference("s".to_owned()), Source::Peer("p".to_owned())]
        .map(|source| (source, Height(height)));
    others[0].1.0 -= 1;
    // They come and go.
    let known = if chain == Chain::IsNotKnown { 0 } else { usize::try_from(now % 7).unwrap() + 1 };
    Readings { others: others.into_iter().take(known).collect(), ..readings.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn it_never_restarts_more_often_than_allowed(story in stories()) {
        let restarts = restarts(&story, Chain::GoesOn);
        let max = usize::try_from(config().restarts_max).unwrap();
        for some in restarts.windows(max + 1) {
            prop_assert!(some[max] - some[0] > config().restart_window.as_secs(), "{restarts:?}");
        }
    }

    #[test]
    fn it_never_restarts_while_the_chain_stands(story in stories()) {
        prop_assert_eq!(restarts(&story, Chain::Stands), Vec::<u64>::new());
    }

    #[test]
    fn it_never_restarts_a_node_that_nobody_can_be_compared_with(story in stories()) {
        prop_assert_eq!(restarts(&story, Chain::IsNotKnown), Vec::<u64>::new());
    }
}

/// The stories do hold restarts, or the properties would say nothing.
#[test]
fn the_stories_are_worth_something() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let many = (0..100).filter(|_| {
        let story = stories().new_tree(&mut runner).unwrap().current();
        restarts(&story, Chain::GoesOn).len() >= 3
    });
    assert!(many.count() >= 10);
}
