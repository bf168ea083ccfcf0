//! The state of AWS in a process: Kinesis, Firehose, S3, Lambda, IAM, STS and CloudWatch Logs, and what calls and time do to it.
//!
//! Everything takes values and a time and returns values and effects: no IO, no clock, no async. A fifteen minute buffer is tested in
//! microseconds. `local-cloud` drives it: it has the clock, the journal, the processes and HTTP. (jq queries are evaluated in
//! processes of their own, because nothing else bounds them.)

#![warn(missing_docs)]

pub mod allowance;
pub mod anomalies;
pub mod arn;
pub mod brief;
pub mod changes;
pub mod effect;
pub mod faults;
pub mod flow;
pub(crate) mod glob;
pub mod host;
pub mod log;
pub mod model;
pub mod recent;
pub mod record;
pub mod request;
pub mod service;
pub mod settings;
pub mod table;
pub mod target;
pub mod time;
pub mod world;
