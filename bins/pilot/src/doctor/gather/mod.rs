//! Looking: facts out, nothing judged. Every look has a bound.

mod chain;
mod files;
mod host;
mod key;
mod register;
mod running;

use std::time::Duration;

use crate::config::{Config, Role};

use super::facts::{Fact, Facts, Latency};

/// Looks at everything.
pub(crate) async fn gather(config: &Config) -> Facts {
    let running = running::look(config);
    Facts {
        role: config.role,
        key: match config.role {
            Role::Validator => Some(key::look(config).await),
            Role::Sentry => None,
        },
        files: files::look(config),
        host: host::look(config),
        register: match config.role {
            Role::Validator => Some(register::look(config, running.pilot).await),
            Role::Sentry => None,
        },
        chain: chain::look(config, running.node.is_some()).await,
        running,
    }
}

/// An error with its causes, in one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// How long something takes, of several times.
fn latency(mut took: Vec<Duration>) -> Fact<Latency> {
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len().saturating_sub(1).saturating_mul(percent) / 100).copied();
    match (at(50), at(99)) {
        (Some(p50), Some(p99)) => Ok(Latency { p50, p99 }),
        _ => Err("nothing was timed".to_owned()),
    }
}
