//! The client: credentials, TLS, timeouts.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials as AccessKey;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, SharedHttpClient};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder as HttpBuilder, Connector};
use beam_core::register::RegisterError;

use super::Place;
use super::errors::{CallError, Trouble};
use super::timeouts::{
    CALL_WITHIN, CONNECT_WITHIN, CREDENTIALS_WITHIN, IDLE_MAX, TABLE_CALL_WITHIN, TABLE_CALLS_MAX,
};

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

/// A client for the signing path: short bounds, no retries. Credentials are there when this returns.
pub(super) async fn client(place: &Place, given: &Credentials) -> Result<Client, RegisterError> {
    place.check().map_err(|error| RegisterError::Unfit(error.to_string()))?;
    let loader = loader().region(Region::new(place.region.clone()));
    let loader = match given {
        Credentials::Found => loader,
        Credentials::Given(provider) => loader.credentials_provider(provider.clone()),
    };
    let config = loader.load().await;
    credentials(&config, place).await?;
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_WITHIN).operation_timeout(CALL_WITHIN).build();
    let mut builder = Builder::from(&config)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    builder.set_endpoint_url(place.endpoint.clone());
    Ok(Client::from_conf(builder.build()))
}

/// As it is for questions about the table: nobody waits for them to sign.
pub(super) fn patient() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(TABLE_CALL_WITHIN)
        .operation_attempt_timeout(TABLE_CALL_WITHIN)
        .operation_timeout(TABLE_CALL_WITHIN.saturating_mul(TABLE_CALLS_MAX))
        .build();
    Builder::new()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(TABLE_CALLS_MAX))
}

/// The region that the environment, the profile or the machine itself names.
pub async fn region_of_environment() -> Option<String> {
    loader().load().await.region().map(ToString::to_string)
}

fn loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http())
}

/// rustls with ring, and the system's certificates.
fn http() -> SharedHttpClient {
    HttpBuilder::new().build_with_connector_fn(|settings, components| {
        let mut connector =
            Connector::builder().pool_idle_timeout(IDLE_MAX).tls_provider(Provider::Rustls(CryptoMode::Ring));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    })
}

/// Asked for once before anything else, so that their absence has its own sentence and not that of a call that was not made.
async fn credentials(config: &SdkConfig, place: &Place) -> Result<(), RegisterError> {
    let missing = |said: String| {
        let trouble = Trouble::NoCredentials(said);
        CallError { call: "DescribeTable", place: place.clone(), trouble }.of_read()
    };
    let provider = config.credentials_provider().ok_or_else(|| missing("no source of any".to_owned()))?;
    match tokio::time::timeout(CREDENTIALS_WITHIN, provider.provide_credentials()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(missing(super::errors::innermost(&error))),
        Err(_) => Err(missing(within(CREDENTIALS_WITHIN))),
    }
}

fn within(bound: Duration) -> String {
    format!("no source gave any within {bound:?}")
}
