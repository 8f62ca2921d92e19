//! What S3 answers and moto does not, given by an endpoint of our own in the shape that S3 gives it: which of them mean that nothing
//! was written, and what each tells a person to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use beam_aws::s3::{Bucket, S3Register};
use beam_core::register::{Cell, Register as _, RegisterError, SwapError, Version};
use beam_examples::moto::Moto;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::common::{REGION, client, emulator, key, line, new_store, object, open, patient};

/// A head without its first line, and a body.
type Answer = (u16, String, String);

/// What is asked, and what was answered instead of asking further.
#[derive(Default)]
struct Script {
    /// Answers to PUT, one after the other; when there are none left, `upstream` answers.
    puts: VecDeque<Answer>,
    /// The answer to GET, if it is not `upstream`'s.
    get: Option<Answer>,
    /// The answer to HEAD, likewise.
    head: Option<Answer>,
    /// Each request's first line and headers.
    heard: Vec<String>,
}

/// An endpoint before moto that answers some requests itself.
struct Endpoint {
    bucket: Bucket,
    script: Arc<Mutex<Script>>,
}

impl Endpoint {
    /// Before a bucket with a cell of version 1.
    async fn new() -> (Self, S3Register) {
        let mut bucket = new_store().await;
        open(&bucket).await.unwrap().swap(&key(), None, vec![1]).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        bucket.endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
        let script: Arc<Mutex<Script>> = Arc::default();
        let of_all = script.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, of_all.clone()));
            }
        });
        let register = S3Register::open(bucket.clone(), &patient()).await.unwrap();
        // It has seen the cell, so a swap is one PUT.
        register.read(&key()).await.unwrap();
        script.lock().unwrap().heard.clear();
        (Self { bucket, script }, register)
    }

    fn puts(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().puts = answers.into_iter().collect();
    }

    fn get(&self, answer: Option<Answer>) {
        self.script.lock().unwrap().get = answer;
    }

    fn head(&self, answer: Answer) {
        self.script.lock().unwrap().head = Some(answer);
    }

    /// The requests of that method so far.
    fn heard(&self, method: &str) -> Vec<String> {
        let script = self.script.lock().unwrap();
        script.heard.iter().filter(|heard| heard.starts_with(method)).cloned().collect()
    }
}

fn refusal(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>said</Message></Error>"
    );
    (status, "content-type: application/xml\r\n".to_owned(), body)
}

async fn serve(client: TcpStream, script: Arc<Mutex<Script>>) {
    let mut client = BufReader::new(client);
    loop {
        let (mut head, mut len) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if client.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            let lower = line.to_ascii_lowercase();
            len = lower.strip_prefix("content-length: ").map_or(len, |len| len.trim().parse().unwrap());
            head.push_str(&line);
        }
        let mut body = vec![0; len];
        client.read_exact(&mut body).await.unwrap();
        let own = {
            let mut script = script.lock().unwrap();
            script.heard.push(head.clone());
            match head.split(' ').next().unwrap() {
                "PUT" => script.puts.pop_front(),
                "GET" => script.get.clone(),
                "HEAD" => script.head.clone(),
                _ => None,
            }
        };
        let answer = match own {
            Some((status, more, body)) => {
                format!("HTTP/1.1 {status} x\r\n{more}content-length: {}\r\n\r\n{body}", body.len())
                    .into_bytes()
            }
            None => forwarded(&head, &body).await,
        };
        client.write_all(&answer).await.unwrap();
    }
}

/// What moto answers.
async fn forwarded(head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(emulator().await.address()).await.unwrap();
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

fn cell(version: u64, value: u8) -> Option<Cell> {
    Some(Cell { version: Version(version), value: vec![value] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_of_s3_is_told_with_what_to_do_and_whether_it_may_have_written() {
    let (endpoint, register) = Endpoint::new().await;
    for (status, code, certain, told) in [
        (503, "SlowDown", true, "S3 is throttling: see who else uses that prefix"),
        (404, "NoSuchBucket", true, "there is no such bucket: check its name"),
        (
            403,
            "AccessDenied",
            true,
            "the bucket is not of the account that `owner` names, or the machine's role lacks",
        ),
        (301, "PermanentRedirect", true, "in another region than `region` says"),
        (307, "TemporaryRedirect", true, "in another region than `region` says"),
        (400, "AuthorizationHeaderMalformed", true, "in another region than `region` says"),
        (403, "InvalidAccessKeyId", true, "does not know these credentials"),
        (400, "ExpiredToken", true, "have expired: get new ones"),
        (403, "SignatureDoesNotMatch", true, "clock right"),
        (403, "RequestTimeTooSkewed", true, "clock right"),
        (400, "KMS.DisabledException", true, "encryption key cannot be used"),
        (403, "InvalidObjectState", true, "moved into an archive"),
        (400, "EntityTooLarge", true, "S3 refuses the request"),
        (501, "NotImplemented", true, "S3 refuses the request"),
        (500, "InternalError", false, "S3 is ill"),
        (503, "ServiceUnavailable", false, "S3 is ill"),
        (400, "RequestTimeout", false, "an answer that is none"),
        (400, "SomethingNew", false, "an answer that is none"),
    ] {
        endpoint.puts([refusal(status, code)]);
        let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
        assert_eq!(matches!(error, SwapError::Failed(_)), certain, "{code}: {error:?}");
        assert_eq!(matches!(error, SwapError::OutcomeUnknown(_)), !certain, "{code}: {error:?}");
        let text = line(error);
        assert!(text.contains(told) && text.contains("PutObject on bucket bucket-"), "{code}: {text}");
        assert!(!text.contains('\n') && text.len() < 700, "{code}: {text}");
        endpoint.get(Some(refusal(status, code)));
        let error = register.read(&key()).await.unwrap_err();
        assert!(matches!(error, RegisterError::Unavailable(_)), "{code}: {error:?}");
        assert!(line(error).contains(told), "{code}");
        endpoint.get(None);
    }
    assert_eq!(register.read(&key()).await.unwrap(), cell(1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_s3s_is_a_doubt() {
    let (endpoint, register) = Endpoint::new().await;
    for (status, body) in
        [(403, "<html>no</html>"), (502, ""), (404, "{}"), (409, ""), (302, "<html>login</html>")]
    {
        endpoint.puts([(status, String::new(), body.to_owned())]);
        let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
        assert!(matches!(error, SwapError::OutcomeUnknown(_)), "{status} {body}: {error:?}");
        let text = line(error);
        assert!(text.len() < 700 && !text.contains('\n'), "{text}");
    }
    endpoint.get(Some((200, String::new(), "<html>a proxy's page</html>".to_owned())));
    let error = register.read(&key()).await.unwrap_err();
    assert!(matches!(error, RegisterError::Damaged(_)), "{error:?}");
}

/// S3 may say so when two write at the same instant; moto never does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_met_another_is_made_again_with_the_same_condition() {
    for code in ["ConditionalRequestConflict", "OperationAborted"] {
        let (endpoint, register) = Endpoint::new().await;
        endpoint.puts([refusal(409, code), refusal(409, code)]);
        assert_eq!(register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap(), Version(2));
        let puts = endpoint.heard("PUT");
        let condition =
            |head: &String| head.lines().find(|line| line.starts_with("if-match: ")).map(str::to_owned);
        assert_eq!(puts.len(), 3);
        assert!(puts.iter().all(|put| condition(put).is_some() && condition(put) == condition(&puts[0])));
        assert_eq!(register.read(&key()).await.unwrap(), cell(2, 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_met_another_and_lost_is_a_conflict_with_the_winner() {
    let (endpoint, register) = Endpoint::new().await;
    let other = open(&Bucket { endpoint: Some(emulator().await.endpoint()), ..endpoint.bucket.clone() })
        .await
        .unwrap();
    other.swap(&key(), Some(Version(1)), vec![7]).await.unwrap();
    // To the end, or once.
    for times in [9, 1] {
        endpoint.puts((0..times).map(|_| refusal(409, "ConditionalRequestConflict")));
        let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
        // The first time the handle still knew version 1, the second time it has to look.
        assert!(matches!(&error, SwapError::Conflict { current } if *current == cell(2, 7)), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_meets_others_for_ever_ends_in_bounds_and_has_written_nothing() {
    let (endpoint, register) = Endpoint::new().await;
    endpoint.puts((0..100).map(|_| refusal(409, "ConditionalRequestConflict")));
    let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
    assert!(matches!(error, SwapError::Failed(_)), "{error:?}");
    assert!(line(error).contains("somebody else is writing the object at this moment"));
    assert_eq!(endpoint.heard("PUT").len(), 4);
    assert_eq!(register.read(&key()).await.unwrap(), cell(1, 1));
}

/// With HEAD there is no body that would say what is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_of_somebody_else_or_elsewhere_is_one_clear_line_at_the_start() {
    let (endpoint, _) = Endpoint::new().await;
    let region = "x-amz-bucket-region: ap-south-1\r\n".to_owned();
    for (status, head, told) in [
        (403, String::new(), "the bucket is not of the account that `owner` names"),
        (404, String::new(), "there is no such bucket"),
        (301, region.clone(), "in another region than `region` says: it is in ap-south-1"),
        (307, region.clone(), "it is in ap-south-1"),
        (400, region, "it is in ap-south-1"),
        (301, String::new(), "in another region than `region` says"),
        (500, String::new(), "S3 is ill"),
    ] {
        endpoint.head((status, head, String::new()));
        let error = open(&endpoint.bucket).await.unwrap_err();
        assert!(matches!(error, RegisterError::Unavailable(_)), "{error:?}");
        let text = line(error);
        assert!(text.contains(told) && text.contains(Moto::ACCOUNT) && !text.contains('\n'), "{text}");
    }
    assert!(endpoint.heard("PUT").is_empty(), "something was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_says_whose_bucket_it_must_be() {
    let (endpoint, register) = Endpoint::new().await;
    register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap();
    register.swap(&key(), Some(Version(1)), vec![3]).await.unwrap_err();
    register.facts().await.unwrap();
    open(&endpoint.bucket).await.unwrap();
    let expected = format!("x-amz-expected-bucket-owner: {}", Moto::ACCOUNT);
    for head in endpoint.heard("") {
        assert!(head.lines().any(|line| line == expected), "{head}");
        assert!(head.contains(&format!("/{REGION}/s3/aws4_request")), "{head}");
    }
    assert!(endpoint.heard("").len() > 6);
}

/// The worst of all stores: it takes what it does not understand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_does_not_keep_conditions_is_refused_by_name() {
    let (endpoint, _) = Endpoint::new().await;
    let done = (200, "etag: \"1\"\r\n".to_owned(), String::new());
    let refused = refusal(412, "PreconditionFailed");
    for (answers, which) in
        [(vec![done.clone(), done.clone()], "Absent"), (vec![refused.clone(), refused, done], "Is(")]
    {
        endpoint.puts(answers);
        let error = open(&endpoint.bucket).await.unwrap_err();
        assert!(matches!(error, RegisterError::Unfit(_)), "{error:?}");
        let text = line(error);
        assert!(text.contains("does not keep the condition") && text.contains(which), "{text}");
    }
    open(&endpoint.bucket).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_came_by_replication_is_refused() {
    let (endpoint, register) = Endpoint::new().await;
    let got = client(&Bucket { endpoint: Some(emulator().await.endpoint()), ..endpoint.bucket.clone() });
    let got = got.get_object().bucket(&endpoint.bucket.name).key(object()).send().await.unwrap();
    let content = String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap();
    let head = "etag: \"1\"\r\nx-amz-replication-status: REPLICA\r\n".to_owned();
    endpoint.get(Some((200, head, content.clone())));
    let error = register.read(&key()).await.unwrap_err();
    assert!(matches!(error, RegisterError::Damaged(_)), "{error:?}");
    assert!(line(error).contains("came from another bucket by replication"));
    // What goes out to another bucket does no harm.
    let head = "etag: \"1\"\r\nx-amz-replication-status: COMPLETED\r\n".to_owned();
    endpoint.get(Some((200, head, content)));
    assert_eq!(register.read(&key()).await.unwrap(), cell(1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_credentials_are_told_before_anything_is_asked() {
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::{SharedCredentialsProvider, future};
    use beam_aws::s3::{Access, Credentials};

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
    let (endpoint, _) = Endpoint::new().await;
    let credentials = Credentials::Given(SharedCredentialsProvider::new(None));
    let error =
        S3Register::open(endpoint.bucket.clone(), &Access { credentials, ..patient() }).await.unwrap_err();
    let text = line(error);
    assert!(text.contains("no AWS credentials: give the machine a role"), "{text}");
    assert!(endpoint.heard("").is_empty());
}
