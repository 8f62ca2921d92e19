//! The contract of `CloudProvider`, as far as the emulator can tell.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use beam_aws::ec2::ACTIONS;
use beam_core::cloud_provider::Zone;
use beam_core::testing::cloud_contract;

use crate::common::{REGION, cloud_at, emulator, new_run, raw, template};
use crate::differences::MOTO;
use crate::harness::Account;
use crate::line::Line;

async fn emulated() -> Account {
    let (run, raw, line) = (new_run(), raw().await, Line::to(emulator().await.address()).await);
    Account {
        cloud: Arc::new(cloud_at(line.endpoint()).await),
        template: template(&raw, &format!("contract-{run}")).await,
        raw,
        run,
        other_zone: Some(Zone::new(format!("{REGION}b"))),
        list_lag: Duration::ZERO,
        // It finishes at once; the machine that it runs on may be busy.
        patience: Duration::from_secs(10),
        line: Some(line),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_but_for_what_is_listed() {
    let account = emulated().await;
    let report = cloud_contract::survey(&account, MOTO).await;
    println!("{report}");
    assert!(report.breaches.is_empty(), "{report}");
    let made = account.line.as_ref().map(Line::actions).unwrap();
    // Never made, but allowed for: IAM asks for it where a thing is made with its tags.
    let listed: BTreeSet<_> =
        ACTIONS.iter().filter(|name| **name != "CreateTags").map(ToString::to_string).collect();
    assert_eq!(made, listed, "a policy is written after this list");
}
