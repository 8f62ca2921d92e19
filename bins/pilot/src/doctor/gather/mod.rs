//! Looking: facts out, nothing judged. Every look has a bound.

mod chain;
mod files;
mod host;
mod register;
mod running;

use crate::config::{Config, Role};

use super::facts::{Facts, KeyFacts};

/// Looks at everything.
pub(crate) async fn gather(config: &Config) -> Facts {
    let running = running::look(config);
    Facts {
        role: config.role,
        key: (config.role == Role::Validator).then(|| key(config)),
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

/// The key is read as `beam start` reads it, in a process that is hardened first.
fn key(config: &Config) -> KeyFacts {
    use beam_core::signing_key::SigningKey as _;
    use beam_gaia::config::check_no_validator_key;
    use beam_gaia::keys::{KeyFile, harden_process};

    let exposures = harden_process().iter().map(ToString::to_string).collect();
    let key = config
        .signer()
        .map_err(|error| error.to_string())
        .and_then(|signer| KeyFile::load(&signer.key).map_err(|error| in_full(&error)));
    let node_could_sign = key.as_ref().ok().and_then(|key| {
        check_no_validator_key(&config.node.home, &key.public_key()).err().map(|error| in_full(&error))
    });
    KeyFacts {
        memory_locked: key
            .as_ref()
            .map(KeyFile::memory_locked)
            .map_err(|_| "there is no key to look at".to_owned()),
        usable: key.map(|key| key.address()),
        node_could_sign,
        exposures,
        swap: std::fs::read_to_string("/proc/swaps")
            .map(|text| text.lines().count() > 1)
            .map_err(|error| error.to_string()),
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
