//! Facts that AWS documents, as plain data with their sources. The provisioner keeps to them, and the local engine enforces them.

pub mod firehose;
pub mod iam;
pub mod kinesis;
pub mod lambda;
pub mod rates;
pub mod s3;
pub mod signature;
