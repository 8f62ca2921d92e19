//! A node whose life is told in seconds.

use std::fmt::Write as _;
use std::time::Duration;

use crate::health::{
    Action, Answer, Consensus, Event, HealthConfig, NodeHealth, Peers, Readings, Remedy, SignerLink, Source,
    Status, Votes,
};
use crate::logs::Clue;
use crate::machine::Machine;
use crate::signing::Height;
use crate::time::Instant;

/// Somebody looks at the node so often, and the chain makes a block in that time.
pub(super) const LOOK_EVERY: u64 = 5;

pub(super) struct Story {
    pub(super) health: NodeHealth,
    now: u64,
    began: u64,
    pub(super) seen: Readings,
    /// Whether the others, the node, and its application advance.
    pub(super) others_rise: bool,
    pub(super) node_rises: bool,
    pub(super) app_rises: bool,
    /// Whether our vote is missing from now on.
    pub(super) misses: bool,
    /// Whether it asks its signer although its RPC is silent.
    pub(super) asks: bool,
    /// Whether a restart is done as soon as it is asked for.
    pub(super) obeyed: bool,
    told: String,
    restarts: Vec<u64>,
}

impl Story {
    /// A validator's node in best health, started long ago.
    pub(super) fn well() -> Self {
        let mut story = Self {
            health: NodeHealth::new(HealthConfig::new("hub".parse().unwrap())),
            now: 0,
            began: 0,
            seen: healthy(),
            others_rise: true,
            node_rises: true,
            app_rises: true,
            misses: false,
            asks: false,
            obeyed: true,
            told: String::new(),
            restarts: Vec::new(),
        };
        story.step(Event::Started);
        story.run(300);
        assert_eq!(story.health.finding().condition, None, "{:?}", story.health.finding());
        story.told.clear();
        story.began = story.now;
        story
    }

    /// Its height and its application's stand from now on.
    pub(super) fn stands(&mut self) -> &mut Self {
        (self.node_rises, self.app_rises) = (false, false);
        self
    }

    pub(super) fn clue(&mut self, clue: Clue) -> &mut Self {
        self.step(Event::Told(clue));
        self
    }

    pub(super) fn status(&mut self) -> &mut Status {
        match &mut self.seen.node {
            Answer::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// The node's next block is stored and not executed.
    pub(super) fn stores_a_block(&mut self) -> &mut Self {
        self.stands().status().height.0 += 1;
        self
    }

    /// So much time goes by.
    pub(super) fn run(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds / LOOK_EVERY {
            self.now += LOOK_EVERY;
            if self.others_rise {
                self.seen.others.values_mut().for_each(|height| height.0 += 1);
            }
            if let (true, Answer::Status(status)) = (self.node_rises, &mut self.seen.node) {
                status.height.0 += 1;
                self.seen.signer.as_mut().into_iter().for_each(|link| link.keys_given += 1);
            }
            if let (true, Some(votes)) = (self.node_rises, &mut self.seen.votes) {
                votes.to.0 += 1;
                votes.missed_in_a_row += u64::from(self.misses);
            }
            if self.asks {
                self.seen.signer.as_mut().into_iter().for_each(|link| link.keys_given += 1);
            }
            if let (true, Some(app)) = (self.app_rises, &mut self.seen.app_height) {
                app.0 += 1;
            }
            self.step(Event::Looked(self.seen.clone()));
        }
        self
    }

    pub(super) fn step(&mut self, event: Event) {
        let now = Instant::at(Duration::from_secs(self.now));
        let since = self.now - self.began;
        for action in self.health.step(now, event) {
            match action {
                Action::Tell(finding) => {
                    let name = finding.condition.as_ref().map_or("well", |condition| condition.name());
                    let remedy = match (finding.remedy, finding.hold) {
                        (Remedy::Wait, _) => String::new(),
                        (remedy, None) => format!(" {remedy:?}"),
                        (remedy, Some(hold)) => format!(" {remedy:?}({hold:?})"),
                    };
                    let _ = write!(self.told, " +{since} {name}{remedy};");
                }
                Action::Restart { attempt, .. } => {
                    self.restarts.push(since);
                    if self.obeyed {
                        self.step(Event::Restarted { attempt, done: true });
                        self.step(Event::Started);
                    }
                }
            }
        }
    }

    /// What was told and done, in a line.
    pub(super) fn line(&self) -> String {
        let restarts: Vec<_> = self.restarts.iter().map(|second| format!("+{second}")).collect();
        let restarts = if restarts.is_empty() { "none".to_owned() } else { restarts.join(" ") };
        format!("{} restarts: {restarts}", self.told.trim())
    }
}

/// What a look at a validator's node in good health shows.
pub(super) fn healthy() -> Readings {
    let height = Height(1000);
    Readings {
        running: Some(true),
        node: Answer::Status(Status { network: "hub".parse().unwrap(), height, catching_up: false }),
        app_height: Some(height),
        consensus: Some(Consensus::Answers),
        peers: Some(Peers { inbound: 3, outbound: 7 }),
        halt_height: None,
        upgrade: None,
        others: [(Source::Reference("sentry".to_owned()), height), (Source::Register, height)].into(),
        signer: Some(SignerLink { connected: true, keys_given: 1000 }),
        votes: Some(Votes { seated: true, to: height, missed_in_a_row: 0 }),
    }
}
