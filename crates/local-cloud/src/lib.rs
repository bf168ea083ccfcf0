//! AWS in a process: Kinesis, Firehose, S3, Lambda, IAM, STS and CloudWatch Logs, in which the data really flows.
//!
//! ```text
//! connector / server  ->  drive  ->  wire (route, parse, dress)  ->  world  ->  service/*
//!                          |  ^                                        |
//!                          |  '------- effects: run a Lambda ----------'
//!                          '---------- journal: what changed
//! ```
//!
//! - `world` and everything under `service` and `flow` take values and a time and return values and effects: no IO, no
//!   clock, no async. A fifteen minute buffer is tested in microseconds. (jq queries are evaluated in processes of their own, because
//!   nothing else bounds them.)
//! - `drive` owns the clock, the journal and the processes. It is the only part that sleeps.
//! - `faults` says which calls go wrong, by rule and by seed, `anomalies` what AWS answers for a while after a change, and `rates`
//!   how often it may be called; `drive` lets them.
//! - `connector` (the AWS SDK's HTTP client, in this process) and `server` (a loopback port) are two doors to the same room.
//!
//! Not here: anything about provisioning, and the AWS service SDKs.

pub mod allowance;
pub mod anomalies;
pub mod arn;
pub mod brief;
pub mod changes;
pub mod connector;
pub mod control;
pub mod course;
pub mod drive;
pub mod effect;
pub mod exchange;
pub mod faults;
#[cfg(test)]
mod floors;
pub mod flow;
pub mod glob;
pub mod host;
pub mod log;
pub mod model;
pub mod rates;
pub mod record;
pub mod request;
pub mod runner;
pub mod server;
pub mod service;
pub mod settings;
pub mod table;
pub mod target;
pub mod time;
pub mod wire;
pub mod world;

pub use anomalies::Consistency;
pub use drive::{Damage, Engine, Pace, StartError};
pub use exchange::LostReply;
pub use settings::{Secret, Settings};
pub use time::{Delays, LATEST};

/// Is one of the engine's helpers (a function's guard, a query's evaluator), and never returns, where this program was started as
/// one. A program that wants them calls this before anything else; without it a function's process is ended by its group only, and
/// a query has this process's memory.
pub fn enter() {
    runner::guard::enter();
    flow::query::process::enter();
}
