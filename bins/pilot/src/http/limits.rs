//! The bounds of the agent, each with its reason. Together they say what a flood can cost: [`CONNECTIONS_MAX`] sockets with a
//! buffer of [`HEADER_BYTES_MAX`] each, for [`CONNECTION_WITHIN`] at most, and [`ACCEPTS_PER_WINDOW`] wakeups a window.

use std::time::Duration;

/// Bytes of a request up to the end of its headers. A probe's are some 200; 8 KiB is the least buffer that hyper can have.
pub(super) const HEADER_BYTES_MAX: usize = 8 * 1024;

/// Headers of a request. Browsers behind proxies send some 30.
pub(super) const HEADERS_MAX: usize = 64;

/// From a connection to the end of its request's headers. Whoever asks is on the same network and sends one packet.
pub(super) const HEADERS_WITHIN: Duration = Duration::from_secs(2);

/// From a connection to its end: one that reads its answer byte by byte must not keep its seat. There is no keep-alive: one
/// request a connection leaves nothing idle to be bounded, and a scrape every few seconds can afford its handshake.
pub(super) const CONNECTION_WITHIN: Duration = Duration::from_secs(5);

/// Connections at once. A commander, two Prometheus servers and a person need fewer than ten.
pub(super) const CONNECTIONS_MAX: usize = 64;

/// Connections at once of one source, so that a single bad neighbour leaves seats for the others.
pub(super) const CONNECTIONS_PER_SOURCE_MAX: usize = 16;

/// Connections that the kernel may hold before we have looked at them. The others are told to try again by silence.
pub(super) const BACKLOG: u32 = 128;

/// How often connections are counted for [`ACCEPTS_PER_WINDOW`].
pub(super) const ACCEPT_WINDOW: Duration = Duration::from_millis(100);

/// Connections taken, or turned away, in one [`ACCEPT_WINDOW`]; the rest wait in the backlog. 1,000 a second cost a few percent
/// of a core; without a bound a flood would cost one whole.
pub(super) const ACCEPTS_PER_WINDOW: u32 = 100;

/// The first and the longest wait before the agent tries again to listen, or to accept.
pub(super) const RETRY_FIRST: Duration = Duration::from_secs(1);
/// See [`RETRY_FIRST`].
pub(super) const RETRY_LONGEST: Duration = Duration::from_secs(60);

/// How long the agent may take to end when told to: the requests under way are given up.
pub(super) const ENDS_WITHIN: Duration = Duration::from_secs(1);
