//! Canonical sign bytes: what a validator's signature covers, read and written by hand.
//!
//! Two votes that differ in nothing but the timestamp are the same statement (CometBFT itself never
//! treats them as equivocation), so the timestamp is dropped before votes are compared. Proposals
//! are compared whole: a node takes no timestamp from the signer, so a second proposal with another
//! time would be a second proposal.
//!
//! The parser is the judge's own, on purpose: a mistake shared with the signer would acquit it.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use crate::chain::{Vote, VoteKind};

/// What is signed at a height and round. In the order of signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A proposed block.
    Proposal,
    /// The first vote.
    Prevote,
    /// The second vote.
    Precommit,
}

/// A place at which a validator may make one statement only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The height.
    pub height: u64,
    /// The round of that height.
    pub round: u64,
    /// What is signed there.
    pub step: Step,
}

/// What sign bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where it is made.
    pub position: Position,
    /// The bytes that must be equal for two statements to be the same.
    pub content: Vec<u8>,
    /// The hash of the block it is about, hexadecimal; `None` for nil.
    pub block: Option<String>,
    /// The chain it is for.
    pub chain_id: String,
}

const TYPE: u64 = 1;
const HEIGHT: u64 = 2;
const ROUND: u64 = 3;
const VOTE_BLOCK: u64 = 4;
const PROPOSAL_BLOCK: u64 = 5;
const VOTE_TIME: u64 = 5;
const VOTE_CHAIN: u64 = 6;
const PROPOSAL_CHAIN: u64 = 7;

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;

impl Statement {
    /// Reads sign bytes as they are signed: length first, timestamp included.
    ///
    /// # Errors
    /// When they are no canonical vote or proposal.
    pub fn parse(sign_bytes: &[u8]) -> Result<Self> {
        let (length, message) = varint(sign_bytes).context("no length")?;
        ensure!(usize::try_from(length) == Ok(message.len()), "the length does not fit the message");
        let fields = fields(message)?;
        let find = |number: u64| fields.iter().find(|field| field.number == number);
        let step = match find(TYPE).map(|field| field.number_value) {
            Some(1) => Step::Prevote,
            Some(2) => Step::Precommit,
            Some(32) => Step::Proposal,
            other => bail!("sign bytes of type {other:?}"),
        };
        let (block, chain) = match step {
            Step::Proposal => (PROPOSAL_BLOCK, PROPOSAL_CHAIN),
            Step::Prevote | Step::Precommit => (VOTE_BLOCK, VOTE_CHAIN),
        };
        let content = match step {
            Step::Proposal => message.to_vec(),
            Step::Prevote | Step::Precommit => {
                let kept = fields.iter().filter(|field| field.number != VOTE_TIME);
                kept.flat_map(|field| field.raw).copied().collect()
            }
        };
        let value = |number| find(number).map_or(0, |field| field.number_value);
        let block = find(block).map(|field| hash_of(field.bytes)).transpose()?;
        let chain_id = find(chain).context("sign bytes without a chain id")?;
        Ok(Self {
            position: Position { height: value(HEIGHT), round: value(ROUND), step },
            content,
            block,
            chain_id: String::from_utf8(chain_id.bytes.to_vec()).context("a chain id that is not UTF-8")?,
        })
    }

    /// What a vote seen on the network states, as the bytes its signature covers less the time.
    ///
    /// # Errors
    /// When its hashes are not hexadecimal.
    pub fn of_vote(vote: &Vote, chain_id: &str) -> Result<Self> {
        let (step, kind) = match vote.kind {
            VoteKind::Prevote => (Step::Prevote, 1),
            VoteKind::Precommit => (Step::Precommit, 2),
        };
        let mut content = Vec::new();
        put_varint(&mut content, TYPE, kind);
        put_fixed64(&mut content, HEIGHT, vote.height);
        put_fixed64(&mut content, ROUND, vote.round);
        if let Some(block) = &vote.block {
            let (mut parts, mut id) = (Vec::new(), Vec::new());
            put_varint(&mut parts, 1, block.parts);
            put_bytes(&mut parts, 2, &unhex(&block.parts_hash)?)?;
            put_bytes(&mut id, 1, &unhex(&block.hash)?)?;
            put_bytes(&mut id, 2, &parts)?;
            put_bytes(&mut content, VOTE_BLOCK, &id)?;
        }
        put_bytes(&mut content, VOTE_CHAIN, chain_id.as_bytes())?;
        Ok(Self {
            position: Position { height: vote.height, round: vote.round, step },
            content,
            block: vote.block.as_ref().map(|block| block.hash.clone()),
            chain_id: chain_id.to_owned(),
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Proposal => "proposal",
            Step::Prevote => "prevote",
            Step::Precommit => "precommit",
        };
        write!(f, "height {}, round {}, {step}", self.height, self.round)
    }
}

/// Reads hexadecimal digits of either case.
///
/// # Errors
/// When the text is something else.
pub fn unhex(text: &str) -> Result<Vec<u8>> {
    ensure!(text.is_ascii() && text.len().is_multiple_of(2), "not hexadecimal: {text:?}");
    text.as_bytes().chunks(2).map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}

/// A field of a protobuf message: its bytes with and without the tag, or its number.
struct Field<'a> {
    number: u64,
    number_value: u64,
    bytes: &'a [u8],
    raw: &'a [u8],
}

fn fields(mut message: &[u8]) -> Result<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let (tag, rest) = varint(message).context("a torn tag")?;
        let (number_value, bytes, rest): (u64, &[u8], &[u8]) = match tag & 7 {
            0 => varint(rest).map(|(value, rest)| (value, &[] as &[u8], rest)).context("a torn number")?,
            1 => {
                let (value, rest) = rest.split_first_chunk::<8>().context("a torn number")?;
                (u64::from_le_bytes(*value), &[], rest)
            }
            2 => {
                let (length, rest) = varint(rest).context("a torn length")?;
                let (bytes, rest) =
                    rest.split_at_checked(usize::try_from(length)?).context("a torn field")?;
                (0, bytes, rest)
            }
            other => bail!("a field of wire type {other}"),
        };
        let raw = message.get(..message.len().saturating_sub(rest.len())).unwrap_or_default();
        fields.push(Field { number: tag >> 3, number_value, bytes, raw });
        message = rest;
    }
    Ok(fields)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().take(10).enumerate() {
        let shift = u32::try_from(place).ok()?.checked_mul(7)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place.checked_add(1)?..)?));
        }
    }
    None
}

fn hash_of(block_id: &[u8]) -> Result<String> {
    let fields = fields(block_id)?;
    let hash = fields.iter().find(|field| field.number == 1).context("a block id without a hash")?;
    Ok(hash.bytes.iter().map(|byte| format!("{byte:02X}")).collect())
}

fn put_tag(to: &mut Vec<u8>, number: u64, wire: u8) {
    put_raw_varint(to, (number << 3) | u64::from(wire));
}

fn put_raw_varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    to.push(u8::try_from(value).unwrap_or(0));
}

fn put_varint(to: &mut Vec<u8>, number: u64, value: u64) {
    if value != 0 {
        put_tag(to, number, VARINT);
        put_raw_varint(to, value);
    }
}

fn put_fixed64(to: &mut Vec<u8>, number: u64, value: u64) {
    if value != 0 {
        put_tag(to, number, FIXED64);
        to.extend_from_slice(&value.to_le_bytes());
    }
}

fn put_bytes(to: &mut Vec<u8>, number: u64, bytes: &[u8]) -> Result<()> {
    put_tag(to, number, BYTES);
    put_raw_varint(to, u64::try_from(bytes.len())?);
    to.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::BlockId;
    use std::time::Instant;

    const CHAIN: &str = "cosmoshub-4";
    /// The tail of the golden vectors: timestamp 1700000000.123456789.
    const TIME: &str = "2a0b0880e2cfaa0610959aef3a";

    fn vote(kind: VoteKind, round: u64, block: Option<BlockId>) -> Vote {
        let (seen_by, validator, signature) = Default::default();
        Vote { seen_by, height: 12_345, round, kind, block, validator, signature, arrived: Instant::now() }
    }

    /// Made with CometBFT's own library.
    fn golden() -> [(String, Vote); 2] {
        let id = BlockId { hash: "AA".repeat(32), parts: 3, parts_hash: "BB".repeat(32) };
        let (aa, bb, chain) = ("aa".repeat(32), "bb".repeat(32), "320b636f736d6f736875622d34");
        [
            (format!("250801113930000000000000{TIME}{chain}"), vote(VoteKind::Prevote, 0, None)),
            (
                format!(
                    "7808021139300000000000001902000000000000002248\
                     0a20{aa}122408031220{bb}{TIME}{chain}"
                ),
                vote(VoteKind::Precommit, 2, Some(id)),
            ),
        ]
    }

    #[test]
    fn a_vote_on_the_network_and_its_sign_bytes_make_the_same_statement() {
        for (bytes, vote) in golden() {
            let signed = Statement::parse(&unhex(&bytes).unwrap()).unwrap();
            assert_eq!(signed, Statement::of_vote(&vote, CHAIN).unwrap());
        }
    }

    #[test]
    fn votes_that_differ_in_time_alone_are_the_same_statement() {
        for (bytes, _) in golden() {
            let later = bytes.replace(TIME, "2a0b0881e2cfaa0610959aef3a");
            assert_ne!(bytes, later);
            let read = |bytes: &str| Statement::parse(&unhex(bytes).unwrap()).unwrap();
            assert_eq!(read(&bytes), read(&later));
        }
    }

    #[test]
    fn proposals_are_compared_with_their_time() {
        let proposal = format!(
            "8301082011393000000000000019010000000000000020ffffffffffffffffff012a480a20{}122408031220{}\
             320b0880e2cfaa0610959aef3a3a0b636f736d6f736875622d34",
            "aa".repeat(32),
            "bb".repeat(32)
        );
        let later = proposal.replace("0880e2cfaa", "0881e2cfaa");
        let read = |bytes: &str| Statement::parse(&unhex(bytes).unwrap()).unwrap();
        assert_eq!(read(&proposal).position, Position { height: 12_345, round: 1, step: Step::Proposal });
        assert_eq!(read(&proposal).block, Some("AA".repeat(32)));
        assert_eq!(read(&proposal).chain_id, CHAIN);
        assert_ne!(read(&proposal).content, read(&later).content);
    }

    #[test]
    fn torn_sign_bytes_are_refused() {
        let (bytes, _) = golden().into_iter().next().unwrap();
        let bytes = unhex(&bytes).unwrap();
        for length in 0..bytes.len() {
            assert!(Statement::parse(&bytes[..length]).is_err(), "{length} bytes were accepted");
        }
    }
}
