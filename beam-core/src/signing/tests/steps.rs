//! One state, one event, and the actions that follow.

mod doubts;
mod ownership;
mod refusals;
mod strays;

use std::time::Duration;

use super::{block_id, statement};
use crate::id::{Lineage, SessionId, SignerId};
use crate::machine::Machine;
use crate::register::Version;
use crate::signing::{
    Action, Attempt, Epoch, Event, Floor, Halt, Handover, Height, Lock, Mark, Notice, ReadOutcome, Record,
    Refusal, RequestId, Round, Sighting, Signatures, Signer, SignerConfig, Statement, Step, SwapOutcome,
    Takeover, View,
};
use crate::takeover::TakeoverConfig;
use crate::time::Instant;

const ME: SignerId = SignerId::from_random(1);
const OTHER: SignerId = SignerId::from_random(2);
const MY_NODE: SessionId = SessionId::from_random(11);
const OTHER_NODE: SessionId = SessionId::from_random(12);
const TAKEOVER_AFTER: Duration = Duration::from_millis(300);

/// A signer, a clock, and the attempts that it waits for.
struct Bench {
    signer: Signer,
    now: Instant,
    requests: u64,
    reading: Attempt,
    swapping: Attempt,
    flooring: Attempt,
    signing: Attempt,
}

impl Bench {
    fn new(floor: Option<Floor>) -> Self {
        let takeover = TakeoverConfig { takeover_after: TAKEOVER_AFTER, ..TakeoverConfig::default() };
        let none = Attempt(0);
        Self {
            signer: Signer::new(SignerConfig { me: ME, takeover }, floor),
            now: Instant::default(),
            requests: 0,
            reading: none,
            swapping: none,
            flooring: none,
            signing: none,
        }
    }

    /// A signer that owns `record` and has its floor there.
    fn owning(record: &Record) -> Self {
        let mut bench = Self::new(Some(Floor::of(record)));
        bench.ask(statement(record.mark, None, 0));
        bench.read(ReadOutcome::Found(view(1, record.clone())));
        assert!(bench.signer.owns());
        // The bytes at the mark are not this vote, so it was refused and nothing waits.
        bench
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        let actions = self.signer.step(self.now, event);
        for action in &actions {
            match action {
                Action::Read { attempt } => self.reading = *attempt,
                Action::Swap { attempt, .. } => self.swapping = *attempt,
                Action::KeepFloor { attempt, .. } => self.flooring = *attempt,
                Action::Sign { attempt, .. } => self.signing = *attempt,
                Action::Answer { .. } | Action::Tell(_) => {}
            }
        }
        actions
    }

    fn after(&mut self, wait: Duration) -> Vec<Action> {
        self.now = self.now + wait;
        self.step(Event::Woken)
    }

    fn ask(&mut self, statement: Statement) -> Vec<Action> {
        self.ask_from(MY_NODE, statement)
    }

    fn ask_from(&mut self, session: SessionId, statement: Statement) -> Vec<Action> {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.step(Event::Asked { request, session, statement, extension: None })
    }

    fn read(&mut self, outcome: ReadOutcome) -> Vec<Action> {
        self.step(Event::Read { attempt: self.reading, outcome })
    }

    fn swapped(&mut self, outcome: SwapOutcome) -> Vec<Action> {
        self.step(Event::Swapped { attempt: self.swapping, outcome })
    }

    fn floor_kept(&mut self, kept: bool) -> Vec<Action> {
        self.step(Event::FloorKept { attempt: self.flooring, kept })
    }

    fn signed(&mut self) -> Vec<Action> {
        let signatures = Some(Signatures { statement: vec![7], extension: None });
        self.step(Event::Signed { attempt: self.signing, signatures })
    }

    /// Both the floor and the signature are there, in this order.
    fn released(&mut self) -> Vec<Action> {
        assert_eq!(self.floor_kept(true), []);
        self.signed()
    }
}

fn view(version: u64, record: Record) -> View {
    View { version: Version(version), record }
}

fn mark(height: u64, step: Step) -> Mark {
    Mark::new(height, 0, step)
}

/// A record at the end of height 9, owned by `owner`.
fn record(owner: Option<SignerId>) -> Record {
    let begin = Record::begin(Lineage::from_random(5), Mark::end_of(Height(9)));
    match owner {
        None => begin,
        Some(owner) => begin.handed_to(owner, Handover::Takeover).unwrap(),
    }
}

fn at(record: &Record, statement: &Statement) -> Record {
    Record { mark: statement.mark(), bytes: statement.bytes().to_vec(), ..record.clone() }
}

fn refusal(actions: &[Action]) -> &Refusal {
    match actions.iter().find_map(|action| match action {
        Action::Answer { answer: Err(refusal), .. } => Some(refusal),
        _ => None,
    }) {
        Some(refusal) => refusal,
        None => panic!("no refusal in {actions:?}"),
    }
}

fn swap_in(actions: &[Action]) -> &Record {
    match actions.iter().find_map(|action| match action {
        Action::Swap { record, .. } => Some(record),
        _ => None,
    }) {
        Some(record) => record,
        None => panic!("no swap in {actions:?}"),
    }
}

fn signs(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Sign { .. }))
}
