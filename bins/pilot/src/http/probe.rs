//! What `/livez` and `/readyz` decide, from the last report and its age.
//!
//! *Live*: the pilot's loops turn. Nothing else: who restarts a pilot because its node is behind makes matters worse.
//! *Ready*: this machine could do its work this moment. For a validator: its node is in step, and its signer is connected, not
//! halted, and has a register that answers; owner and standby alike. For a sentry: its node is in step and has peers.

use std::time::Duration;

use crate::config::Role;
use crate::report::{AGE_MAX, NodeReport, Report, SignerReport, State};

/// The condition that a wish for `?lag=N` may overrule: the lag itself is looked at.
const BEHIND: &str = "behind";

/// Why the pilot does not live; nothing if it does.
pub(super) fn dead_because(age: Duration) -> Vec<String> {
    if age <= AGE_MAX {
        return Vec::new();
    }
    vec![format!(
        "the last report is {} s old, at most {} are good: the pilot hangs; its log says more",
        age.as_secs(),
        AGE_MAX.as_secs()
    )]
}

/// Why the machine is not ready, with its node at most `lag_max` blocks behind; nothing if it is.
pub(super) fn not_ready_because(report: &Report, age: Duration, lag_max: u64) -> Vec<String> {
    let mut reasons = dead_because(age);
    if report.state == State::Down {
        reasons.push("the machine is down".to_owned());
        reasons.extend(report.reasons.iter().cloned());
    }
    reasons.extend(node_because(&report.node, lag_max));
    match (report.role, &report.signer) {
        (Role::Validator, Some(signer)) => reasons.extend(signer_because(signer)),
        (Role::Validator, None) => reasons.push("the signer has not started".to_owned()),
        (Role::Sentry, _) => reasons.extend(peers_because(&report.node)),
    }
    reasons
}

fn node_because(node: &NodeReport, lag_max: u64) -> Vec<String> {
    let mut reasons = Vec::new();
    if node.pid.is_none() {
        reasons.push("the node does not run".to_owned());
    }
    if node.height.is_none() {
        reasons.push("the node has not told its height".to_owned());
    }
    if node.catching_up == Some(true) {
        reasons.push("the node is catching up".to_owned());
    }
    if let Some(lag) = node.lag_blocks.filter(|lag| *lag > lag_max) {
        reasons.push(format!("the node is {lag} blocks behind, at most {lag_max} are good"));
    }
    if let Some(condition) = node.condition.as_ref().filter(|condition| *condition != BEHIND) {
        reasons.push(node.condition_text.clone().unwrap_or_else(|| condition.clone()));
    }
    reasons
}

fn peers_because(node: &NodeReport) -> Option<String> {
    let peers = node.peers_inbound.unwrap_or(0).saturating_add(node.peers_outbound.unwrap_or(0));
    (peers == 0).then(|| "the node has no peers".to_owned())
}

fn signer_because(signer: &SignerReport) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(halted) = &signer.halted {
        reasons.push(format!("the signer has stopped: {halted}"));
    }
    if !signer.connected {
        reasons.push("the node is not connected to its signer".to_owned());
    }
    match signer.register.answers() {
        None => reasons.push("the register has not answered yet".to_owned()),
        Some(false) => reasons.push("the register does not answer".to_owned()),
        Some(true) => {}
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{sentry, validator};

    const YOUNG: Duration = Duration::from_secs(1);
    const OLD: Duration = Duration::from_secs(31);

    fn not_ready(change: impl FnOnce(&mut Report)) -> String {
        let mut report = validator();
        change(&mut report);
        not_ready_because(&report, YOUNG, 2).join("; ")
    }

    #[test]
    fn a_young_report_is_alive_whatever_it_says_and_an_old_one_is_not() {
        assert!(dead_because(YOUNG).is_empty() && dead_because(AGE_MAX).is_empty());
        assert!(dead_because(OLD).join("").contains("31 s old"));
    }

    #[test]
    fn a_machine_that_could_work_is_ready_owner_or_standby() {
        assert_eq!(not_ready(|_| {}), "");
        assert_eq!(not_ready(|report| report.signer.as_mut().unwrap().owns = false), "");
        assert!(not_ready_because(&sentry(), YOUNG, 2).is_empty());
        assert!(
            !not_ready_because(&sentry(), OLD, 2).is_empty(),
            "a report of a pilot that hangs proves nothing"
        );
    }

    #[test]
    fn degraded_is_ready_and_down_is_not() {
        assert_eq!(not_ready(|report| report.state = State::Degraded), "");
        assert!(not_ready(|report| report.state = State::Down).contains("down"));
    }

    #[test]
    fn a_lag_is_good_up_to_what_was_asked_for() {
        let behind = |lag| {
            move |report: &mut Report| {
                report.node.lag_blocks = Some(lag);
                report.node.condition = Some(BEHIND.to_owned());
            }
        };
        assert_eq!(not_ready(behind(2)), "");
        assert!(not_ready(behind(3)).contains("3 blocks behind"));
    }

    #[test]
    fn each_thing_that_a_validator_needs_is_missed() {
        let signer = |report: &mut Report| report.signer.clone().unwrap();
        assert!(not_ready(|report| report.node.pid = None).contains("does not run"));
        assert!(not_ready(|report| report.node.height = None).contains("height"));
        assert!(not_ready(|report| report.node.catching_up = Some(true)).contains("catching up"));
        assert!(not_ready(|report| report.node.condition = Some("no_peers".to_owned())).contains("no_peers"));
        assert!(not_ready(|report| report.signer = None).contains("not started"));
        let with = |change: fn(&mut SignerReport)| {
            not_ready(|report| {
                let mut changed = signer(report);
                change(&mut changed);
                report.signer = Some(changed);
            })
        };
        assert!(with(|signer| signer.halted = Some("a stranger".to_owned())).contains("a stranger"));
        assert!(with(|signer| signer.connected = false).contains("not connected"));
        assert!(
            with(|signer| (signer.register.last_ok_ms, signer.register.last_failed_ms) = (None, None))
                .contains("not answered yet")
        );
        assert!(with(|signer| signer.register.last_failed_ms = Some(u64::MAX)).contains("does not answer"));
    }

    #[test]
    fn a_sentry_needs_peers_and_no_signer() {
        let mut report = sentry();
        (report.node.peers_inbound, report.node.peers_outbound) = (Some(0), None);
        assert!(not_ready_because(&report, YOUNG, 2).join("").contains("no peers"));
    }
}
