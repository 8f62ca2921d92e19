//! Every condition with its evidence: what is told and done in the two hours after something happens to a node in best health that is
//! looked at every 5 seconds. Read `table.txt`; a change there is a change of what people are told at night.

use super::story::Story;
use crate::health::{Answer, Consensus, Peers, Source, Upgrade};
use crate::id::ChainId;
use crate::logs::Clue;
use crate::signing::Height;

type Case = (&'static str, fn(&mut Story));

const TWO_HOURS: u64 = 2 * 60 * 60;

fn upgrade(height: u64) -> Upgrade {
    Upgrade { name: "v2".to_owned(), height: Height(height) }
}

fn upgrade_needed(height: u64) -> Clue {
    Clue::UpgradeNeeded { name: "v2".to_owned(), height: Height(height) }
}

fn failure(why: Option<Clue>) -> Clue {
    Clue::ConsensusFailure { reason: "words".to_owned(), why: why.map(Box::new) }
}

fn fails(story: &mut Story) {
    story.stores_a_block();
}

fn hangs(story: &mut Story) {
    story.stands().seen.consensus = Some(Consensus::Hangs);
}

fn loses_its_signer(story: &mut Story) {
    hangs(story);
    story.seen.signer.as_mut().unwrap().connected = false;
}

fn is_alone(story: &mut Story) {
    story.stands().seen.peers = Some(Peers { inbound: 0, outbound: 0 });
}

fn nobody_is_known(story: &mut Story) {
    story.seen.others.clear();
}

const CASES: &[Case] = &[
    ("nothing happens", |_| {}),
    ("process gone", |story| story.stands().seen.running = Some(false)),
    ("process gone, disk full by log", |story| {
        story.stands().clue(Clue::DiskFull).seen.running = Some(false);
    }),
    ("process gone, upgrade file for the next block", |story| {
        story.seen.running = Some(false);
        story.seen.upgrade = Some(upgrade(1061));
        story.stands();
    }),
    ("silent, commits nothing", |story| {
        story.seen.node = Answer::Silent;
    }),
    ("silent, but asks its signer", |story| {
        (story.seen.node, story.asks) = (Answer::Silent, true);
    }),
    ("silent, chain stands", |story| {
        story.seen.node = Answer::Silent;
        story.others_rise = false;
    }),
    ("something else answers", |story| story.seen.node = Answer::Odd("HTTP status 404".to_owned())),
    ("another chain's node", |story| story.status().network = "other".parse::<ChainId>().unwrap()),
    ("disk full by log", |story| {
        story.clue(Clue::DiskFull).stands();
    }),
    ("upgrade by log, others stand too", |story| {
        fails(story);
        story.clue(failure(None)).clue(upgrade_needed(1061)).others_rise = false;
    }),
    ("upgrade by log, others advance", |story| {
        fails(story);
        story.clue(upgrade_needed(1061));
    }),
    ("upgrade by file", |story| {
        fails(story);
        story.seen.upgrade = Some(upgrade(1061));
    }),
    ("upgrade file of a former upgrade", |story| story.seen.upgrade = Some(upgrade(900))),
    ("new program at work on the upgrade's block", |story| {
        fails(story);
        story.seen.upgrade = Some(upgrade(1061));
        (story.seen.consensus, story.seen.app_height) = (Some(Consensus::Hangs), None);
    }),
    ("halt height by log", |story| {
        fails(story);
        story.clue(Clue::HaltHeight { height: Height(1061) });
    }),
    ("halt height by what its consensus failure says", |story| {
        fails(story);
        story.clue(failure(Some(Clue::HaltHeight { height: Height(1061) })));
    }),
    ("halt height by setting", |story| {
        fails(story);
        story.seen.halt_height = Some(Height(1061));
    }),
    ("halt height ahead", |story| story.seen.halt_height = Some(Height(900_000))),
    ("wrong program by log", |story| {
        story.stands().clue(Clue::WrongBinary).clue(failure(None));
    }),
    ("wrong app hash by log", |story| {
        story.stands().clue(Clue::AppHash);
    }),
    ("consensus failure by log", |story| {
        story.stands().clue(failure(None));
    }),
    ("consensus failure, block not executed", fails),
    ("consensus failure, others stand too", |story| {
        fails(story);
        story.clue(failure(None)).others_rise = false;
    }),
    ("consensus failure, nobody to compare", |story| {
        fails(story);
        story.clue(failure(None));
        nobody_is_known(story);
    }),
    ("consensus failure, healed by a restart", |story| {
        story.stands().clue(failure(None)).run(40);
        (story.node_rises, story.app_rises) = (true, true);
    }),
    ("catching up", |story| story.status().catching_up = true),
    ("catching up, no further", |story| {
        story.stands().status().catching_up = true;
    }),
    ("a block that takes long", |story| {
        fails(story);
        story.seen.consensus = Some(Consensus::Hangs);
    }),
    ("signer gone", loses_its_signer),
    ("signer gone, others stand too", |story| {
        loses_its_signer(story);
        story.others_rise = false;
    }),
    ("signer gone, back after 40 s", |story| {
        loses_its_signer(story);
        story.run(40);
        story.seen.signer.as_mut().unwrap().connected = true;
        story.seen.consensus = Some(Consensus::Answers);
        (story.node_rises, story.app_rises) = (true, true);
    }),
    ("sentry-like node that waits for a signer, by log", |story| {
        hangs(story);
        story.seen.signer = None;
        story.clue(Clue::SignerGone).others_rise = false;
    }),
    ("goes on without our signer", |story| story.seen.signer.as_mut().unwrap().connected = false),
    ("no peers", is_alone),
    ("no peers, others stand too", |story| {
        is_alone(story);
        story.others_rise = false;
    }),
    ("a single validator without peers", |story| {
        story.seen.peers = Some(Peers { inbound: 0, outbound: 0 });
        nobody_is_known(story);
    }),
    ("chain stands", |story| story.stands().others_rise = false),
    ("stands, and only our own are known", |story| {
        story.seen.others = [(Source::Register, Height(1060))].into();
        story.stands().others_rise = false;
    }),
    ("stands, nobody is known", |story| {
        story.stands();
        nobody_is_known(story);
    }),
    ("stands, one liar among five peers", |story| {
        story.stands().others_rise = false;
        let peers = (0..5).map(|n| (Source::Peer(n.to_string()), Height(1060)));
        story.seen.others = peers.collect();
        for _ in 0..TWO_HOURS / 10 {
            story.seen.others.get_mut(&Source::Peer("0".to_owned())).unwrap().0 += 100;
            story.run(10);
        }
    }),
    ("consensus thread hangs", hangs),
    ("stands for no known reason", |story| {
        story.stands();
    }),
    ("far behind, and follows", |story| {
        story.seen.others.values_mut().for_each(|height| height.0 += 100);
    }),
    ("a few blocks behind", |story| {
        story.seen.others.values_mut().for_each(|height| height.0 += 5);
    }),
    ("votes missing", |story| story.misses = true),
    ("two votes missing", |story| {
        story.misses = true;
        story.run(10);
        story.misses = false;
    }),
    ("votes missing from the time when it caught up", |story| {
        story.status().catching_up = true;
        story.misses = true;
        story.run(60).status().catching_up = false;
        story.run(10).misses = false;
        story.seen.votes.as_mut().unwrap().missed_in_a_row = 0;
    }),
    ("not in the set", |story| {
        story.seen.votes.as_mut().unwrap().seated = false;
        story.misses = true;
    }),
];

#[test]
fn every_condition_is_told_and_treated_as_the_table_says() {
    let table: String = CASES
        .iter()
        .map(|(name, happens)| {
            let mut story = Story::well();
            happens(&mut story);
            story.run(TWO_HOURS);
            format!("{name}\n    {}\n", story.line())
        })
        .collect();
    let expected = include_str!("table.txt");
    assert!(table == expected, "the table is now:\n{table}");
}
