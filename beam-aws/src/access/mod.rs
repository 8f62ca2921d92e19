//! How AWS is asked, whichever service it is: credentials, TLS, timeouts. One way for all, and linked once.

mod held;

use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials as AccessKey;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder as HttpBuilder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::timeouts::{CALL_WITHIN, CONNECT_WITHIN, IDLE_MAX, PATIENT_CALL_WITHIN, PATIENT_CALLS_MAX};
use crate::trouble::{Trouble, innermost};
use held::{Held, Renewed};

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

/// How a service is asked.
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
            call_within: PATIENT_CALL_WITHIN,
            connect_within: PATIENT_CALL_WITHIN,
        }
    }
}

impl Default for Access {
    /// As a signer needs it: credentials as they are found, and the bounds of [`timeouts`](crate::timeouts).
    fn default() -> Self {
        Self { credentials: Credentials::Found, call_within: CALL_WITHIN, connect_within: CONNECT_WITHIN }
    }
}

/// What clients are made of.
pub(crate) struct Configs {
    /// For what a vote waits for: short bounds, no retries.
    pub(crate) brisk: SdkConfig,
    /// For questions that nobody waits for to sign: the SDK's own retries, within bounds.
    pub(crate) patient: SdkConfig,
}

/// How a service in `region` is asked, at `endpoint` if it is not the region's own. Credentials are there when this returns.
pub(crate) async fn configs(
    region: &str,
    endpoint: Option<&str>,
    access: &Access,
) -> Result<Configs, Trouble> {
    let loader = loader().region(Region::new(region.to_owned()));
    let loader = match &access.credentials {
        Credentials::Found => loader,
        Credentials::Given(provider) => loader.credentials_provider(provider.clone()),
    };
    let found = loader.load().await;
    let credentials = SharedCredentialsProvider::new(credentials(&found).await?);
    let mut of_all = found.into_builder();
    of_all
        .set_endpoint_url(endpoint.map(str::to_owned))
        .set_credentials_provider(Some(credentials))
        // Ours are at hand; the SDK's own keeping would hold on to those that were renewed.
        .set_identity_cache(Some(IdentityCache::no_cache()))
        .set_stalled_stream_protection(Some(StalledStreamProtectionConfig::disabled()));
    let of_all = of_all.build();
    let brisk = TimeoutConfig::builder()
        .connect_timeout(access.connect_within)
        .operation_timeout(access.call_within)
        .build();
    let patient = TimeoutConfig::builder()
        .connect_timeout(PATIENT_CALL_WITHIN)
        .operation_attempt_timeout(PATIENT_CALL_WITHIN)
        .operation_timeout(PATIENT_CALL_WITHIN.saturating_mul(PATIENT_CALLS_MAX))
        .build();
    let with = |timeouts, retries| of_all.to_builder().timeout_config(timeouts).retry_config(retries).build();
    Ok(Configs {
        brisk: with(brisk, RetryConfig::disabled()),
        patient: with(patient, RetryConfig::standard().with_max_attempts(PATIENT_CALLS_MAX)),
    })
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

/// Asked for before anything else, so that their absence has a sentence of its own.
async fn credentials(config: &SdkConfig) -> Result<Renewed, Trouble> {
    let missing = Trouble::NoCredentials;
    let source = config.credentials_provider().ok_or_else(|| missing("no source of any".to_owned()))?;
    Held::first(source).await.map(Renewed).map_err(|error| missing(innermost(&error)))
}
