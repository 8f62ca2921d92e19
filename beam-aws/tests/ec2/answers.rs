//! What EC2, or what stands between, answers when it does not do what was asked: which error it is, and what each tells a person to do.

use std::time::{Duration, Instant};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use beam_aws::ec2::{Access, Credentials, Ec2Cloud, Region};
use beam_core::cloud_provider::{CloudError, CloudProvider as _, FleetTag, Token};

use crate::common::{REGION, access, line};
use crate::endpoint::{Endpoint, Reply, addresses};

fn hub() -> FleetTag {
    FleetTag::new("hub")
}

fn token() -> Token {
    Token::new("t-9")
}

/// Which of ours, and the whole sentence.
fn named(error: CloudError) -> (&'static str, String) {
    let name = match &error {
        CloudError::OutcomeUnknown(_) => "OutcomeUnknown",
        CloudError::Throttled => "Throttled",
        CloudError::Unavailable(_) => "Unavailable",
        CloudError::Quota(_) => "Quota",
        CloudError::NoCapacity(_) => "NoCapacity",
        CloudError::NotFound(_) => "NotFound",
        CloudError::InUse(_) => "InUse",
        CloudError::NotReady(_) => "NotReady",
        CloudError::Protected(_) => "Protected",
        CloudError::Denied(_) => "Denied",
        CloudError::Invalid(_) => "Invalid",
        other => panic!("{other:?}"),
    };
    (name, line(error))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_of_ec2_is_told_with_what_to_do_and_whether_it_may_have_happened() {
    let endpoint = Endpoint::start().await;
    endpoint.on("DescribeAddresses", [addresses(&[])]);
    let cloud = endpoint.cloud().await;
    for (status, code, wanted, told) in [
        (503, "RequestLimitExceeded", "Throttled", "asks for fewer calls"),
        (400, "AddressLimitExceeded", "Quota", "AddressLimitExceeded: said"),
        (500, "InsufficientAddressCapacity", "NoCapacity", "no room"),
        (403, "UnauthorizedOperation", "Denied", "access denied: allow ec2:AllocateAddress"),
        (401, "AuthFailure", "Denied", "does not know these credentials"),
        (400, "RequestExpired", "Denied", "clock right"),
        (403, "SignatureDoesNotMatch", "Denied", "clock right"),
        (400, "ExpiredToken", "Denied", "have expired: get new ones"),
        (403, "OptInRequired", "Denied", "does not serve this account here"),
        (400, "InvalidParameterValue", "Invalid", "InvalidParameterValue: said"),
        (500, "InternalError", "OutcomeUnknown", "EC2 is ill"),
        (503, "ServiceUnavailable", "OutcomeUnknown", "EC2 is ill"),
    ] {
        endpoint.on("AllocateAddress", [Reply::Refuses(status, code)]);
        let (name, said) = named(cloud.allocate_address(&hub(), &token()).await.unwrap_err());
        assert_eq!(name, wanted, "{code}: {said}");
        assert!(said.contains(told), "{code}: {said}");
        assert!(name == "Throttled" || said.contains("AllocateAddress in eu-central-1"), "{code}: {said}");
        assert!(!said.contains('\n') && said.len() < 600, "{code}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_ec2s_is_a_doubt() {
    let endpoint = Endpoint::start().await;
    endpoint.on("DescribeAddresses", [addresses(&[])]);
    let cloud = endpoint.cloud().await;
    for (status, body) in [
        (200, "<html>a proxy's page</html>"),
        (403, "<html>no</html>"),
        (502, ""),
        (200, "<"),
        (404, "<Response></Response>"),
        (200, "<AllocateAddressResponse></AllocateAddressResponse>"),
    ] {
        endpoint.on("AllocateAddress", [Reply::Says(status, body)]);
        let (name, said) = named(cloud.allocate_address(&hub(), &token()).await.unwrap_err());
        assert_eq!(name, "OutcomeUnknown", "{status} {body}: {said}");
        assert!(!said.contains('\n') && said.len() < 600, "{said}");
        endpoint.on("DescribeInstances", [Reply::Says(status, body)]);
        match cloud.instances(&hub()).await {
            Err(error) => assert_eq!(named(error).0, "Unavailable", "{status} {body}"),
            // EC2's way to say that there is nothing; whose element it is the SDK does not look at.
            Ok(listed) => {
                assert!(listed.is_empty() && body.starts_with("<AllocateAddressResponse>"), "{body}")
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_ends_in_time_and_is_a_doubt_if_it_was_to_change_something() {
    let endpoint = Endpoint::start().await;
    endpoint.on("DescribeAddresses", [addresses(&[])]);
    endpoint.on("AllocateAddress", [Reply::Hangs]);
    endpoint.on("DescribeInstances", [Reply::Hangs]);
    let brisk = Access { attempt_within: Duration::from_millis(300), ..access() };
    let cloud = endpoint.open(&brisk).await.unwrap();
    let since = Instant::now();
    let (name, said) = named(cloud.allocate_address(&hub(), &token()).await.unwrap_err());
    assert_eq!(name, "OutcomeUnknown");
    assert!(said.contains("no answer within 300ms"), "{said}");
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    let (name, said) = named(cloud.instances(&hub()).await.unwrap_err());
    assert_eq!(name, "Unavailable", "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_certainly_not_done() {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let region = Region { name: REGION.to_owned(), endpoint: Some(format!("http://{free}")) };
    let cloud = Ec2Cloud::open(region, &access()).await.unwrap();
    let (name, said) = named(cloud.allocate_address(&hub(), &token()).await.unwrap_err());
    assert_eq!(name, "Unavailable", "{said}");
    assert!(said.contains("no connection: check region, endpoint"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_region_or_an_endpoint_is_refused_before_anything_is_asked() {
    for (name, endpoint) in [
        ("Frankfurt", None),
        ("", None),
        (REGION, Some("http://ec2.example.com")),
        (REGION, Some("127.0.0.1:5000")),
    ] {
        let region = Region { name: name.to_owned(), endpoint: endpoint.map(str::to_owned) };
        let (name, said) = named(Ec2Cloud::open(region, &access()).await.unwrap_err());
        assert_eq!(name, "Invalid", "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_credentials_are_told_before_anything_is_asked() {
    #[derive(Debug)]
    struct Nobody;
    impl ProvideCredentials for Nobody {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("no providers in chain")))
        }
    }
    let endpoint = Endpoint::start().await;
    let credentials = Credentials::Given(SharedCredentialsProvider::new(Nobody));
    let (name, said) = named(endpoint.open(&Access { credentials, ..access() }).await.unwrap_err());
    assert_eq!(name, "Denied", "{said}");
    assert!(said.contains("no AWS credentials: give the machine a role"), "{said}");
    assert!(endpoint.take().is_empty());
}
