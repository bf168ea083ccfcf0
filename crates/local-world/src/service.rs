//! The services: each a state and operations on it.

pub mod firehose;
pub mod iam;
pub mod kinesis;
pub mod lambda;
pub mod logs;
pub mod s3;
pub mod sts;
