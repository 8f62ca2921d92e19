//! Fakes that keep state, and the contract suites that every backend must pass.
//!
//! A suite is a list of statements about a trait, each an async function that gives `Ok` or the [`Breach`] it found.
//! Whoever implements [`Register`](crate::register::Register) for another store runs them all:
//!
//! ```
//! use std::sync::Arc;
//! use async_trait::async_trait;
//! use beam_core::register::{MemoryRegister, Register, RegisterError};
//! use beam_core::testing::{Breach, RegisterHarness, register_contract};
//!
//! struct Mine(Arc<MemoryRegister>);
//!
//! #[async_trait]
//! impl RegisterHarness for Mine {
//!     async fn open(&self) -> Result<Arc<dyn Register>, RegisterError> {
//!         Ok(self.0.clone()) // another connection to the same store
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Breach> {
//! register_contract::run_all(&Mine(Arc::default())).await
//! # }
//! ```
//!
//! | trait | fake | suite |
//! |---|---|---|
//! | `Register` | [`MemoryRegister`](crate::register::MemoryRegister), made unreliable by [`FaultyRegister`] | [`register_contract`] |
//! | `FloorStore` | [`FakeFloor`] | [`floor_contract`] |
//! | `CloudProvider` | [`FakeCloud`] | [`cloud_contract`] |
//! | `ObjectStore` | [`FakeObjects`] | [`object_contract`] |
//! | `NodeProcess` | [`FakeNode`] | [`node_contract`] |
//! | `AlertSink` | [`RecordingSink`] | [`sink_contract`] |
//! | `SigningKey` | [`FakeKey`] | [`key_contract`] |
//! | `HealthCheck`, `AuditLog` | [`FakeHealth`], [`FakeAuditLog`] | none: there is little to break |
//!
//! The fakes are shared by `Arc`: what they keep outlives the driver that uses them, as a disk or a cloud would. They
//! draw no random number; what looks random comes from a [`Dice`] and its seed.

#[macro_use]
mod breach;

pub mod cloud_contract;
pub mod floor_contract;
pub mod key_contract;
pub mod node_contract;
pub mod object_contract;
pub mod register_contract;
pub mod sink_contract;

mod dice;
mod fake_audit_log;
mod fake_cloud;
mod fake_floor;
mod fake_health;
mod fake_key;
mod fake_node;
mod fake_objects;
mod faulty_register;
mod mood;
mod recording_sink;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use breach::Breach;
pub use cloud_contract::{CloudHarness, Outside, Report};
pub use dice::Dice;
pub use fake_audit_log::FakeAuditLog;
pub use fake_cloud::{CloudCalls, CloudFault, CloudOdds, Delays, FakeCloud, ListLag, Quotas, RateLimit};
pub use fake_floor::FakeFloor;
pub use fake_health::FakeHealth;
pub use fake_key::FakeKey;
pub use fake_node::FakeNode;
pub use fake_objects::FakeObjects;
pub use faulty_register::{Fault, FaultyRegister, Odds};
pub use key_contract::KeyHarness;
pub use mood::Mood;
pub use object_contract::ObjectHarness;
pub use recording_sink::RecordingSink;
pub use register_contract::RegisterHarness;

/// Locks a fake's state. A test that panicked while holding it has failed already; the others may go on.
fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
