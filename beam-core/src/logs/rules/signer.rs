//! Why a vote was not signed.
//!
//! A remote signer's refusal comes as `signerEndpoint returned error #1: …`, and Beam's own begin with `beam: `. A standby's
//! are its daily bread, two or three a block: the owner has signed, or is about to. They mean that the rule holds, and are
//! told apart by their words, which `beam_core::signing::Refusal` writes. Everything else a signer says is a fault, and so is a
//! signer that says nothing.

use std::borrow::Cow;

use super::{Cause, Event, Record};

/// What a standby says all day.
const ORDINARY: [&str; 5] = [
    " is behind the register, ",
    "something else is recorded at ",
    " is left to the owner of epoch ",
    "another run of the node is locked on another block",
    "the signer is shutting down",
];

/// What the node says when nobody answered.
const SILENT: [&str; 6] =
    ["timed out", "i/o timeout", "is not connected", "EOF", "broken pipe", "connection reset"];

pub(super) fn refused<'a>(record: &Record<'a>) -> Event<'a> {
    let error = record.error().unwrap_or_default();
    if let Some((_, reason)) = error.split_once("signerEndpoint returned error ") {
        let reason = reason.split_once(": ").map_or(reason, |(_, reason)| reason);
        return Event::Fault(cause_of(reason), subject(reason));
    }
    let silent = SILENT.iter().any(|words| error.contains(words));
    Event::Fault(if silent { Cause::SignerGone } else { Cause::SignerRefused }, None)
}

fn cause_of(reason: &str) -> Cause {
    let Some(ours) = reason.strip_prefix("beam: ") else { return Cause::SignerRefused };
    match ours {
        _ if ORDINARY.iter().any(|words| ours.contains(words)) => Cause::StandbyRefusals,
        _ if ours.contains("the register did not answer") => Cause::RegisterOutOfReach,
        _ => Cause::SignerRefused,
    }
}

/// The kind of the reason: without its numbers, of which every height has its own.
fn subject(reason: &str) -> Option<Cow<'static, str>> {
    let words = reason.split(|c: char| c.is_ascii_digit()).next()?.trim_end();
    let ordinary = ORDINARY.iter().find(|words| reason.contains(**words)).map(|words| words.trim());
    Some(ordinary.map_or_else(|| Cow::Owned(words.to_owned()), Cow::Borrowed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{Epoch, Halt, Mark, Refusal, Step};

    fn cause(error: &str) -> Cause {
        let line = format!("7:31AM ERR failed signing vote err={error:?} height=5");
        match refused(&Record::read(line.as_bytes()).unwrap()) {
            Event::Fault(cause, _) => cause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_standbys_daily_bread_is_told_from_a_fault_by_the_words_that_the_signer_really_says() {
        let mark = Mark::new(5, 0, Step::Prevote);
        for (refusal, expected) in [
            (Refusal::Past { asked: mark, register: mark }, Cause::StandbyRefusals),
            (Refusal::Conflicting(mark), Cause::StandbyRefusals),
            (Refusal::OwnersTurn(mark, Epoch(3)), Cause::StandbyRefusals),
            (Refusal::Locked { asked: mark, lock_round: 0 }, Cause::StandbyRefusals),
            (Refusal::ShuttingDown, Cause::StandbyRefusals),
            (Refusal::RegisterOutOfReach(mark), Cause::RegisterOutOfReach),
            (Refusal::NoRecord, Cause::SignerRefused),
            (Refusal::RecordDamaged, Cause::SignerRefused),
            (Refusal::FloorNotKept, Cause::SignerRefused),
            (Refusal::KeyFailed(mark), Cause::SignerRefused),
            (Refusal::TooMany, Cause::SignerRefused),
            (Refusal::Halted(Halt::OtherLineage), Cause::SignerRefused),
        ] {
            assert_eq!(cause(&format!("signerEndpoint returned error #1: {refusal}")), expected, "{refusal}");
        }
    }

    #[test]
    fn another_signers_refusal_is_a_fault_and_silence_is_worse() {
        assert_eq!(cause("signerEndpoint returned error #0: double sign"), Cause::SignerRefused);
        for silence in [
            "endpoint connection timed out",
            "exhausted all attempts to sign vote: endpoint read timed out",
            "EOF",
        ] {
            assert_eq!(cause(silence), Cause::SignerGone, "{silence}");
        }
        assert_eq!(cause("error from the application"), Cause::SignerRefused);
    }
}
