//! Who signed a block, as the chain shows it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use beam_core::health::missed::{self, Flag, Share};
use beam_core::id::{ParseError, from_hex};
use beam_core::signing::{BlockId, Height, Mark, Round, Sighting, Step};
use beam_core::signing_key::PublicKey;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tendermint::block::{CommitSig, Id};
use tendermint_proto::v0_38::types::{CanonicalBlockId, CanonicalPartSetHeader};
use tendermint_rpc::endpoint::commit::Response;

use super::client::unreadable;
use super::{RpcError, ValidatorSet};

/// A validator's consensus address: the first 20 bytes of its public key's SHA-256. Written in upper-case hexadecimal digits, as nodes
/// do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidatorAddress(pub [u8; 20]);

impl ValidatorAddress {
    /// The address that belongs to a key.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        let digest: [u8; 32] = Sha256::digest(key.0).into();
        let mut address = [0; 20];
        address.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(address)
    }
}

impl fmt::Display for ValidatorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for ValidatorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValidatorAddress({self})")
    }
}

impl FromStr for ValidatorAddress {
    type Err = WrongAddress;

    fn from_str(text: &str) -> Result<Self, WrongAddress> {
        let bytes = from_hex(text)?;
        Ok(Self(bytes.try_into().map_err(|_| WrongAddress::Length)?))
    }
}

impl TryFrom<tendermint::account::Id> for ValidatorAddress {
    type Error = WrongAddress;

    fn try_from(id: tendermint::account::Id) -> Result<Self, WrongAddress> {
        Ok(Self(id.as_bytes().try_into().map_err(|_| WrongAddress::Length)?))
    }
}

/// A text that is no address of a validator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrongAddress {
    /// It has another length.
    #[error("a validator's address has 40 hexadecimal digits")]
    Length,
    /// It has other characters.
    #[error(transparent)]
    Digits(#[from] ParseError),
}

/// What a commit shows of one validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// No signature: it did not sign in time, or is no validator at this height. A commit does not tell which.
    Absent,
    /// It signed that it saw no block in time.
    Nil,
    /// It signed the block.
    Block,
}

/// The precommits with which a block was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The block's height.
    pub height: Height,
    /// The round in which it was decided, and of every signature in here.
    pub round: Round,
    /// The block.
    pub block: BlockId,
    /// Whether this is the commit that the next block holds. If not, it is the latest one as this node saw it, and signatures may still
    /// come.
    pub canonical: bool,
    signed: BTreeMap<ValidatorAddress, bool>,
    /// The places in the validator set whose signatures are absent. Nothing else in a commit tells whose they are.
    absent: Vec<usize>,
}

impl Committed {
    /// What it shows of this validator.
    #[must_use]
    pub fn vote(&self, validator: &ValidatorAddress) -> Vote {
        match self.signed.get(validator) {
            None => Vote::Absent,
            Some(false) => Vote::Nil,
            Some(true) => Vote::Block,
        }
    }

    /// The counts of this commit, for the ledger of missed blocks; `set` is the validator set of its height, which is needed only if
    /// our vote is absent. `None` if the commit is not canonical, or if only the set could tell whether our validator is in it.
    #[must_use]
    pub fn counts(&self, validator: &ValidatorAddress, set: Option<&ValidatorSet>) -> Option<missed::Commit> {
        let seat = set.map(|set| set.seats.iter().find(|(address, _)| address == validator));
        let ours = match (self.vote(validator), seat) {
            (Vote::Block, _) => Flag::Block,
            (Vote::Nil, _) => Flag::Nil,
            (Vote::Absent, Some(Some(_))) => Flag::Absent,
            (Vote::Absent, Some(None)) => Flag::NotSeated,
            (Vote::Absent, None) => return None,
        };
        let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        let (seats, absent) = (count(self.signed.len() + self.absent.len()), count(self.absent.len()));
        let (us, us_absent) = (u64::from(ours != Flag::NotSeated), u64::from(ours == Flag::Absent));
        let others = Share { absent: absent.saturating_sub(us_absent), of: seats.saturating_sub(us) };
        let power = set.map(|set| self.power_of_others(validator, set));
        let Self { height, round, .. } = *self;
        self.canonical.then_some(missed::Commit { height, round, ours, others, power })
    }

    fn power_of_others(&self, validator: &ValidatorAddress, set: &ValidatorSet) -> Share {
        let others = set.seats.iter().enumerate().filter(|(_, (address, _))| address != validator);
        others.fold(Share::default(), |sum, (place, (_, power))| {
            let absent = if self.absent.contains(&place) { *power } else { 0 };
            Share { absent: sum.absent.saturating_add(absent), of: sum.of.saturating_add(*power) }
        })
    }

    /// This validator's signature as the signing rule wants to know of it; `None` if there is none.
    #[must_use]
    pub fn sighting(&self, validator: &ValidatorAddress) -> Option<Sighting> {
        let mark = Mark { height: self.height, round: self.round, step: Step::Precommit };
        match self.vote(validator) {
            Vote::Absent => None,
            Vote::Nil => Some(Sighting { mark, block: None }),
            Vote::Block => Some(Sighting { mark, block: Some(self.block.clone()) }),
        }
    }
}

impl TryFrom<Response> for Committed {
    type Error = RpcError;

    fn try_from(answer: Response) -> Result<Self, RpcError> {
        let commit = &answer.signed_header.commit;
        let (mut signed, mut absent) = (BTreeMap::new(), Vec::new());
        for (place, signature) in commit.signatures.iter().enumerate() {
            let (validator, for_block) = match signature {
                CommitSig::BlockIdFlagAbsent => {
                    absent.push(place);
                    continue;
                }
                CommitSig::BlockIdFlagNil { validator_address, .. } => (validator_address, false),
                CommitSig::BlockIdFlagCommit { validator_address, .. } => (validator_address, true),
            };
            signed.insert((*validator).try_into().map_err(unreadable)?, for_block);
        }
        Ok(Self {
            height: Height(commit.height.value()),
            round: Round(commit.round.value()),
            block: canonical(&commit.block_id).ok_or_else(|| unreadable("a commit for no block"))?,
            canonical: answer.canonical,
            signed,
            absent,
        })
    }
}

/// The block's id as `CometBFT` puts it into sign bytes: `CanonicalBlockID{hash=1, part_set_header=2{total=1, hash=2}}`. `None` for the
/// empty id, which stands for nil.
fn canonical(id: &Id) -> Option<BlockId> {
    let parts = &id.part_set_header;
    if id.hash.is_empty() || parts.hash.is_empty() || parts.total == 0 {
        return None;
    }
    let part_set_header = CanonicalPartSetHeader { total: parts.total, hash: parts.hash.as_bytes().to_vec() };
    let block =
        CanonicalBlockId { hash: id.hash.as_bytes().to_vec(), part_set_header: Some(part_set_header) };
    Some(BlockId(block.encode_to_vec()))
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding as _};
    use beam_core::id::to_hex;
    use beam_core::signing::Statement;
    use ed25519_dalek::{Signature, VerifyingKey};
    use tendermint::block::parts::Header;
    use tendermint_proto::v0_38::types::CanonicalVote;
    use tendermint_rpc::Response as _;

    use super::*;

    // Real: seven validators, of which one was down and one had no patience and precommitted nil.
    const REAL: &str = include_str!("fixtures/commit.json");
    const SIGNED: &str = "BE7DFEA685428550DAAE6B71630C665E28437CA9";
    const SIGNED_KEY: &str = "PnFjNl+q4kchunsmfXC/AQhvIYnVNKMdzpHPU59x8rA=";
    const SIGNED_NIL: &str = "E1A863E17F383A0CA39884E360E47D72768A3756";
    const WAS_DOWN: &str = "2E37D1A11D2AC4DC897409635D1CAFC787D75ED1";

    fn answer(text: &str) -> Response {
        Response::from_string(text).unwrap()
    }

    fn address(hex: &str) -> ValidatorAddress {
        hex.parse().unwrap()
    }

    #[test]
    fn absent_nil_and_block_are_told_apart() {
        let commit = Committed::try_from(answer(REAL)).unwrap();
        let mark = Mark::new(5, 0, Step::Precommit);
        assert!(commit.canonical);
        assert_eq!(commit.vote(&address(WAS_DOWN)), Vote::Absent);
        assert_eq!(commit.sighting(&address(WAS_DOWN)), None);
        assert_eq!(commit.vote(&address(SIGNED_NIL)), Vote::Nil);
        assert_eq!(commit.sighting(&address(SIGNED_NIL)), Some(Sighting { mark, block: None }));
        assert_eq!(commit.vote(&address(SIGNED)), Vote::Block);
        let block = Some(commit.block.clone());
        assert_eq!(commit.sighting(&address(SIGNED)), Some(Sighting { mark, block }));
    }

    #[test]
    fn the_round_is_the_commits() {
        let later = REAL.replace("\"round\":0", "\"round\":3");
        let commit = Committed::try_from(answer(&later)).unwrap();
        assert_eq!(commit.sighting(&address(SIGNED)).unwrap().mark, Mark::new(5, 3, Step::Precommit));
    }

    #[test]
    fn the_latest_commit_is_not_yet_canonical() {
        let commit = Committed::try_from(answer(include_str!("fixtures/commit_tip.json"))).unwrap();
        assert_eq!((commit.height, commit.canonical), (Height(21), false));
    }

    /// The signature in the commit is over sign bytes that hold this very block id.
    #[test]
    fn the_block_id_is_the_one_that_was_signed() {
        let answer = answer(REAL);
        let commit = Committed::try_from(answer.clone()).unwrap();
        let real = answer.signed_header.commit.signatures.iter().find_map(|signature| match signature {
            CommitSig::BlockIdFlagCommit { validator_address, timestamp, signature: Some(signature) }
                if address(SIGNED).0 == validator_address.as_bytes() =>
            {
                Some((*timestamp, signature.as_bytes().to_vec()))
            }
            _ => None,
        });
        let (timestamp, signature) = real.unwrap();
        let vote = CanonicalVote {
            r#type: 2,
            height: 5,
            round: 0,
            block_id: Some(CanonicalBlockId::decode(commit.block.0.as_slice()).unwrap()),
            timestamp: Some(timestamp.into()),
            chain_id: "chain-yr1KSg".into(),
        };
        let bytes = vote.encode_length_delimited_to_vec();
        let mut key = [0; 32];
        Base64::decode(SIGNED_KEY, &mut key).unwrap();
        let signature = Signature::from_slice(&signature).unwrap();
        VerifyingKey::from_bytes(&key).unwrap().verify_strict(&bytes, &signature).unwrap();
        assert_eq!(ValidatorAddress::of(&PublicKey(key)), address(SIGNED));

        // And core reads the same block out of those bytes.
        assert_eq!(Statement::canonical(bytes).unwrap().block(), Some(&commit.block));
    }

    #[test]
    fn the_block_id_is_encoded_as_the_go_library_does() {
        let hash = |byte: u8| tendermint::Hash::Sha256([byte; 32]);
        let id = Id { hash: hash(0xaa), part_set_header: Header::new(3, hash(0xbb)).unwrap() };
        let golden = format!("0a20{}122408031220{}", "aa".repeat(32), "bb".repeat(32));
        assert_eq!(to_hex(&canonical(&id).unwrap().0), golden);
        assert_eq!(canonical(&Id { hash: tendermint::Hash::None, ..id }), None);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!("00".parse::<ValidatorAddress>(), Err(WrongAddress::Length));
        assert!(matches!("zz".parse::<ValidatorAddress>(), Err(WrongAddress::Digits(_))));
        assert_eq!(address(SIGNED).to_string(), SIGNED);
    }
}
