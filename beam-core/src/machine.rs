//! What every decision in Beam is: a state machine that somebody else runs.

use crate::time::Instant;

/// A decision without IO: it is told the time and what happened, and says what to do.
///
/// * It reads no clock, draws no random number and awaits nothing: the same events at the same times give the
///   same actions, byte for byte.
/// * Actions are carried out in order; what makes us safer comes first.
/// * Actions give nothing back. Their outcome comes as a later event that names the attempt it answers; an
///   outcome of an attempt that the machine has given up changes nothing.
/// * The driver calls [`step`](Machine::step) for every event, and with [`Machine::woken`] no later than
///   [`wake_at`](Machine::wake_at) says. Waking too early or too often is harmless.
pub trait Machine {
    /// What can happen. Exhaustive on purpose: a new event is a question to every machine.
    type Event;
    /// What can be done about it.
    type Action;

    /// Takes in one event and says what to do now.
    fn step(&mut self, now: Instant, event: Self::Event) -> Vec<Self::Action>;

    /// The event that says only that time went by.
    fn woken() -> Self::Event;

    /// When the machine wants to be woken if nothing happens before; `None` if it waits for events only.
    fn wake_at(&self) -> Option<Instant>;
}
