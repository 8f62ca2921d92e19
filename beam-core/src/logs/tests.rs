//! Real logs, and what must be read out of them.
//!
//! The fixtures are cut from logs of a Hub-like chain (SDK 0.53, `CometBFT` 0.38.26) whose nodes were killed, starved, upgraded
//! and cloned on purpose, and are byte for byte as the nodes wrote them, colours included. The one called "bar" is of a bare `CometBFT` beside Beam: a
//! standby whose pilot was killed and came back.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::alert_sink::Severity;
use crate::signing::Height;

fn analysed(lines: impl AsRef<[u8]>) -> Report {
    let mut analysis = Analysis::default();
    feed(&mut analysis, lines.as_ref());
    analysis.report()
}

fn feed(analysis: &mut Analysis, text: &[u8]) {
    let mut splitter = Splitter::new(LINE_LEN_MAX);
    splitter.push(text, |part| analysis.line(part.text));
    splitter.flush(|part| analysis.line(part.text));
}

/// What is found: `severity code ×count`, whether it is over, and at which heights.
fn found(report: &Report) -> String {
    let line = |finding: &Finding| {
        let mut out =
            format!("{:?} {} ×{}", finding.severity, finding.cause.code(), finding.count).to_lowercase();
        if finding.over {
            out += " over";
        }
        if let (Some(first), Some(last)) = (finding.first_height, finding.last_height) {
            write!(out, " at {first}-{last}").unwrap();
        }
        out
    };
    report.findings.iter().map(line).collect::<Vec<_>>().join(", ")
}

macro_rules! real {
    ($($name:literal => $expected:literal,)*) => {
        [$(($name, &include_bytes!(concat!("fixtures/", $name, ".log"))[..], $expected)),*]
    };
}

#[test]
fn each_kind_of_fault_in_a_real_log_is_called_by_its_name() {
    let logs = real! {
        "bar-standby" => "info standby-refusals ×6 at 16-21",
        "json-blocks" => "",
        "json-double-signer" => "critical double-sign ×2 at 564-565",
        "json-early-binary" => "critical early-binary ×3",
        "json-no-signer" => "critical signer-gone ×1",
        "json-peer-lost" => "warning peer-unreachable ×1, info peers-lost ×1",
        "json-signer-back" => "warning maybe-jailed ×1 at 314-314, warning signer-gone ×15 over, \
                               info consensus-rounds ×1 at 314-314, info slow-peer ×1",
        "json-signer-late" => "warning signer-gone ×1 over, info consensus-rounds ×1 at 306-306",
        "json-signer-lost" => "critical signer-gone ×15, info slow-peer ×1",
        "json-start" => "info consensus-rounds ×1 at 181-181, info peers-lost ×1, info peer-unreachable ×1 over",
        "json-upgrade-applied" => "info upgrade-applied ×1, info dial-errors ×1, info peer-unreachable ×1 over",
        "json-upgrade-needed" => "critical upgrade-needed ×3 at 497-497, info peers-lost ×2",
        "json-wrong-network" => "warning wrong-network ×2",
        "plain-bad-peers" => "warning peer-unreachable ×1, warning bad-address ×2, info dial-errors ×1",
        "plain-block-sync" => "",
        "plain-chain-halted" => "warning peer-unreachable ×1",
        "plain-clean-stop" => "",
        "plain-debug" => "",
        "plain-disk-full" => "critical disk-full ×1",
        "plain-double-signer" => "critical double-sign ×5 at 559-561",
        "plain-foreign-knock" => "info foreign-knocks ×2",
        "plain-halt-height" => "critical halt-height ×2",
        "plain-home-in-use" => "critical home-in-use ×1",
        "plain-old-binary-again" => "critical upgrade-needed ×1 at 497-497",
        "plain-other-genesis" => "critical app-hash ×1 at 2-2, info peers-lost ×1",
        "plain-others-double-sign" => "warning maybe-double-sign ×3 at 568-568",
        "plain-others-jailed" => "warning maybe-jailed ×1 at 84-84, warning peer-unreachable ×2, \
                                  info consensus-rounds ×1 at 84-84",
        "plain-peer-killed" => "warning peer-unreachable ×2, info consensus-rounds ×1 at 80-80, info peers-lost ×1",
        "plain-port-in-use" => "critical port-in-use ×1",
        "plain-proposer-down" => "warning peer-unreachable ×1, info consensus-rounds ×1 at 80-80",
        "plain-start" => "",
        "plain-state-sync" => "",
        "plain-unjailed" => "",
        "plain-upgrade-applied" => "warning upgrade-needed ×1 over at 497-497, info upgrade-applied ×1",
        "plain-upgrade-needed" => "critical upgrade-needed ×3 at 497-497",
        "plain-wrong-node-id" => "warning wrong-node-id ×2",
    };
    for (name, log, expected) in logs {
        assert_eq!(found(&analysed(log)), expected, "{name}");
    }
}

const HALTED: &[u8] = include_bytes!("fixtures/plain-chain-halted.log");
const CLEAN_STOP: &[u8] = include_bytes!("fixtures/plain-clean-stop.log");
const BLOCKS: &[u8] = include_bytes!("fixtures/json-blocks.log");
const SIGNER_BACK: &[u8] = include_bytes!("fixtures/json-signer-back.log");
const OTHERS_JAILED: &[u8] = include_bytes!("fixtures/plain-others-jailed.log");

/// The lines as the capture writes them, one every so many milliseconds.
fn stamped(log: &[u8], mark: Mark, every_ms: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, line) in (0_u64..).zip(log.split_inclusive(|byte| *byte == b'\n')) {
        let at = Stamp::at_ms(1_795_000_000_000 + number * every_ms);
        out.extend_from_slice(format!("{at} {} ", char::from(mark.byte())).as_bytes());
        out.extend_from_slice(line);
    }
    out
}

#[test]
fn a_clean_stop_is_no_finding() {
    // Sockets closed under their readers, services stopped twice, "leveldb: closed": each an error by its level.
    assert!(CLEAN_STOP.windows(3).filter(|three| three == b"ERR").count() > 8);
    assert_eq!(found(&analysed(CLEAN_STOP)), "");
}

#[test]
fn a_chain_that_stands_still_says_nothing_and_that_is_found() {
    assert_eq!(
        found(&analysed(stamped(HALTED, Mark::Said, 1_000))),
        "warning peer-unreachable ×1",
        "blocks went on"
    );
    let silence = b"2026-11-24T00:00:00.000Z | 7:31AM INF committed state height=103 module=state\n\
                    2026-11-24T00:05:00.000Z | 7:36AM INF Error reconnecting to peer. Trying again module=p2p\n";
    assert_eq!(found(&analysed(silence)), "critical no-blocks ×1 at 103-103, warning peer-unreachable ×1");
    let again =
        [&silence[..], b"2026-11-24T00:06:00.000Z | 7:37AM INF committed state height=104 module=state\n"]
            .concat();
    assert!(found(&analysed(again)).contains("warning no-blocks ×1 over at 103-103"));
}

#[test]
fn whose_a_jailing_is_depends_on_whose_log_it_is() {
    let jailed = address::of_hex("EAFFBDEA57A9AF44B21F28F77D8A91DC7EBC92C7");
    let other = address::of_hex("B586D087D42A5ED75866D1A94ED05C4C736FB24B");
    for (own, expected) in [(jailed, Cause::Jailed), (other, Cause::OthersJailed), (None, Cause::MaybeJailed)]
    {
        let mut analysis = Analysis::of(own);
        feed(&mut analysis, OTHERS_JAILED);
        assert!(analysis.report().findings.iter().any(|finding| finding.cause == expected), "{own:?}");
    }
}

#[test]
fn the_validators_own_address_is_learned_from_its_log() {
    let mut analysis = Analysis::default();
    feed(&mut analysis, b"7:31AM INF This node is a validator addr=EAFFBDEA57A9AF44B21F28F77D8A91DC7EBC92C7 module=consensus\n");
    feed(&mut analysis, OTHERS_JAILED);
    feed(
        &mut analysis,
        b"7:31AM INF validator un-jailed validator=cosmosvalcons1atlmm6jh4xh5fvsl9rmhmz53m3lteyk8v94wmp\n",
    );
    let report = analysis.report();
    let jailed = report.findings.iter().find(|finding| finding.cause == Cause::Jailed).unwrap();
    assert_eq!((jailed.severity, jailed.over), (Severity::Warning, true), "it was un-jailed");
}

#[test]
fn a_standbys_refusals_are_no_fault() {
    let refused = |reason: &str| {
        format!(
            "7:31AM ERR failed signing vote err=\"signerEndpoint returned error #1: {reason}\" height=5 module=consensus\n"
        )
    };
    let daily = [
        refused("beam: height 5 is behind the register, which is at height 6"),
        refused("beam: something else is recorded at height 5"),
        refused("beam: height 5 is left to the owner of epoch 3"),
    ];
    let report = analysed(daily.concat().repeat(100));
    assert_eq!(found(&report), "info standby-refusals ×300 at 5-5");
    assert_eq!(report.findings[0].subjects.len(), 3, "a kind each, whatever the heights");
    let halted = daily.concat() + &refused("beam: the signer has stopped: the register was put back");
    assert!(found(&analysed(halted)).starts_with("critical signer-refused ×1"));
    let late =
        refused("beam: the register did not answer in time for height 5; without it nothing is signed");
    assert_eq!(found(&analysed(late)), "critical register-out-of-reach ×1 at 5-5");
}

#[test]
fn what_every_block_would_show_is_over_after_some_blocks_without_it() {
    let refused = "7:31AM ERR failed signing vote err=\"signerEndpoint returned error #1: beam: the register has no record\"\n";
    let block = "7:31AM INF committed state height=7 module=state\n";
    assert!(analysed(refused.to_owned() + &block.repeat(9)).findings[0].severity == Severity::Critical);
    assert!(analysed(refused.to_owned() + &block.repeat(10)).findings[0].over);
}

#[test]
fn a_node_that_begins_anew_without_a_word_was_killed() {
    let start =
        "7:31AM INF service start impl=multiAppConn module=proxy msg=\"Starting multiAppConn service\"\n";
    let block = "7:31AM INF committed state height=7 module=state\n";
    assert_eq!(found(&analysed([start, block, start].concat())), "warning ended-unheard ×1 at 7-7");
    for told in ["7:31AM INF caught signal signal=terminated\n", "panic: no space left on device\n"] {
        assert!(!found(&analysed([start, block, told, start].concat())).contains("ended-unheard"), "{told}");
    }
}

#[test]
fn the_captures_stamps_are_believed_unless_it_says_otherwise() {
    let said = analysed(stamped(BLOCKS, Mark::Said, 10));
    assert_eq!(said.from, Some(Stamp::at_ms(1_795_000_000_000)));
    // What was found later is dated by what the node itself says.
    let late = analysed(stamped(BLOCKS, Mark::Found, 10));
    assert_eq!(late.from.unwrap().to_string(), "2026-11-22T07:44:28.000Z");
    let plain = analysed(stamped(HALTED, Mark::Found, 10));
    assert_eq!((plain.from, plain.lines.timed), (None, 0));
}

#[test]
fn only_what_was_asked_for_is_looked_at() {
    let log = stamped(SIGNER_BACK, Mark::Said, 1000);
    let at = |second: u64| Some(Stamp::at_ms(1_795_000_000_000 + second * 1000));
    let mut analysis = Analysis::default().between(at(10), at(19));
    feed(&mut analysis, &log);
    let report = analysis.report();
    assert_eq!((report.lines.records, report.lines.outside), (10, report.lines.all - 10));

    // What was found later may have been said in that time.
    let log = "2026-11-24T10:00:00.000Z | 7:31AM INF a\n2026-11-24T12:00:00.000Z ~ 7:31AM INF b\n";
    for (since, until, inside) in [(11, 13, 1), (9, 11, 2), (13, 14, 0), (8, 9, 0)] {
        let at = |hour| Stamp::read(format!("2026-11-24T{hour:02}:00:00Z").as_bytes()).map(|(at, _)| at);
        let mut analysis = Analysis::default().between(at(since), at(until));
        feed(&mut analysis, log.as_bytes());
        assert_eq!(analysis.report().lines.records, inside, "{since} to {until}");
    }
}

#[test]
fn a_note_of_lost_lines_is_a_finding() {
    let note =
        format!("2026-11-24T00:00:00.000Z # {NOTE_DROPPED}12 lines (3456 bytes): no space left on device\n");
    assert_eq!(found(&analysed(&note)), "warning log-gap ×1");
    let other = note.replace(NOTE_DROPPED, "began ");
    assert_eq!(found(&analysed(other)), "");
}

#[test]
fn room_does_not_grow_with_what_is_told() {
    let mut analysis = Analysis::default();
    for number in 0..10_000 {
        analysis.line(format!("7:31AM ERR no {number} {} a=b", "x".repeat(500)).as_bytes());
        analysis.line(
            format!("7:31AM INF Error reconnecting to peer. Trying again addr={number:040}@h:1 err=x")
                .as_bytes(),
        );
        analysis.line(format!("goroutine {number} [running]:").as_bytes());
    }
    // Ten tables of eight names would fit into this many bytes as text.
    assert!(format!("{analysis:?}").len() < 20_000, "{}", format!("{analysis:?}").len());
    let report = analysis.report();
    let other = report.findings.iter().find(|finding| finding.cause == Cause::OtherErrors).unwrap();
    assert_eq!(other.subjects.len(), SUBJECTS_MAX);
    assert_eq!(other.other_subjects + u64::try_from(SUBJECTS_MAX).unwrap(), 10_000);
}

#[test]
fn clues_come_as_they_are_said_and_old_news_gives_none() {
    let clues = |log: &[u8], mark| {
        let mut watch = Watch::default();
        let lines = stamped(log, mark, 1);
        lines
            .split(|byte| *byte == b'\n')
            .filter_map(|line| watch.line(line))
            .map(|(_, clue)| clue)
            .collect::<Vec<_>>()
    };
    let upgrade = include_bytes!("fixtures/plain-upgrade-needed.log");
    let needed = Clue::UpgradeNeeded { name: "v2".to_owned(), height: Height(497) };
    let told = clues(upgrade, Mark::Said);
    assert_eq!(told[..2], [needed.clone(), needed]);
    let failed =
        |reason: &str, why: &Clue| reason.contains("UPGRADE") && *why == told[0] && told[0] == told[1];
    assert!(
        matches!(&told[2], Clue::ConsensusFailure { reason, why: Some(why) } if failed(reason, why)),
        "{told:?}"
    );
    assert_eq!(clues(upgrade, Mark::Found), []);
    assert_eq!(clues(include_bytes!("fixtures/plain-disk-full.log"), Mark::Said)[0], Clue::DiskFull);
    assert_eq!(clues(include_bytes!("fixtures/json-signer-lost.log"), Mark::Said).len(), 15);
    let twice = clues(include_bytes!("fixtures/json-double-signer.log"), Mark::Said);
    assert_eq!(twice[0], Clue::ConflictingVote { height: Some(Height(564)) });
    assert_eq!(clues(CLEAN_STOP, Mark::Said), []);
}

/// Real lines of a chain like the Hub, cut where they only go on, in both of gaiad's forms.
#[test]
fn a_clue_says_as_much_as_its_line() {
    let upgrade = || Some(Clue::UpgradeNeeded { name: "v2".to_owned(), height: Height(497) });
    for (line, expected) in [
        (
            "\u{1b}[90m7:49AM\u{1b}[0m \u{1b}[31mERR\u{1b}[0m UPGRADE \"v2\" NEEDED at height: 497: INFO \u{1b}[36mmodule=\u{1b}[0mx/upgrade",
            upgrade(),
        ),
        (
            r#"7:49AM ERR error in proxyAppConn.FinalizeBlock err="UPGRADE \"v2\" NEEDED at height: 497: INFO" module=state"#,
            upgrade(),
        ),
        (
            r#"7:46AM ERR error in proxyAppConn.FinalizeBlock err="halt per configuration height 429 time 0" module=state"#,
            Some(Clue::HaltHeight { height: Height(429) }),
        ),
        (
            r#"7:49AM ERR BINARY UPDATED BEFORE TRIGGER! UPGRADE "v2" - in binary but not executed on chain. Downgrade your binary"#,
            Some(Clue::EarlyBinary),
        ),
        (
            "panic: wrong app version 0, upgrade handler is missing for v2 upgrade plan",
            Some(Clue::WrongBinary),
        ),
        (
            "panic: error writing batch to DB: write /x/000013.log: no space left on device",
            Some(Clue::DiskFull),
        ),
        (
            "7:49AM ERR Error in validation err=\"wrong Block.Header.AppHash.  Expected 00, got 01\"",
            Some(Clue::AppHash),
        ),
        ("7:49AM INF Timed out dur=4998 height=497 module=consensus round=0 step=RoundStepNewHeight", None),
        ("7:49AM INF committed state height=12", None),
        ("UPGRADE \"v2\" NEEDED at height: ", None),
        ("halt per configuration height soon", None),
        ("", None),
    ] {
        assert_eq!(clue_in(line), expected, "{line}");
    }
}

#[test]
fn a_consensus_failure_says_why_if_that_is_known() {
    let upgrade = Clue::UpgradeNeeded { name: "v2".to_owned(), height: Height(497) };
    for (line, expected) in [
        (
            r#"{"level":"error","module":"server","message":"CONSENSUS FAILURE!!!","err":"failed to apply block; error UPGRADE \"v2\" NEEDED at height: 497: INFO"}"#,
            Some(upgrade),
        ),
        (
            r#"7:46AM ERR CONSENSUS FAILURE!!! err="failed to apply block; error halt per configuration height 429 time 0" module=consensus"#,
            Some(Clue::HaltHeight { height: Height(429) }),
        ),
        (r#"7:49AM ERR CONSENSUS FAILURE!!! err="..." module=consensus"#, None),
    ] {
        match clue_in(line) {
            Some(Clue::ConsensusFailure { why, .. }) => assert_eq!(why.map(|why| *why), expected, "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

/// The clue in a line that was said.
fn clue_in(line: &str) -> Option<Clue> {
    let stamped = format!("{} {} {line}", Stamp::at_ms(1), char::from(Mark::Said.byte()));
    Watch::default().line(stamped.as_bytes()).map(|(_, clue)| clue)
}

/// Lines of every kind, whole, cut and made up.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let real: Vec<Vec<u8>> = [SIGNER_BACK, OTHERS_JAILED, CLEAN_STOP]
        .concat()
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let texts =
        ["panic: x", "Usage:", "goroutine 1 [running]:", "\tx.go:1", "fatal error: out of memory", ""];
    prop_oneof![
        proptest::sample::select(real.clone()),
        (proptest::sample::select(real), any::<proptest::sample::Index>())
            .prop_map(|(line, at)| line[..at.index(line.len() + 1)].to_vec()),
        proptest::sample::select(texts.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..80),
    ]
}

proptest! {
    #[test]
    fn every_line_is_accounted_for(
        lines in proptest::collection::vec((any_line(), proptest::sample::select(vec!["", "|", "~", "+", "#"])), 0..60),
    ) {
        let mut analysis = Analysis::default().between(None, Some(Stamp::at_ms(1_795_000_000_030)));
        let mut watch = Watch::default();
        for (number, (line, mark)) in (0..).zip(&lines) {
            let at = Stamp::at_ms(1_795_000_000_000 + number);
            let stamp = if mark.is_empty() { String::new() } else { format!("{at} {mark} ") };
            let line = [stamp.as_bytes(), line].concat();
            analysis.line(&line);
            let _ = watch.line(&line);
        }
        let Lines { all, records, texts, notes, rests, outside, .. } = analysis.report().lines;
        prop_assert_eq!(all, lines.len() as u64);
        prop_assert_eq!(all, records + texts + notes + rests + outside);
    }
}
