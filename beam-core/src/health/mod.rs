//! Whether a node does its work, and what heals it if not.
//!
//! A node can be alive, answer every question with 200 and say `catching_up = false`, and be deaf: at the height of an
//! upgrade, at its halt height, after a consensus failure, while its signer cannot reach it. So health is *the height
//! advances, compared with other nodes, and our vote is in the commit*, and never "the process is up".
//!
//! [`NodeHealth`] is told what somebody saw ([`Readings`]), what the node's log says ([`Clue`](crate::logs::Clue)) and when a run begins. It
//! names the [`Condition`] and asks for a restart where one heals it.
//!
//! | the node | named | healed by |
//! |---|---|---|
//! | has ended consensus, after an error or for no known reason | `consensus_failure`, `stuck` | a restart, once that was seen for `still_after` |
//! | hangs while it executes nothing | `frozen` | a restart, likewise |
//! | waits for a signer that cannot reach it | `signer_gone` | the signer's return; after twice `still_after` a restart, as the socket is lost |
//! | lost all its peers and dials them no more | `no_peers` | a restart after ten minutes |
//! | does not answer and commits nothing | `unreachable` | a restart after four times `still_after` |
//! | waits for an upgrade, a new program, room on its disk, or has halted as told | `upgrade_needed`, `halt_height`, `wrong_binary`, `state_diverged`, `disk_full` | a person (an upgrade: whoever swaps programs) |
//! | works on a long block or migrates; catches up; is a bit behind | `busy`, `catching_up`, `behind` | time |
//! | stands as all others do | `chain_stands` | nobody: destroy nothing, restart nothing |
//!
//! # When it restarts
//!
//! All of this must hold, or it does not (`it_never_restarts_while_the_chain_stands`,
//! `it_never_restarts_a_node_that_nobody_can_be_compared_with`):
//!
//! * the condition is one that a restart heals;
//! * **others advance**: somebody was seen to rise since the node's height stands, and is at least two blocks above it. A chain that
//!   stands, and a node that nobody can be compared with, are left alone;
//! * the node was not started a moment ago, and has had the time to heal by itself;
//! * no restart is under way, the pause after the last one is over, and there were fewer than `restarts_max` within
//!   `restart_window` (`it_never_restarts_more_often_than_allowed`). After that a person is asked.
//!
//! A restart of the node is never a question of double signing: that is the signer's, and it outlives the node. The memory of
//! restarts is this process's; a pilot that starts anew begins with a full allowance and the same demands.
//!
//! [`missed`] counts what the chain shows of our votes.

mod brake;
mod condition;
mod config;
mod diagnosis;
mod memory;
pub mod missed;
mod node_health;
mod others;
mod reading;
#[cfg(test)]
mod tests;

pub use condition::{Condition, Remedy, Unknown};
pub use config::HealthConfig;
pub use node_health::{Action, Event, Finding, Hold, NodeHealth};
pub use reading::{Answer, Consensus, Peers, Readings, SignerLink, Source, Status, Upgrade, Votes};
