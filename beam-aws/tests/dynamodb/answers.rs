//! What AWS answers when it does not do what was asked, given by an endpoint of our own in the shape that AWS gives it: which of them mean
//! that nothing was written, and what each tells a person to do.

use beam_aws::dynamodb::{Access, Credentials, DynamoDbRegister, Place};
use beam_core::register::{Register as _, RegisterError, SwapError, Version};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::common::{REGION, key, line, patient};

/// A table that is as it should be.
fn good() -> serde_json::Value {
    json!({ "TableName": "beam", "TableStatus": "ACTIVE", "TableId": "1",
            "KeySchema": [{ "AttributeName": "cell", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "cell", "AttributeType": "S" }] })
}

/// An endpoint that describes `table` and gives every other call the answer that is set.
struct Endpoint {
    place: Place,
    answer: watch::Sender<(u16, String)>,
}

impl Endpoint {
    async fn of(table: serde_json::Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
        let place = Place { table: "beam".to_owned(), region: REGION.to_owned(), endpoint };
        let (answer, answers) = watch::channel((200, "{}".to_owned()));
        let described = json!({ "Table": table }).to_string();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, answers.clone(), described.clone()));
            }
        });
        Self { place, answer }
    }

    async fn open(&self) -> Result<DynamoDbRegister, RegisterError> {
        DynamoDbRegister::open(self.place.clone(), None, &patient()).await
    }

    fn refuses(&self, status: u16, code: &str, said: &str) {
        let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": said });
        self.answer.send_replace((status, body.to_string()));
    }
}

async fn serve(client: tokio::net::TcpStream, answers: watch::Receiver<(u16, String)>, described: String) {
    let mut client = BufReader::new(client);
    loop {
        let (mut len, mut describes) = (0, false);
        loop {
            let mut line = String::new();
            if client.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            len = line.strip_prefix("content-length: ").map_or(len, |len| len.parse().unwrap());
            describes |= line.ends_with(".describetable");
        }
        client.read_exact(&mut vec![0; len]).await.unwrap();
        let (status, body) = if describes { (200, described.clone()) } else { answers.borrow().clone() };
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        client.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_of_aws_is_told_with_what_to_do_and_whether_it_may_have_written() {
    let endpoint = Endpoint::of(good()).await;
    let register = endpoint.open().await.unwrap();
    for (status, code, said, certain, told) in [
        (400, "ProvisionedThroughputExceededException", "slow down", true, "throttling: see the table's"),
        (400, "ThrottlingException", "Rate exceeded", true, "throttling"),
        (400, "RequestLimitExceeded", "account", true, "throttling"),
        (400, "ResourceNotFoundException", "Requested resource not found", true, "no such table here"),
        (
            400,
            "AccessDeniedException",
            "not authorized to perform: dynamodb:UpdateItem",
            true,
            "dynamodb:UpdateItem",
        ),
        (
            400,
            "UnrecognizedClientException",
            "The security token is invalid",
            true,
            "does not know these credentials",
        ),
        (400, "ExpiredTokenException", "The security token is expired", true, "have expired: get new ones"),
        (400, "InvalidSignatureException", "Signature expired: 1 is now earlier than 2", true, "clock right"),
        (400, "ValidationException", "The provided key element", true, "not made by Beam"),
        (400, "ReplicatedWriteConflictException", "another Region", true, "somebody else is writing"),
        (500, "InternalServerError", "internal", false, "DynamoDB is ill"),
        (503, "ServiceUnavailable", "", false, "DynamoDB is ill"),
        (400, "SomethingNewException", "what is this", false, "an answer that is none"),
    ] {
        endpoint.refuses(status, code, said);
        let error = register.swap(&key(), Some(Version(1)), vec![1]).await.unwrap_err();
        assert_eq!(matches!(error, SwapError::Failed(_)), certain, "{code}: {error:?}");
        assert_eq!(matches!(error, SwapError::OutcomeUnknown(_)), !certain, "{code}: {error:?}");
        let text = line(error);
        assert!(
            text.contains(told) && text.contains("UpdateItem on table beam in local-1"),
            "{code}: {text}"
        );
        assert!(!text.contains('\n') && text.len() < 600, "{code}: {text}");
        let error = register.read(&key()).await.unwrap_err();
        assert!(matches!(error, RegisterError::Unavailable(_)), "{code}: {error:?}");
        assert!(line(error).contains(told), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_dynamodbs_is_a_doubt() {
    let endpoint = Endpoint::of(good()).await;
    let register = endpoint.open().await.unwrap();
    for (status, body) in
        [(200, "<html>a proxy's page</html>"), (403, "<html>no</html>"), (502, ""), (200, "{"), (404, "{}")]
    {
        endpoint.answer.send_replace((status, body.to_owned()));
        let error = register.swap(&key(), Some(Version(1)), vec![1]).await.unwrap_err();
        assert!(matches!(error, SwapError::OutcomeUnknown(_)), "{status} {body}: {error:?}");
        let text = line(error);
        assert!(text.len() < 600 && !text.contains('\n'), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_without_the_item_is_a_conflict_with_nothing() {
    let endpoint = Endpoint::of(good()).await;
    let register = endpoint.open().await.unwrap();
    endpoint.refuses(400, "ConditionalCheckFailedException", "The conditional request failed");
    let error = register.swap(&key(), Some(Version(1)), vec![1]).await.unwrap_err();
    assert!(matches!(error, SwapError::Conflict { current: None }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_global_table_that_is_not_strongly_consistent_is_refused_by_name() {
    let global = |consistency: Option<&str>| {
        let mut table = good();
        table["GlobalTableVersion"] = json!("2019.11.21");
        table["Replicas"] = json!([{ "RegionName": "eu-west-1" }, { "RegionName": "eu-west-3" }]);
        if let Some(consistency) = consistency {
            table["MultiRegionConsistency"] = json!(consistency);
        }
        table
    };
    for consistency in [None, Some("EVENTUAL"), Some("SOMETHING_NEW")] {
        let error = Endpoint::of(global(consistency)).await.open().await.unwrap_err();
        assert!(matches!(error, RegisterError::Unfit(_)), "{error:?}");
        let text = line(error);
        assert!(text.contains("eventual consistency (copies in eu-west-1, eu-west-3)"), "{text}");
        assert!(text.contains("multi-Region strong consistency"), "{text}");
    }
    Endpoint::of(global(Some("STRONG"))).await.open().await.unwrap();
}

/// The emulator gives its tables no ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_made_anew_is_not_the_pinned_one() {
    let open = async |endpoint: &Endpoint, pin: &str| {
        DynamoDbRegister::open(endpoint.place.clone(), Some(pin), &patient()).await
    };
    let endpoint = Endpoint::of(good()).await;
    let opened = open(&endpoint, "1").await.unwrap();
    assert_eq!(opened.table().id.as_deref(), Some("1"));
    let mut anew = good();
    anew["TableId"] = json!("2");
    let mut nameless = good();
    nameless["TableId"] = json!(null);
    for (table, is) in [(anew, "its id is 2"), (nameless, "its id is unknown")] {
        let error = open(&Endpoint::of(table).await, "1").await.unwrap_err();
        assert!(matches!(error, RegisterError::Unfit(_)), "{error:?}");
        let text = line(error);
        assert!(
            text.contains(is) && text.contains("not the pinned 1: it was deleted and made again"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_not_ready_is_told() {
    for status in ["CREATING", "DELETING", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVED"] {
        let mut table = good();
        table["TableStatus"] = json!(status);
        let error = Endpoint::of(table).await.open().await.unwrap_err();
        assert!(matches!(error, RegisterError::Unavailable(_)), "{error:?}");
        assert!(line(error).contains(&format!("the table is {status}, not ACTIVE")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_credentials_are_told_before_anything_is_asked() {
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::{SharedCredentialsProvider, future};

    #[derive(Debug)]
    struct None;
    impl aws_credential_types::provider::ProvideCredentials for None {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("no providers in chain")))
        }
    }
    let endpoint = Endpoint::of(good()).await;
    let credentials = Credentials::Given(SharedCredentialsProvider::new(None));
    let none = Access { credentials, ..patient() };
    let error = DynamoDbRegister::open(endpoint.place, Option::None, &none).await.unwrap_err();
    let text = line(error);
    assert!(text.contains("no AWS credentials: give the machine a role"), "{text}");
}
