//! One statement of the contract.

use std::future::Future;
use std::pin::Pin;

use super::stage::Stage;
use crate::testing::Breach;

/// What a check saw, if it saw no breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The clause is kept.
    Kept,
    /// The harness could not bring about what the clause is about.
    NotStaged(&'static str),
}

pub(super) type Check =
    for<'a> fn(&'a Stage<'a>) -> Pin<Box<dyn Future<Output = Result<Verdict, Breach>> + Send + 'a>>;

/// One statement of the contract, and how it is checked.
#[derive(Clone, Copy, Debug)]
pub struct Clause {
    /// Its name, which does not change.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    pub(super) check: Check,
}

/// The clauses of a file: each the name of its check, and what it says.
macro_rules! clauses {
    ($($name:ident: $says:literal,)+) => {
        pub(super) const CLAUSES: &[$crate::testing::cloud_contract::Clause] = &[
            $($crate::testing::cloud_contract::Clause {
                name: stringify!($name),
                says: $says,
                check: |stage| Box::pin($name(stage)),
            },)+
        ];
    };
}

/// Ends a check as not staged, unless the harness did what was asked of it.
macro_rules! staged {
    ($done:expr, $what:literal) => {
        if !$done {
            return Ok($crate::testing::cloud_contract::clause::Verdict::NotStaged($what));
        }
    };
}
