//! How often a signature is asked for, and why that is soon enough.
//!
//! A signer answers its node within 2.5 s ([`Signer::ANSWER_WITHIN`]). Before it asks the key it has written to the register,
//! which may have taken its whole bound; what is left must hold an attempt whose answer is lost and one that comes. One attempt has
//! [`CALL_WITHIN`], as a call to the register has.
//!
//! Unlike a write, a signature may be asked for again without a thought: the same bytes give the same signature.
//!
//! [`CALL_WITHIN`]: crate::timeouts::CALL_WITHIN
//! [`Signer::ANSWER_WITHIN`]: beam_core::signing::Signer::ANSWER_WITHIN

use std::time::Duration;

/// How often a signature is asked for before it is given up.
pub const ATTEMPTS_MAX: u32 = 3;

/// How long after an attempt that failed the next one begins. Twice as long after the second.
pub const AGAIN_AFTER: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use beam_core::runtime::limits::REGISTER_WITHIN;
    use beam_core::signing::Signer;

    use super::*;
    use crate::timeouts::CALL_WITHIN;

    #[test]
    fn a_slow_write_a_lost_answer_and_one_that_comes_fit_before_the_node_is_answered() {
        let one_lost = CALL_WITHIN * 2 + AGAIN_AFTER;
        assert!(REGISTER_WITHIN + one_lost < Signer::ANSWER_WITHIN);
        let all_lost = CALL_WITHIN * ATTEMPTS_MAX + AGAIN_AFTER * 3;
        assert!(all_lost < Signer::ANSWER_WITHIN, "attempts that nobody waits for any more");
    }
}
