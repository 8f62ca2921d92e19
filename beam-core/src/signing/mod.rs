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
//! Whatever is signed is what the register held at that mark: [`Signer`] emits [`Action::Sign`] in one place only, with
//! the bytes of the record that it has read, or written and seen won (rules 1 and 3). Marks in the register strictly grow,
//! because each swap expects the version that was decided upon and raises the mark (rule 2). A swap that loses or whose
//! outcome is unknown leads to a look at what the register holds and never to a signature by itself (rule 7;
//! `a_lost_answer_is_read_back`, `a_retry_that_finds_its_own_first_attempt_has_won`). So a mark never has two values, and
//! of two signatures at one mark each is over the same bytes, whoever made them and however late.
//!
//! `never_two_values_at_a_mark` lets two and three machines live through random histories of lost, late and doubled
//! answers, crashes, clones and empty disks, and a judge asserts each of these sentences at every step: what is signed was
//! in the register, marks grow, one value a mark, a new owner has a new epoch, a lock binds other sessions, the floor is there
//! before a signature leaves, and every request is answered once and in time.
//!
//! This needs a linearizable register and nothing else: no lease, clock, heartbeat or quorum takes part. Those only make
//! a wrong guess about who should sign, and a wrong guess is harmless: the former owner's next swap fails, and it
//! becomes the standby (`a_takeover_too_early_is_harmless`).
//!
//! # What it does not promise
//!
//! A register that breaks its contract (goes back in time without any signer having seen it further, or is two) is not
//! detected in every case; the floor and rule 11 detect it where they can. A key that is used by another program is not guarded,
//! only noticed.

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
