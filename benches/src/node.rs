//! The node's end of the socket: it listens, the signer dials, and it asks for one vote after the other.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use beam_gaia::privval::frame::{Frame, Frames};
use beam_gaia::privval::messages::{
    BlockId, Message, PartSetHeader, SignVoteRequest, SignedMsgType, Sum, Vote,
};
use prost::Message as _;
use tendermint_proto::google::protobuf::Timestamp;

/// The chain of all votes here.
pub const CHAIN: &str = "beam-bench";
/// The signer answers within 3 s, come what may.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// From the dialer's start to its connection: a key to read and a database to make.
const DIALED_WITHIN: Duration = Duration::from_secs(10);
/// How often that is looked at.
const POLL: Duration = Duration::from_millis(5);

/// A node with its signer connected.
#[derive(Debug)]
pub struct Node {
    stream: UnixStream,
    frames: Frames,
    height: i64,
    step: SignedMsgType,
}

impl Node {
    /// Listens at `path`, begins to dial with `dial`, and accepts.
    ///
    /// # Errors
    /// When nobody dials in time.
    pub fn listen(path: &Path, dial: impl FnOnce() -> Result<()>) -> Result<Self> {
        let listener = UnixListener::bind(path).with_context(|| path.display().to_string())?;
        dial()?;
        let stream = accept(&listener)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let (frames, height, step) = (Frames::default(), 1, SignedMsgType::Prevote);
        Ok(Self { stream, frames, height, step })
    }

    /// Has `count` votes signed, and tells how long each took: from the request's first byte to the decoded answer.
    ///
    /// # Errors
    /// When one is refused, or the answer does not come.
    pub fn sign(&mut self, count: usize) -> Result<Vec<Duration>> {
        (0..count).map(|_| self.sign_one()).collect()
    }

    /// The same for one vote.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn sign_one(&mut self) -> Result<Duration> {
        let vote = vote(self.height, self.step, self.height)?;
        let began = Instant::now();
        let answer = self.ask(vote)?;
        let took = began.elapsed();
        if let Err(refusal) = answer {
            bail!("the signer did not sign: {refusal}");
        }
        (self.height, self.step) = match self.step {
            SignedMsgType::Prevote => (self.height, SignedMsgType::Precommit),
            _ => (self.height.saturating_add(1), SignedMsgType::Prevote),
        };
        Ok(took)
    }

    /// Asks for one vote, wherever the others are, for a block of this name: its signature, or why there is none.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn vote(&mut self, height: i64, step: SignedMsgType, block: i64) -> Result<Result<Vec<u8>, String>> {
        self.ask(vote(height, step, block)?)
    }

    fn ask(&mut self, vote: Vote) -> Result<Result<Vec<u8>, String>> {
        let request = SignVoteRequest { vote: Some(vote), chain_id: CHAIN.to_owned() };
        self.stream.write_all(&Message::from(Sum::SignVoteRequest(request)).to_frame())?;
        match self.answer()?.sum {
            Some(Sum::SignedVoteResponse(signed)) => Ok(match (signed.error, signed.vote) {
                (None, Some(vote)) => Ok(vote.signature),
                (error, _) => Err(error.unwrap_or_default().description),
            }),
            other => bail!("the signer did not answer: {other:?}"),
        }
    }

    fn answer(&mut self) -> Result<Message> {
        let mut buffer = [0; 4096];
        loop {
            match self.frames.take() {
                Some(Frame::Message(bytes)) => return Ok(Message::decode(&*bytes)?),
                Some(other) => bail!("the signer sent {other:?}"),
                None => {}
            }
            let read = self.stream.read(&mut buffer).context("the signer did not answer")?;
            match buffer.get(..read) {
                Some(bytes) if !bytes.is_empty() => self.frames.push(bytes),
                _ => bail!("the signer closed the connection"),
            }
        }
    }
}

/// A vote of now, for a block of this name.
fn vote(height: i64, step: SignedMsgType, block: i64) -> Result<Vote> {
    let hash = || [block.to_le_bytes(); 4].concat();
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let time =
        Timestamp { seconds: i64::try_from(now.as_secs())?, nanos: i32::try_from(now.subsec_nanos())? };
    Ok(Vote {
        r#type: step.into(),
        height,
        round: 0,
        block_id: Some(BlockId {
            hash: hash(),
            part_set_header: Some(PartSetHeader { total: 1, hash: hash() }),
        }),
        timestamp: Some(time),
        validator_address: vec![7; 20],
        ..Vote::default()
    })
}

/// The dialer's connection, or an error if it does not come: why, the signer's own thread has said.
fn accept(listener: &UnixListener) -> Result<UnixStream> {
    listener.set_nonblocking(true)?;
    let began = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        ensure!(began.elapsed() < DIALED_WITHIN, "no signer dialed within {DIALED_WITHIN:?}");
        std::thread::sleep(POLL);
    }
}
