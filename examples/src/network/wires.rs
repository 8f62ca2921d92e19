//! Wires: every way between a machine or sentry of Beam and another node goes through a proxy of its own, so that each can be cut off.
//!
//! Nodes dial each other both ways, so two wires lead from each node to each other: the dialer is told the wire's port for the other's.

use std::net::Ipv4Addr;

use anyhow::Result;

use super::{Node, Role};
use crate::proxy::{Proxy, Weather};

/// All wires of a network.
#[derive(Debug, Default)]
pub struct Wires(Vec<Wire>);

#[derive(Debug)]
struct Wire {
    dialer: String,
    other: String,
    proxy: Proxy,
}

impl Wire {
    fn touches(&self, node: &str) -> bool {
        self.dialer == node || self.other == node
    }
}

impl Wires {
    /// The port at which `dialer` reaches `other`: a new wire's, or the other's own between two plain validators.
    pub(super) fn lay(&mut self, dialer: &Node, other: &Node) -> Result<u16> {
        if dialer.role == Role::Plain && other.role == Role::Plain {
            return Ok(other.p2p_port);
        }
        let proxy = Proxy::start((Ipv4Addr::LOCALHOST, other.p2p_port).into())?;
        let port = proxy.address().port();
        self.0.push(Wire { dialer: dialer.name.clone(), other: other.name.clone(), proxy });
        Ok(port)
    }

    /// Sets the weather of every wire that leads to or from `node`.
    pub fn set(&self, node: &str, weather: Weather) {
        for wire in self.0.iter().filter(|wire| wire.touches(node)) {
            wire.proxy.set(weather);
        }
    }

    /// Bytes delivered so far over the wires of `node`.
    pub fn bytes(&self, node: &str) -> u64 {
        self.sum(node, |proxy| proxy.figures().bytes())
    }

    /// Retransmission timeouts played so far on the wires of `node`.
    pub fn paused(&self, node: &str) -> u64 {
        self.sum(node, |proxy| proxy.figures().paused())
    }

    fn sum(&self, node: &str, figure: impl Fn(&Proxy) -> u64) -> u64 {
        let wires = self.0.iter().filter(|wire| wire.touches(node));
        wires.map(|wire| figure(&wire.proxy)).fold(0, u64::saturating_add)
    }
}
