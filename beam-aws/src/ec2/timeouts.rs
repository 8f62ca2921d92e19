//! How long things may take, in place of the SDK's seconds, which have no end.
//!
//! Nobody waits for these calls to sign. They are given time enough for a region that is ill, and an end all the same: the fleet's sweep
//! goes on with what it knows. Whatever has to be asked for one call ends within [`LOOKS_WITHIN`], whatever is then changed within
//! [`ATTEMPT_WITHIN`] for each change: there is one, or, for an address that takes another's place, two.
//!
//! **What is repeated.** The SDK repeats questions ([`ATTEMPTS_MAX`]) and nothing that changes anything: that is for the caller, who knows
//! the token. What was made a moment ago may not be found yet, so what is not found is looked for again, for [`VISIBLE_WITHIN`].

use std::time::Duration;

/// A connection, with its TLS.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// One request and its answer. `RunInstances` takes a few seconds at times.
pub const ATTEMPT_WITHIN: Duration = Duration::from_secs(8);

/// All questions of one call, with their repetitions; also a whole list, with its pages.
pub const LOOKS_WITHIN: Duration = Duration::from_secs(12);

/// How often a question is asked before it is given up. Of a list, each page is one.
pub const ATTEMPTS_MAX: u32 = 3;

/// A thing that is not found is looked for so long: EC2's lists follow what was done, within a second or two as a rule.
pub const VISIBLE_WITHIN: Duration = Duration::from_secs(5);

/// How long after the first look comes the second; each pause is twice the one before.
pub const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Pages of a list before it is given up: of [`PAGE_SIZE`] things each, more than any fleet has.
pub const PAGES_MAX: usize = 100;

/// Things on a page of a list.
pub const PAGE_SIZE: i32 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_leaves_room_for_what_is_within_it() {
        assert!(CONNECT_WITHIN < ATTEMPT_WITHIN && ATTEMPT_WITHIN < LOOKS_WITHIN);
        // What the contract's suite calls some seconds.
        assert!(LOOKS_WITHIN + ATTEMPT_WITHIN * 2 < Duration::from_secs(30));
        assert!(LOOK_AGAIN_AFTER * 4 < VISIBLE_WITHIN && VISIBLE_WITHIN * 2 < LOOKS_WITHIN);
    }
}
