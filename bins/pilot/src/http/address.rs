//! Which addresses are private: reachable from this machine, or from a network that belongs to somebody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether whoever can reach `address` is on this machine or on a network of its owner: loopback, RFC 1918, link-local,
/// carrier-grade NAT (RFC 6598, which VPNs use too) and unique local addresses. "All addresses" (`0.0.0.0`, `::`) are not:
/// one of them may be public, today or after the next change of the network.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let carrier_grade = first == 100 && (64..128).contains(&second);
    address.is_loopback() || address.is_private() || address.is_link_local() || carrier_grade
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(address: &str) -> bool {
        is_private(address.parse().unwrap())
    }

    #[test]
    fn private_addresses_are_those_of_ones_own_networks() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(private(address), "{address}");
        }
    }

    #[test]
    fn everything_else_is_public_and_so_is_all() {
        for address in [
            "0.0.0.0",
            "::",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "192.169.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            "::ffff:0.0.0.0",
            "ff02::1",
            "255.255.255.255",
        ] {
            assert!(!private(address), "{address}");
        }
    }
}
