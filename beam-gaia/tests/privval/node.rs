//! What a node says and hears, byte by byte.

use std::time::Duration;

use beam_core::id::from_hex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

pub(crate) const GET_KEY: &str = "0f0a0d0a0b636f736d6f736875622d34";
pub(crate) const PING: &str = "023a00";
pub(crate) const PONG: &str = "024200";
/// `pub_key { ed25519: 32 x 09 }`
pub(crate) const KEY: &str = "2612240a220a20";

/// A nil prevote at height 12345 and this round (1 to 127), without a signature.
pub(crate) fn vote(round: u8) -> String {
    // type 1, height 12345, round, block id {"", {0, ""}}, timestamp, address, index 3
    let vote =
        format!("080110b96018{round:02x}22021200 2a0b0880e2cfaa0610959aef3a 3214{} 3803", "07".repeat(20));
    let vote = vote.replace(' ', "");
    let request = format!("0a{:02x}{vote}120b636f736d6f736875622d34", vote.len() / 2);
    let message = format!("1a{:02x}{request}", request.len() / 2);
    format!("{:02x}{message}", message.len() / 2)
}

/// The bytes written in hexadecimal digits.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    from_hex(text).unwrap()
}

/// Whether an answer is a `SignedVoteResponse` with an error, and its text.
pub(crate) fn refusal(frame: &[u8]) -> String {
    // length, 22 len, 12 len, 08 01, 12 len, text
    let body = body(frame);
    let [0x22, rest @ ..] = body else { panic!("{frame:02x?}") };
    let [0x12, rest @ ..] = skip_len(rest) else { panic!("{frame:02x?}") };
    let [0x08, 1, 0x12, rest @ ..] = skip_len(rest) else { panic!("{frame:02x?}") };
    String::from_utf8(skip_len(rest).to_vec()).unwrap()
}

pub(crate) fn body(frame: &[u8]) -> &[u8] {
    skip_len(frame)
}

fn skip_len(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    &bytes[len..]
}

/// Says something and waits for one frame, for as long as a node would.
pub(crate) async fn ask(io: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> Vec<u8> {
    io.write_all(bytes).await.unwrap();
    hear(io).await
}

pub(crate) async fn hear(io: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let read = async {
        let (mut frame, mut len, mut shift) = (Vec::new(), 0_usize, 0);
        loop {
            let byte = io.read_u8().await.unwrap();
            frame.push(byte);
            len |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let header = frame.len();
        frame.resize(header + len, 0);
        io.read_exact(&mut frame[header..]).await.unwrap();
        frame
    };
    timeout(Duration::from_secs(5), read).await.expect("an answer within a node's patience")
}
