//! The world: everything that is simulated, and the loop that lets it happen.

mod calm;
mod network;
mod node;
mod pilot;
mod register;
mod strike;

use super::consensus::{Consensus, Have, Message, Stored, Timeouts};
use super::dice::{Dice, mix};
use super::fault::{self, Fault, Strike, When};
use super::judge::Judge;
use super::report::{Run, Violation};
use super::{Faults, Micros, Mistake, Settings};
use crate::id::Lineage;
use crate::register::Version;
use crate::signing::{Action, Event, Floor, Height, Mark, Record, View};
use crate::takeover::TakeoverConfig;
use network::Network;
use node::Node;
use pilot::Machine;
use register::{Op, Store};

/// The plain validators are nodes 0 to 2; the machines of ours follow.
const PLAIN: usize = 3;

/// Two or three machines, and one that a clone may run on.
const MACHINES_MAX: usize = 4;

/// The stranger's node, if there is one.
const STRANGER: usize = PLAIN + MACHINES_MAX;

const MS: Micros = 1_000;
const SECOND: Micros = 1_000_000;

/// What a packet holds.
#[derive(Clone, Debug)]
enum Packet {
    Message(Message),
    Have(u8, Have),
    Commit(Box<Stored>),
    /// There is nothing above this height.
    Tip(u64),
}

/// What can happen. What carries a `run` is lost if that run of the process is over.
enum Ev {
    Packet {
        to: usize,
        run: u32,
        packet: Packet,
    },
    Timer {
        node: usize,
        run: u32,
    },
    Gossip {
        node: usize,
        run: u32,
    },
    Ask {
        node: usize,
        run: u32,
        serial: u64,
    },
    Answer {
        node: usize,
        run: u32,
        serial: u64,
        message: Option<Message>,
    },
    Pilot {
        machine: usize,
        run: u32,
        event: Box<Event>,
    },
    Wake {
        machine: usize,
        run: u32,
    },
    GoOn {
        machine: usize,
        run: u32,
        actions: Vec<Action>,
    },
    Register(Box<Op>),
    Floor {
        machine: usize,
        run: u32,
        attempt: crate::signing::Attempt,
        floor: Box<Floor>,
        written: bool,
        kept: bool,
    },
    Strike(usize),
    End(usize, Fault),
    Start {
        machine: usize,
    },
    StartNode {
        node: usize,
        run: u32,
    },
    Switch {
        to: usize,
        forced: bool,
        tries: u32,
    },
    StopAll,
    Adopt {
        machine: usize,
    },
    Calm,
}

pub(super) struct World<'a> {
    settings: &'a Settings,
    now: Micros,
    dice: Dice,
    queue: super::queue::Queue<Ev>,
    timeouts: Timeouts,
    takeover: TakeoverConfig,
    nodes: Vec<Node>,
    machines: Vec<Machine>,
    network: Network,
    store: Store,
    judge: Judge,
    strikes: Vec<Strike>,
    struck: Vec<Fault>,
    points: u64,
    /// The next strike at a point, if any: kept apart because it is asked for at every point.
    next_point: u64,
    calm_at: Micros,
    calm: bool,
    /// When a plain validator was last seen to be blocks behind the others. Its turn to propose costs a round.
    behind_at: Micros,
    /// How many of our votes were looked at.
    looked: usize,
    paused: bool,
    stranger: bool,
    halted: bool,
    over: bool,
    report: Run,
    ids: u64,
}

/// Adds a line to the story, if one is told.
macro_rules! tell {
    ($world:expr, $($words:tt)*) => {
        if $world.settings.story {
            $crate::sim::world::line(&mut $world.report.story, $world.now, format_args!($($words)*));
        }
    };
}
use tell;

impl<'a> World<'a> {
    pub(super) fn new(seed: u64, settings: &'a Settings) -> Self {
        let mut dice = Dice::new(seed);
        // Three in four at one-second blocks; the Hub's pace takes as many events for a height and tells no more.
        let hub = settings.hub_pace.unwrap_or_else(|| dice.happens(250));
        let timeouts = if hub {
            Timeouts { propose: 3 * SECOND, vote: SECOND, delta: SECOND / 2, commit: 5 * SECOND }
        } else {
            Timeouts { propose: 2 * SECOND, vote: SECOND, delta: SECOND / 2, commit: SECOND }
        };
        let mut takeover = TakeoverConfig::default();
        if !hub {
            takeover.takeover_after = std::time::Duration::from_millis(300);
        }
        let machines = settings.machines.unwrap_or_else(|| if dice.happens(250) { 3 } else { 2 });
        let machines = usize::from(machines).clamp(1, MACHINES_MAX - 1);
        let lineage = Lineage::from_random(dice.id());
        let record = Record::begin(lineage, Mark::end_of(Height(0)));
        let calm_at = if hub { dice.within(20, 40) } else { dice.within(6, 14) } * SECOND;
        let strikes = match &settings.faults {
            Faults::Drawn => fault::plan(&mut dice, calm_at, calm_at / SECOND * if hub { 12 } else { 50 }),
            Faults::Given(strikes) => strikes.clone(),
        };
        let network = Network::drawn(&mut dice);
        let store = Store::drawn(&mut dice, View { version: Version::FIRST, record });
        let mut world = Self {
            settings,
            now: 0,
            dice,
            queue: super::queue::Queue::new(),
            timeouts,
            takeover,
            nodes: Vec::new(),
            machines: Vec::new(),
            network,
            store,
            judge: Judge::default(),
            strikes,
            struck: Vec::new(),
            points: 0,
            next_point: u64::MAX,
            calm_at,
            calm: false,
            behind_at: 0,
            looked: 0,
            paused: false,
            stranger: false,
            halted: false,
            over: false,
            report: Run::new(seed),
            ids: 0,
        };
        world.begin(machines);
        world
    }

    fn begin(&mut self, machines: usize) {
        self.judge.wrote(Version::FIRST, &self.store.view.record.clone(), true);
        self.store.remember = self.strikes.iter().any(|strike| strike.fault == Fault::PutBack);
        for seat in 0..PLAIN {
            let core = Consensus::new(seat as u8, self.timeouts, Stored::GENESIS, 0, seat as u64);
            self.nodes.push(Node::new(seat as u8, None, core));
        }
        for machine in 0..MACHINES_MAX {
            let core = Consensus::new(
                super::judge::OURS,
                self.timeouts,
                Stored::GENESIS,
                0,
                self.nodes.len() as u64,
            );
            self.nodes.push(Node::new(super::judge::OURS, Some(machine), core));
            self.machines.push(Machine::new(&mut self.dice, machine < machines));
        }
        let core =
            Consensus::new(super::judge::OURS, self.timeouts, Stored::GENESIS, 0, self.nodes.len() as u64);
        self.nodes.push(Node::new(super::judge::OURS, None, core));
        for node in 0..PLAIN {
            self.start_node(node);
        }
        for machine in 0..machines {
            self.start_machine(machine);
        }
        for (place, strike) in self.strikes.clone().into_iter().enumerate() {
            if let When::At(at) = strike.when {
                self.queue.put(at, Ev::Strike(place));
            }
        }
        self.arm();
        self.queue.put(self.calm_at, Ev::Calm);
    }

    /// Finds the next strike that waits for its point.
    fn arm(&mut self) {
        let points = self.strikes.iter().filter_map(|strike| match strike.when {
            When::Point(point) if point > self.points => Some(point),
            _ => None,
        });
        self.next_point = points.min().unwrap_or(u64::MAX);
    }

    fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// Lets everything happen, until the chain is well again, or something is wrong, or the time is over.
    pub(super) fn run(mut self) -> Run {
        let mut events = 0_u64;
        while let Some((at, event)) = self.queue.next() {
            self.now = at;
            events += 1;
            self.report.digest = mix(self.report.digest ^ at.rotate_left(24) ^ event.sort());
            self.dispatch(event);
            if self.over || self.judge.wrong.is_some() {
                break;
            }
            self.look();
        }
        self.judge.locks();
        self.finish(events)
    }

    fn dispatch(&mut self, event: Ev) {
        if let Some(until) = self.stands_still(&event) {
            return self.queue.put(until, event);
        }
        match event {
            Ev::Packet { to, run, packet } if self.runs(to, run) => self.receive(to, packet),
            Ev::Timer { node, run } if self.runs(node, run) => self.node_timer(node),
            Ev::Gossip { node, run } if self.runs(node, run) => self.gossip(node),
            Ev::Ask { node, run, serial } if self.runs(node, run) => self.asked(node, serial),
            Ev::Answer { node, run, serial, message } if self.runs(node, run) => {
                self.answered(node, serial, message);
            }
            Ev::StartNode { node, run } if self.nodes[node].run == run => self.start_node(node),
            Ev::Pilot { machine, run, event } if self.pilots(machine, run) => self.pilot(machine, *event),
            Ev::Wake { machine, run } if self.pilots(machine, run) => self.wake(machine),
            Ev::GoOn { machine, run, actions } if self.pilots(machine, run) => self.go_on(machine, actions),
            Ev::Register(op) => self.at_register(*op),
            Ev::Floor { machine, run, attempt, floor, written, kept } if self.pilots(machine, run) => {
                self.floor_written(machine, attempt, *floor, written, kept);
            }
            Ev::Strike(place) => self.strike_by_time(place),
            Ev::End(machine, fault) => self.end(machine, fault),
            Ev::Start { machine } => self.start_machine(machine),
            Ev::Switch { to, forced, tries } => self.switch(to, forced, tries),
            Ev::StopAll => self.stop_all(),
            Ev::Adopt { machine } => self.adopt(machine),
            Ev::Calm => self.become_calm(),
            // Of a run that is over.
            _ => {}
        }
    }

    fn runs(&self, node: usize, run: u32) -> bool {
        self.nodes[node].run == run && self.nodes[node].up
    }

    fn pilots(&self, machine: usize, run: u32) -> bool {
        self.machines[machine].run == run && self.machines[machine].pilot.is_some()
    }

    /// Until when the machine that this would happen on stands still, if it does.
    fn stands_still(&self, event: &Ev) -> Option<Micros> {
        let machine = match event {
            Ev::Packet { to: node, .. }
            | Ev::Timer { node, .. }
            | Ev::Gossip { node, .. }
            | Ev::Ask { node, .. }
            | Ev::Answer { node, .. }
            | Ev::StartNode { node, .. } => self.nodes[*node].machine?,
            Ev::Pilot { machine, .. }
            | Ev::Wake { machine, .. }
            | Ev::GoOn { machine, .. }
            | Ev::Floor { machine, .. } => *machine,
            _ => return None,
        };
        Some(self.machines[machine].still_until).filter(|until| *until > self.now)
    }

    /// A point of the history: whoever is here may be struck. Whether the process that came here still runs and goes on.
    fn point(&mut self, machine: Option<usize>, node: Option<usize>) {
        self.points += 1;
        if self.points >= self.next_point {
            let due: Vec<Fault> = self
                .strikes
                .iter()
                .filter(|strike| strike.when == When::Point(self.points))
                .map(|strike| strike.fault)
                .collect();
            self.arm();
            let machine = machine.or(node.and_then(|node| self.nodes[node].machine));
            for fault in due {
                self.strike(fault, machine);
            }
        }
    }

    fn mistakes(&self, mistake: Mistake) -> bool {
        self.settings.mistake == Some(mistake)
    }

    fn wrong(&mut self, what: String) {
        self.judge.says(|| what);
    }

    fn finish(mut self, events: u64) -> Run {
        if let Some(what) = self.judge.wrong.take() {
            tell!(self, "WRONG {what}");
            self.report.violation = Some(Violation { at: self.now, what });
        }
        let judge = self.judge;
        let mut report = self.report;
        report.counts.virtual_micros = self.now;
        report.counts.events = events;
        report.counts.heights = judge.chain.len() as u64;
        report.counts.signatures = judge.signatures;
        report.counts.nil_while_locked = judge.nil_while_locked;
        report.counts.later_rounds = judge.later_rounds;
        report.counts.after_lock = judge.after_lock;
        report.struck = self.struck;
        report.ours = judge.ours;
        report
    }
}

fn line(story: &mut String, now: Micros, words: std::fmt::Arguments<'_>) {
    use std::fmt::Write as _;
    // Writing to a string does not fail.
    let _ = writeln!(story, "{:>4}.{:06} {words}", now / SECOND, now % SECOND);
}

impl Ev {
    /// For the digest.
    fn sort(&self) -> u64 {
        match self {
            Self::Packet { to, .. } => 1 << 8 | *to as u64,
            Self::Timer { node, .. } => 2 << 8 | *node as u64,
            Self::Gossip { node, .. } => 3 << 8 | *node as u64,
            Self::Ask { serial, .. } => 4 << 32 | serial,
            Self::Answer { serial, message, .. } => 5 << 32 | serial << 1 | u64::from(message.is_some()),
            Self::Pilot { machine, .. } => 6 << 8 | *machine as u64,
            Self::Wake { machine, .. } => 7 << 8 | *machine as u64,
            Self::GoOn { machine, .. } => 8 << 8 | *machine as u64,
            Self::Register(op) => 9 << 8 | op.machine as u64,
            Self::Floor { machine, .. } => 10 << 8 | *machine as u64,
            Self::Strike(place) => 11 << 8 | *place as u64,
            Self::End(machine, _) => 12 << 8 | *machine as u64,
            Self::Start { machine } => 13 << 8 | *machine as u64,
            Self::StartNode { node, .. } => 14 << 8 | *node as u64,
            Self::Switch { to, .. } => 15 << 8 | *to as u64,
            Self::Adopt { machine } => 16 << 8 | *machine as u64,
            Self::Calm => 17 << 8,
            Self::StopAll => 18 << 8,
        }
    }
}
