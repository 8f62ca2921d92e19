//! What a line means. The texts are `CometBFT`'s and the SDK's own, which both have kept stable for years; each was seen in a
//! real log or taken from their source (0.38.26).
//!
//! Order matters for speed only: nine lines in ten are `info` and of one of a few kinds.

mod fatal;
mod peers;
mod signer;

use std::borrow::Cow;

use memchr::memmem;

use super::{Cause, Level, Record};

pub(super) use fatal::{fatal, halt_height, upgrade};

/// What a record means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// Nothing that needs telling.
    Routine,
    /// A block is part of this node's state.
    Committed,
    /// Consensus went into a further round of its height.
    Round(u64),
    /// The node starts.
    Started,
    /// The node was told to stop.
    Stopping,
    /// This node's validator, and whether the chain counts it as one.
    Role { address: Cow<'a, str>, validator: bool },
    /// A connection to this peer stands.
    PeerUp(Cow<'a, str>),
    /// How many peers there are.
    Peers(u64),
    /// A validator was released from jail.
    Unjailed(Cow<'a, str>),
    /// A validator was jailed.
    SomeoneJailed(Cow<'a, str>),
    /// A validator has signed twice: its address, or the first half of it.
    SomeoneTwice(Cow<'a, str>),
    /// Something is wrong, and perhaps with whom.
    Fault(Cause, Option<Cow<'a, str>>),
}

/// Takes the meaning of a record.
pub(super) fn meaning<'a>(record: &Record<'a>) -> Event<'a> {
    match record.level {
        Level::Trace | Level::Debug => Event::Routine,
        Level::Info => of_info(record),
        Level::Warn | Level::Error | Level::Fatal => of_error(record),
    }
}

fn of_info<'a>(record: &Record<'a>) -> Event<'a> {
    match record.message {
        b"committed state" | b"Committed state" => Event::Committed,
        b"resetting proposal info" => {
            Event::Round(record.field("round").and_then(|round| round.parse().ok()).unwrap_or(1))
        }
        b"service start" => of_service_start(record),
        b"caught signal" | b"Stopping Node" => Event::Stopping,
        b"This node is a validator" => role(record, true),
        b"This node is not a validator" => role(record, false),
        b"Ensure peers" => peers::count(record),
        b"Error reconnecting to peer. Trying again" => peers::unreachable(record),
        b"Inbound Peer rejected" => peers::rejected(record),
        b"validator un-jailed" => Event::Unjailed(named(record)),
        b"slashing and jailing validator due to liveness fault" => Event::SomeoneJailed(named(record)),
        b"confirmed equivocation" | b"ignored equivocation; validator already tombstoned" => {
            Event::SomeoneTwice(named(record))
        }
        b"verified new evidence of byzantine behavior" => of_evidence(record),
        b"found signature from the same key" => Event::Fault(Cause::DoubleSignGuard, None),
        message if message.starts_with(b"applying upgrade ") => {
            Event::Fault(Cause::UpgradeApplied, upgrade_name(record))
        }
        // A bare node's word for being told to stop: "captured terminated, exiting...".
        message if message.starts_with(b"captured ") => Event::Stopping,
        _ => Event::Routine,
    }
}

fn of_service_start<'a>(record: &Record<'a>) -> Event<'a> {
    match record.field("impl") {
        // The first service of every start, of the SDK's nodes and of bare ones.
        Some(what) if what == "multiAppConn" => Event::Started,
        Some(what) if what.starts_with("Peer{") => {
            record.field("peer").map_or(Event::Routine, |peer| Event::PeerUp(peers::id_of(&peer)))
        }
        _ => Event::Routine,
    }
}

fn role<'a>(record: &Record<'a>, validator: bool) -> Event<'a> {
    record.field("addr").map_or(Event::Routine, |address| Event::Role { address, validator })
}

fn named<'a>(record: &Record<'a>) -> Cow<'a, str> {
    record.field("validator").unwrap_or_default()
}

/// `DuplicateVoteEvidence{VoteA: Vote{2:EAFFBDEA57A9 568/…`: the first twelve digits of the address.
fn of_evidence<'a>(record: &Record<'a>) -> Event<'a> {
    let evidence = record.field("evidence").unwrap_or_default();
    let who = evidence.split_once("Vote{").and_then(|(_, vote)| vote.split_once(':')?.1.split(' ').next());
    Event::SomeoneTwice(Cow::Owned(who.unwrap_or_default().to_owned()))
}

fn upgrade_name<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    Some(Cow::Owned(record.text().split('"').nth(1)?.to_owned()))
}

fn of_error<'a>(record: &Record<'a>) -> Event<'a> {
    match record.message {
        b"failed signing vote"
        | b"propose step; failed signing proposal"
        | b"failed to get private validator pubkey" => signer::refused(record),
        b"SignerListener: Ping timeout" | b"SignerListener: Error accepting connection" => {
            Event::Fault(Cause::SignerGone, None)
        }
        b"CONSENSUS FAILURE!!!" => failure(record),
        b"found conflicting vote from ourselves; did you unsafe_reset a validator?" => {
            Event::Fault(Cause::DoubleSign, record.field("type"))
        }
        b"failed to process message" => of_message(record),
        b"Stopping peer for error" => peers::lost(record),
        b"Error dialing peer" | b"Error dialing seed" => peers::dial_error(record),
        b"Failed to reconnect to peer. Beginning exponential backoff"
        | b"Failed to reconnect to peer. Giving up" => peers::unreachable(record),
        b"Error in peer's address" => Event::Fault(Cause::BadAddress, peers::host_of(record)),
        b"Couldn't connect to any seeds" => Event::Fault(Cause::SeedsUnreachable, None),
        b"SendTimeout" => Event::Fault(Cause::SlowPeer, record.field("peer")),
        b"the WAL file is corrupted; attempting repair" => Event::Fault(Cause::WalDamaged, None),
        b"the WAL repair failed" | b"failed writing to WAL" | b"failed flushing WAL to disk" => {
            Event::Fault(known(record).unwrap_or(Cause::WalLost), None)
        }
        b"prevote step: consensus deems this block invalid; prevoting nil" => {
            Event::Fault(Cause::BlockInvalid, None)
        }
        message if message.starts_with(b"prevote step: state machine rejected") => {
            Event::Fault(Cause::BlockInvalid, None)
        }
        message if is_noise(message, record) => Event::Routine,
        _ => of_other(record),
    }
}

/// What every clean stop and every busy day have, and what only repeats what another line said.
fn is_noise(message: &[u8], record: &Record<'_>) -> bool {
    match message {
        b"Stopped accept routine, as transport is closed"
        | b"Error stopping pool"
        | b"error while stopping peer"
        | b"leveldb: closed"
        // A client of the node's RPC has hung up.
        | b"Failed to read request"
        | b"error while stopping connection"
        // A second answer to a question that was asked twice.
        | b"Failed to add block"
        | b"Connecting to seed failed" => true,
        b"Error serving server" => record.error().is_some_and(|error| error.contains("closed network connection")),
        _ => false,
    }
}

/// The consensus routine has ended: for a reason that has a name, or for another.
fn failure<'a>(record: &Record<'a>) -> Event<'a> {
    let error = record.error().unwrap_or_default();
    let cause = fatal(error.as_bytes()).unwrap_or(Cause::ConsensusFailure);
    Event::Fault(
        cause,
        (cause == Cause::UpgradeNeeded).then(|| upgrade(&error)).flatten().map(|(name, _)| Cow::Owned(name)),
    )
}

fn of_message<'a>(record: &Record<'a>) -> Event<'a> {
    let error = record.error().unwrap_or_default();
    match error.strip_prefix("conflicting votes from validator ") {
        Some(address) => Event::SomeoneTwice(Cow::Owned(address.to_owned())),
        None => of_other(record),
    }
}

fn known(record: &Record<'_>) -> Option<Cause> {
    fatal(record.message).or_else(|| fatal(record.error()?.as_bytes()))
}

fn of_other<'a>(record: &Record<'a>) -> Event<'a> {
    match known(record) {
        Some(Cause::UpgradeNeeded) => {
            let name = upgrade(&record.text())
                .or_else(|| upgrade(&record.error()?))
                .map(|(name, _)| Cow::Owned(name));
            Event::Fault(Cause::UpgradeNeeded, name)
        }
        Some(cause) => Event::Fault(cause, None),
        None => Event::Fault(Cause::OtherErrors, Some(record.text())),
    }
}

fn contains(text: &[u8], words: &str) -> bool {
    memmem::find(text, words.as_bytes()).is_some()
}
