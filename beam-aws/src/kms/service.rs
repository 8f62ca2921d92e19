//! What KMS says no to in words of its own, and which troubles may pass.

use crate::trouble::{Service, Trouble};

pub(super) const SERVICE: Service = Service {
    name: "KMS",
    denied: "give the machine's role examples/aws/pilot-key-policy.json",
    limits: "the account's quota for cryptographic operations with keys of elliptic curves",
    refusal,
};

fn refusal(_status: u16, code: &str) -> Option<&'static str> {
    match code {
        "NotFoundException" => Some(
            "there is no such key here: check its id and its region, and whose account the credentials are of",
        ),
        "DisabledException" => Some("the key is disabled: find out by whom, then `aws kms enable-key`"),
        "KMSInvalidStateException" => Some(
            "the key cannot be used in its state: if its deletion is scheduled, find out by whom, then `aws kms cancel-key-deletion` \
             and `aws kms enable-key`; if it waits for its import, finish that",
        ),
        "InvalidKeyUsageException"
        | "UnsupportedOperationException"
        | "ValidationException"
        | "InvalidArnException"
        | "InvalidGrantTokenException"
        | "SerializationException" => {
            Some("KMS does not take the request: the key is of another kind, or this is an older KMS")
        }
        _ => None,
    }
}

/// Whether the same request may fare better a moment later.
pub(super) fn may_pass(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::NoConnection(_)
        | Trouble::NoAnswer(_)
        | Trouble::Cut(_)
        | Trouble::Throttled(..)
        | Trouble::Ill(..)
        | Trouble::Strange(_) => true,
        Trouble::NoCredentials(_)
        | Trouble::Denied(..)
        | Trouble::UnknownCredentials(_)
        | Trouble::Expired(_)
        | Trouble::Signature(_)
        | Trouble::Refused(_)
        | Trouble::Damaged(_) => false,
    }
}
