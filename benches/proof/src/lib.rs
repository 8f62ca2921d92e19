//! What shows that Beam keeps its promise, around the very machines that sign.
//!
//! It depends on `beam-core` and little else, so that a deliberate mistake in the signing rule is built and run in seconds.

pub mod mistakes;
pub mod model;
