//! The parts of `cargo fuzz-all`.

mod campaign;
mod compile;
mod minimise;
mod outcome;
mod places;

pub(crate) use campaign::{Bounds, campaign};
pub(crate) use compile::compile;
pub(crate) use minimise::minimise;
pub(crate) use outcome::table;
pub(crate) use places::Places;
