//! The services: each a state and operations on it.

pub(crate) mod firehose;
pub mod iam;
pub mod kinesis;
pub mod lambda;
pub(crate) mod logs;
pub mod s3;
pub(crate) mod sts;
