//! Roster, pause and history, as they lie in the register beside the record.

use std::fmt::Debug;

use arbitrary::{Arbitrary as _, Result, Unstructured};
use beam_core::history::{Cost, Entry, History};
use beam_core::id::SignerId;
use beam_core::pause::{Pause, Paused};
use beam_core::register::Cell;
use beam_core::roster::{Member, Roster};
use beam_core::shared::Document;
use beam_core::signing::{Epoch, Handover, Height};

use super::record::any_mark;

/// Bytes as they are, and bytes that make each of them.
pub fn run(bytes: &[u8]) {
    read::<Roster>(bytes);
    read::<Paused>(bytes);
    read::<History>(bytes);
    let from = || Unstructured::new(bytes);
    written(any_roster(&mut from()));
    written(any_pause(&mut from()));
    if let Some(history) = written(any_history(&mut from())) {
        assert!(history.encode().len() < Cell::LEN_MAX);
    }
}

fn read<D: Document + Debug + PartialEq>(bytes: &[u8]) {
    let Ok(document) = D::decode(bytes) else { return };
    assert_eq!(document.encode(), bytes, "another writing of the same {} was read", D::WHAT);
}

/// What a program writes is read again, and is then written the same.
fn written<D: Document + Debug + PartialEq>(document: Result<D>) -> Option<D> {
    let document = document.ok()?;
    let text = document.encode();
    let read = D::decode(&text).unwrap_or_else(|error| panic!("{document:?}: {error}"));
    assert_eq!(read.encode(), text);
    Some(read)
}

fn any_roster(from: &mut Unstructured<'_>) -> Result<Roster> {
    let mut roster = Roster::default();
    for _ in 0..from.int_in_range(0..=20)? {
        let name: String = from.arbitrary()?;
        let member = Member {
            signer: SignerId::from_random(from.arbitrary()?),
            height: Height(from.arbitrary()?),
            seen_ms: from.arbitrary()?,
            agent: from.arbitrary()?,
        };
        if Roster::is_name(&name) {
            roster.note(&name, member);
        }
    }
    Ok(roster)
}

fn any_pause(from: &mut Unstructured<'_>) -> Result<Paused> {
    if !bool::arbitrary(from)? {
        return Ok(Paused(None));
    }
    let (since_ms, until_ms) = (from.arbitrary()?, from.arbitrary()?);
    Ok(Paused(Some(Pause { by: from.arbitrary()?, reason: from.arbitrary()?, since_ms, until_ms })))
}

fn any_history(from: &mut Unstructured<'_>) -> Result<History> {
    let mut history = History::default();
    for _ in 0..from.int_in_range(0..=4)? {
        history.tell(any_entry(from)?);
    }
    Ok(history)
}

fn any_entry(from: &mut Unstructured<'_>) -> Result<Entry> {
    let handovers = [Handover::Init, Handover::Takeover, Handover::Switchover, Handover::Failover];
    let cost = |(from_height, to_height, missed, nil)| Cost { from_height, to_height, missed, nil };
    Ok(Entry {
        epoch: Epoch(from.arbitrary()?),
        how: *from.choose(&handovers)?,
        at_ms: from.arbitrary()?,
        from: from.arbitrary()?,
        to: from.arbitrary()?,
        was: if from.arbitrary()? { Some(any_mark(from)?) } else { None },
        since: any_mark(from)?,
        waited_ms: from.arbitrary()?,
        swapped_ms: from.arbitrary()?,
        signed_ms: from.arbitrary()?,
        cost: Option::arbitrary(from)?.map(cost),
        by: from.arbitrary()?,
        reason: from.arbitrary()?,
    })
}
