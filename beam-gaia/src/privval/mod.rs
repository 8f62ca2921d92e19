//! `CometBFT`'s remote signer protocol, the signer's side.
//!
//! The node listens (`priv_validator_laddr`), the signer dials, and then the node asks: one request, one answer. What
//! every part in here keeps to, because a node without a signer does not skip votes but **freezes**, for up to 155 s
//! a call:
//!
//! * **Every request is answered**, and within [`limits::ANSWER_WITHIN`]. A refusal is an answer; so is the answer to
//!   something that is no request. No connection is closed in order to say no.
//! * **Somebody is there before the node is.** The [`Dialer`] tries every [`limits::DIAL_EVERY`], for ever, so that a
//!   node that starts finds its signer (it waits 3 s, once) and one that loses it has it back at once.
//! * **One connection to a node.** A second one would wait in the node's backlog and cost it time later.
//! * **What is checked is what is signed.** The sign bytes are made here ([`canonical`]), and the signer reads the
//!   position, block and chain out of those bytes again.
//!
//! ```text
//!   node ◀──unix or tcp──▶ transport ──Message──▶ Service ──Statement──▶ Sign (beam_core's SignerHandle)
//!                             ▲                                │
//!                           Dialer ─────────▶ Link ◀── "a height was committed"
//! ```
//!
//! The messages are the same from `CometBFT` 0.34 to 0.40. On one machine, take `unix://` with the socket in a folder
//! that nobody else may enter: its permissions are the only authentication this protocol has. `tcp://` (feature `tcp`)
//! encrypts, but **authenticates nobody**: the node shows a new random key at each start and accepts any key of ours. So
//! use it on loopback, or inside a link that is private by other means (`WireGuard`, say).

mod address;
pub mod canonical;
mod connection;
mod dial;
pub mod frame;
mod link;
pub mod messages;
mod plain;
#[cfg(feature = "tcp")]
mod secret;
mod service;
mod sign;
#[cfg(test)]
mod testing;
mod transport;

pub use address::{Address, AddressError};
pub use dial::Dialer;
pub use link::{Link, LinkState};
pub use service::Service;
pub use sign::Sign;

/// How long things may take, and how large they may be.
pub mod limits {
    use std::time::Duration;

    /// A request is answered at the latest after this, well or not. The signer promises 2.5 s; the node gives up (and
    /// drops the connection) after 5 s.
    pub const ANSWER_WITHIN: Duration = Duration::from_secs(3);
    /// How long the node may take to accept the bytes of an answer. They fit into any socket's buffer, so a node that
    /// does not is gone.
    pub const SEND_WITHIN: Duration = Duration::from_secs(5);
    /// How often a node that does not listen is tried.
    pub const DIAL_EVERY: Duration = Duration::from_millis(50);
    /// How long the kernel may take to connect. Matters for `tcp://` only.
    pub const CONNECT_WITHIN: Duration = Duration::from_secs(3);
    /// How long the handshake of a `tcp://` connection may take. It begins only when the node accepts, and it accepts
    /// only when it has no other signer: a short bound would leave half-open connections in its backlog, each of which
    /// costs it 100 ms of frozen consensus later.
    pub const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
    /// How long the first request may take, for the same reason. A node pings every 3.3 s.
    pub const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(10);
    /// The largest request that is taken in: `CometBFT` 0.40 sends vote extensions of 1 MiB and a little more.
    pub const REQUEST_LEN_MAX: u64 = 2 * 1024 * 1024;
    /// The longest request that is skipped so that the next one is understood. A length beyond this is no length.
    pub const SKIPPED_LEN_MAX: u64 = 64 * 1024 * 1024;
    /// The longest refusal, in characters. Nodes up to 0.39 read 10 KiB a message.
    pub const REASON_CHARS_MAX: usize = 512;
}
