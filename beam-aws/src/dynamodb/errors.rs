//! Every error of the SDK becomes one of ours, here and nowhere else.
//!
//! What a swap must know of an error is one thing: did it certainly **not** write? That is so if the request never left
//! (no credentials, no connection), or DynamoDB itself refused it with a code that says so. All else is a doubt: no answer in time, a
//! connection cut after sending, an answer that cannot be read, any 5xx, any code we do not know.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use beam_core::register::{RegisterError, SwapError};
use hyper_util::client::legacy::Error as HttpError;

use super::Place;
use super::item::ItemError;

/// How much of somebody else's text is repeated.
const SAID_MAX: usize = 300;

/// A call that did not work: which, where, why. One line, which says what to do.
#[derive(Debug)]
pub(super) struct CallError {
    pub(super) call: &'static str,
    pub(super) place: Arc<Place>,
    pub(super) trouble: Trouble,
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
pub(super) enum Trouble {
    #[error(
        "there are no AWS credentials: give the machine a role (an instance profile), or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or AWS_PROFILE ({0})"
    )]
    NoCredentials(String),
    #[error("no connection: check region, endpoint, routes and security groups ({0})")]
    NoConnection(String),
    #[error("no answer within {0:?}: check how far it is to the table's region")]
    NoAnswer(Duration),
    #[error("the connection ended before the answer came ({0})")]
    Cut(String),
    #[error("DynamoDB is throttling: see the table's and the account's limits ({0})")]
    Throttled(String),
    #[error(
        "there is no such table here: check its name and its region, and whose account the credentials are of"
    )]
    NoTable,
    #[error("access denied: give the machine's role examples/aws/pilot-register-policy.json ({0})")]
    Denied(String),
    #[error("AWS does not know these credentials: they are mistyped, deleted or of another partition ({0})")]
    UnknownCredentials(String),
    #[error("the credentials have expired: get new ones; a machine's role renews them by itself ({0})")]
    Expired(String),
    #[error(
        "the signature of the request was refused: set this machine's clock right, then check the secret key ({0})"
    )]
    Signature(String),
    #[error("DynamoDB refuses the request: the table was not made by Beam, or its item was edited ({0})")]
    Invalid(String),
    #[error("somebody else is writing the item at this moment ({0})")]
    Contended(String),
    #[error("DynamoDB is ill ({0})")]
    Ill(String),
    #[error("an answer that is none: check the endpoint, and what stands between ({0})")]
    Strange(String),
    #[error("a value of {0} bytes is too large")]
    TooLarge(usize),
    #[error("no version is left above this one")]
    NoVersionLeft,
    #[error(
        "somebody edited the item of cell {cell}: {error}; find out who, then see the handbook of `beam watermark`"
    )]
    Edited { cell: String, error: ItemError },
}

impl Trouble {
    /// Whether a request that ended so has certainly written nothing, and will not.
    fn wrote_nothing(&self) -> bool {
        match self {
            Self::NoCredentials(_)
            | Self::NoConnection(_)
            | Self::Throttled(_)
            | Self::NoTable
            | Self::Denied(_)
            | Self::UnknownCredentials(_)
            | Self::Expired(_)
            | Self::Signature(_)
            | Self::Invalid(_)
            | Self::Contended(_)
            | Self::TooLarge(_)
            | Self::NoVersionLeft
            | Self::Edited { .. } => true,
            Self::NoAnswer(_) | Self::Cut(_) | Self::Ill(_) | Self::Strange(_) => false,
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
                Self::told(
                    code.unwrap_or_default(),
                    said.unwrap_or_default(),
                    service.raw().status().as_u16(),
                )
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
            SdkError::ConstructionFailure(_) => Self::Invalid(brief(error)),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::NoAnswer(within),
            _ => Self::Cut(innermost(error)),
        }
    }

    /// An error that DynamoDB itself answered.
    fn told(code: &str, said: &str, status: u16) -> Self {
        let said = cut(format!("{code}: {said}"));
        match code {
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | "LimitExceededException" => Self::Throttled(said),
            "ResourceNotFoundException" => Self::NoTable,
            "AccessDeniedException" | "NotAuthorized" | "OptInRequired" => Self::Denied(said),
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "MissingAuthenticationTokenException" => Self::UnknownCredentials(said),
            "ExpiredTokenException" | "ExpiredToken" => Self::Expired(said),
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignatureException"
            | "RequestExpired" => Self::Signature(said),
            "ValidationException" | "SerializationException" | "ItemCollectionSizeLimitExceededException" => {
                Self::Invalid(said)
            }
            "ReplicatedWriteConflictException" | "TransactionConflictException" => Self::Contended(said),
            _ if status >= 500 => Self::Ill(said),
            _ => Self::Strange(said),
        }
    }
}

impl CallError {
    /// As the error of a swap.
    pub(super) fn of_swap(self) -> SwapError {
        if self.trouble.wrote_nothing() {
            SwapError::Failed(self.into())
        } else {
            SwapError::OutcomeUnknown(self.into())
        }
    }

    /// As the error of a read, or of a question about the table.
    pub(super) fn of_read(self) -> RegisterError {
        match self.trouble {
            Trouble::Edited { .. } => RegisterError::Damaged(self.into()),
            _ => RegisterError::Unavailable(self.into()),
        }
    }
}

/// An error and its causes, from the outermost.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    cut(chain(error).last().map(ToString::to_string).unwrap_or_default())
}

pub(crate) fn brief(error: &(dyn Error + 'static)) -> String {
    cut(DisplayErrorContext(error).to_string())
}

/// At most so much, on one line.
pub(crate) fn cut(text: String) -> String {
    let line = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    line.take(SAID_MAX).collect()
}
