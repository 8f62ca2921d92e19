//! From a request to its answer: a plain function. Nothing is read from a disk or asked of anybody, so there is no path to
//! leave and nothing to wait for.

use std::time::Instant;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde::Serialize;

use super::page::Page;
use super::probe;

/// The paths there are.
pub(super) const PATHS: [&str; 4] = ["/livez", "/readyz", "/status", "/metrics"];

const JSON: &str = "application/json";
/// Prometheus' text format, which Prometheus, `node_exporter` and everybody else reads.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What matters of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) has_body: bool,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

#[derive(Serialize)]
struct Live {
    schema: &'static str,
    live: bool,
    report_age_ms: u64,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct Ready<'a> {
    schema: &'static str,
    ready: bool,
    name: &'a str,
    role: crate::config::Role,
    height: Option<u64>,
    lag_blocks: Option<u64>,
    lag_blocks_max: u64,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct Refusal {
    schema: &'static str,
    error: &'static str,
    paths: [&'static str; 4],
}

/// Answers. `lag_max` is what `/readyz` allows a node that is not asked about with `?lag=N`.
pub(super) fn answer(question: Question<'_>, page: &Page, now: Instant, lag_max: u64) -> Answer {
    if question.has_body {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "send no body: there is nothing to tell the agent");
    }
    if !PATHS.contains(&question.path) {
        return refusal(StatusCode::NOT_FOUND, "there is no such path; there are those in `paths`");
    }
    if question.method != Method::GET && question.method != Method::HEAD {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "the agent only tells: use GET or HEAD");
    }
    match question.path {
        "/livez" => live(page, now),
        "/readyz" => match lag_asked_for(question.query) {
            Ok(asked) => ready(page, now, asked.unwrap_or(lag_max)),
            Err(refused) => refused,
        },
        "/status" => Answer { status: StatusCode::OK, content_type: JSON, body: page.status.clone() },
        _ => Answer { status: StatusCode::OK, content_type: TEXT_FORMAT, body: page.metrics.clone() },
    }
}

fn live(page: &Page, now: Instant) -> Answer {
    let age = page.age(now);
    let reasons = probe::dead_because(age);
    let report_age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    let live = reasons.is_empty();
    json(good_if(live), &Live { schema: "beam.live/1", live, report_age_ms, reasons })
}

fn ready(page: &Page, now: Instant, lag_blocks_max: u64) -> Answer {
    let Page { report, .. } = page;
    let reasons = probe::not_ready_because(report, page.age(now), lag_blocks_max);
    let ready = reasons.is_empty();
    let body = Ready {
        schema: "beam.ready/1",
        ready,
        name: &report.name,
        role: report.role,
        height: report.node.height,
        lag_blocks: report.node.lag_blocks,
        lag_blocks_max,
        reasons,
    };
    json(good_if(ready), &body)
}

/// The value of `lag` in a query, if it is there. Other keys mean nothing here.
fn lag_asked_for(query: Option<&str>) -> Result<Option<u64>, Answer> {
    let mut pairs = query.unwrap_or_default().split('&');
    let Some(value) = pairs.find_map(|pair| pair.strip_prefix("lag=")) else {
        return Ok(None);
    };
    let wrong = |_| refusal(StatusCode::BAD_REQUEST, "lag is a number of blocks, as in /readyz?lag=3");
    value.parse().map(Some).map_err(wrong)
}

fn good_if(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn refusal(status: StatusCode, error: &'static str) -> Answer {
    json(status, &Refusal { schema: "beam.refusal/1", error, paths: PATHS })
}

fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    // Strings and numbers: there is nothing that could fail.
    let mut body = serde_json::to_vec(body).unwrap_or_default();
    body.push(b'\n');
    Answer { status, content_type: JSON, body: body.into() }
}

impl From<Answer> for Response<Full<Bytes>> {
    fn from(answer: Answer) -> Self {
        let refused = answer.status == StatusCode::METHOD_NOT_ALLOWED;
        let mut response = Self::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if refused {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::report::samples::validator;

    fn ask(method: &Method, target: &str) -> Answer {
        let began = Instant::now();
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let question = Question { method, path, query, has_body: false };
        answer(question, &Page::new(validator(), began), began + Duration::from_secs(1), 2)
    }

    fn get(target: &str) -> (u16, Value) {
        let answer = ask(&Method::GET, target);
        assert_eq!(answer.content_type, JSON);
        (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap())
    }

    #[test]
    fn each_path_answers_in_its_own_form() {
        let (status, live) = get("/livez");
        assert_eq!((status, &live["live"], &live["report_age_ms"]), (200, &true.into(), &1000.into()));
        let (status, ready) = get("/readyz");
        assert_eq!((status, &ready["ready"], &ready["lag_blocks_max"]), (200, &true.into(), &2.into()));
        assert_eq!(get("/status").1, serde_json::to_value(validator()).unwrap());
        let metrics = ask(&Method::GET, "/metrics");
        assert_eq!((metrics.status.as_u16(), metrics.content_type), (200, TEXT_FORMAT));
        assert!(metrics.body.starts_with(b"# HELP beam_"));
    }

    #[test]
    fn a_lag_is_asked_for_in_blocks() {
        assert_eq!(get("/readyz?lag=7").1["lag_blocks_max"], 7);
        assert_eq!(get("/readyz?verbose&lag=0&lag=9").1["lag_blocks_max"], 0);
        for wrong in ["-1", "", "1e3", "99999999999999999999999"] {
            let (status, refused) = get(&format!("/readyz?lag={wrong}"));
            assert_eq!((status, &refused["schema"]), (400, &"beam.refusal/1".into()), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_there_is_refused_with_what_is() {
        for path in ["/", "", "/livez/", "//livez", "/../etc/passwd", "/%2e%2e/status", "*", "/metrics/../x"]
        {
            let (status, refused) = get(path);
            assert_eq!((status, &refused["paths"][3]), (404, &"/metrics".into()), "{path}");
        }
    }

    #[test]
    fn nothing_but_get_and_head_and_no_body() {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::CONNECT] {
            let response = Response::from(ask(&method, "/status"));
            assert_eq!(response.status().as_u16(), 405);
            assert_eq!(response.headers()[ALLOW], "GET, HEAD");
        }
        assert_eq!(ask(&Method::HEAD, "/status").status.as_u16(), 200);
        let began = Instant::now();
        let body = Question { method: &Method::GET, path: "/livez", query: None, has_body: true };
        assert_eq!(answer(body, &Page::new(validator(), began), began, 2).status.as_u16(), 413);
    }
}
