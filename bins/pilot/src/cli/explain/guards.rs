//! The guards, one by one: what stands between this machine and a signature, each with its value and its limit.
//!
//! A guard *holds* if it does not stand in the way. What could not be found out is neither: nobody should act on it.

use std::time::Duration;

use beam_core::pause::Pause;
use beam_core::signing::{Floor, Record, Signer};
use beam_core::takeover::TakeoverConfig;
use serde::Serialize;

use crate::clock::length;
use crate::config::Config;
use crate::report::{NodeReport, Report, SignerReport};

/// What was found out.
pub(super) struct Facts<'a> {
    pub(super) config: &'a Config,
    /// The record, or why it could not be read.
    pub(super) record: Result<Record, String>,
    /// The owner's name, if it is in the roster, and how long ago it was seen; or why the roster could not be read.
    pub(super) owner: Result<Option<(String, Duration)>, String>,
    pub(super) floor: Result<Option<Floor>, String>,
    /// The pause that holds now, or why it could not be read.
    pub(super) pause: Result<Option<Pause>, String>,
    /// What this machine's pilot tells, or why it does not.
    pub(super) report: Result<Report, String>,
}

/// One guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Guard {
    pub(super) guard: &'static str,
    /// `None` if it could not be found out.
    pub(super) holds: Option<bool>,
    pub(super) value: String,
    pub(super) limit: String,
}

/// What this machine would do if its node asked for a vote now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It owns: it signs without waiting.
    Signs,
    /// It is the standby: it repeats the owner's signatures, and takes over if there is none.
    StandsBy,
    /// It is the standby, and something keeps it from taking over.
    WouldNotTakeOver,
    /// It signs nothing.
    SignsNothing,
    /// It cannot be told.
    Unknown,
}

/// All guards, those of the fence first, then the machine's, then those of a takeover.
pub(super) fn guards(facts: &Facts<'_>) -> Vec<Guard> {
    let mut all = vec![register(facts), floor(facts), halted(facts)];
    all.extend(machine(facts));
    all.extend([pause(facts), patience(facts)]);
    all
}

/// What follows from them.
pub(super) fn verdict(facts: &Facts<'_>, guards: &[Guard]) -> Verdict {
    let broken = |names: &[&str]| {
        guards.iter().any(|guard| names.contains(&guard.guard) && guard.holds == Some(false))
    };
    let Ok(report) = &facts.report else {
        return if broken(&FENCE) { Verdict::SignsNothing } else { Verdict::Unknown };
    };
    let owns = report.signer.as_ref().is_some_and(|signer| owns(facts, signer));
    if broken(&FENCE) || broken(&["node runs", "node asks"]) {
        Verdict::SignsNothing
    } else if owns {
        Verdict::Signs
    } else if broken(&["takeovers not paused", "node in step"]) {
        Verdict::WouldNotTakeOver
    } else {
        Verdict::StandsBy
    }
}

/// Who owns is the register's word; the signer's own belief is second best.
fn owns(facts: &Facts<'_>, signer: &SignerReport) -> bool {
    match &facts.record {
        Ok(record) => record.owner.is_some_and(|owner| owner.to_string() == signer.id),
        Err(_) => signer.owns,
    }
}

/// Why is told once, beside the verdict.
const SILENT: &str = "its pilot does not tell";

/// Without these nothing is signed, whoever owns.
const FENCE: [&str; 3] = ["register answers", "floor below the register", "signer not halted"];

fn guard(
    guard: &'static str,
    holds: Option<bool>,
    value: impl Into<String>,
    limit: impl Into<String>,
) -> Guard {
    Guard { guard, holds, value: value.into(), limit: limit.into() }
}

fn unknown(name: &'static str, why: &str, limit: impl Into<String>) -> Guard {
    guard(name, None, format!("not known: {why}"), limit)
}

fn register(facts: &Facts<'_>) -> Guard {
    let limit = "it can be read, and holds a record";
    match &facts.record {
        Err(why) if answers_its_pilot(facts) => guard(
            "register answers",
            None,
            format!("it answers the pilot, and not this command: {why}"),
            limit,
        ),
        Err(why) => guard("register answers", Some(false), why, limit),
        Ok(record) => {
            let owner = match &facts.owner {
                _ if record.owner.is_none() => "owned by nobody yet".to_owned(),
                Ok(Some((name, ago))) => format!("owned by {name} (seen {} ago)", length(*ago)),
                Ok(None) => "owned by a process that is in no roster".to_owned(),
                Err(why) => format!("whose the owner is cannot be told: {why}"),
            };
            let value = format!("at {}, epoch {}, {owner}", record.mark.in_words(), record.epoch);
            guard("register answers", Some(true), value, limit)
        }
    }
}

/// Whether the pilot's last word from the register was an answer. A command may lack what the pilot has, such as the right to read.
fn answers_its_pilot(facts: &Facts<'_>) -> bool {
    let signer = facts.report.as_ref().ok().and_then(|report| report.signer.as_ref());
    signer.and_then(|signer| signer.register.answers()) == Some(true)
}

fn floor(facts: &Facts<'_>) -> Guard {
    const NAME: &str = "floor below the register";
    const LIMIT: &str = "same lineage, and not above the register";
    match (&facts.floor, &facts.record) {
        (Err(why), _) => guard(NAME, Some(false), why, LIMIT),
        (Ok(None), _) => guard(NAME, Some(true), "none yet: this machine has seen nothing", LIMIT),
        (Ok(Some(_)), Err(why)) => unknown(NAME, why, LIMIT),
        (Ok(Some(floor)), Ok(record)) if floor.lineage != record.lineage => {
            guard(NAME, Some(false), "of another lineage: see `beam watermark adopt`", LIMIT)
        }
        (Ok(Some(floor)), Ok(record)) => {
            guard(NAME, Some(floor.mark <= record.mark), format!("at {}", floor.mark.in_words()), LIMIT)
        }
    }
}

fn halted(facts: &Facts<'_>) -> Guard {
    const NAME: &str = "signer not halted";
    signer(facts, NAME, "nothing made it stop for good", |signer| match &signer.halted {
        Some(why) => (Some(false), why.clone()),
        None => (Some(true), format!("{} released, {} refused", signer.released, signer.refused)),
    })
}

fn machine(facts: &Facts<'_>) -> [Guard; 4] {
    let lag_max = facts.config.health.lag_blocks_max;
    [
        node(facts, "node runs", "it is a process of ours", |node| match node.pid {
            Some(pid) if node.starts == 0 => {
                (Some(true), format!("pid {pid}, which ran when the pilot came"))
            }
            Some(pid) => (Some(true), format!("pid {pid}, start {} by this pilot", node.starts)),
            None => (Some(false), node.trouble.clone().unwrap_or_else(|| "it does not run".to_owned())),
        }),
        signer(facts, "node asks", "it is connected to the signer", |signer| {
            let value = if signer.connected { "connected" } else { "not connected" };
            (Some(signer.connected), value.to_owned())
        }),
        node(facts, "node in step", &format!("at most {lag_max} blocks behind the others"), |node| {
            match (node.catching_up, node.lag_blocks) {
                (Some(true), _) => (Some(false), "it is catching up".to_owned()),
                (_, Some(lag)) => (Some(lag <= lag_max), format!("{lag} blocks behind")),
                (_, None) => (None, "not known: nobody to compare with".to_owned()),
            }
        }),
        node(facts, "node is well", "no condition", |node| match &node.condition_text {
            Some(text) => (Some(false), text.clone()),
            None => (Some(true), format!("at height {}", node.height.unwrap_or_default())),
        }),
    ]
}

fn pause(facts: &Facts<'_>) -> Guard {
    const NAME: &str = "takeovers not paused";
    match &facts.pause {
        Ok(Some(pause)) => guard(NAME, Some(false), super::super::pause::in_words(pause), "no pause"),
        Ok(None) => guard(NAME, Some(true), "no pause", "no pause"),
        Err(why) => unknown(NAME, why, "no pause"),
    }
}

fn patience(facts: &Facts<'_>) -> Guard {
    let cap = TakeoverConfig::default().cap;
    let limit = format!("{cap:?} at most, and {:?} to answer the node", Signer::ANSWER_WITHIN);
    signer(facts, "time to take over", &limit, |signer| match signer.takeover_after_ms {
        Some(ms) => (Some(true), format!("waits {ms} ms for the owner before it takes over")),
        None => (None, "not known yet".to_owned()),
    })
}

fn node(
    facts: &Facts<'_>,
    name: &'static str,
    limit: &str,
    judge: impl FnOnce(&NodeReport) -> (Option<bool>, String),
) -> Guard {
    match &facts.report {
        Err(_) => unknown(name, SILENT, limit),
        Ok(report) => {
            let (holds, value) = judge(&report.node);
            guard(name, holds, value, limit)
        }
    }
}

fn signer(
    facts: &Facts<'_>,
    name: &'static str,
    limit: &str,
    judge: impl FnOnce(&SignerReport) -> (Option<bool>, String),
) -> Guard {
    match facts.report.as_ref().map(|report| report.signer.as_ref()) {
        Err(_) => unknown(name, SILENT, limit),
        Ok(None) => unknown(name, "its pilot tells of no signer", limit),
        Ok(Some(report)) => {
            let (holds, value) = judge(report);
            guard(name, holds, value, limit)
        }
    }
}

#[cfg(test)]
mod tests {
    use beam_core::id::{Lineage, SignerId};
    use beam_core::signing::{Height, Mark};

    use super::*;
    use crate::config::Role;

    fn config() -> Config {
        Config::for_tests()
    }

    const ME: SignerId = SignerId::from_random(7);

    fn record(owns: bool) -> Record {
        let begun = Record::begin(Lineage::from_random(1), Mark::end_of(Height(100)));
        Record { owner: Some(if owns { ME } else { SignerId::from_random(8) }), ..begun }
    }

    fn report(owns: bool) -> Report {
        let mut report = Report::begin("a", Role::Validator, "test-1", 1);
        report.node.pid = Some(7);
        report.node.lag_blocks = Some(0);
        let takeover_after_ms = Some(300);
        report.signer = Some(SignerReport {
            id: ME.to_string(),
            owns,
            connected: true,
            takeover_after_ms,
            ..SignerReport::default()
        });
        report
    }

    fn facts(config: &Config, owns: bool) -> Facts<'_> {
        Facts {
            config,
            record: Ok(record(owns)),
            owner: Ok(None),
            floor: Ok(None),
            pause: Ok(None),
            report: Ok(report(owns)),
        }
    }

    fn verdict_of(facts: &Facts<'_>) -> (Verdict, Vec<&'static str>) {
        let guards = guards(facts);
        let broken = guards.iter().filter(|guard| guard.holds == Some(false)).map(|guard| guard.guard);
        (verdict(facts, &guards), broken.collect())
    }

    #[test]
    fn with_every_guard_in_place_the_owner_signs_and_the_other_stands_by() {
        let config = config();
        assert_eq!(verdict_of(&facts(&config, true)), (Verdict::Signs, vec![]));
        assert_eq!(verdict_of(&facts(&config, false)), (Verdict::StandsBy, vec![]));
    }

    #[test]
    fn a_pause_or_a_node_behind_keeps_a_standby_from_taking_over_and_no_owner_from_signing() {
        let config = config();
        let pause =
            Pause { by: "ops".to_owned(), reason: "disk".to_owned(), since_ms: 0, until_ms: u64::MAX };
        for owns in [true, false] {
            let expected = if owns { Verdict::Signs } else { Verdict::WouldNotTakeOver };
            let paused = Facts { pause: Ok(Some(pause.clone())), ..facts(&config, owns) };
            assert_eq!(verdict_of(&paused), (expected, vec!["takeovers not paused"]));
            let mut behind = report(owns);
            behind.node.lag_blocks = Some(config.health.lag_blocks_max + 1);
            let behind = Facts { report: Ok(behind), ..facts(&config, owns) };
            assert_eq!(verdict_of(&behind), (expected, vec!["node in step"]));
        }
    }

    #[test]
    fn what_breaks_the_fence_stops_the_owner_too() {
        let config = config();
        let other = Record::begin(Lineage::from_random(2), Mark::end_of(Height(100)));
        let higher = Record::begin(Lineage::from_random(1), Mark::end_of(Height(101)));
        for floor in [other, higher] {
            let facts = Facts { floor: Ok(Some(Floor::of(&floor))), ..facts(&config, true) };
            assert_eq!(verdict_of(&facts), (Verdict::SignsNothing, vec!["floor below the register"]));
        }
        let silent = Facts { record: Err("it does not answer".to_owned()), ..facts(&config, true) };
        assert_eq!(verdict_of(&silent), (Verdict::SignsNothing, vec!["register answers"]));
        let mut halted = report(true);
        halted.signer.as_mut().unwrap().halted = Some("a stranger".to_owned());
        let halted = Facts { report: Ok(halted), ..facts(&config, true) };
        assert_eq!(verdict_of(&halted), (Verdict::SignsNothing, vec!["signer not halted"]));
    }

    #[test]
    fn who_owns_is_the_registers_word() {
        let config = config();
        let frozen = Facts { report: Ok(report(true)), ..facts(&config, false) };
        assert_eq!(verdict_of(&frozen), (Verdict::StandsBy, vec![]));
    }

    #[test]
    fn a_register_that_only_this_command_cannot_read_stops_nobody() {
        let config = config();
        let mut answered = report(true);
        answered.signer.as_mut().unwrap().register.last_ok_ms = Some(2);
        let shut = || "permission denied".to_owned();
        let facts = Facts {
            record: Err(shut()),
            owner: Err(String::new()),
            pause: Err(shut()),
            report: Ok(answered),
            ..facts(&config, true)
        };
        assert_eq!(verdict_of(&facts), (Verdict::Signs, vec![]));
        let unknown =
            guards(&facts).into_iter().filter(|guard| guard.holds.is_none()).map(|guard| guard.guard);
        assert_eq!(unknown.collect::<Vec<_>>(), ["register answers", "takeovers not paused"]);
    }

    #[test]
    fn without_its_pilot_nothing_is_claimed() {
        let config = config();
        let facts = Facts { report: Err("nobody answers".to_owned()), ..facts(&config, true) };
        assert_eq!(verdict_of(&facts), (Verdict::Unknown, vec![]));
    }
}
