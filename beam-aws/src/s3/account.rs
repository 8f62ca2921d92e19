//! Whose the credentials are.

use aws_config::Region;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sts::Client;
use beam_core::register::RegisterError;

use crate::access::loader;
use crate::timeouts::{PATIENT_CALL_WITHIN, PATIENT_CALLS_MAX};
use crate::trouble::{CallError, Service, Trouble};

const SERVICE: Service = Service {
    name: "STS",
    denied: "some policy denies sts:GetCallerIdentity",
    limits: "the account's limits",
    refusal: |_, _| None,
};

/// The account that the credentials are of which every AWS tool would find here: twelve digits. STS is asked for it, in `region`, which
/// needs no right.
///
/// # Errors
/// `Unavailable` if there are no credentials, or STS does not answer; the text says what to do.
pub async fn account_of_environment(region: &str) -> Result<String, RegisterError> {
    let within = PATIENT_CALL_WITHIN.saturating_mul(PATIENT_CALLS_MAX);
    let timeouts = TimeoutConfig::builder().operation_timeout(within).build();
    let config = loader().region(Region::new(region.to_owned())).timeout_config(timeouts).load().await;
    let failed = |trouble| CallError { call: "GetCallerIdentity", place: region.into(), trouble }.of_read();
    let answer = Client::new(&config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| failed(Trouble::of(&error, within, &SERVICE)))?;
    answer.account.ok_or_else(|| failed(Trouble::Strange("no account".to_owned())))
}
