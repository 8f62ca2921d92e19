//! What a wire does to what is sent over it.

use std::time::Duration;

/// The state of a wire. Several things may be wrong at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weather {
    /// Connections are reset, those that come too.
    pub cut: bool,
    /// Nothing goes in or out, and no connection ends.
    pub black_hole: bool,
    /// What the dialer is answered is thrown away and its connection reset.
    pub loses_answers: bool,
    /// How much later everything arrives, each way.
    pub delay: Duration,
    /// By how much more or less than that, at most.
    pub jitter: Duration,
    /// Of a thousand packets, how many are lost and sent again.
    pub lost_per_thousand: u32,
    /// How fast each connection is, each way; `None` for as fast as it goes.
    pub bytes_per_second: Option<u32>,
}

impl Weather {
    /// Nothing is wrong.
    pub const FINE: Self = Self {
        cut: false,
        black_hole: false,
        loses_answers: false,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        lost_per_thousand: 0,
        bytes_per_second: None,
    };

    /// Everything is reset.
    pub const CUT: Self = Self { cut: true, ..Self::FINE };

    /// Everything is swallowed.
    pub const BLACK_HOLE: Self = Self { black_hole: true, ..Self::FINE };

    /// Questions pass, answers do not.
    pub const LOSES_ANSWERS: Self = Self { loses_answers: true, ..Self::FINE };

    /// As between two regions on different continents: 80 ms each way, give or take 20, and one packet in a hundred lost.
    pub const REGIONS: Self = Self {
        delay: Duration::from_millis(80),
        jitter: Duration::from_millis(20),
        lost_per_thousand: 10,
        ..Self::FINE
    };

    /// Everything takes `round_trip` longer, there and back together.
    pub fn slower_by(round_trip: Duration) -> Self {
        Self { delay: round_trip.div_f64(2.0), ..Self::FINE }
    }
}
