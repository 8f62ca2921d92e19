//! Running the machines on tokio.
//!
//! * [`drive`] runs any [`Machine`](crate::machine::Machine): events in, actions out, asleep in between.
//! * [`start_signer`] runs the [`Signer`](crate::signing::Signer) over a register, a floor and a key, and gives out a
//!   [`SignerHandle`] to ask for signatures.
//! * [`SharedCell`] reads and changes what machines share besides the record: roster, pause, history.
//! * [`Switchover`] hands the validator over, as planned or by force.
//! * [`MeasuredRegister`] counts and times what a register does.
//!
//! The driver carries out and decides nothing. Every operation on the register has a bound here, whatever the implementation
//! promises. The key and the floor have none of their own: the machine gives a request up at its deadline, and what they say later is
//! passed over.

mod drive;
mod hands;
mod measured;
mod shared;
mod signer;
mod switch_error;
mod switchover;

pub use drive::{Events, Hands, drive};
pub use measured::{MeasuredRegister, RegisterFigures};
pub use shared::{HistoryCell, PauseCell, RosterCell, SharedCell, SharedError};
pub use signer::{SignerHandle, SignerParts, SignerState, start_signer};
pub use switch_error::SwitchError;
pub use switchover::{SwitchPlan, SwitchReport, Switchover};

/// Bounds of the driver.
pub mod limits {
    use std::time::Duration;

    /// How long one operation on the register may take. A read that takes longer failed; a swap is unknown.
    pub const REGISTER_WITHIN: Duration = Duration::from_secs(1);
    /// How many events may be on their way to a machine.
    pub const EVENTS_MAX: usize = 64;
    /// How many notices a slow listener may lag behind before it loses the oldest.
    pub const NOTICES_MAX: usize = 64;
}
