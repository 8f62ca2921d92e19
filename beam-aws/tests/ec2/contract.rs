//! The contract of `CloudProvider`, as far as the emulator can tell.

use std::sync::Arc;

use async_trait::async_trait;
use beam_core::cloud_provider::{CloudProvider, TemplateId};
use beam_core::testing::{Breach, CloudHarness, cloud_contract};

use crate::common::{cloud_at, emulator, new_run, raw, template};

struct Emulated {
    cloud: Arc<dyn CloudProvider>,
    template: TemplateId,
    run: u64,
}

#[async_trait]
impl CloudHarness for Emulated {
    fn cloud(&self) -> Arc<dyn CloudProvider> {
        self.cloud.clone()
    }

    fn template(&self) -> TemplateId {
        self.template.clone()
    }

    fn run(&self) -> u64 {
        self.run
    }
}

async fn emulated() -> Emulated {
    let run = new_run();
    let cloud = Arc::new(cloud_at(emulator().await.endpoint()).await);
    Emulated { cloud, template: template(&raw().await, &format!("contract-{run}")).await, run }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept() -> Result<(), Breach> {
    cloud_contract::run_all(&emulated().await).await
}
