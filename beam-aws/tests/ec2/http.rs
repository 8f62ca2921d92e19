//! As much of HTTP as it takes to stand in EC2's place, or between it and a client.

use std::collections::BTreeMap;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpStream;

/// Fields of a request: `Action`, `ClientToken`, `TagSpecification.1.Tag.1.Key`, ...
pub(crate) type Fields = BTreeMap<String, String>;

/// A request, whole.
pub(crate) struct Request {
    /// As it came, with `connection: close` in its head.
    pub(crate) bytes: Vec<u8>,
    pub(crate) fields: Fields,
}

/// The next request; `None` when there is none.
pub(crate) async fn request(client: &mut BufReader<TcpStream>) -> Option<Request> {
    let (mut bytes, mut len) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        let lower = line.trim().to_ascii_lowercase();
        len = lower.strip_prefix("content-length: ").map_or(len, |len| len.parse().unwrap());
        if !lower.starts_with("connection:") {
            bytes.extend_from_slice(line.as_bytes());
        }
    }
    bytes.extend_from_slice(b"connection: close\r\n\r\n");
    let mut body = vec![0; len];
    client.read_exact(&mut body).await.ok()?;
    bytes.extend_from_slice(&body);
    let body = String::from_utf8(body).unwrap();
    let fields = body.split('&').map(|field| field.split_once('=').unwrap_or((field, "")));
    let fields = fields.map(|(key, value)| (decoded(key), decoded(value))).collect();
    Some(Request { bytes, fields })
}

/// An answer, whole.
pub(crate) fn answer(status: u16, body: &str) -> Vec<u8> {
    let len = body.len();
    format!("HTTP/1.1 {status} x\r\ncontent-type: text/xml\r\ncontent-length: {len}\r\n\r\n{body}")
        .into_bytes()
}

/// The same, and nothing after it on that connection.
pub(crate) fn closing(mut answer: Vec<u8>) -> Vec<u8> {
    let line = answer.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    answer.splice(line..line, *b"connection: close\r\n");
    answer
}

/// An error, as EC2 forms them.
pub(crate) fn refusal(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>said</Message></Error></Errors>\
         <RequestID>r</RequestID></Response>"
    )
}

/// As forms have it: `%3A` and `+`.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, more) = rest.split_at(2);
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
                rest = more;
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
