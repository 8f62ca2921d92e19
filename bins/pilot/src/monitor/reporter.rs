//! Puts the report together, every second, from what the other tasks have seen.

use std::time::Duration;

use beam_core::health::Condition;
use beam_core::health::missed::Tally as Counts;
use beam_core::runtime::{MeasuredRegister, SignerState};
use beam_core::signing::Notice;
use beam_gaia::health::Look;
use beam_gaia::privval::{Link, LinkState};
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

use super::Tally;
use super::chain::Seen;
use super::judge::judge;
use super::node::{Known, what_to_do};
use crate::clock::{millis, ms_of, now_ms};
use crate::report::{
    DiskReport, NodeReport, PauseReport, RegisterReport, Report, SignerReport, UpgradeReport, VotesReport,
};
use crate::run::{Live, Signing};

/// How often the report is made.
const EVERY: Duration = Duration::from_secs(1);
/// Within which it must come round; it waits for nobody.
const WITHIN: Duration = Duration::from_secs(10);

/// Makes the report.
pub(super) struct Reporter {
    pub(super) live: Live,
    pub(super) node: watch::Receiver<Option<Look>>,
    pub(super) health: watch::Receiver<Known>,
    pub(super) seen: watch::Receiver<Seen>,
    pub(super) signer: Option<SignerSide>,
    pub(super) report: watch::Sender<Report>,
}

/// What there is to tell of a signer.
pub(super) struct SignerSide {
    validator: String,
    id: String,
    state: watch::Receiver<SignerState>,
    link: watch::Receiver<Link>,
    tally: Tally,
    register: MeasuredRegister,
    notices: broadcast::Receiver<Notice>,
    handovers: u64,
    last_handover: Option<beam_core::signing::Handover>,
}

impl SignerSide {
    pub(super) fn of(signing: &Signing) -> Self {
        let signer = &signing.signer;
        Self {
            validator: signer.key.address(),
            id: signer.me.to_string(),
            state: signer.handle.state(),
            link: signing.link.clone(),
            tally: signer.tally.clone(),
            register: signer.measured.clone(),
            notices: signer.handle.notices(),
            handovers: 0,
            last_handover: None,
        }
    }

    fn report(&mut self) -> SignerReport {
        self.count_handovers();
        let (state, figures) = (self.state.borrow().clone(), self.tally.figures());
        SignerReport {
            validator: self.validator.clone(),
            id: self.id.clone(),
            owns: state.owns,
            epoch: state.epoch.map(|epoch| epoch.0),
            mark: state.mark,
            signed: figures.last.map(|(mark, _)| mark),
            halted: state.halted.map(|halt| halt.to_string()),
            connected: matches!(self.link.borrow().state, LinkState::Connected),
            released: figures.released,
            refused: figures.refused,
            handovers: self.handovers,
            last_handover: self.last_handover,
            register: register(&self.register),
            takeover_after_ms: Some(millis(state.waits)),
        }
    }

    fn count_handovers(&mut self) {
        loop {
            match self.notices.try_recv() {
                Ok(Notice::Owning { how, .. } | Notice::Standby { how, .. }) => {
                    // The first epoch that a signer hears of began before it did.
                    if self.last_handover.is_some() {
                        self.handovers = self.handovers.saturating_add(1);
                    }
                    self.last_handover = Some(how);
                }
                Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return,
            }
        }
    }
}

impl Reporter {
    /// Makes it again and again.
    pub(super) async fn run(mut self) {
        let pulse = self.live.pulses.of("report", WITHIN);
        loop {
            pulse.beat();
            let signer = self.signer.as_mut().map(SignerSide::report);
            self.report
                .send_modify(|report| fill(report, signer, &self.live, &self.node, &self.health, &self.seen));
            sleep(EVERY).await;
        }
    }
}

fn fill(
    report: &mut Report,
    signer: Option<SignerReport>,
    live: &Live,
    look: &watch::Receiver<Option<Look>>,
    health: &watch::Receiver<Known>,
    seen: &watch::Receiver<Seen>,
) {
    let (health, seen) = (health.borrow().clone(), seen.borrow().clone());
    let condition = health.finding.as_ref().and_then(|finding| finding.condition.as_ref());
    report.updated_ms = now_ms();
    report.node = node(live, look.borrow().as_ref(), &health, &seen);
    report.signer = signer;
    report.votes = seen.counts.map(|counts| votes(&counts, &seen));
    report.pause = seen.pause.filter(|pause| pause.holds(now_ms())).map(|pause| PauseReport {
        by: pause.by,
        reason: pause.reason,
        since_ms: pause.since_ms,
        until_ms: pause.until_ms,
    });
    let disk = look.borrow().as_ref().and_then(|look| look.disk);
    report.disk = disk.map(|disk| DiskReport { free_bytes: disk.free_bytes, total_bytes: disk.total_bytes });
    (report.state, report.reasons) = judge(report, condition);
}

fn node(live: &Live, look: Option<&Look>, health: &Known, seen: &Seen) -> NodeReport {
    let run = live.node.borrow().clone();
    let status = look.and_then(|look| look.status.as_ref());
    let height = status.map(|status| status.height.0);
    let network_height = health.network_height.map(|height| height.0);
    let peers = look.and_then(|look| look.readings.peers);
    let finding = health.finding.as_ref();
    let condition = finding.and_then(|finding| Some((finding, finding.condition.as_ref()?)));
    let version = look.and_then(|look| look.app.as_ref()).map(|app| app.version.clone());
    NodeReport {
        pid: run.pid,
        starts: run.starts,
        trouble: run.trouble,
        pending_restart: run.pending_restart,
        version: version.filter(|version| !version.is_empty()),
        height,
        network_height,
        lag_blocks: height.zip(network_height).map(|(height, network)| network.saturating_sub(height)),
        catching_up: status.map(|status| status.catching_up),
        latest_block_ms: status.map(|status| ms_of(status.latest_block_time)),
        peers_inbound: peers.map(|peers| peers.inbound),
        peers_outbound: peers.map(|peers| peers.outbound),
        condition: condition.map(|(_, condition)| condition.name().to_owned()),
        condition_text: condition
            .map(|(finding, condition)| in_words(what_to_do(finding, condition), condition)),
        heals: health.heals,
        upgrade: seen
            .upgrade
            .as_ref()
            .map(|upgrade| UpgradeReport { name: upgrade.name.clone(), height: upgrade.height.0 }),
    }
}

fn in_words(todo: &str, condition: &Condition) -> String {
    if todo.is_empty() { condition.to_string() } else { format!("{condition}: {todo}") }
}

fn votes(counts: &Counts, seen: &Seen) -> VotesReport {
    let window = counts.window;
    VotesReport {
        from_height: counts.from.0,
        to_height: counts.to.0,
        missed: counts.missed,
        nil: counts.nil,
        unknown: counts.unknown,
        missed_own: counts.missed_own,
        missed_network: counts.missed_network,
        seen_not_included: counts.seen_not_included,
        missed_last_100: counts.missed_last,
        missed_in_a_row: counts.missed_in_a_row,
        window: window.map(|account| account.window),
        missed_in_window: window.map(|account| account.now.missed),
        left_to_jail: window.map(|account| account.now.left_to_jail),
        jailed: seen.jailed.or_else(|| window.map(|account| account.now.jailed)),
        tombstoned: window.map(|account| account.tombstoned),
    }
}

fn register(measured: &MeasuredRegister) -> RegisterReport {
    let figures = measured.figures();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    RegisterReport {
        answered: figures.answered,
        failed: figures.failed,
        p50_ms: figures.p50.map(ms),
        p99_ms: figures.p99.map(ms),
        last_ok_ms: figures.last_ok.map(ms_of),
        last_failed_ms: figures.last_failed.map(ms_of),
    }
}
