//! What the SDK makes of a call that did not work, sorted for [`errors`](super::errors).

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use hyper_util::client::legacy::Error as HttpError;

use super::errors::{Answer, brief};

/// What came in place of what was asked for.
pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Answer
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error {
        SdkError::TimeoutError(_) => Answer::Nothing,
        SdkError::ServiceError(service) => {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            let status = service.raw().status().as_u16();
            Answer::Refused { code: text(service.err().code()), said: text(service.err().message()), status }
        }
        SdkError::ResponseError(_) => Answer::Strange(brief(&DisplayErrorContext(error).to_string())),
        _ => unsent_or_cut(error),
    }
}

/// Nothing came back. Whether anything left is seen from the innermost error; unless it says that there was no connection or no
/// credentials, it may have.
fn unsent_or_cut<E>(error: &SdkError<E, HttpResponse>) -> Answer
where
    E: Error + Send + Sync + 'static,
{
    if let Some(cause) = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
        return Answer::NoCredentials(innermost(cause));
    }
    let http = chain(error).find_map(|cause| cause.downcast_ref::<HttpError>());
    if http.is_some_and(HttpError::is_connect) {
        return Answer::NoConnection(innermost(error));
    }
    match error {
        SdkError::ConstructionFailure(_) => Answer::Unformed(brief(&DisplayErrorContext(error).to_string())),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Answer::Nothing,
        _ => Answer::Cut(innermost(error)),
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

pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    brief(&chain(error).last().map(ToString::to_string).unwrap_or_default())
}
