//! Beam's hands on AWS. Each module implements a trait of `beam-core`, passes that trait's contract suite, and decides
//! nothing.
//!
//! | feature | module | implements |
//! |---|---|---|
//! | `dynamodb` (default) | [`dynamodb`] | [`Register`](beam_core::register::Register), in a DynamoDB table |
//! | `kms` | `kms` | [`SigningKey`](beam_core::signing_key::SigningKey), a key in KMS |
//! | `s3` | `s3` | [`Register`](beam_core::register::Register), in an S3 bucket |
//! | `ec2` | `ec2` | [`CloudProvider`](beam_core::cloud_provider::CloudProvider), on EC2 |
//!
//! [`access`] is how any of them is asked, [`timeouts`] for how long.
//! A service's SDK is built only if its feature is on; [`place`], the names of things, needs none. TLS is rustls with ring, and there is one HTTP stack (hyper).

#[cfg(feature = "connect")]
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
mod trouble;
