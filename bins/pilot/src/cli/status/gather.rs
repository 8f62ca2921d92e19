//! Putting the status together: from the register, and from every pilot that answers.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use beam_core::id::SignerId;
use beam_core::pause::Pause;
use beam_core::roster::{Member, Roster};
use beam_core::runtime::SharedError;
use beam_core::signing::{Handover, Mark, Record};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::ask_agent;
use crate::assemble;
use crate::clock::now_ms;
use crate::config::{Config, Role};
use crate::report::{Report, State};

/// How many heights a machine may be behind the register and still count as in step.
const IN_STEP_HEIGHTS: u64 = 2;
/// After how long a note counts as old, whatever the heights: the chain may stand still.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// The validator, or the sentry.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) schema: &'static str,
    pub(super) chain_id: String,
    pub(super) state: State,
    /// Why it is not fine, a sentence each.
    pub(super) reasons: Vec<String>,
    /// On a sentry there is none of it.
    #[serde(flatten)]
    pub(super) validator: Option<Validator>,
    pub(super) machines: Vec<Machine>,
}

/// What the register says.
#[derive(Debug, Serialize)]
pub(super) struct Validator {
    pub(super) validator: String,
    pub(super) mark: Mark,
    pub(super) epoch: u64,
    pub(super) since: Mark,
    pub(super) handover: Handover,
    pub(super) pause: Option<Pause>,
}

/// One machine.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) name: String,
    /// By the register: `owner` or `standby`; or `sentry`.
    pub(super) role: &'static str,
    pub(super) here: bool,
    pub(super) height: u64,
    pub(super) seen_seconds_ago: u64,
    pub(super) in_step: bool,
    pub(super) agent: Option<SocketAddr>,
    /// What its pilot tells, if it answers.
    pub(super) report: Option<Report>,
    /// Why there is no report.
    pub(super) silent: Option<String>,
}

/// The status as of now.
pub(super) async fn status(config: &Config) -> Result<Status> {
    match config.role {
        Role::Validator => validator(config).await,
        Role::Sentry => Ok(sentry(config).await),
    }
}

async fn validator(config: &Config) -> Result<Status> {
    let shared = assemble::shared(config).await?;
    let record = shared.record().await?;
    // Neither guards a signature. Without them there is still something to tell.
    let pause = shared.pause().read().await.map(|paused| paused.at(now_ms()).cloned());
    let (mut machines, roster) = match shared.roster().read().await {
        Ok(roster) => (machines(config, &record, &roster), Ok(())),
        Err(error) => (vec![this_machine(config)], Err(in_words(error))),
    };
    ask(&mut machines).await;
    if roster.is_err() {
        machines.iter_mut().for_each(|machine| machine.follow_report(record.owner));
    }
    let pause = pause.map_err(in_words);
    let (state, reasons) = judge(&record, &machines, roster, &pause);
    Ok(Status {
        schema: "beam.status/1",
        chain_id: config.chain.id.to_string(),
        state,
        reasons,
        validator: Some(Validator {
            validator: assemble::validator(config)?,
            mark: record.mark,
            epoch: record.epoch.0,
            since: record.since,
            handover: record.handover,
            pause: pause.unwrap_or_default(),
        }),
        machines,
    })
}

async fn sentry(config: &Config) -> Status {
    let mut machines = vec![this_machine(config)];
    ask(&mut machines).await;
    machines.iter_mut().for_each(|machine| machine.follow_report(None));
    let report = machines.first().and_then(|machine| machine.report.as_ref());
    let (state, reasons) = match report {
        Some(report) => (report.state, report.reasons.clone()),
        None => {
            (State::Down, vec!["this machine's pilot does not answer: is `beam start` running?".to_owned()])
        }
    };
    let chain_id = config.chain.id.to_string();
    Status { schema: "beam.status/1", chain_id, state, reasons, validator: None, machines }
}

fn in_words(error: SharedError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

impl Machine {
    /// What to do if its pilot does not answer.
    fn hint(&self) -> &'static str {
        match (self.here, self.agent.is_some_and(|agent| agent.ip().is_loopback())) {
            (true, _) => "; is `beam start` running?",
            (false, true) => {
                "; if that is another host, give agent.listen in its node.toml a private address"
            }
            (false, false) => "",
        }
    }

    /// A machine that is in no roster is what its own pilot tells of it.
    fn follow_report(&mut self, owner: Option<SignerId>) {
        let Some(report) = &self.report else { return };
        self.height = report.node.height.unwrap_or_default();
        self.in_step = report.state != State::Down;
        let signer = report.signer.as_ref();
        if owner.zip(signer).is_some_and(|(owner, signer)| owner.to_string() == signer.id) {
            self.role = "owner";
        }
    }
}

/// This machine, before its pilot has told of it.
fn this_machine(config: &Config) -> Machine {
    Machine {
        name: config.name.clone(),
        role: match config.role {
            Role::Validator => "standby",
            Role::Sentry => "sentry",
        },
        here: true,
        height: 0,
        seen_seconds_ago: 0,
        in_step: false,
        agent: config.agent.enabled.then_some(config.agent.listen),
        report: None,
        silent: None,
    }
}

fn machines(config: &Config, record: &Record, roster: &Roster) -> Vec<Machine> {
    let now = now_ms();
    let machine = |(name, member): (&String, &Member)| {
        let seen_seconds_ago = now.saturating_sub(member.seen_ms) / 1000;
        let near = member.height.0.saturating_add(IN_STEP_HEIGHTS) >= record.mark.height.0;
        Machine {
            name: name.clone(),
            role: if record.owner == Some(member.signer) { "owner" } else { "standby" },
            here: *name == config.name,
            height: member.height.0,
            seen_seconds_ago,
            in_step: near && seen_seconds_ago <= SEEN_WITHIN.as_secs(),
            agent: member.agent,
            report: None,
            silent: None,
        }
    };
    roster.members.iter().map(machine).collect()
}

/// Asks every pilot at once, so that one that is gone costs its time once.
async fn ask(machines: &mut [Machine]) {
    let mut asked = JoinSet::new();
    for (place, machine) in machines.iter_mut().enumerate() {
        match machine.agent {
            Some(agent) => {
                let name = machine.name.clone();
                asked.spawn(async move { (place, ask_agent::report(agent, &name).await) });
            }
            None => machine.silent = Some("its HTTP agent is off".to_owned()),
        }
    }
    while let Some(Ok((place, answer))) = asked.join_next().await {
        let Some(machine) = machines.get_mut(place) else { continue };
        match answer {
            Ok(report) => machine.report = Some(report),
            Err(error) => machine.silent = Some(format!("{error:#}{}", machine.hint())),
        }
    }
}

/// How the validator does: by the register and the roster first, by what the pilots tell of themselves next.
fn judge(
    record: &Record,
    machines: &[Machine],
    roster: Result<(), String>,
    pause: &Result<Option<Pause>, String>,
) -> (State, Vec<String>) {
    let ready = machines.iter().filter(|machine| machine.in_step).count();
    let mut reasons = match roster {
        Ok(()) => by_the_roster(record, machines, ready),
        Err(unread) => vec![unread],
    };
    match pause {
        Ok(None) => {}
        Ok(Some(pause)) => reasons.push(format!("takeovers are {}", super::super::pause::in_words(pause))),
        Err(unread) => reasons.push(unread.clone()),
    }
    let now = now_ms();
    for machine in machines {
        if let Some(report) = &machine.report {
            reasons.extend(report.reasons.iter().map(|reason| format!("{}: {reason}", machine.name)));
            if report.is_old(now) {
                reasons.push(format!("{}: its pilot hangs, or its clock is off", machine.name));
            }
        }
    }
    let halted = machines.iter().filter_map(|machine| machine.report.as_ref()?.signer.as_ref());
    let all_halted = machines.iter().all(|machine| machine.report.is_some())
        && halted.clone().count() > 0
        && halted.clone().all(|signer| signer.halted.is_some());
    let state = match (ready, reasons.is_empty()) {
        (0, _) => State::Down,
        _ if all_halted => State::Down,
        (_, false) => State::Degraded,
        (_, true) => State::Fine,
    };
    (state, reasons)
}

fn by_the_roster(record: &Record, machines: &[Machine], ready: usize) -> Vec<String> {
    let mut reasons = Vec::new();
    let owner = machines.iter().find(|machine| machine.role == "owner");
    match owner {
        Some(owner) if owner.in_step => {}
        Some(owner) => reasons.push(format!("{}, the owner, is out of step", owner.name)),
        None if record.owner.is_none() => reasons.push("nobody has owned yet".to_owned()),
        None => reasons.push("no machine that is noted here is the owner's process".to_owned()),
    }
    if ready < 2 {
        reasons.push("no standby is in step".to_owned());
    }
    reasons
}

#[cfg(test)]
mod tests {
    use beam_core::id::Lineage;
    use beam_core::signing::Height;

    use super::*;
    use crate::report::SignerReport;

    const A: SignerId = SignerId::from_random(1);

    fn record(owner: Option<SignerId>) -> Record {
        let record = Record::begin(Lineage::from_random(9), Mark::end_of(Height(100)));
        Record { owner, ..record }
    }

    fn machine(name: &str, role: &'static str, in_step: bool) -> Machine {
        Machine {
            name: name.to_owned(),
            role,
            here: false,
            height: 100,
            seen_seconds_ago: 1,
            in_step,
            agent: None,
            report: None,
            silent: None,
        }
    }

    fn reporting(mut machine: Machine, change: impl FnOnce(&mut Report)) -> Machine {
        let mut report = Report::begin(&machine.name, Role::Validator, "test-1", now_ms());
        report.reasons.clear();
        change(&mut report);
        machine.report = Some(report);
        machine
    }

    fn state(owner: Option<SignerId>, machines: &[Machine]) -> State {
        judge(&record(owner), machines, Ok(()), &Ok(None)).0
    }

    #[test]
    fn fine_is_an_owner_and_a_standby_in_step() {
        let (a, b) = (machine("a", "owner", true), machine("b", "standby", true));
        assert_eq!(state(Some(A), &[a, b]), State::Fine);
        let (a, b) = (machine("a", "owner", true), machine("b", "standby", false));
        assert_eq!(state(Some(A), &[a, b]), State::Degraded);
        let (a, b) = (machine("a", "owner", false), machine("b", "standby", true));
        assert_eq!(state(Some(A), &[a, b]), State::Degraded);
        let (a, b) = (machine("a", "owner", false), machine("b", "standby", false));
        assert_eq!(state(Some(A), &[a, b]), State::Down);
        assert_eq!(state(None, &[]), State::Down);
    }

    #[test]
    fn what_a_pilot_complains_of_is_told_with_its_name() {
        let a = reporting(machine("a", "owner", true), |report| {
            report.reasons.push("the disk is nearly full".to_owned());
        });
        let (state, reasons) =
            judge(&record(Some(A)), &[a, machine("b", "standby", true)], Ok(()), &Ok(None));
        assert_eq!((state, reasons), (State::Degraded, vec!["a: the disk is nearly full".to_owned()]));
    }

    #[test]
    fn a_pilot_that_hangs_and_a_pause_are_told() {
        let a = reporting(machine("a", "owner", true), |report| report.updated_ms = 1);
        let until_ms = now_ms() + 60_000;
        let pause = Pause { by: "ops".to_owned(), reason: "disk".to_owned(), since_ms: 0, until_ms };
        let (state, reasons) =
            judge(&record(Some(A)), &[a, machine("b", "standby", true)], Ok(()), &Ok(Some(pause)));
        assert_eq!(state, State::Degraded);
        assert!(reasons[0].contains("paused") && reasons[0].contains("disk"), "{reasons:?}");
        assert!(reasons[1].contains("hangs"), "{reasons:?}");
    }

    #[test]
    fn a_roster_that_cannot_be_read_is_told_and_claims_nothing_of_others() {
        let mut a = reporting(machine("a", "standby", false), |report| {
            report.state = State::Fine;
            report.node.height = Some(7);
            report.signer = Some(SignerReport { id: A.to_string(), ..SignerReport::default() });
        });
        a.follow_report(Some(A));
        assert_eq!((a.role, a.height, a.in_step), ("owner", 7, true));
        let unread = |what: &str| Err(format!("the {what} is damaged"));
        let (state, reasons) =
            judge(&record(Some(A)), &[a], unread("roster"), &Err("the pause too".to_owned()));
        assert_eq!(
            (state, reasons),
            (State::Degraded, vec!["the roster is damaged".into(), "the pause too".into()])
        );
    }

    #[test]
    fn all_signers_halted_is_down_and_one_is_not() {
        let halted = |name: &str, why: Option<&str>| {
            reporting(machine(name, if name == "a" { "owner" } else { "standby" }, true), |report| {
                report.signer =
                    Some(SignerReport { halted: why.map(str::to_owned), ..SignerReport::default() });
                report.reasons.extend(why.map(str::to_owned));
            })
        };
        assert_eq!(state(Some(A), &[halted("a", Some("put back")), halted("b", None)]), State::Degraded);
        assert_eq!(state(Some(A), &[halted("a", Some("x")), halted("b", Some("x"))]), State::Down);
    }
}
