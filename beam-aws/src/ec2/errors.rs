//! Every error of the SDK becomes one of ours, here and nowhere else.
//!
//! Two questions are asked of an error. **Is it certain that nothing changed?** It is if the request never left, or EC2 itself refused it
//! with a code. All else is a doubt, if the call was to change something: no answer in time, a connection cut after sending, an answer
//! that cannot be read, a fault on EC2's side (any 5xx whose code does not say otherwise). **What can be done about it?** That is what the
//! variants of [`CloudError`] are for.
//!
//! EC2 has some hundred codes, and new ones each year. Those that need a sentence of their own are named; the others are told apart by
//! how AWS forms them (`Invalid….NotFound`, `…LimitExceeded`, `Insufficient…Capacity`, `….InUse`); the rest is a request that EC2 refuses.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use beam_core::cloud_provider::CloudError;

use crate::trouble::{Service, Trouble, cut};

/// Where EC2's text goes on with what only an administrator can decode.
const ENCODED: &str = " Encoded authorization failure message";

/// Its refusals are read here, so nothing is told of them there.
const EC2: Service = Service { name: "EC2", denied: "", limits: "", refusal: |_, _| None };

/// One call, by the name that IAM has for it, in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) region: String,
    /// Whether it changes something if it is done.
    pub(super) changes: bool,
    /// How long it was waited for.
    pub(super) within: Duration,
}

/// What came in place of what was asked for.
#[derive(Debug)]
pub(super) enum Answer {
    /// EC2, or something that speaks like it, says no.
    Refused { code: String, said: String, status: u16 },
    /// Nothing that EC2 said.
    Failed(Trouble),
}

/// What the SDK made of it.
pub(super) fn answer<E>(error: &SdkError<E, HttpResponse>, within: Duration) -> Answer
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let SdkError::ServiceError(service) = error else {
        return Answer::Failed(Trouble::of(error, within, &EC2));
    };
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let status = service.raw().status().as_u16();
    Answer::Refused { code: text(service.err().code()), said: text(service.err().message()), status }
}

/// The error of a call.
pub(super) fn judge(call: &Call, answer: Answer) -> CloudError {
    match answer {
        Answer::Refused { code, said, status } => call.refused(&code, &said, status),
        Answer::Failed(trouble) => call.failed(&trouble),
    }
}

/// The error of opening an account: nothing was asked of EC2.
pub(super) fn of_opening(region: &str, trouble: Trouble) -> CloudError {
    CloudError::Denied(format!("EC2 in {region}: {trouble}"))
}

impl Call {
    fn told(&self, what: &str) -> String {
        format!("{self}: {what}")
    }

    /// Nobody knows, if it was to change something.
    fn doubt(&self, what: &Trouble) -> CloudError {
        let cause = self.told(&what.to_string()).into();
        if self.changes { CloudError::OutcomeUnknown(cause) } else { CloudError::Unavailable(cause) }
    }

    fn failed(&self, trouble: &Trouble) -> CloudError {
        let told = self.told(&trouble.to_string());
        match trouble {
            Trouble::NoCredentials(_)
            | Trouble::Denied(..)
            | Trouble::UnknownCredentials(_)
            | Trouble::Expired(_)
            | Trouble::Signature(_) => CloudError::Denied(told),
            Trouble::Throttled(..) => CloudError::Throttled,
            Trouble::NoConnection(_) => CloudError::Unavailable(told.into()),
            Trouble::Refused(_) | Trouble::Damaged(_) => CloudError::Invalid(told),
            Trouble::NoAnswer(_) | Trouble::Cut(_) | Trouble::Ill(..) | Trouble::Strange(_) => {
                self.doubt(trouble)
            }
        }
    }

    fn refused(&self, code: &str, said: &str, status: u16) -> CloudError {
        let said = cut(&format!("{code}: {}", said.split(ENCODED).next().unwrap_or_default()));
        let denied = |what: &str| CloudError::Denied(self.told(&format!("{what} ({said})")));
        match code {
            "RequestLimitExceeded"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "EC2ThrottledException"
            | "TooManyRequestsException"
            | "SlowDown"
            | "BandwidthLimitExceeded"
            | "PriorRequestNotComplete"
            | "ConcurrentTagAccess"
            | "SnapshotCreationPerVolumeRateExceeded" => CloudError::Throttled,
            "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => {
                denied(&format!("access denied: allow ec2:{} to whoever runs this", self.name))
            }
            "AuthFailure"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken" => denied(
                "AWS does not know these credentials: they are mistyped, deleted, of another partition, or this region is not \
                 enabled for the account",
            ),
            "ExpiredToken" | "ExpiredTokenException" => self.failed(&Trouble::Expired(said)),
            "RequestExpired"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "InvalidSignatureException" => self.failed(&Trouble::Signature(said)),
            "OptInRequired" | "PendingVerification" | "Blocked" => {
                denied("AWS does not serve this account here: see what its console says of it")
            }
            "OperationNotPermitted" => CloudError::Protected(self.told(&said)),
            "VolumeInUse" | "Resource.AlreadyAssociated" | "DependencyViolation" => {
                CloudError::InUse(self.told(&said))
            }
            // The last is how EC2 says that a machine still begins.
            "IncorrectState" | "IncorrectInstanceState" | "InvalidState" | "InvalidInstanceID" => {
                CloudError::NotReady(self.told(&said))
            }
            "InvalidZone.NotFound" => CloudError::Invalid(self.told(&said)),
            "InsufficientFreeAddressesInSubnet" => CloudError::NoCapacity(self.told(&said)),
            _ => self.by_its_form(code, said, status),
        }
    }

    fn by_its_form(&self, code: &str, said: String, status: u16) -> CloudError {
        if code.contains("NotFound") {
            CloudError::NotFound(self.told(&said))
        } else if code.ends_with("LimitExceeded") {
            CloudError::Quota(self.told(&said))
        } else if code.starts_with("Insufficient") && code.ends_with("Capacity") {
            CloudError::NoCapacity(self.told(&said))
        } else if code.ends_with(".InUse") {
            CloudError::InUse(self.told(&said))
        } else if status >= 500 {
            self.doubt(&Trouble::Ill(EC2.name, said))
        } else if code.is_empty() {
            self.doubt(&Trouble::Strange(format!("status {status}")))
        } else {
            CloudError::Invalid(self.told(&said))
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.name, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(changes: bool) -> Call {
        let region = "eu-central-1".to_owned();
        Call { name: "RunInstances", region, changes, within: Duration::from_secs(10) }
    }

    /// The variant, and the sentence.
    fn named(error: &CloudError) -> (&'static str, String) {
        match error {
            CloudError::OutcomeUnknown(cause) => ("OutcomeUnknown", cause.to_string()),
            CloudError::Throttled => ("Throttled", String::new()),
            CloudError::Unavailable(cause) => ("Unavailable", cause.to_string()),
            CloudError::Quota(said) => ("Quota", said.clone()),
            CloudError::NoCapacity(said) => ("NoCapacity", said.clone()),
            CloudError::NotFound(said) => ("NotFound", said.clone()),
            CloudError::InUse(said) => ("InUse", said.clone()),
            CloudError::NotReady(said) => ("NotReady", said.clone()),
            CloudError::Protected(said) => ("Protected", said.clone()),
            CloudError::Denied(said) => ("Denied", said.clone()),
            CloudError::Invalid(said) => ("Invalid", said.clone()),
            other => panic!("a variant without a test: {other:?}"),
        }
    }

    fn refused(code: &str, status: u16) -> Answer {
        Answer::Refused { code: code.to_owned(), said: "said".to_owned(), status }
    }

    /// Codes as AWS documents them, with their statuses; what it answers to something that was to change the account.
    const TABLE: &[(&str, u16, &str)] = &[
        ("RequestLimitExceeded", 503, "Throttled"),
        ("Throttling", 400, "Throttled"),
        ("ThrottlingException", 400, "Throttled"),
        ("SnapshotCreationPerVolumeRateExceeded", 400, "Throttled"),
        ("AddressLimitExceeded", 400, "Quota"),
        ("InstanceLimitExceeded", 400, "Quota"),
        ("VcpuLimitExceeded", 400, "Quota"),
        ("VolumeLimitExceeded", 400, "Quota"),
        ("SnapshotLimitExceeded", 400, "Quota"),
        ("PendingSnapshotLimitExceeded", 400, "Quota"),
        ("ConcurrentSnapshotLimitExceeded", 400, "Quota"),
        ("MaxIOPSLimitExceeded", 400, "Quota"),
        ("AttachmentLimitExceeded", 400, "Quota"),
        ("InsufficientInstanceCapacity", 500, "NoCapacity"),
        ("InsufficientAddressCapacity", 500, "NoCapacity"),
        ("InsufficientVolumeCapacity", 500, "NoCapacity"),
        ("InsufficientCapacity", 500, "NoCapacity"),
        ("InsufficientFreeAddressesInSubnet", 400, "NoCapacity"),
        ("InvalidInstanceID.NotFound", 400, "NotFound"),
        ("InvalidAllocationID.NotFound", 400, "NotFound"),
        ("InvalidAssociationID.NotFound", 400, "NotFound"),
        ("InvalidVolume.NotFound", 400, "NotFound"),
        ("InvalidSnapshot.NotFound", 400, "NotFound"),
        ("InvalidAMIID.NotFound", 400, "NotFound"),
        ("InvalidLaunchTemplateId.NotFound", 400, "NotFound"),
        ("InvalidLaunchTemplateId.VersionNotFound", 400, "NotFound"),
        ("InvalidLaunchTemplateName.NotFoundException", 400, "NotFound"),
        ("InvalidIPAddress.InUse", 400, "InUse"),
        ("InvalidSnapshot.InUse", 400, "InUse"),
        ("Resource.AlreadyAssociated", 400, "InUse"),
        ("VolumeInUse", 400, "InUse"),
        ("DependencyViolation", 400, "InUse"),
        ("OperationNotPermitted", 400, "Protected"),
        ("UnauthorizedOperation", 403, "Denied"),
        ("AuthFailure", 401, "Denied"),
        ("InvalidClientTokenId", 403, "Denied"),
        ("ExpiredToken", 400, "Denied"),
        ("RequestExpired", 400, "Denied"),
        ("SignatureDoesNotMatch", 403, "Denied"),
        ("OptInRequired", 403, "Denied"),
        ("InvalidParameterValue", 400, "Invalid"),
        ("InvalidParameterCombination", 400, "Invalid"),
        ("MissingParameter", 400, "Invalid"),
        ("InvalidInstanceID.Malformed", 400, "Invalid"),
        ("IdempotentParameterMismatch", 400, "Invalid"),
        ("UnsupportedOperation", 400, "Invalid"),
        ("InvalidZone.NotFound", 400, "Invalid"),
        ("IncorrectInstanceState", 400, "NotReady"),
        ("IncorrectState", 400, "NotReady"),
        ("InvalidInstanceID", 400, "NotReady"),
        ("SomethingOfNextYear", 400, "Invalid"),
        ("InternalError", 500, "OutcomeUnknown"),
        ("InternalFailure", 500, "OutcomeUnknown"),
        ("ServiceUnavailable", 503, "OutcomeUnknown"),
        ("Unavailable", 503, "OutcomeUnknown"),
        ("SomethingOfNextYear", 500, "OutcomeUnknown"),
        ("", 500, "OutcomeUnknown"),
        ("", 403, "OutcomeUnknown"),
        ("", 200, "OutcomeUnknown"),
    ];

    #[test]
    fn each_code_is_the_error_that_somebody_can_act_on() {
        for (code, status, wanted) in TABLE {
            let (variant, said) = named(&judge(&call(true), refused(code, *status)));
            assert_eq!(variant, *wanted, "{code}");
            assert!(
                variant == "Throttled" || said.contains("RunInstances in eu-central-1"),
                "{code}: {said}"
            );
            assert!(variant == "Throttled" || said.contains(code), "{code}: {said}");
        }
    }

    #[test]
    fn a_question_changes_nothing_whatever_became_of_it() {
        for (code, status, wanted) in TABLE {
            let wanted = if *wanted == "OutcomeUnknown" { "Unavailable" } else { wanted };
            assert_eq!(named(&judge(&call(false), refused(code, *status))).0, wanted, "{code}");
        }
        for trouble in [
            Trouble::NoAnswer(Duration::from_secs(10)),
            Trouble::Cut("reset".into()),
            Trouble::Strange("<html>".into()),
        ] {
            assert_eq!(named(&judge(&call(false), Answer::Failed(trouble))).0, "Unavailable");
        }
    }

    #[test]
    fn what_was_sent_and_not_answered_is_a_doubt_and_what_never_left_is_not() {
        for (trouble, wanted, told) in [
            (Trouble::NoAnswer(Duration::from_secs(10)), "OutcomeUnknown", "no answer within 10s"),
            (Trouble::Cut("reset".into()), "OutcomeUnknown", "ended before the answer came (reset)"),
            (Trouble::Strange("<html>".into()), "OutcomeUnknown", "an answer that is none"),
            (Trouble::NoConnection("refused".into()), "Unavailable", "check region, endpoint"),
            (Trouble::NoCredentials("none".into()), "Denied", "no AWS credentials: give the machine a role"),
            (Trouble::Refused("no volume".into()), "Invalid", "no volume"),
        ] {
            let (variant, said) = named(&judge(&call(true), Answer::Failed(trouble)));
            assert_eq!(variant, wanted, "{said}");
            assert!(said.contains(told), "{said}");
        }
    }

    #[test]
    fn a_refusal_of_us_says_what_to_do() {
        for (code, told) in [
            ("UnauthorizedOperation", "allow ec2:RunInstances to whoever runs this"),
            ("AuthFailure", "does not know these credentials"),
            ("AuthFailure", "this region is not enabled"),
            ("ExpiredToken", "have expired: get new ones"),
            ("RequestExpired", "clock right"),
            ("SignatureDoesNotMatch", "clock right"),
            ("OptInRequired", "AWS does not serve this account here"),
        ] {
            let (_, said) = named(&judge(&call(true), refused(code, 403)));
            assert!(said.contains(told), "{code}: {said}");
        }
    }

    #[test]
    fn somebody_elses_text_is_one_short_line() {
        let said = format!("You are not\nauthorized.{ENCODED}: {}", "x".repeat(2000));
        let answer = Answer::Refused { code: "UnauthorizedOperation".to_owned(), said, status: 403 };
        let (_, said) = named(&judge(&call(true), answer));
        assert!(said.ends_with("(UnauthorizedOperation: You are not authorized.)"), "{said}");
        let said = "y".repeat(2000);
        let answer = Answer::Refused { code: "InvalidParameterValue".to_owned(), said, status: 400 };
        assert!(named(&judge(&call(true), answer)).1.len() < 400);
    }
}
