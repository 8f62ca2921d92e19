//! How long signing may take, in place of the SDK's seconds.
//!
//! A signer answers its node within 2.5 s ([`Signer::ANSWER_WITHIN`]). Before it asks the key it has written to the register,
//! which may have taken its whole bound; what is left must hold an attempt whose answer is lost and one that comes. An attempt is
//! not given up that would have come: without an open connection it takes a TCP and a TLS handshake and its own round trip, 3 in
//! all, 480 ms over a line of 80 ms each way.
//!
//! Unlike a write, a signature may be asked for again without a thought: the same bytes give the same signature.
//!
//! [`Signer::ANSWER_WITHIN`]: beam_core::signing::Signer::ANSWER_WITHIN

use std::time::Duration;

/// One attempt to sign, from the call to its answer, with everything it needs on the way.
pub const ATTEMPT_WITHIN: Duration = Duration::from_millis(600);

/// A connection, with its TLS.
pub const CONNECT_WITHIN: Duration = Duration::from_millis(450);

/// How often a signature is asked for before it is given up.
pub const ATTEMPTS_MAX: u32 = 3;

/// How long after an attempt that failed the next one begins. Twice as long after the second.
pub const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A question that no vote waits for: what the key is.
pub const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// How often such a question is asked before it is given up.
pub const LOOKS_MAX: u32 = 3;

#[cfg(test)]
mod tests {
    use beam_core::runtime::limits::REGISTER_WITHIN;
    use beam_core::signing::Signer;

    use super::*;

    #[test]
    fn a_slow_write_a_lost_answer_and_one_that_comes_fit_before_the_node_is_answered() {
        let one_lost = ATTEMPT_WITHIN * 2 + AGAIN_AFTER;
        assert!(REGISTER_WITHIN + one_lost < Signer::ANSWER_WITHIN);
        let all_lost = ATTEMPT_WITHIN * ATTEMPTS_MAX + AGAIN_AFTER * 3;
        assert!(all_lost < Signer::ANSWER_WITHIN, "attempts that nobody waits for any more");
        assert!(CONNECT_WITHIN < ATTEMPT_WITHIN);
    }
}
