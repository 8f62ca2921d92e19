//! Where Beam's alerts go: one file a way to reach people, each an implementation of
//! [`AlertSink`](beam_core::alert_sink::AlertSink).

mod log;

pub use log::LogSink;
