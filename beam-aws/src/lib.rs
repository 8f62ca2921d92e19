//! Beam's hands on AWS. Each module implements a trait of `beam-core`, passes that trait's contract suite, and decides
//! nothing.
//!
//! | feature | module | implements |
//! |---|---|---|
//! | `dynamodb` (default) | [`dynamodb`] | [`Register`](beam_core::register::Register), in a DynamoDB table |
//! | `s3` | `s3` | [`Register`](beam_core::register::Register) and [`ObjectStore`](beam_core::object_store::ObjectStore), in an S3 bucket |
//! | `kms` | `kms` | [`SigningKey`](beam_core::signing_key::SigningKey), a key in KMS |
//! | `ec2` | `ec2` | [`CloudProvider`](beam_core::cloud_provider::CloudProvider), on EC2 |
//!
//! [`access`] is how any of them is asked, [`timeouts`] for how long.
//! A service's SDK is built only if its feature is on; [`place`], the names of things, needs none. TLS is rustls with ring, and there is one HTTP stack (hyper).

#[cfg(feature = "connect")]
#[cfg_attr(
    not(any(feature = "dynamodb", feature = "s3")),
    allow(dead_code, reason = "what a vote waits for is asked otherwise than a cloud")
)]
pub mod access;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "ec2")]
pub mod ec2;
#[cfg(feature = "kms")]
pub mod kms;
pub mod place;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "connect")]
pub mod timeouts;
#[cfg(feature = "connect")]
#[cfg_attr(
    not(any(feature = "dynamodb", feature = "s3")),
    allow(dead_code, reason = "a register's errors are made of it, a cloud's in a place of their own")
)]
mod trouble;
