//! Every error of KMS's SDK becomes one of ours, here and nowhere else: one line that says what to do, and whether asking again may help.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use beam_core::signing_key::KeyError;
use hyper_util::client::legacy::Error as HttpError;

use super::KeyPlace;
use crate::dynamodb::errors::{brief, chain, cut, innermost};

/// A call that did not work: which, where, why. One line, which says what to do.
#[derive(Debug)]
pub(super) struct CallError {
    pub(super) call: &'static str,
    pub(super) place: Arc<KeyPlace>,
    pub(super) trouble: Trouble,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, place, trouble } = self;
        write!(f, "{call} with {place}: {trouble}")
    }
}

impl Error for CallError {}

impl From<CallError> for KeyError {
    fn from(error: CallError) -> Self {
        match error.trouble {
            Trouble::TooLong { len, max } => Self::TooLong { len, max },
            Trouble::Forged => Self::Wrong(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    NoPlace(String),
    #[error(
        "there are no AWS credentials: give the machine a role (an instance profile), or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or AWS_PROFILE ({0})"
    )]
    NoCredentials(String),
    #[error("no connection: check region, endpoint, routes and security groups ({0})")]
    NoConnection(String),
    #[error("no answer within {0:?}: check how far it is to the key's region")]
    NoAnswer(Duration),
    #[error("the connection ended before the answer came ({0})")]
    Cut(String),
    #[error(
        "KMS is throttling: see the account's quota for cryptographic operations with keys of elliptic curves ({0})"
    )]
    Throttled(String),
    #[error(
        "there is no such key here: check its id and its region, and whose account the credentials are of"
    )]
    NoKey,
    #[error("access denied: give the machine's role examples/aws/pilot-key-policy.json ({0})")]
    Denied(String),
    #[error("AWS does not know these credentials: they are mistyped, deleted or of another partition ({0})")]
    UnknownCredentials(String),
    #[error("the credentials have expired: get new ones; a machine's role renews them by itself ({0})")]
    Expired(String),
    #[error(
        "the signature of the request was refused: set this machine's clock right, then check the secret key ({0})"
    )]
    Signature(String),
    #[error("the key is disabled: find out by whom, then `aws kms enable-key` ({0})")]
    Disabled(String),
    #[error(
        "the key cannot be used in its state: if its deletion is scheduled, find out by whom, then `aws kms cancel-key-deletion` and \
         `aws kms enable-key`; if it waits for its import, finish that ({0})"
    )]
    State(String),
    #[error(
        "it is a key of kind {spec} for {usage}; a validator's is of kind ECC_NIST_EDWARDS25519 for SIGN_VERIFY: name another key"
    )]
    OtherKind { spec: String, usage: String },
    #[error(
        "its public key is {is}, not the pinned {pinned}: it is another validator's key, or was made anew; nothing is signed with it"
    )]
    OtherKey { is: String, pinned: String },
    #[error("KMS does not take the request: the key is of another kind, or this is an older KMS ({0})")]
    Invalid(String),
    #[error("KMS is ill ({0})")]
    Ill(String),
    #[error("an answer that is none: check the endpoint, and what stands between ({0})")]
    Strange(String),
    #[error(
        "what came is no signature of this key over these bytes: check the endpoint, and what stands between; it was not given out"
    )]
    Forged,
    #[error("{len} bytes are more than KMS signs ({max})")]
    TooLong { len: usize, max: usize },
}

impl Trouble {
    /// Whether the same request may fare better a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::NoConnection(_)
            | Self::NoAnswer(_)
            | Self::Cut(_)
            | Self::Throttled(_)
            | Self::Ill(_)
            | Self::Strange(_) => true,
            Self::NoPlace(_)
            | Self::NoCredentials(_)
            | Self::NoKey
            | Self::Denied(_)
            | Self::UnknownCredentials(_)
            | Self::Expired(_)
            | Self::Signature(_)
            | Self::Disabled(_)
            | Self::State(_)
            | Self::OtherKind { .. }
            | Self::OtherKey { .. }
            | Self::Invalid(_)
            | Self::Forged
            | Self::TooLong { .. } => false,
        }
    }

    /// What became of a call.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>, within: Duration) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match error {
            SdkError::TimeoutError(_) => Self::NoAnswer(within),
            SdkError::ServiceError(service) => {
                let (code, said) = (service.err().code(), service.err().message());
                let status = service.raw().status().as_u16();
                Self::told(code.unwrap_or_default(), said.unwrap_or_default(), status)
            }
            SdkError::ResponseError(_) => Self::Strange(brief(error)),
            SdkError::ConstructionFailure(_) => Self::Invalid(brief(error)),
            _ => Self::unanswered(error, within),
        }
    }

    /// Nothing came back.
    fn unanswered<E>(error: &SdkError<E, HttpResponse>, within: Duration) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        let http = chain(error).find_map(|cause| cause.downcast_ref::<HttpError>());
        if let Some(cause) = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
            return Self::NoCredentials(innermost(cause));
        }
        if http.is_some_and(HttpError::is_connect) {
            return Self::NoConnection(innermost(error));
        }
        match error {
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::NoAnswer(within),
            _ => Self::Cut(innermost(error)),
        }
    }

    /// An error that KMS itself answered.
    fn told(code: &str, said: &str, status: u16) -> Self {
        let said = cut(format!("{code}: {said}"));
        match code {
            "ThrottlingException" | "LimitExceededException" | "RequestLimitExceeded" => {
                Self::Throttled(said)
            }
            "NotFoundException" => Self::NoKey,
            "AccessDeniedException" | "NotAuthorized" | "OptInRequired" => Self::Denied(said),
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "MissingAuthenticationTokenException" => Self::UnknownCredentials(said),
            "ExpiredTokenException" | "ExpiredToken" => Self::Expired(said),
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignatureException"
            | "RequestExpired" => Self::Signature(said),
            "DisabledException" => Self::Disabled(said),
            "KMSInvalidStateException" => Self::State(said),
            "InvalidKeyUsageException"
            | "UnsupportedOperationException"
            | "ValidationException"
            | "InvalidArnException"
            | "InvalidGrantTokenException"
            | "SerializationException" => Self::Invalid(said),
            // Of the service itself, by its documentation worth another try: some of them are answered with 4xx.
            "KeyUnavailableException" | "KMSInternalException" | "DependencyTimeoutException" => {
                Self::Ill(said)
            }
            _ if status >= 500 => Self::Ill(said),
            _ => Self::Strange(said),
        }
    }
}
