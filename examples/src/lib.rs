//! The lab: a real network on one machine, two Beam machines that share one of its
//! validators, and a judge who says afterwards whether that validator ever contradicted itself.
//!
//! ```text
//!   v1  v2  v3          plain validators, run by the lab itself      [`network`]
//!     \  |  /
//!    s1 ... sn          sentries under Beam, if there are any        [`machine`]
//!     \  |  /
//!    a  ---  b          validator 0: two machines under Beam         [`machine`]
//!        |
//!     watcher           every vote and block the others saw          [`chain`]
//!        |
//!      judge            audit files + votes + evidence -> verdict    [`judge`]
//! ```
//!
//! The chain is CometBFT alone, or one like the Cosmos Hub with stake, slashing and governance ([`hub`]).
//!
//! What runs on AWS runs here on emulators ([`emulator`]): [`dynamodb_local`], [`moto`] (S3, EC2) and [`ministack`] (KMS), with a [`tap`]
//! before them that counts and throttles.
//!
//! [`lab`] puts them together, and [`trial`] does one thing to them and counts what it cost. The demo, the pilot's
//! end-to-end tests and the measuring program are all written on this library; none of them sees a mock. What must always hold:
//!
//! * **Nothing survives.** Every process runs in a group of its own that is killed when its owner
//!   is dropped, and by a small watchdog when the lab itself is killed ([`process`]).
//! * **The judge does not take the suspect's word.** Beam's audit files are one source; the other
//!   two are votes as plain validators received them and evidence in blocks.
//! * **No wait without an end.** Everything that waits has a deadline and says what it waited for.
//!
//! Linux only: the guards against signalling a stranger read `/proc`.

pub mod chain;
pub mod dynamodb_local;
pub mod emulator;
pub mod hub;
pub mod install;
pub mod judge;
pub mod lab;
pub mod machine;
pub mod ministack;
pub mod moto;
pub mod network;
pub mod process;
pub mod promtool;
pub mod proxy;
pub mod tap;
pub mod trial;
pub mod wait;
