//! Whatever bytes come, they end in an answer or in a closed connection, and never in a panic.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::report::samples::validator;

fn answers() -> Answers {
    let (_, pages) = watch::channel(Arc::new(Page::new(validator(), Instant::now())));
    Answers { pages, lag_blocks_max: watch::channel(2).1 }
}

/// Sends `bytes` and hears the connection out. A panic in [`talk`] is one here.
async fn heard(bytes: &[u8]) -> Vec<u8> {
    let (mut ours, theirs) = duplex(bytes.len().max(1024));
    let asking = async {
        // The other end may close before it has read all.
        let _ = ours.write_all(bytes).await;
        heard_out(&mut ours).await
    };
    tokio::join!(talk(theirs, answers()), asking).1
}

async fn heard_out(stream: &mut DuplexStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(line).ok()?.parse().ok()
}

/// On a clock that jumps ahead whenever everybody waits: the limits of time cost no time here.
fn status_of(bytes: &[u8]) -> (Option<u16>, usize) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let answer = runtime.block_on(heard(bytes));
    (status(&answer), answer.len())
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n")
}

#[test]
fn a_request_is_answered_and_the_connection_ends() {
    assert_eq!(status_of(get("/livez").as_bytes()).0, Some(200));
    assert_eq!(status_of(get("/nothing").as_bytes()).0, Some(404));
    let twice = get("/livez").repeat(2);
    assert_eq!(
        status_of(twice.as_bytes()).1,
        status_of(get("/livez").as_bytes()).1,
        "one request a connection"
    );
}

#[test]
fn a_head_is_the_get_without_its_body() {
    let head = get("/status").replace("GET", "HEAD");
    assert_eq!(status_of(head.as_bytes()).0, Some(200));
    let (of_head, of_get) = (status_of(head.as_bytes()).1, status_of(get("/status").as_bytes()).1);
    assert!(of_head < 300 && of_get > 1000, "{of_head} {of_get}");
}

#[test]
fn more_than_the_limits_is_refused() {
    let long = format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(2 * HEADER_BYTES_MAX));
    assert_eq!(status_of(long.as_bytes()).0, Some(431));
    let many = format!("GET /livez HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(HEADERS_MAX + 1));
    assert_eq!(status_of(many.as_bytes()).0, Some(431));
    let body = "GET /livez HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello";
    assert_eq!(status_of(body.as_bytes()).0, Some(413));
    let chunked = "POST /livez HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n";
    assert_eq!(status_of(chunked.as_bytes()).0, Some(413));
}

#[tokio::test(start_paused = true)]
async fn who_never_ends_his_headers_is_hung_up_on() {
    let (mut ours, theirs) = duplex(1024);
    let began = tokio::time::Instant::now();
    let dripping = async {
        while ours.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::join!(talk(theirs, answers()), dripping);
    assert!(began.elapsed() <= HEADERS_WITHIN + Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_his_answer_is_hung_up_on() {
    let (mut ours, theirs) = duplex(64);
    let began = tokio::time::Instant::now();
    let asking = async {
        ours.write_all(get("/metrics").as_bytes()).await.unwrap();
    };
    tokio::join!(talk(theirs, answers()), asking);
    assert!((CONNECTION_WITHIN..CONNECTION_WITHIN * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
}

/// Pieces of requests, good and bad, to be put together at random.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        &b"GET "[..],
        b"HEAD ",
        b"POST ",
        b"/livez",
        b"/readyz?lag=",
        b"/status",
        b"/metrics",
        b" HTTP/1.1\r\n",
        b" HTTP/1.0\r\n",
        b" HTTP/2.0\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"host: x\r\n",
        b"content-length: 99999999999999999999\r\n",
        b"content-length: -1\r\n",
        b"transfer-encoding: chunked\r\n",
        b"connection: upgrade\r\nupgrade: h2c\r\n",
        b"expect: 100-continue\r\n",
        b"0\r\n\r\n",
        b"%",
        b"?",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
    .prop_map(<[u8]>::to_vec);
    let any = prop::collection::vec(any::<u8>(), 0..20);
    prop::collection::vec(prop_oneof![4 => known, 1 => any], 0..24).prop_map(|pieces| pieces.concat())
}

/// Requests that hyper may take for good ones, for whatever path.
fn requests() -> impl Strategy<Value = Vec<u8>> {
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "OPTIONS", "BREW"]);
    let headers = prop::collection::vec("[a-z-]{1,12}: [ -~]{0,40}\r\n", 0..6);
    (method, "/[!-~]{0,40}", headers).prop_map(|(method, target, headers)| {
        format!("{method} {target} HTTP/1.1\r\n{}\r\n", headers.concat()).into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn whatever_comes_is_answered_or_hung_up_on_and_never_panics(
        bytes in prop_oneof![requests(), pieces(), prop::collection::vec(any::<u8>(), 0..20_000)]
    ) {
        let (status, length) = status_of(&bytes);
        prop_assert!(length == 0 || status.is_some_and(|status| (100..600).contains(&status)));
    }

    #[test]
    fn whatever_is_asked_for_has_an_answer(path in ".*", query in ".*", body: bool) {
        let (method, page, now) = (hyper::Method::GET, Page::new(validator(), Instant::now()), Instant::now());
        let question = Question { method: &method, path: &path, query: Some(&query), has_body: body };
        let answer = answer(question, &page, now, 2);
        prop_assert!(answer.status.as_u16() >= 200 && !answer.body.is_empty());
    }
}
