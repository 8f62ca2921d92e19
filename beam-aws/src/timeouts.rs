//! How long things may take, in place of the SDK's seconds.
//!
//! A signer answers its node within 2.5 s ([`Signer::ANSWER_WITHIN`]), and the worst that one fault does to a vote is a
//! write whose answer is lost, the read that tells what became of it, and the write again. All three, each as slow as it
//! may be, fit in between. On the other side a call must not be given up that would have come: a request that finds no
//! open connection takes a TCP and a TLS handshake and its own round trip, 3 in all, 480 ms over a line of 80 ms each way.
//!
//! The register repeats nothing by itself. The signer does, and knows better: it reads first, and stops when it must answer.
//!
//! [`Signer::ANSWER_WITHIN`]: beam_core::signing::Signer::ANSWER_WITHIN

use std::time::Duration;

/// One read or swap, from the call to its answer, with everything it needs on the way.
pub const CALL_WITHIN: Duration = Duration::from_millis(600);

/// A connection, with its TLS.
pub const CONNECT_WITHIN: Duration = Duration::from_millis(450);

/// One question that no vote waits for: about a table or a bucket, or a person's.
pub const PATIENT_CALL_WITHIN: Duration = Duration::from_secs(5);

/// How often such a question is asked before it is given up.
pub const PATIENT_CALLS_MAX: u32 = 3;

/// Credentials; on EC2 they come from the machine's metadata service.
pub const CREDENTIALS_WITHIN: Duration = Duration::from_secs(5);

/// New credentials are asked for so long before the old ones end. EC2 has new ones ready some minutes ahead.
pub const CREDENTIALS_AHEAD: Duration = Duration::from_secs(5 * 60);

/// If there were none, again after so long.
pub const CREDENTIALS_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// An idle connection older than this is not used again. Firewalls and NAT gateways on the way forget one after 350 s, without
/// a word; AWS closes its own end sooner, and says so.
pub const IDLE_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use beam_core::runtime::limits::REGISTER_WITHIN;
    use beam_core::signing::Signer;

    use super::*;

    #[test]
    fn a_lost_answer_can_be_read_back_and_written_again_before_the_node_is_answered() {
        assert!(CALL_WITHIN * 3 + Signer::RETRY_AFTER < Signer::ANSWER_WITHIN);
        assert!(CALL_WITHIN < REGISTER_WITHIN, "the driver would give up first, and say less");
        assert!(CONNECT_WITHIN < CALL_WITHIN);
    }
}
