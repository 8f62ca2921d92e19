//! A contract that was not kept.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::alert_sink::AlertError;
use crate::cloud_provider::CloudError;
use crate::floor_store::FloorError;
use crate::id::ParseError;
use crate::node_process::NodeError;
use crate::object_store::ObjectError;
use crate::register::{RegisterError, SwapError};
use crate::signing_key::KeyError;

/// How long one statement may take. Calls are bounded by seconds, so whatever takes longer hangs.
const STATEMENT_MAX: Duration = Duration::from_secs(60);

/// A statement of a contract that a backend does not keep.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{statement}: {what}")]
pub struct Breach {
    /// The statement, by the name of its function.
    pub statement: &'static str,
    /// What was seen instead.
    pub what: String,
}

impl Breach {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { statement: "the contract", what: what.into() }
    }
}

/// As `Display`: a test that returns a breach prints it with `Debug`.
impl fmt::Debug for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Checks one statement, in bounded time.
pub(super) async fn state(
    statement: &'static str,
    check: impl Future<Output = Result<(), Breach>>,
) -> Result<(), Breach> {
    match tokio::time::timeout(STATEMENT_MAX, check).await {
        Ok(checked) => checked.map_err(|breach| Breach { statement, ..breach }),
        Err(_) => Err(Breach { statement, what: format!("not done after {STATEMENT_MAX:?}") }),
    }
}

/// Returns a [`Breach`] unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::testing::Breach::new(format!($($text)+)));
        }
    };
}

/// Returns a [`Breach`] unless the expression matches the pattern; gives what the pattern binds, if asked to.
macro_rules! ensure_matches {
    ($expression:expr, $pattern:pat $(if $guard:expr)? $(=> $bound:expr)?) => {
        match $expression {
            $pattern $(if $guard)? => { $($bound)? }
            other => {
                let expected = stringify!($pattern $(if $guard)?);
                return Err($crate::testing::Breach::new(format!(
                    "{} gave {other:?}, expected {expected}",
                    stringify!($expression)
                )));
            }
        }
    };
}

/// Checks each statement of a suite in turn.
macro_rules! state_all {
    ($subject:expr; $($statement:ident),+ $(,)?) => {{
        $($crate::testing::breach::state(stringify!($statement), $statement($subject)).await?;)+
        Ok(())
    }};
}

/// An error where the contract promises success.
macro_rules! breach_from {
    ($($error:ty),+) => {$(
        impl From<$error> for Breach {
            fn from(error: $error) -> Self {
                Self::new(format!("an error where none was expected: {error:?}"))
            }
        }
    )+};
}

breach_from!(
    AlertError,
    CloudError,
    FloorError,
    KeyError,
    NodeError,
    ObjectError,
    ParseError,
    RegisterError,
    SwapError
);
