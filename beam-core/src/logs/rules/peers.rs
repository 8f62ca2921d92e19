//! What is said of peers. On a public network most of it is weather.

use std::borrow::Cow;

use super::{Cause, Event, Record};

/// A node's id: 40 hexadecimal digits in `id@host:port` or `Peer{MConn{host:port} id in}`.
pub(super) fn id_of(peer: &str) -> Cow<'static, str> {
    let mut words = peer.split(|c: char| !c.is_ascii_alphanumeric());
    let id = words.rfind(|word| word.len() == 40);
    Cow::Owned(id.unwrap_or(peer).to_owned())
}

pub(super) fn count<'a>(record: &Record<'a>) -> Event<'a> {
    let number = |name| record.field(name)?.parse::<u64>().ok();
    match (number("numInPeers"), number("numOutPeers")) {
        (Some(inbound), Some(outbound)) => Event::Peers(inbound.saturating_add(outbound)),
        _ => Event::Routine,
    }
}

pub(super) fn lost<'a>(record: &Record<'a>) -> Event<'a> {
    let error = record.error().unwrap_or_default();
    // The node closed it itself.
    if error.contains("use of closed network connection") || error.contains("already stopped") {
        return Event::Routine;
    }
    Event::Fault(Cause::PeersLost, record.field("peer").map(|peer| id_of(&peer)))
}

pub(super) fn dial_error<'a>(record: &Record<'a>) -> Event<'a> {
    let error = record.error().unwrap_or_default();
    match cause_of(&error, Cause::DialErrors) {
        Some(cause) => Event::Fault(cause, Some(detail(&error))),
        None => Event::Routine,
    }
}

/// A persistent peer that is tried again and again.
pub(super) fn unreachable<'a>(record: &Record<'a>) -> Event<'a> {
    let error = record.error().unwrap_or_default();
    match cause_of(&error, Cause::PeerUnreachable) {
        Some(Cause::PeerUnreachable) => {
            Event::Fault(Cause::PeerUnreachable, record.field("addr").map(|peer| id_of(&peer)))
        }
        Some(cause) => Event::Fault(cause, Some(detail(&error))),
        None => Event::Routine,
    }
}

pub(super) fn rejected<'a>(record: &Record<'a>) -> Event<'a> {
    let error = record.error().unwrap_or_default();
    match cause_of(&error, Cause::DialErrors) {
        Some(Cause::WrongNetwork) => Event::Fault(Cause::ForeignKnocks, Some(detail(&error))),
        _ => Event::Routine,
    }
}

pub(super) fn host_of<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    record.error().map(|error| detail(&error))
}

fn cause_of(error: &str, otherwise: Cause) -> Option<Cause> {
    // The same connection twice, or to oneself: nothing is amiss.
    if error.contains("duplicate CONN") || error.contains("duplicate ID") || error.contains("self ID") {
        return None;
    }
    Some(if error.contains("different network") {
        Cause::WrongNetwork
    } else if error.contains("dialed ID") {
        Cause::WrongNodeId
    } else if error.contains("no such host") {
        Cause::BadAddress
    } else {
        otherwise
    })
}

/// The part of an error that tells one peer from another.
fn detail(error: &str) -> Cow<'static, str> {
    let error = error.strip_prefix("incompatible: ").unwrap_or(error);
    // `dial tcp 10.0.0.1:26656: connect: connection refused`, and with the local port: `read tcp a:1->b:2: …`.
    Cow::Owned(match error.split_once("->") {
        Some((_, remote)) => remote.to_owned(),
        None => error.to_owned(),
    })
}
