//! Where a node listens for its signer.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where to dial, written as in the node's `priv_validator_laddr`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// `unix:///run/beam/privval.sock`: a socket on this machine.
    Unix(PathBuf),
    /// `tcp://host:port`: encrypted, but authenticates nobody (see [the module](super)).
    #[cfg(feature = "tcp")]
    Tcp(String),
}

/// A text that is no address of a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not where a node can be dialed: {why}")]
pub struct AddressError {
    text: String,
    why: &'static str,
}

impl Address {
    /// The longest path that a socket can have, in bytes.
    pub const PATH_LEN_MAX: usize = 107;
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = |why| Err(AddressError { text: text.to_owned(), why });
        if let Some(path) = text.strip_prefix("unix://") {
            if !path.starts_with('/') {
                return bad("expected an absolute path after unix://");
            }
            if path.len() > Self::PATH_LEN_MAX {
                return bad("the path of a socket has at most 107 bytes");
            }
            return Ok(Self::Unix(path.into()));
        }
        match text.strip_prefix("tcp://") {
            Some(authority) => tcp(authority).or_else(bad),
            None => bad("expected unix:///path or tcp://host:port"),
        }
    }
}

#[cfg(feature = "tcp")]
fn tcp(authority: &str) -> Result<Address, &'static str> {
    let Some((host, port)) = authority.rsplit_once(':') else {
        return Err("expected tcp://host:port");
    };
    if host.is_empty() || port.parse::<u16>().is_ok_and(|port| port == 0) || port.parse::<u16>().is_err() {
        return Err("expected tcp://host:port");
    }
    if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
        return Err("an IPv6 address stands in brackets: tcp://[::1]:26659");
    }
    Ok(Address::Tcp(authority.to_owned()))
}

#[cfg(not(feature = "tcp"))]
fn tcp(_authority: &str) -> Result<Address, &'static str> {
    Err("this program was built without tcp; use unix:///path")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            #[cfg(feature = "tcp")]
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_written() {
        let tcp: &[&str] =
            if cfg!(feature = "tcp") { &["tcp://10.0.0.1:26659", "tcp://[::1]:26659"] } else { &[] };
        for text in ["unix:///run/beam/privval.sock"].iter().chain(tcp) {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), *text);
        }
    }

    #[test]
    fn what_cannot_be_dialed_is_refused() {
        let long = format!("unix:///{}", "x".repeat(107));
        for text in [
            "",
            "/run/sock",
            "unix://sock",
            &long,
            "tcp://host",
            "tcp://:1",
            "tcp://h:0",
            "tcp://h:x",
            "tcp://::1:5",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
