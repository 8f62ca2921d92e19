//! The register, and objects, in an S3 bucket.
//!
//! * [`S3Register`] implements [`Register`](beam_core::register::Register): for "two machines and one bucket". A write takes some 20 to
//!   60 ms where a DynamoDB table takes 5, and costs eight times as much; there is no table to look after.
//!
//! Every request says which account the bucket must be of (`ExpectedBucketOwner`), so that a bucket that was deleted and is somebody
//! else's now is never read, nor written to.

mod bucket;
mod calls;
mod cell;
pub mod cost;
mod register;

pub use crate::access::{Access, Credentials, region_of_environment};
pub use crate::place::{Bucket, PlaceError};
pub use bucket::{BucketFacts, Versioning};
pub use calls::{Calls, Counted};
pub use register::{ACTIONS, S3Register};

use aws_sdk_s3::Client;

use crate::access;
use crate::trouble::{CallError, Service, Trouble};

const SERVICE: Service = Service {
    name: "S3",
    policy: "examples/aws/pilot-register-s3-policy.json",
    limits: "who else uses that prefix of the bucket",
    refusal,
};

/// What is told when S3 says no without saying which of the two it is.
const DENIED: &str = "access denied: either the bucket is not of the account that `owner` names, or the machine's role lacks what \
                      examples/aws/pilot-register-s3-policy.json grants";
/// S3 sends whoever asks in the wrong region away.
const ELSEWHERE: &str = "the bucket is in another region than `region` says";

/// What S3 says no to in words of its own.
fn refusal(_status: u16, code: &str) -> Option<&'static str> {
    match code {
        "NoSuchBucket" => Some("there is no such bucket: check its name"),
        "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" => Some(ELSEWHERE),
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => Some(DENIED),
        "InvalidObjectState" => Some(
            "the object was moved into an archive: take it back, and take the lifecycle rule off that moves Beam's objects",
        ),
        "InvalidBucketName" | "InvalidArgument" | "InvalidRequest" | "EntityTooLarge" | "NotImplemented" => {
            Some("S3 refuses the request")
        }
        code if code.starts_with("KMS.") => {
            Some("the bucket's encryption key cannot be used: see its policy, and whether it is switched on")
        }
        _ => None,
    }
}

/// One to sign with, one to ask about the bucket with.
struct Clients {
    brisk: Client,
    patient: Client,
}

impl Clients {
    async fn new(bucket: &Bucket, access: &Access) -> Result<Self, CallError> {
        let configs = access::configs(&bucket.region, bucket.endpoint.as_deref(), access).await;
        let configs = configs.map_err(|trouble| error("HeadBucket", bucket, trouble))?;
        // A VPC endpoint or an emulator has no name for each bucket.
        let client = |config| {
            let config =
                aws_sdk_s3::config::Builder::from(config).force_path_style(bucket.endpoint.is_some());
            Client::from_conf(config.build())
        };
        Ok(Self { brisk: client(&configs.brisk), patient: client(&configs.patient) })
    }
}

fn error(call: &'static str, bucket: &Bucket, trouble: Trouble) -> CallError {
    CallError { call, place: bucket.to_string().into(), trouble }
}
