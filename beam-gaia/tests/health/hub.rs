//! The ledger against x/slashing of a real chain: the same count at every height, into jail and out again, told once and never again.

use std::time::{Duration, Instant};

use beam_core::health::missed::MissedBlocks;
use beam_core::signing::Height;
use beam_core::signing_key::SigningKey as _;
use beam_examples::network::{App, HubPlan, Network, NetworkPlan};
use beam_gaia::health::fetch_missing;
use beam_gaia::keys::KeyFile;
use beam_gaia::rpc::{NodeRpc, ValidatorAddress};

use super::{ONE_AT_A_TIME, SOON};

/// Counts for a validator beside x/slashing.
struct Beside {
    rpc: NodeRpc,
    us: ValidatorAddress,
    ledger: MissedBlocks,
    told: bool,
    /// At how many heights both agreed.
    agreed: u32,
    at: Height,
}

impl Beside {
    /// Counts on, and compares where the chain's word and ours are of the same height.
    async fn count(&mut self) {
        let status = self.rpc.status().await.unwrap();
        fetch_missing(&self.rpc, status.height, &self.us, &mut self.ledger).await;
        let info =
            self.rpc.signing_info(&self.us, "cosmos", status.latest_block_time).await.unwrap().unwrap();
        if !self.told {
            self.ledger.chain(self.rpc.slashing_params().await.unwrap().unwrap(), info);
            self.told = true;
        }
        let tally = self.ledger.tally();
        let same_height = tally.to.0 + 1 == info.at.0;
        if same_height && info.at > self.at {
            let now = tally.window.unwrap().now;
            assert!(now.exact, "{now:?}");
            assert_eq!(now.missed, info.missed, "at {}: {now:?} {info:?}", info.at);
            (self.at, self.agreed) = (info.at, self.agreed + 1);
        }
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&MissedBlocks) -> bool) {
        let began = Instant::now();
        while !holds(&self.ledger) {
            assert!(began.elapsed() < SOON, "waited for: {what}; {:?}", self.ledger.tally());
            self.count().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_counts_as_a_real_chain_does_into_jail_and_out() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let rules = HubPlan { window_blocks: 10, downtime_jail: Duration::from_secs(3), ..HubPlan::default() };
    let plan = NetworkPlan { app: App::Hub(rules), ..NetworkPlan::default() };
    let mut network = Network::create(&folder.path().join("net"), plan).await.unwrap();
    network.start_validators().await.unwrap();
    network.chain().unwrap().wait_height(2, SOON).await.unwrap();
    let key = KeyFile::load(network.validator_key()).unwrap().public_key();
    let rpc = NodeRpc::new(([127, 0, 0, 1], network.node("v1").unwrap().rpc_port).into());
    let us = ValidatorAddress::of(&key);
    let ledger = MissedBlocks::default();
    let mut beside = Beside { rpc, us, ledger, told: false, agreed: 0, at: Height(0) };

    // Nobody votes for validator 0: it is jailed for it, when the ledger says so.
    let jailed = |ledger: &MissedBlocks| ledger.tally().window.is_some_and(|account| account.now.jailed);
    beside.until("jail", jailed).await;
    beside.until("no seat", |ledger| !ledger.tally().seated).await;
    let standing = rpc.standing(&key).await.unwrap().unwrap();
    assert!(standing.jailed && !standing.bonded, "{standing:?}");

    // Its operator lets it out, its node votes, and the count begins anew.
    let operators = network.operators().unwrap();
    let began = Instant::now();
    while operators.unjail("v0").await.is_err() {
        assert!(began.elapsed() < SOON, "it is not let out");
        beside.count().await;
    }
    network.start_unfenced("a").await.unwrap();
    beside.until("a seat", |ledger| ledger.tally().seated).await;
    assert!(!jailed(&beside.ledger));
    let before = beside.ledger.tally();
    beside.until("its votes", |ledger| ledger.tally().to.0 >= before.to.0 + 10).await;
    assert!(beside.ledger.tally().missed_in_a_row == 0, "{:?}", beside.ledger.tally());
    assert!(beside.agreed >= 20, "compared at {} heights only", beside.agreed);
}
