//! The list of names and the conditions belong together.

use crate::health::{Condition, Unknown};
use crate::signing::Height;

/// The condition after this one. One that is added does not compile until it has its place here.
fn next(condition: &Condition) -> Option<Condition> {
    let (height, lag) = (Height(7), 7);
    Some(match condition {
        Condition::Unknown(_) => Condition::Starting,
        Condition::Starting => Condition::NotRunning,
        Condition::NotRunning => Condition::Unreachable,
        Condition::Unreachable => Condition::WrongChain("other".parse().unwrap()),
        Condition::WrongChain(_) => Condition::DiskFull,
        Condition::DiskFull => Condition::UpgradeNeeded { name: "v2".to_owned(), height },
        Condition::UpgradeNeeded { .. } => Condition::HaltHeight { height },
        Condition::HaltHeight { .. } => Condition::WrongBinary,
        Condition::WrongBinary => Condition::StateDiverged,
        Condition::StateDiverged => Condition::ConsensusFailure,
        Condition::ConsensusFailure => Condition::CatchingUp { lag: Some(lag), stalled: true },
        Condition::CatchingUp { .. } => Condition::Busy { height },
        Condition::Busy { .. } => Condition::SignerGone,
        Condition::SignerGone => Condition::SignerBypassed,
        Condition::SignerBypassed => Condition::NoPeers,
        Condition::NoPeers => Condition::ChainStands { height },
        Condition::ChainStands { .. } => Condition::Stands { height },
        Condition::Stands { .. } => Condition::Frozen { lag },
        Condition::Frozen { .. } => Condition::Stuck { lag },
        Condition::Stuck { .. } => Condition::Behind { lag },
        Condition::Behind { .. } => Condition::NotVoting { missed: 3 },
        Condition::NotVoting { .. } => return None,
    })
}

fn all() -> Vec<Condition> {
    std::iter::successors(Some(Condition::Unknown(Unknown::NotAsked)), next).collect()
}

#[test]
fn every_condition_is_in_the_list_of_names() {
    assert_eq!(all().iter().map(Condition::name).collect::<Vec<_>>(), Condition::NAMES);
}

#[test]
fn no_two_have_the_same_name() {
    let names: std::collections::BTreeSet<_> = Condition::NAMES.into_iter().collect();
    assert_eq!(names.len(), Condition::NAMES.len());
}
