//! Everything that can be wrong with a key, an account or an answer: one line that says what to do, and nothing given out.

use beam_aws::kms::{Access, Credentials, KeyPlace, KmsKey};
use beam_core::signing_key::{KeyError, SigningKey as _};
use serde_json::json;

use crate::common::{REGION, emulator, line, new_key, open, patient, place};
use crate::meddler::{Meddler, Way};

fn is_one_line(text: &str) {
    assert!(!text.contains('\n') && text.len() < 700, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_none_of_a_validators_is_refused_when_it_is_opened() {
    let local = emulator().await;
    for (spec, usage, said) in [
        ("ECC_NIST_P256", "SIGN_VERIFY", "of kind ECC_NIST_P256 for SIGN_VERIFY; a validator's is"),
        ("RSA_2048", "ENCRYPT_DECRYPT", "of kind RSA_2048 for ENCRYPT_DECRYPT"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "KMS does not take the request: the key is of another kind"),
    ] {
        let arn = local.make_key(REGION, spec, usage).await.unwrap();
        let text = line(open(&place(&arn, None, local)).await.unwrap_err());
        assert!(text.contains(said) && text.contains(&arn), "{spec}: {text}");
        is_one_line(&text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_not_here_is_told_so() {
    let there = new_key().await;
    let id = there.key.rsplit('/').next().unwrap().to_owned();
    let other_region = KeyPlace { key: id.clone(), region: "local-2".to_owned(), ..there.clone() };
    let unknown = KeyPlace { key: id.replace(&id[..8], "00000000"), ..there.clone() };
    let alias = KeyPlace { key: "alias/nobodys".to_owned(), ..there.clone() };
    for place in [other_region, unknown, alias] {
        let text = line(open(&place).await.unwrap_err());
        assert!(text.contains("there is no such key here: check its id and its region"), "{text}");
        assert!(text.contains("GetPublicKey on key "), "{text}");
    }
    let text = line(open(&KeyPlace { region: "local-2".to_owned(), ..there.clone() }).await.unwrap_err());
    assert!(text.contains("the key is in region local-1, and the region is said to be local-2"), "{text}");
    let nobody = KeyPlace { endpoint: Some("http://127.0.0.1:1".to_owned()), ..there };
    let text = line(open(&nobody).await.unwrap_err());
    assert!(text.contains("no connection: check region, endpoint"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_whose_state_changes_under_a_running_signer_is_told_by_its_state() {
    let (place, local) = (new_key().await, emulator().await);
    let key = open(&place).await.unwrap();
    let id = json!({ "KeyId": place.key });
    let before = key.sign(b"a vote").await.unwrap();
    for (action, said, undone) in [
        ("DisableKey", "the key is disabled: find out by whom, then `aws kms enable-key`", "EnableKey"),
        ("ScheduleKeyDeletion", "`aws kms cancel-key-deletion`", "CancelKeyDeletion"),
    ] {
        local.kms(REGION, action, &id).await.unwrap();
        let error = key.sign(b"a vote").await.unwrap_err();
        assert!(matches!(error, KeyError::Unavailable(_)), "{error:?}");
        let text = line(error);
        assert!(text.contains(said) && text.contains("Sign on key arn:"), "{text}");
        is_one_line(&text);
        local.kms(REGION, undone, &id).await.unwrap();
    }
    // Its deletion cancelled, it is disabled still.
    assert!(line(key.sign(b"a vote").await.unwrap_err()).contains("enable-key"));
    local.kms(REGION, "EnableKey", &id).await.unwrap();
    assert_eq!(key.sign(b"a vote").await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_of_kms_is_told_with_what_to_do_and_asked_again_only_where_that_may_help() {
    let meddler = Meddler::start(emulator().await.address()).await;
    let key = open(&KeyPlace { endpoint: Some(meddler.endpoint()), ..new_key().await }).await.unwrap();
    for (status, code, said, attempts, told) in [
        (400, "ThrottlingException", "Rate exceeded", 3, "KMS is throttling: see the account's quota"),
        (400, "NotFoundException", "Key 'x' does not exist", 1, "no such key here"),
        (400, "AccessDeniedException", "not authorized to perform: kms:Sign", 1, "pilot-key-policy.json"),
        (400, "UnrecognizedClientException", "The security token is invalid", 1, "does not know these"),
        (400, "ExpiredTokenException", "The security token is expired", 1, "have expired: get new ones"),
        (400, "InvalidSignatureException", "Signature expired: 1 is now earlier than 2", 1, "clock right"),
        (400, "DisabledException", "arn:x is disabled.", 1, "`aws kms enable-key`"),
        (400, "KMSInvalidStateException", "arn:x is pending deletion.", 1, "cancel-key-deletion"),
        (400, "KMSInvalidStateException", "arn:x is pending import.", 1, "waits for its import"),
        (400, "InvalidKeyUsageException", "", 1, "the key is of another kind"),
        (400, "UnsupportedOperationException", "", 1, "the key is of another kind"),
        (400, "ValidationException", "1 validation error", 1, "the key is of another kind"),
        (500, "KeyUnavailableException", "", 3, "KMS is ill"),
        (500, "KMSInternalException", "", 3, "KMS is ill"),
        (503, "DependencyTimeoutException", "", 3, "KMS is ill"),
        (503, "ServiceUnavailable", "", 3, "KMS is ill"),
        (400, "SomethingNewException", "what is this", 3, "an answer that is none"),
    ] {
        let before = meddler.calls("Sign");
        meddler.refuses(status, code, said, u32::MAX);
        let error = key.sign(b"a vote").await.unwrap_err();
        assert!(matches!(error, KeyError::Unavailable(_)), "{code}: {error:?}");
        assert_eq!(meddler.calls("Sign") - before, attempts, "{code}");
        let text = line(error);
        assert!(text.contains(told), "{code}: {text}");
        is_one_line(&text);
    }
    // Once is nothing.
    meddler.refuses(400, "ThrottlingException", "Rate exceeded", 2);
    key.sign(b"a vote").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_kmss_is_not_given_out() {
    let meddler = Meddler::start(emulator().await.address()).await;
    let key = open(&KeyPlace { endpoint: Some(meddler.endpoint()), ..new_key().await }).await.unwrap();
    for (status, body) in [
        (200, "<html>a proxy's page</html>"),
        (200, "{}"),
        (200, "{"),
        (200, "{\"Signature\":\"not base64\"}"),
        (403, "<html>no</html>"),
        (404, "{}"),
        (502, ""),
    ] {
        meddler.set(Way::Instead(status, body.to_owned(), u32::MAX));
        is_one_line(&line(key.sign(b"a vote").await.unwrap_err()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_are_missing_are_told_before_anything_is_asked() {
    use aws_credential_types::provider::{SharedCredentialsProvider, error::CredentialsError};
    #[derive(Debug)]
    struct None;
    impl aws_credential_types::provider::ProvideCredentials for None {
        fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let none = Err(CredentialsError::not_loaded("no role"));
            aws_credential_types::provider::future::ProvideCredentials::ready(none)
        }
    }
    let credentials = Credentials::Given(SharedCredentialsProvider::new(None));
    let access = Access { credentials, ..patient() };
    let text = line(KmsKey::open(new_key().await, Option::None, &access).await.unwrap_err());
    assert!(text.contains("no AWS credentials: give the machine a role"), "{text}");
}
