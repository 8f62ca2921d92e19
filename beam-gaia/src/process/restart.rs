//! When a node that ended is started again.

use std::time::Duration;

/// Waits longer each time a node ends soon after its start, so that one that cannot run does not fill the disk with its
/// complaints, and starts one that ran well again almost at once.
///
/// How it ended makes no difference: a port or a database that the former process still holds looks like a wrong
/// configuration, and a halt height that is reached looks like a clean end.
///
/// ```
/// use std::time::Duration;
/// use beam_gaia::process::RestartPolicy;
///
/// let mut policy = RestartPolicy::default();
/// assert_eq!(policy.next_start_after(Duration::from_secs(2)), Duration::from_secs(1));
/// assert_eq!(policy.next_start_after(Duration::from_secs(2)), Duration::from_secs(2));
/// assert_eq!(policy.next_start_after(Duration::from_secs(600)), Duration::from_secs(1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestartPolicy {
    /// How many short runs there were since the last long one.
    short_runs: u32,
}

impl RestartPolicy {
    /// The wait after a run that was long enough, and after the first that was not.
    pub const WAIT_MIN: Duration = Duration::from_secs(1);
    /// The longest wait.
    pub const WAIT_MAX: Duration = Duration::from_secs(30);
    /// A node that ran longer than this did run.
    pub const LONG_RUN: Duration = Duration::from_secs(60);

    /// The node ended after it ran for `ran_for`: how long to wait before it is started again.
    pub fn next_start_after(&mut self, ran_for: Duration) -> Duration {
        if ran_for > Self::LONG_RUN {
            self.short_runs = 0;
        }
        let wait = Self::WAIT_MIN.saturating_mul(2_u32.saturating_pow(self.short_runs));
        self.short_runs = self.short_runs.saturating_add(1);
        wait.min(Self::WAIT_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_begins_anew_after_a_long_run() {
        let mut policy = RestartPolicy::default();
        let waits: Vec<u64> =
            (0..8).map(|_| policy.next_start_after(RestartPolicy::LONG_RUN).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(policy.next_start_after(Duration::from_secs(61)), RestartPolicy::WAIT_MIN);
        assert_eq!(policy.next_start_after(Duration::ZERO), Duration::from_secs(2));
    }

    #[test]
    fn it_never_overflows() {
        let mut policy = RestartPolicy { short_runs: u32::MAX };
        assert_eq!(policy.next_start_after(Duration::ZERO), RestartPolicy::WAIT_MAX);
    }
}
