//! Stands up and removes a Kinesis, Firehose, Lambda and S3 test environment, on AWS or in this process.

pub mod artifact;
pub mod cloud;
pub mod error;
pub mod names;
pub mod node;
pub mod plan;
pub mod resource;
pub mod schedule;
pub mod spec;
pub mod wait;
