//! The signing rule: the heart of Beam. Everything else may fail and this must hold.
//!
//! A validator key signs votes at *marks*: (height, round, step). Two signatures for different things at one mark are
//! a double sign, which costs a validator its key and its delegators part of their stake. Several machines may hold
//! the same key. What keeps them from contradicting each other is one shared [`Record`] in a
//! [`Register`](crate::register::Register), and these rules:
//!
//! 1. **Write, then sign.** No signature is made before a swap that put its mark and its bytes into the register has
//!    succeeded.
//! 2. **Only forward.** A swap may only raise the mark.
//! 3. **The same again is the same.** A request at the mark for the same vote (only the timestamp may differ) is
//!    answered with the signature over the recorded bytes, whoever asks. A request at the mark for anything else, or
//!    below it, is refused.
//! 4. **The owner does not wait.** Its request is one swap and one signature, no read.
//! 5. **A standby waits a moment, then takes over.** Its own node asks for the same votes at the same time. It holds the
//!    request and watches the register. If the owner does not reach the mark within `takeover_after`, the standby swaps
//!    itself in (epoch + 1, its mark, its bytes, in one write) and signs.
//! 6. **A lock binds every other session.** Who did not make the lock may not have seen why. At its height such a
//!    session may prevote only that block or nil, until its own node has asked to precommit another block in a later round.
//! 7. **An unknown outcome is read back.** A timeout never counts as done, and a retry that finds its own first attempt
//!    in place is not somebody else's win: the content decides, by rule 3.
//! 8. **A floor.** Each signer keeps on disk, synced, the highest mark it has seen: its own before the signature leaves,
//!    another's when it reads it. A register below the floor, or of another lineage, has been put back: nothing is signed.
//! 9. **No register, no signature.** But always an answer, within [`Signer::ANSWER_WITHIN`].
//! 10. **No silent beginning.** A missing record is an error, not a fresh start.
//! 11. **A stranger's signature stops us.** If the chain shows a vote of ours above the mark, or a different one at it,
//!     somebody else has the key.
//!
//! # Why it never signs twice
//!
//! Each step names the tests that break if it does not hold.
//!
//! 1. **Whatever is signed is in the register at that mark.** [`Action::Sign`] is emitted in one place only, with the bytes of a record
//!    that this signer has read, or written and seen won (rules 1 and 3; `the_owner_swaps_keeps_its_floor_signs_and_answers_without_a_read`,
//!    `a_standby_repeats_what_the_owner_signed`).
//! 2. **A doubt is never a yes.** A swap that loses, or of which nothing is known, leads to a look at what the register holds and never to a
//!    signature by itself (rule 7; `a_lost_answer_is_read_back`, `a_retry_that_finds_its_own_first_attempt_has_won`,
//!    `a_swap_given_up_may_still_happen_and_is_then_known_by_its_bytes`).
//! 3. **A mark has one value in the register.** Each swap expects the version that was decided upon, of which the register lets one
//!    win, and raises the mark; at the mark and below it everything else is refused (rules 2 and 3;
//!    `at_the_mark_anything_else_is_refused_and_below_it_everything`, `a_proposal_with_another_time_is_not_the_same`; for each store the
//!    contract suite in `testing::register_contract`).
//! 4. **So two signatures at one mark are over the same bytes**, whoever made them and however late (`never_two_values_at_a_mark`,
//!    `never_two_values_at_a_mark_with_three_machines`).
//!
//! This needs a linearizable register and nothing else: no lease, clock, heartbeat or quorum takes part. Those only make
//! a wrong guess about who should sign, and a wrong guess is harmless: the former owner's next swap fails, and it
//! becomes the standby (`a_takeover_too_early_is_harmless`).
//!
//! Two things beside the theorem:
//!
//! 5. **Votes that contradict a lock** are no double sign, but they can help to fork a chain. Who did not make the lock does not vote
//!    against it without having seen why (rule 6; `a_lock_binds_other_sessions_until_they_have_seen_why`,
//!    `seeing_why_in_an_earlier_round_or_by_another_session_does_not_help`).
//! 6. **If the register itself fails to keep its promise**, each machine's floor holds what that machine signed or saw, and is on disk before
//!    a signature leaves (rule 8; `a_signature_leaves_when_the_floor_is_there_and_not_before`, `nothing_leaves_when_the_floor_cannot_be_kept`,
//!    `a_register_below_the_floor_or_beside_it_stops_the_signer_for_good`).
//!
//! # Nobody needs to believe this
//!
//! Random histories (`signing/tests`) assert each of these sentences at every step. A model check drives this very machine through *every*
//! history within bounds, with lost, late and doubled answers, crashes, clones, old and empty disks and a register that is put back. A
//! simulator lets it live through millions of random worlds with nodes, networks and people ([`sim`](crate::sim), feature `sim`). Mistakes put into
//! this source on purpose must be caught by them, and no mutant of it survives its tests. Then real machines: kills, freezes, cuts, full disks,
//! copied homes. The commands are in `benches/results/README.md`, with what they printed.
//!
//! # What it does not promise
//!
//! A register that breaks its contract (goes back in time without any signer having seen it further, or is two) is not
//! detected in every case; the floor and rule 11 detect it where they can. After it was put back its versions count again: a write
//! decided upon before may find the version that it expects. A key that is used by another program is not guarded, only noticed.

mod adoption;
mod beginning;
pub mod canonical;
mod event;
mod floor;
mod mark;
mod record;
mod refusal;
mod signer;
mod statement;
#[cfg(test)]
mod tests;

pub use adoption::{Adoption, adopt};
pub use beginning::{Known, Unsure, Wish};
pub use event::{
    Action, Attempt, Event, Notice, ReadOutcome, Release, RequestId, Sighting, Signatures, SwapOutcome,
    Takeover, View,
};
pub use floor::{Above, Floor};
pub use mark::{Height, Mark, Round, Step};
pub use record::{Epoch, Handover, Lock, Record};
pub use refusal::{Halt, Refusal};
pub use signer::{Signer, SignerConfig};
pub use statement::{BlockId, Statement};
