//! What there is to know about the connection to the node.

/// The connection to the node, as of now. It comes by a [`watch`](tokio::sync::watch) channel: whoever looks seldom
/// misses changes in between, but never the present, and holds nothing up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Whether the node is connected.
    pub state: LinkState,
    /// How many connections there have been.
    pub connections: u64,
    /// Why the last connection ended, if one has.
    pub last_end: Option<String>,
    /// How often the node was given our key. It asks two or three times when it starts, and then once after **every
    /// block it commits**: this is the earliest sign of a new height there is.
    pub keys_given: u64,
}

/// Whether the node is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// Not now; it is tried all the time.
    Dialing {
        /// What is wrong, if it is anything but a node that does not listen yet.
        trouble: Option<String>,
    },
    /// It is.
    Connected,
}

impl Default for LinkState {
    fn default() -> Self {
        Self::Dialing { trouble: None }
    }
}

impl Link {
    /// Moves to another state; says whether that is a change, so that each is told once and not with every try.
    pub(super) fn enter(&mut self, state: LinkState) -> bool {
        let changed = self.state != state;
        self.state = state;
        changed
    }
}
