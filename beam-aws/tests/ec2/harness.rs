//! What the contract's suite needs to know of an account, and what somebody else does in it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, LaunchTemplateSpecification, ResourceType, Tag, TagSpecification,
};
use beam_aws::ec2::{Ec2Cloud, tags};
use beam_core::cloud_provider::{CloudProvider, FleetTag, InstanceId, TemplateId, Zone};
use beam_core::testing::{CloudHarness, Outside};

use crate::line::Line;

/// An account, in the emulator or a real one.
pub(crate) struct Account {
    pub(crate) cloud: Arc<Ec2Cloud>,
    /// As anybody else sees it.
    pub(crate) raw: Client,
    pub(crate) template: TemplateId,
    pub(crate) run: u64,
    pub(crate) other_zone: Option<Zone>,
    pub(crate) list_lag: Duration,
    pub(crate) patience: Duration,
    /// What is between, if things can be made to go wrong there.
    pub(crate) line: Option<Line>,
}

impl Account {
    /// Takes the protection away first, as a person must.
    async fn end(&self, id: &InstanceId) -> bool {
        let value = AttributeBooleanValue::builder().value(false).build();
        let unprotect = self.raw.modify_instance_attribute().instance_id(id.as_str());
        let unprotected = unprotect.disable_api_termination(value).send().await;
        unprotected.is_ok() && self.raw.terminate_instances().instance_ids(id.as_str()).send().await.is_ok()
    }

    async fn launch(&self, fleet: &FleetTag) -> bool {
        let (template, version) = self.template.as_str().split_once(':').unwrap();
        let template = LaunchTemplateSpecification::builder().launch_template_id(template).version(version);
        let tag = Tag::builder().key(tags::FLEET).value(fleet.as_str()).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::Instance).tags(tag).build();
        let run = self.raw.run_instances().min_count(1).max_count(1).launch_template(template.build());
        run.tag_specifications(tags).send().await.is_ok()
    }
}

#[async_trait]
impl CloudHarness for Account {
    fn cloud(&self) -> Arc<dyn CloudProvider> {
        self.cloud.clone()
    }

    fn template(&self) -> TemplateId {
        self.template.clone()
    }

    fn run(&self) -> u64 {
        self.run
    }

    fn other_zone(&self) -> Option<Zone> {
        self.other_zone.clone()
    }

    fn list_lag(&self) -> Duration {
        self.list_lag
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    async fn outside(&self, what: Outside<'_>) -> bool {
        match what {
            Outside::EndMachine(id) => self.end(id).await,
            Outside::StopMachine(id) => {
                self.raw.stop_instances().instance_ids(id.as_str()).send().await.is_ok()
            }
            Outside::LaunchByHand(fleet) => self.launch(fleet).await,
            on_the_line => self.line.as_ref().is_some_and(|line| line.prepare(on_the_line)),
        }
    }

    fn moves_billed(&self) -> Option<u64> {
        self.line.as_ref().map(Line::associations)
    }
}
