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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::report::samples;

    /// What a pilot says of the one that answers its question with these parts, a moment apart, and then says no more.
    async fn asked(parts: Vec<Vec<u8>>, pause: Duration) -> Result<Report> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let agent = listener.local_addr().unwrap();
        let answering = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            for part in parts {
                // Whoever asked may have had enough.
                let _ = stream.write_all(&part).await;
                tokio::time::sleep(pause).await;
            }
            stream
        });
        let report = report(agent, "a").await;
        answering.abort();
        report
    }

    fn answer(body: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    async fn refused(parts: Vec<Vec<u8>>, pause: Duration) -> String {
        let began = Instant::now();
        let error = format!("{:#}", asked(parts, pause).await.unwrap_err());
        assert!(began.elapsed() < ANSWER_WITHIN * 2, "{error}");
        assert!(error.len() < 300 && !error.contains('\n'), "{error}");
        error
    }

    #[tokio::test]
    async fn a_report_is_believed_if_it_is_of_that_machine_and_that_form() {
        let report = Report { name: "a".to_owned(), ..samples::validator() };
        let text = |report: &Report| answer(&serde_json::to_string(report).unwrap());
        assert_eq!(asked(vec![text(&report)], Duration::ZERO).await.unwrap(), report);
        let other = Report { name: "b\n".to_owned(), ..report.clone() };
        assert!(refused(vec![text(&other)], Duration::ZERO).await.contains("\"b\\n\" answers"));
        let newer = Report { schema: "beam.report/2".to_owned(), ..report };
        assert!(refused(vec![text(&newer)], Duration::ZERO).await.contains("beam.report/2"));
    }

    #[tokio::test]
    async fn whatever_else_answers_is_told_in_a_line_and_in_time() {
        let none = Duration::ZERO;
        assert!(refused(vec![answer("{\"schema\":\"x\"}")], none).await.contains("no pilot of this version"));
        assert!(refused(vec![answer(&"[".repeat(200_000))], none).await.contains("no pilot of this version"));
        assert!(refused(vec![b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()], none).await.contains("does not answer"));
        assert!(refused(vec![b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()], none).await.contains("404"));
        assert!(refused(vec![answer(&"x".repeat(REPORT_LEN_MAX + 1))], none).await.contains("length"));
        let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        let drips = std::iter::once(head).chain(std::iter::repeat_n(b" ".to_vec(), 100));
        assert!(refused(drips.collect(), Duration::from_millis(50)).await.contains("did not answer within"));
        assert!(refused(vec![Vec::new()], Duration::from_secs(9)).await.contains("did not answer within"));
    }
}
