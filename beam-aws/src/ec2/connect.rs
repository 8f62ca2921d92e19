//! The clients: whose requests they are, and how long they are waited for.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Builder;
use beam_core::cloud_provider::CloudError;

use super::api::Api;
use super::errors;
use super::timeouts::{ATTEMPT_WITHIN, ATTEMPTS_MAX, CONNECT_WITHIN, LOOKS_WITHIN, VISIBLE_WITHIN};
use crate::access::{self, Credentials};
use crate::place::Region;

/// How EC2 is asked.
#[derive(Clone, Debug)]
pub struct Access {
    /// Whose requests they are.
    pub credentials: Credentials,
    /// How long one request may take.
    pub attempt_within: Duration,
    /// How long what is not found is looked for.
    pub visible_within: Duration,
}

impl Default for Access {
    /// Credentials as they are found, and the bounds of [`timeouts`](super::timeouts).
    fn default() -> Self {
        Self {
            credentials: Credentials::Found,
            attempt_within: ATTEMPT_WITHIN,
            visible_within: VISIBLE_WITHIN,
        }
    }
}

/// Both clients. Credentials are there when this returns.
pub(super) async fn api(region: &Region, access: &Access) -> Result<Api, CloudError> {
    region.check().map_err(|error| CloudError::Invalid(error.to_string()))?;
    let shared = access::Access { credentials: access.credentials.clone(), ..access::Access::patient() };
    let configs = access::configs(&region.name, region.endpoint.as_deref(), &shared).await;
    let config = configs.map_err(|trouble| errors::of_opening(&region.to_string(), trouble))?.patient;
    let within = access.attempt_within;
    let client = |retries: RetryConfig, call_within: Duration| {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_WITHIN)
            .operation_attempt_timeout(within)
            .operation_timeout(call_within);
        Client::from_conf(
            Builder::from(&config).timeout_config(timeouts.build()).retry_config(retries).build(),
        )
    };
    Ok(Api {
        asks: client(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX), LOOKS_WITHIN),
        does: client(RetryConfig::disabled(), within),
        region: region.to_string(),
        attempt_within: within,
    })
}
