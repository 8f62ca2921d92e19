//! Beam's hands on AWS. Each module implements a trait of `beam-core`, passes that trait's contract suite, and decides
//! nothing.
//!
//! | feature | module | implements |
//! |---|---|---|
//! | `dynamodb` (default) | [`dynamodb`] | [`Register`](beam_core::register::Register), in a DynamoDB table |
//! | `ec2` | [`ec2`] | [`CloudProvider`](beam_core::cloud_provider::CloudProvider), on EC2 |
//!
//! A service's SDK is built only if its feature is on; [`place`], the names of things, needs none. TLS is rustls with ring, and there is one HTTP stack (hyper).

#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "ec2")]
pub mod ec2;
pub mod place;
