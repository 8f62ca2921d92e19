//! The clients: credentials, TLS, timeouts.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader};
use aws_credential_types::Credentials as AccessKey;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{Builder, SharedHttpClient};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder as HttpBuilder, Connector};
use beam_core::cloud_provider::CloudError;

use super::api::Api;
use super::timeouts::{ATTEMPT_WITHIN, ATTEMPTS_MAX, CONNECT_WITHIN, LOOKS_WITHIN, VISIBLE_WITHIN};
use crate::place::{Place, PlaceError};

/// A region of AWS, and its endpoint if it is not the region's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name, such as `eu-central-1`.
    pub name: String,
    /// A VPC endpoint, or an emulator.
    pub endpoint: Option<String>,
}

impl Region {
    /// Looks at the names; nothing is asked.
    ///
    /// # Errors
    /// The first that cannot be one.
    pub fn check(&self) -> Result<(), PlaceError> {
        Place { table: "any".to_owned(), region: self.name.clone(), endpoint: self.endpoint.clone() }.check()
    }
}

/// Whose requests they are.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Found as every AWS tool finds them: the environment, the profile, the role of the container or the machine.
    #[default]
    Found,
    /// Given by the embedder.
    Given(SharedCredentialsProvider),
}

impl Credentials {
    /// An access key, such as one that an emulator takes.
    #[must_use]
    pub fn key(id: &str, secret: &str) -> Self {
        Self::Given(SharedCredentialsProvider::new(AccessKey::new(id, secret, None, None, "given")))
    }
}

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
    fn default() -> Self {
        Self {
            credentials: Credentials::Found,
            attempt_within: ATTEMPT_WITHIN,
            visible_within: VISIBLE_WITHIN,
        }
    }
}

pub(super) async fn api(region: Region, access: &Access) -> Result<Api, CloudError> {
    region.check().map_err(|error| CloudError::Invalid(error.to_string()))?;
    let loader = loader().region(aws_config::Region::new(region.name.clone()));
    let loader = match &access.credentials {
        Credentials::Found => loader,
        Credentials::Given(provider) => loader.credentials_provider(provider.clone()),
    };
    let config = loader.load().await;
    let mut builder =
        Builder::from(&config).stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    builder.set_endpoint_url(region.endpoint.clone());
    let within = access.attempt_within;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_WITHIN).operation_attempt_timeout(within);
    let asks = builder
        .clone()
        .timeout_config(timeouts.clone().operation_timeout(LOOKS_WITHIN).build())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX));
    let does = builder
        .timeout_config(timeouts.operation_timeout(within).build())
        .retry_config(RetryConfig::disabled());
    let (asks, does) = (Client::from_conf(asks.build()), Client::from_conf(does.build()));
    Ok(Api { asks, does, region: region.name, attempt_within: within })
}

fn loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http())
}

fn http() -> SharedHttpClient {
    HttpBuilder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    })
}
