//! A node's log: what a line is, what it means, and what is wrong. Nothing in here reads a file or a clock.
//!
//! ```text
//!   bytes ──Splitter──▶ lines ──Captured──▶ stamp and text ──Record──▶ message and fields
//!                                                │                          │
//!                                                └──Fold──▶ panics, usage ──┤ rules
//!                                                                           ▼
//!                                                Analysis ──▶ Report        Watch ──▶ Clue
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`Splitter`] | a stream cut into lines |
//! | [`Captured`] | a line as the pilot keeps it: stamped on arrival |
//! | [`Record`] | a line as the node wrote it, in one of three forms |
//! | [`Analysis`], [`Report`] | a log in, [`Cause`]s out |
//! | [`Watch`], [`Clue`] | the same, live, for a health check |
//! | [`Limits`] | when a file is closed and which go |
//!
//! # Invariants
//!
//! * Any bytes are a log: nothing panics, nothing fails, every line is counted once (`every_line_is_accounted_for`).
//! * Memory does not grow with the log: tables have bounds, a dump is folded as it comes.
//! * What every healthy node says is no finding (`a_clean_stop_is_no_finding`).
//! * A standby's refusals are no fault, and a signer that is gone is one.

pub mod address;
mod analysis;
mod cause;
mod clue;
mod fold;
mod line;
mod plain;
mod record;
mod report;
mod rotation;
mod rules;
mod splitter;
mod stamp;
mod tally;
#[cfg(test)]
mod tests;

pub use analysis::{Analysis, NO_BLOCKS_AFTER};
pub use cause::Cause;
pub use clue::{Clue, Watch};
pub use line::{Captured, Mark};
pub use plain::{printable, uncoloured};
pub use record::{Level, Record};
pub use report::{Finding, Lines, Report, Subject};
pub use rotation::{Closed, Limits};
pub use splitter::{Part, Splitter};
pub use stamp::Stamp;
pub use tally::SUBJECTS_MAX;

/// How much of an example or a reason is kept, in characters.
pub const EXAMPLE_CHARS_MAX: usize = 240;

/// How long a line may be before it is taken in parts. The longest that was seen is a stack of 2.3 kB.
pub const LINE_LEN_MAX: usize = 64 * 1024;

/// How the pilot's note begins that says what was lost.
pub const NOTE_DROPPED: &str = "dropped ";
