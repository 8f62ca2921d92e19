//! What a process that holds a key should do first.

use std::fmt;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// A way in which memory of this process may still get out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exposure {
    /// A crash may write it to disk.
    CoreDumps,
    /// Other processes of this user may look into it.
    Tracing,
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CoreDumps => "core dumps could not be switched off",
            Self::Tracing => "other processes of this user can look into this one",
        })
    }
}

/// Switches off core dumps and looking into this process's memory (`ptrace`, `/proc/*/mem`), except by root. Best done before a
/// key is read. Returns what could not be done.
///
/// Children inherit that there are no core dumps, a node that is started from here too.
#[must_use]
pub fn harden_process() -> Vec<Exposure> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let outcomes = [
        (setrlimit(Resource::Core, none), Exposure::CoreDumps),
        (set_dumpable_behavior(DumpableBehavior::NotDumpable), Exposure::Tracing),
    ];
    outcomes.into_iter().filter(|(outcome, _)| outcome.is_err()).map(|(_, exposure)| exposure).collect()
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::Command;

    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    /// In a process of its own, because other tests may want a core dump.
    #[test]
    fn a_hardened_process_leaves_no_core_and_cannot_be_looked_into() {
        const CHILD: &str = "BEAM_TEST_HARDENED";
        if env::var_os(CHILD).is_some() {
            assert_eq!(harden_process(), []);
            assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
            assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
            return;
        }
        let name = "keys::harden::tests::a_hardened_process_leaves_no_core_and_cannot_be_looked_into";
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
    }
}
