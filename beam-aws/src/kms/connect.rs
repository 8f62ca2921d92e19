//! The client: credentials, TLS, timeouts.

use std::time::Duration;

use aws_config::Region;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_kms::Client;
use aws_sdk_kms::config::Builder;

use super::errors::Trouble;
use super::timeouts::{ATTEMPT_WITHIN, CONNECT_WITHIN, LOOK_WITHIN, LOOKS_MAX};
use super::{Credentials, KeyPlace};
use crate::dynamodb::connect::{first_credentials, loader};
use crate::dynamodb::errors::innermost;

/// How KMS is asked.
#[derive(Clone, Debug)]
pub struct Access {
    /// Whose requests they are.
    pub credentials: Credentials,
    /// How long one attempt to sign may take.
    pub attempt_within: Duration,
    /// How long a connection may take, with its TLS.
    pub connect_within: Duration,
}

impl Access {
    /// For a person's question, which no vote waits for: found credentials, and time enough for whatever answers at all.
    #[must_use]
    pub fn patient() -> Self {
        Self { credentials: Credentials::Found, attempt_within: LOOK_WITHIN, connect_within: LOOK_WITHIN }
    }
}

impl Default for Access {
    /// As a signer needs it: credentials as they are found, and the bounds of [`timeouts`](super::timeouts).
    fn default() -> Self {
        Self {
            credentials: Credentials::Found,
            attempt_within: ATTEMPT_WITHIN,
            connect_within: CONNECT_WITHIN,
        }
    }
}

/// A client for the signing path: short bounds, no retries of its own. Credentials are there when this returns.
pub(super) async fn client(place: &KeyPlace, access: &Access) -> Result<Client, Trouble> {
    place.check().map_err(|error| Trouble::NoPlace(error.to_string()))?;
    let loader = loader().region(Region::new(place.region.clone()));
    let loader = match &access.credentials {
        Credentials::Found => loader,
        Credentials::Given(provider) => loader.credentials_provider(provider.clone()),
    };
    let config = loader.load().await;
    let credentials = first_credentials(&config).await;
    let credentials = credentials.map_err(|error| Trouble::NoCredentials(innermost(&error)))?;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(access.connect_within)
        .operation_timeout(access.attempt_within)
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

/// As it is for questions about the key: nobody waits for them to sign.
pub(super) fn patient() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(LOOK_WITHIN)
        .operation_attempt_timeout(LOOK_WITHIN)
        .operation_timeout(LOOK_WITHIN.saturating_mul(LOOKS_MAX))
        .build();
    Builder::new().timeout_config(timeouts).retry_config(RetryConfig::standard().with_max_attempts(LOOKS_MAX))
}
