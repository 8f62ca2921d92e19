//! The node's health: looked at every few seconds, judged by core's [`NodeHealth`], healed where a restart does.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use beam_core::health::{
    Action, Condition, Event, Finding, HealthConfig, NodeHealth, Readings, Remedy, SignerLink, Source,
};
use beam_core::health_check::Health;
use beam_core::logs::{Clue, Stamp};
use beam_core::node_process::NodeProcess as _;
use beam_core::runtime::{Events, Hands, SignerState, drive};
use beam_core::signing::Height;
use beam_core::time::Instant;
use beam_gaia::health::{LOOK_WITHIN, Look, Probe};
use beam_gaia::privval::{Link, LinkState};
use beam_gaia::process::GaiaProcess;
use beam_gaia::rpc::NodeRpc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::sleep;

use super::chain::Seen;
use crate::config::Config;
use crate::run::{Live, Tasks};

/// How often the node is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How many events may be on their way to the machine.
const EVENTS_MAX: usize = 16;
/// How long a node that is to be healed may take to end before it is killed. A deaf one often does not end by itself.
const HEAL_GRACE: Duration = Duration::from_secs(10);

/// How the node is, for the report.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) finding: Option<Finding>,
    pub(super) network_height: Option<Height>,
    /// Restarts that were to heal it, within the window that limits them.
    pub(super) heals: u32,
}

/// The signer's state and its connection, where there is a signer.
pub(super) type SignerViews = Option<(watch::Receiver<SignerState>, watch::Receiver<Link>)>;

/// Begins to look.
///
/// # Errors
/// If an address of the configuration is not what it was checked to be.
pub(super) fn begin(
    tasks: &mut Tasks,
    live: &Live,
    process: Arc<GaiaProcess>,
    clues: Clues,
    signer: SignerViews,
    seen: watch::Receiver<Seen>,
) -> Result<(watch::Receiver<Option<Look>>, watch::Receiver<Known>)> {
    let config = Arc::clone(&live.config.borrow());
    let (events, incoming) = mpsc::channel(EVENTS_MAX);
    let (known, knows) = watch::channel(Known::default());
    let (looks, looked) = watch::channel(None);
    let machine = NodeHealth::new(health_config(&config));
    let hands = NodeHands { process, known, began: tokio::time::Instant::now() };
    let weak = events.downgrade();
    tasks.spawn("node health", async move {
        drive(machine, hands, incoming, weak).await;
    });
    tasks.spawn("node clues", tell_clues(clues, events.clone()));
    let looker = Looker { probe: probe(&config)?, live: live.clone(), signer, seen, events, looks };
    tasks.spawn("node", looker.run());
    Ok((looked, knows))
}

fn health_config(config: &Config) -> HealthConfig {
    let health = &config.health;
    HealthConfig {
        still_after: health.still_after,
        lag_blocks_max: health.lag_blocks_max,
        start_grace: health.start_grace,
        restarts_max: health.restarts_max,
        restart_window: health.restart_window,
        ..HealthConfig::new(config.chain.id.clone())
    }
}

fn probe(config: &Config) -> Result<Probe> {
    let rpc = NodeRpc::new(config.rpc()?);
    Ok(Probe::new(rpc, config.chain.id.clone(), config.node.home.clone(), references(config)?))
}

fn references(config: &Config) -> Result<BTreeMap<String, NodeRpc>> {
    let references = config.health.references.iter().map(|reference| {
        let address =
            Config::rpc_address(reference).with_context(|| format!("health.references has {reference:?}"))?;
        Ok((reference.clone(), NodeRpc::new(address)))
    });
    references.collect()
}

/// What the node's log tells.
pub(super) type Clues = broadcast::Receiver<(Stamp, Clue)>;

async fn tell_clues(mut clues: Clues, events: mpsc::Sender<Event>) {
    loop {
        match clues.recv().await {
            Ok((at, told)) => {
                tracing::debug!(%at, ?told, "the node's log tells");
                if events.send(Event::Told(told)).await.is_err() {
                    return;
                }
            }
            // The readings tell the same, later.
            Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "clues from the node's log were lost"),
            // The log ends with the pilot.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Looks, and tells the machine.
struct Looker {
    probe: Probe,
    live: Live,
    signer: SignerViews,
    seen: watch::Receiver<Seen>,
    events: mpsc::Sender<Event>,
    looks: watch::Sender<Option<Look>>,
}

impl Looker {
    async fn run(mut self) {
        let pulse = self.live.pulses.of("node", (LOOK_EVERY + LOOK_WITHIN).saturating_mul(3));
        let mut pid = None;
        loop {
            pulse.beat();
            let run = self.live.node.borrow_and_update().clone();
            if run.pid != pid && run.pid.is_some() && self.events.send(Event::Started).await.is_err() {
                return;
            }
            pid = run.pid;
            let mut look = self.probe.look().await;
            self.complete(&mut look.readings, run.pid.is_some());
            if self.events.send(Event::Looked(look.readings.clone())).await.is_err() {
                return;
            }
            self.looks.send_replace(Some(look));
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                // A node that has just started or ended is told at once. An error means that the pilot ends.
                _ = self.live.node.changed() => {}
                Ok(()) = self.live.config.changed() => {
                    if !self.configure().await {
                        return;
                    }
                }
            }
        }
    }

    /// Takes in what a reload has changed. Says whether there is still somebody to tell.
    async fn configure(&mut self) -> bool {
        let config = Arc::clone(&self.live.config.borrow_and_update());
        match references(&config) {
            Ok(references) => self.probe.compare_with(references),
            // Whoever read it has checked it.
            Err(error) => tracing::error!(error = format!("{error:#}"), "references stay as they were"),
        }
        self.events.send(Event::Configured(health_config(&config))).await.is_ok()
    }

    /// What a probe of the node cannot know.
    fn complete(&self, readings: &mut Readings, running: bool) {
        readings.running = Some(running);
        let Some((state, link)) = &self.signer else { return };
        if let Some(mark) = state.borrow().mark {
            readings.others.insert(Source::Register, Height(mark.height.0.saturating_sub(1)));
        }
        let link = link.borrow();
        readings.signer = Some(SignerLink {
            connected: matches!(link.state, LinkState::Connected),
            keys_given: link.keys_given,
        });
        let (seen, me) = (self.seen.borrow(), self.live.config.borrow().name.clone());
        let twins = seen.roster.members.iter().filter(|(name, _)| **name != me);
        readings.others.extend(twins.map(|(name, member)| (Source::Twin(name.clone()), member.height)));
        readings.votes = seen.counts.map(|counts| counts.votes());
    }
}

/// Does what the machine says.
struct NodeHands {
    process: Arc<GaiaProcess>,
    known: watch::Sender<Known>,
    /// When the machine's time began, to within the moment that it takes to begin.
    began: tokio::time::Instant,
}

impl Hands<NodeHealth> for NodeHands {
    fn carry_out(&mut self, action: Action, events: &Events<Event>) -> Option<Event> {
        match action {
            Action::Tell(finding) => tell(&finding),
            Action::Restart { attempt, because } => {
                tracing::error!(condition = because.name(), "{because}: the node is restarted to heal it");
                let (process, events) = (Arc::clone(&self.process), events.clone());
                tokio::spawn(async move {
                    // Whoever keeps the node running starts it again.
                    let ended = process.stop(HEAL_GRACE).await;
                    if let Err(error) = &ended {
                        tracing::error!(error = error as &dyn Error, "the node could not be ended");
                    }
                    events.send(Event::Restarted { attempt, done: ended.is_ok() }).await;
                });
            }
        }
        None
    }

    fn stepped(&mut self, machine: &NodeHealth) {
        self.known.send_replace(Known {
            finding: Some(machine.finding().clone()),
            network_height: machine.network_height(),
            heals: machine.restarts(Instant::at(self.began.elapsed())),
        });
    }
}

fn tell(finding: &Finding) {
    let Some(condition) = &finding.condition else {
        return tracing::info!("the node is well");
    };
    let (name, todo) = (condition.name(), what_to_do(finding, condition));
    match condition.health() {
        Health::Down(words) => tracing::error!(condition = name, todo, "{words}"),
        Health::Degraded(words) => tracing::warn!(condition = name, todo, "{words}"),
        Health::Fine | Health::Unknown(_) => tracing::info!(condition = name, "{condition}"),
    }
}

/// What a person does about it, if it is for a person.
pub(super) fn what_to_do(finding: &Finding, condition: &Condition) -> &'static str {
    match finding.remedy {
        Remedy::Person => condition.advice(),
        Remedy::Wait | Remedy::Restart => "",
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::config::FILE_NAME;
    use crate::run::{NodeRun, Pulses};

    const WITHIN: Duration = Duration::from_secs(20);

    fn config(health: &str) -> Arc<Config> {
        let home = tempfile::tempdir().unwrap();
        let text = format!(
            "name = \"s\"\nrole = \"sentry\"\n[chain]\nid = \"c-1\"\n\
             [node]\nhome = \"/n\"\ncommand = [\"gaiad\"]\nrpc = \"http://127.0.0.1:1\"\n[health]\n{health}"
        );
        std::fs::write(home.path().join(FILE_NAME), text).unwrap();
        Arc::new(Config::load(home.path()).unwrap())
    }

    #[tokio::test]
    async fn what_a_reload_changes_reaches_the_machine_and_new_references_are_asked() {
        let reference = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (configs, in_force) = watch::channel(config(""));
        let (_run, node) = watch::channel(NodeRun::default());
        let (_votes, seen) = watch::channel(Seen::default());
        let (events, mut told) = mpsc::channel(EVENTS_MAX);
        let probe = probe(&configs.borrow()).unwrap();
        let live = Live { config: in_force, node, pulses: Pulses::default() };
        let looker = Looker { probe, live, signer: None, seen, events, looks: watch::channel(None).0 };
        let running = tokio::spawn(looker.run());
        assert!(matches!(told.recv().await, Some(Event::Looked(_))));

        let url = format!("http://{}", reference.local_addr().unwrap());
        configs.send_replace(config(&format!("references = [{url:?}]\nlag_blocks_max = 9\n")));
        let configured = async {
            loop {
                match told.recv().await {
                    Some(Event::Configured(config)) => return config,
                    Some(Event::Looked(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        assert_eq!(timeout(WITHIN, configured).await.unwrap().lag_blocks_max, 9);
        timeout(WITHIN, reference.accept()).await.expect("the reference is asked").unwrap();
        running.abort();
    }
}
