//! Who may be connected: so many in all, so many of one source. A seat is given back when it is dropped.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The seats of the agent. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    taken: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    in_all_max: usize,
    per_source_max: usize,
}

/// One connection's seat.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    source: IpAddr,
}

impl Seats {
    pub(super) fn new(in_all_max: usize, per_source_max: usize) -> Self {
        Self { taken: Arc::default(), in_all_max, per_source_max }
    }

    /// A seat for a connection of `address`, or none if there are too many.
    pub(super) fn take(&self, address: IpAddr) -> Option<Seat> {
        let source = source_of(address);
        let mut taken = self.taken();
        if taken.values().sum::<usize>() >= self.in_all_max {
            return None;
        }
        let of_source = taken.entry(source).or_default();
        if *of_source >= self.per_source_max {
            return None;
        }
        *of_source = of_source.saturating_add(1);
        Some(Seat { seats: self.clone(), source })
    }

    /// The map has no states that a panic could leave half done.
    fn taken(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(of_source) = taken.get_mut(&self.source) {
            *of_source = of_source.saturating_sub(1);
            if *of_source == 0 {
                taken.remove(&self.source);
            }
        }
    }
}

/// Who counts as one: an IPv4 address, or an IPv6 network of 64 bits, since a single host can use all of it.
fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_source_cannot_take_the_seats_of_all() {
        let seats = Seats::new(5, 3);
        let held: Vec<_> = std::iter::from_fn(|| seats.take(address("10.0.0.1"))).collect();
        assert_eq!(held.len(), 3);
        assert!(seats.take(address("10.0.0.2")).is_some());
    }

    #[test]
    fn many_sources_together_have_no_more_than_all() {
        let seats = Seats::new(5, 3);
        let held: Vec<_> = (0..9).filter_map(|n| seats.take(address(&format!("10.0.0.{n}")))).collect();
        assert_eq!(held.len(), 5);
    }

    #[test]
    fn a_seat_is_free_again_when_its_connection_ends() {
        let seats = Seats::new(1, 1);
        let seat = seats.take(address("::1"));
        assert!(seat.is_some() && seats.take(address("::1")).is_none());
        drop(seat);
        assert!(seats.take(address("::1")).is_some());
        assert!(seats.taken().is_empty(), "nothing is remembered of those who have gone");
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_a_mapped_address_is_its_ipv4_one() {
        let seats = Seats::new(9, 1);
        let _held = [seats.take(address("fd00::1")), seats.take(address("10.0.0.1"))];
        assert!(seats.take(address("fd00::2:3:4")).is_none());
        assert!(seats.take(address("fd00:0:0:1::1")).is_some());
        assert!(seats.take(address("::ffff:10.0.0.1")).is_none());
    }
}
