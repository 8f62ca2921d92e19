//! The client: credentials, TLS, timeouts.

use aws_config::identity::IdentityCache;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials as AccessKey;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, SharedHttpClient};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder as HttpBuilder, Connector};
use beam_core::register::RegisterError;

use super::Place;
use super::credentials::{Held, Renewed};
use super::errors::{CallError, Trouble, innermost};
use super::timeouts::{CALL_WITHIN, CONNECT_WITHIN, IDLE_MAX, TABLE_CALL_WITHIN, TABLE_CALLS_MAX};

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

/// How DynamoDB is asked.
#[derive(Clone, Debug)]
pub struct Access {
    /// Whose requests they are.
    pub credentials: Credentials,
    /// How long one read or swap may take.
    pub call_within: Duration,
    /// How long a connection may take, with its TLS.
    pub connect_within: Duration,
}

impl Access {
    /// For a person's question, which no vote waits for: found credentials, and time enough for whatever answers at all.
    #[must_use]
    pub fn patient() -> Self {
        Self {
            credentials: Credentials::Found,
            call_within: TABLE_CALL_WITHIN,
            connect_within: TABLE_CALL_WITHIN,
        }
    }
}

impl Default for Access {
    /// As a signer needs it: credentials as they are found, and the bounds of [`timeouts`](super::timeouts).
    fn default() -> Self {
        Self { credentials: Credentials::Found, call_within: CALL_WITHIN, connect_within: CONNECT_WITHIN }
    }
}

/// A client for the signing path: short bounds, no retries. Credentials are there when this returns.
pub(super) async fn client(place: &Place, access: &Access) -> Result<Client, RegisterError> {
    place.check().map_err(|error| RegisterError::Unfit(error.to_string()))?;
    let loader = loader().region(Region::new(place.region.clone()));
    let loader = match &access.credentials {
        Credentials::Found => loader,
        Credentials::Given(provider) => loader.credentials_provider(provider.clone()),
    };
    let config = loader.load().await;
    let credentials = credentials(&config, place).await?;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(access.connect_within)
        .operation_timeout(access.call_within)
        .build();
    let mut builder = Builder::from(&config)
        .timeout_config(timeouts)
        .credentials_provider(credentials)
        // Ours are at hand; the SDK's own keeping would hold on to those that were renewed.
        .identity_cache(IdentityCache::no_cache())
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

pub(crate) fn loader() -> ConfigLoader {
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

/// Asked for before anything else, so that their absence has a sentence of its own.
async fn credentials(config: &SdkConfig, place: &Place) -> Result<Renewed, RegisterError> {
    let missing = |said: String| {
        let trouble = Trouble::NoCredentials(said);
        CallError { call: "DescribeTable", place: place.clone().into(), trouble }.of_read()
    };
    first_credentials(config).await.map_err(|error| missing(innermost(&error)))
}

pub(crate) async fn first_credentials(config: &SdkConfig) -> Result<Renewed, CredentialsError> {
    let source = config.credentials_provider();
    let source = source.ok_or_else(|| CredentialsError::not_loaded("no source of any"))?;
    Held::first(source).await.map(Renewed)
}
