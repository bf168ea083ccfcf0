//! Facts that AWS documents, as plain data with their sources. The provisioner keeps to them, and the built-in emulator enforces them.
//!
//! The bounds of the service models are also in the emulator, as generated tables; a test of `local-world` compares the two.

#![warn(missing_docs)]

pub mod bounds;
pub mod firehose;
pub mod iam;
pub mod kinesis;
pub mod lambda;
pub mod logs;
pub mod rates;
pub mod s3;
pub mod signature;
pub mod tags;
