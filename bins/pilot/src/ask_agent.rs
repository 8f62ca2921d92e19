//! Asking a pilot, this machine's or another's, for its report over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::report::{Report, SCHEMA};

/// How long a pilot may take. It answers from memory, in a millisecond; the rest is for the way.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// A report has about two thousand bytes.
const REPORT_LEN_MAX: usize = 256 * 1024;

/// The report of the machine `name`, whose pilot answers at `agent`.
///
/// # Errors
/// When nobody answers in time, or not with a report, or with another machine's: an address may have been noted long ago.
pub(crate) async fn report(agent: SocketAddr, name: &str) -> Result<Report> {
    let body = timeout(ANSWER_WITHIN, fetch(agent))
        .await
        .with_context(|| format!("the pilot at {agent} did not answer within {ANSWER_WITHIN:?}"))?
        .with_context(|| format!("the pilot at {agent} does not answer"))?;
    let report: Report = serde_json::from_slice(&body)
        .with_context(|| format!("what answers at {agent} is no pilot of this version"))?;
    ensure!(report.schema == SCHEMA, "the pilot at {agent} answers with {:?}, not {SCHEMA}", report.schema);
    ensure!(report.name == name, "{:?} answers at {agent}", report.name);
    Ok(report)
}

async fn fetch(agent: SocketAddr) -> Result<Bytes> {
    let stream = TcpStream::connect(agent).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/status").header(HOST, agent.to_string()).body(Empty::<Bytes>::new())?;
    let answer = async move {
        let answer = sender.send_request(request).await?;
        if answer.status() != StatusCode::OK {
            bail!("it answers {}", answer.status());
        }
        let body = Limited::new(answer.into_body(), REPORT_LEN_MAX).collect().await;
        Ok(body.map_err(anyhow::Error::from_boxed)?.to_bytes())
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // Closed by the pilot; what it sent before that is still to be read.
        _ = connection => answer.await,
    }
}
