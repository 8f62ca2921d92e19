//! How a machine does, in one word, and why: from what its report says.

use beam_core::health::Condition;
use beam_core::health_check::Health;

use crate::report::{Report, State};

/// A disk with less room than this part of it, a tenth, is told.
const DISK_FREE_MIN: u64 = 10;
/// Who may miss only so many hundredths more of what the chain forgives is told.
const JAIL_NEAR_PERCENT: u64 = 50;

/// The state, and a sentence for each reason why it is not fine.
pub(super) fn judge(report: &Report, condition: Option<&Condition>) -> (State, Vec<String>) {
    let mut all = vec![node(report, condition), pending(report), disk(report)];
    all.extend(signer(report));
    all.extend(votes(report));
    let found: Vec<(State, String)> = all.into_iter().flatten().collect();
    let state = found.iter().map(|(state, _)| *state).max().unwrap_or(State::Fine);
    (state, found.into_iter().map(|(_, reason)| reason).collect())
}

fn node(report: &Report, condition: Option<&Condition>) -> Option<(State, String)> {
    if let Some(trouble) = &report.node.trouble {
        return Some((State::Down, format!("the node could not be started: {trouble}")));
    }
    let text = report.node.condition_text.clone().unwrap_or_default();
    match condition?.health() {
        Health::Fine => None,
        Health::Degraded(_) | Health::Unknown(_) => Some((State::Degraded, text)),
        Health::Down(_) => Some((State::Down, text)),
    }
}

fn pending(report: &Report) -> Option<(State, String)> {
    let keys = &report.node.pending_restart;
    let reason = || format!("the node takes in {} with its next start only", keys.join(", "));
    (!keys.is_empty()).then(|| (State::Degraded, reason()))
}

fn disk(report: &Report) -> Option<(State, String)> {
    let percent = report.disk.as_ref()?.free_percent()?;
    (percent < DISK_FREE_MIN)
        .then(|| (State::Degraded, format!("the disk of the node's home has {percent}% left")))
}

fn signer(report: &Report) -> Vec<Option<(State, String)>> {
    let Some(signer) = &report.signer else { return Vec::new() };
    let halted = signer.halted.as_ref().map(|why| (State::Down, format!("the signer has stopped: {why}")));
    let reason = |state, reason: &str| Some((state, reason.to_owned()));
    vec![
        halted,
        if signer.register.answers() == Some(false) {
            reason(State::Degraded, "the register does not answer")
        } else {
            None
        },
        if signer.connected {
            None
        } else {
            reason(State::Degraded, "the node is not connected to the signer")
        },
    ]
}

fn votes(report: &Report) -> Vec<Option<(State, String)>> {
    let Some(votes) = &report.votes else { return Vec::new() };
    let reason = |reason: &str| Some((State::Down, reason.to_owned()));
    let near = votes.left_to_jail.zip(votes.missed_in_window).and_then(|(left, missed)| {
        let forgiven = left.saturating_add(missed);
        let percent = left.saturating_mul(100).checked_div(forgiven)?;
        (percent < JAIL_NEAR_PERCENT).then(|| {
            (
                State::Degraded,
                format!("{missed} blocks missed in the chain's window; {left} more are forgiven"),
            )
        })
    });
    vec![
        if votes.tombstoned == Some(true) {
            reason("the validator is tombstoned, for a double sign")
        } else {
            None
        },
        if votes.jailed == Some(true) {
            reason("the validator is jailed; its operator can unjail it")
        } else {
            None
        },
        near,
    ]
}

#[cfg(test)]
mod tests {
    use beam_core::health::Unknown;
    use beam_core::signing::Height;

    use super::*;
    use crate::report::samples;

    fn state(change: impl FnOnce(&mut Report)) -> (State, usize) {
        let mut report = samples::validator();
        change(&mut report);
        let (state, reasons) = judge(&report, None);
        (state, reasons.len())
    }

    #[test]
    fn a_machine_that_does_well_is_fine() {
        assert_eq!(state(|_| {}), (State::Fine, 0));
        assert_eq!(judge(&samples::sentry(), None), (State::Fine, vec![]));
    }

    #[test]
    fn the_worst_reason_counts_and_all_are_told() {
        let both = state(|report| {
            report.signer.as_mut().unwrap().halted = Some("put back".to_owned());
            report.signer.as_mut().unwrap().connected = false;
        });
        assert_eq!(both, (State::Down, 2));
        assert_eq!(state(|report| report.node.trouble = Some("no such file".to_owned())), (State::Down, 1));
        assert_eq!(
            state(|report| report.node.pending_restart = vec!["p2p.pex".to_owned()]),
            (State::Degraded, 1)
        );
        assert_eq!(state(|report| report.disk.as_mut().unwrap().free_bytes = 1), (State::Degraded, 1));
        let failing = |report: &mut Report| {
            let register = &mut report.signer.as_mut().unwrap().register;
            register.last_failed_ms = register.last_ok_ms.map(|ok| ok + 1);
        };
        assert_eq!(state(failing), (State::Degraded, 1));
    }

    #[test]
    fn jail_is_told_before_it_comes() {
        let near = |left, missed| {
            state(move |report| {
                let votes = report.votes.as_mut().unwrap();
                (votes.left_to_jail, votes.missed_in_window) = (Some(left), Some(missed));
            })
        };
        assert_eq!((near(9000, 500).0, near(4000, 5500).0), (State::Fine, State::Degraded));
        assert_eq!(state(|report| report.votes.as_mut().unwrap().jailed = Some(true)).0, State::Down);
    }

    #[test]
    fn what_the_node_suffers_from_is_told_by_its_weight() {
        let report = samples::validator();
        let upgrade = Condition::UpgradeNeeded { name: "v2".to_owned(), height: Height(7) };
        assert_eq!(judge(&report, Some(&upgrade)).0, State::Down);
        assert_eq!(judge(&report, Some(&Condition::Unknown(Unknown::NotAsked))).0, State::Degraded);
    }
}
