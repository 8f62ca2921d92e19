//! Loopback ports that stay ours until the node that needs them binds them.
//!
//! Asking the kernel for "any port" gives one of the range it also gives to outgoing connections:
//! with a mesh of five nodes dialing each other it would now and then be taken again before its
//! node starts. So ports are drawn at random below that range, and each is held by a listener
//! until its node is about to start.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// The lowest port drawn; below it live the defaults of other programs.
const LOWEST: u16 = 15_000;
/// Used when the kernel does not tell where its own range begins.
const EPHEMERAL_DEFAULT: u16 = 32_768;
/// How often a port is drawn before giving up.
const DRAWS: u32 = 1_000;

/// A port held by a listener; free to bind once this is dropped.
#[derive(Debug)]
pub struct Reservation {
    /// The port's number.
    pub port: u16,
    _listener: TcpListener,
}

/// Reserves one port.
///
/// # Errors
/// When no free port was found.
pub fn reserve() -> Result<Reservation> {
    let end = ephemeral_start();
    for _ in 0..DRAWS {
        let port = if end > LOWEST { draw(LOWEST, end) } else { 0 };
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Ok(Reservation { port: listener.local_addr()?.port(), _listener: listener });
        }
    }
    bail!("found no free port between {LOWEST} and {end} on the loopback interface")
}

/// A random number; the standard library's hash keys are the randomness.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn draw(from: u16, to: u16) -> u16 {
    let span = u64::from(to.saturating_sub(from)).max(1);
    let offset = random().checked_rem(span).and_then(|offset| u16::try_from(offset).ok()).unwrap_or(0);
    from.saturating_add(offset)
}

fn ephemeral_start() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .unwrap_or(EPHEMERAL_DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_held_and_then_free() {
        let reservation = reserve().unwrap();
        let port = reservation.port;
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err());
        drop(reservation);
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    }
}
