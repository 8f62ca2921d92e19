//! The keys that a node knows, as files that hold each of them: a node passes over a key that it does not know in silence, so a
//! misspelt one is a setting that never was.

/// `config.toml` as `CometBFT` 0.38 writes it.
pub const KNOWN_CONFIG: &str = include_str!("fixtures/cometbft-0.38.toml");
/// `app.toml`. Chains add tables of their own.
pub const KNOWN_APP: &str = include_str!("known/app.toml");
/// `client.toml`.
pub const KNOWN_CLIENT: &str = include_str!("known/client.toml");
