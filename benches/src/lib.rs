//! What the README's numbers come from. Each program says how it measures at its head, prints what it found, and fails
//! if a number is worse than Beam promises.

pub mod node;
pub mod random;
pub mod stats;
