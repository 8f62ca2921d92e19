//! What may become of a call to AWS. Every error of the SDK becomes one of these, here and nowhere else.
//!
//! What a write must know of an error is one thing: did it certainly **not** happen? That is so if the request never left
//! (no credentials, no connection), or the service itself refused it with a code that says so. All else is a doubt: no answer in time, a
//! connection cut after sending, an answer that cannot be read, any 5xx, any code we do not know.
//!
//! Codes that all services share are read here; a [`Service`] tells those of its own.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use beam_core::register::{RegisterError, SwapError};
use hyper_util::client::legacy::Error as HttpError;

/// How much of somebody else's text is repeated.
const SAID_MAX: usize = 300;

/// What is particular about a service.
pub(crate) struct Service {
    /// As people call it.
    pub(crate) name: &'static str,
    /// The file with what a pilot's role must be allowed.
    pub(crate) policy: &'static str,
    /// Where its limits are, for who is over them.
    pub(crate) limits: &'static str,
    /// Its own refusals, by status and code: what to tell a person. `None` if the code is not its own.
    pub(crate) refusal: fn(status: u16, code: &str) -> Option<&'static str>,
}

/// A call that did not work: which, where, why. One line, which says what to do.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) call: &'static str,
    /// Where it was made, in words.
    pub(crate) place: Arc<str>,
    pub(crate) trouble: Trouble,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, place, trouble } = self;
        write!(f, "{call} on {place}: {trouble}")
    }
}

impl Error for CallError {}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(
        "there are no AWS credentials: give the machine a role (an instance profile), or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or AWS_PROFILE ({0})"
    )]
    NoCredentials(String),
    #[error("no connection: check region, endpoint, routes and security groups ({0})")]
    NoConnection(String),
    #[error("no answer within {0:?}: check how far it is to that region")]
    NoAnswer(Duration),
    #[error("the connection ended before the answer came ({0})")]
    Cut(String),
    #[error("{0} is throttling: see {1} ({2})")]
    Throttled(&'static str, &'static str, String),
    #[error("access denied: give the machine's role {0} ({1})")]
    Denied(&'static str, String),
    #[error("AWS does not know these credentials: they are mistyped, deleted or of another partition ({0})")]
    UnknownCredentials(String),
    #[error("the credentials have expired: get new ones; a machine's role renews them by itself ({0})")]
    Expired(String),
    #[error(
        "the signature of the request was refused: set this machine's clock right, then check the secret key ({0})"
    )]
    Signature(String),
    /// The service's own refusal, or ours before it was asked: the sentence says what to do.
    #[error("{0}")]
    Refused(String),
    /// What is there was not written by us, or not by this version.
    #[error("{0}")]
    Damaged(String),
    #[error("{0} is ill ({1})")]
    Ill(&'static str, String),
    #[error("an answer that is none: check the endpoint, and what stands between ({0})")]
    Strange(String),
}

impl Trouble {
    /// Whether a request that ended so has certainly written nothing, and will not.
    pub(crate) fn wrote_nothing(&self) -> bool {
        match self {
            Self::NoCredentials(_)
            | Self::NoConnection(_)
            | Self::Throttled(..)
            | Self::Denied(..)
            | Self::UnknownCredentials(_)
            | Self::Expired(_)
            | Self::Signature(_)
            | Self::Refused(_)
            | Self::Damaged(_) => true,
            Self::NoAnswer(_) | Self::Cut(_) | Self::Ill(..) | Self::Strange(_) => false,
        }
    }

    /// What became of a call.
    pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>, within: Duration, of: &Service) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match error {
            SdkError::TimeoutError(_) => Self::NoAnswer(within),
            SdkError::ServiceError(service) => {
                let (code, said) = (service.err().code(), service.err().message());
                let status = service.raw().status().as_u16();
                Self::told(status, code.unwrap_or_default(), said.unwrap_or_default(), of)
            }
            SdkError::ResponseError(_) => Self::Strange(brief(error)),
            _ => Self::unsent_or_cut(error, within),
        }
    }

    /// Nothing came back. Whether anything left is seen from the innermost error; unless it says that there was no
    /// connection or no credentials, it may have.
    fn unsent_or_cut<E>(error: &SdkError<E, HttpResponse>, within: Duration) -> Self
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
            SdkError::ConstructionFailure(_) => {
                Self::Refused(format!("the request cannot be made ({})", brief(error)))
            }
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::NoAnswer(within),
            _ => Self::Cut(innermost(error)),
        }
    }

    /// An error that the service itself answered.
    fn told(status: u16, code: &str, said: &str, of: &Service) -> Self {
        let said = cut(&format!("{code}: {said}"));
        if let Some(todo) = (of.refusal)(status, code) {
            return Self::Refused(format!("{todo} ({said})"));
        }
        match code {
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | "LimitExceededException"
            | "SlowDown" => Self::Throttled(of.name, of.limits, said),
            "AccessDeniedException" | "AccessDenied" | "NotAuthorized" | "OptInRequired" => {
                Self::Denied(of.policy, said)
            }
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "MissingAuthenticationTokenException" => Self::UnknownCredentials(said),
            "ExpiredTokenException" | "ExpiredToken" => Self::Expired(said),
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignatureException"
            | "RequestTimeTooSkewed"
            | "RequestExpired" => Self::Signature(said),
            _ if status >= 500 => Self::Ill(of.name, said),
            _ => Self::Strange(said),
        }
    }
}

impl CallError {
    /// As the error of a swap.
    pub(crate) fn of_swap(self) -> SwapError {
        if self.trouble.wrote_nothing() {
            SwapError::Failed(self.into())
        } else {
            SwapError::OutcomeUnknown(self.into())
        }
    }

    /// As the error of a read, or of a question about the table or bucket.
    pub(crate) fn of_read(self) -> RegisterError {
        match self.trouble {
            Trouble::Damaged(_) => RegisterError::Damaged(self.into()),
            _ => RegisterError::Unavailable(self.into()),
        }
    }
}

/// An error and its causes, from the outermost.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    cut(&chain(error).last().map(ToString::to_string).unwrap_or_default())
}

fn brief(error: &(dyn Error + 'static)) -> String {
    cut(&DisplayErrorContext(error).to_string())
}

/// At most so much, on one line.
pub(crate) fn cut(text: &str) -> String {
    let line = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    line.take(SAID_MAX).collect()
}
