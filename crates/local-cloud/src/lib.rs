//! AWS in a process: Kinesis, Firehose, S3, Lambda, IAM, STS and CloudWatch Logs, in which the data really flows.
//!
//! ```text
//! connector / server  ->  exchange  ->  wire (route, parse)  ->  drive  ->  world  ->  service/*
//!                                                                |  ^        |
//!                                                                |  '--------'  effects: run a Lambda
//!                                                                '- journal: what changed
//! ```
//!
//! - `world` and all that it stands on take values and a time and return values and effects: no IO, no clock, no async. They are a
//!   crate of their own, `local-world`.
//! - `drive` owns the clock, the journal and the processes. It is the only part that waits for world time.
//! - `faults` says which calls go wrong, by rule and by seed, `anomalies` what AWS answers for a while after a change, and `rates`
//!   how often it may be called; `exchange` asks them around each call.
//! - `connector` (the AWS SDK's HTTP client, in this process) and `server` (a loopback port) both hand requests to `exchange`.
//!
//! A module names only what stands below it: `floors` keeps that.
//!
//! Not here: anything about provisioning, and the AWS service SDKs.

#![warn(missing_docs)]

mod connector;
mod control;
mod course;
mod drive;
mod exchange;
#[cfg(test)]
mod floors;
mod page;
mod rates;
mod runner;
mod server;
mod wire;

pub use local_world::anomalies;
use local_world::{
    allowance, arn, brief, changes, effect, faults, flow, host, model, record, request, service, settings, target,
    time, world,
};

pub use anomalies::Consistency;
pub use control::MAX_SPEED;
pub use drive::{Damage, Engine, Pace, StartError};
pub use exchange::LostReply;
pub use faults::Rule;
pub use page::DRAWING_STYLE;
pub use settings::{Secret, Settings};
pub use time::{Delays, LATEST};

/// Functions as processes, without an engine: how one is started, invoked and told from another.
pub mod functions {
    pub use crate::request::{FunctionImage, Input, InvokeOutcome};
    pub use crate::runner::{Runner, stays_inside};
}

/// Firehose's rules for callers that check a delivery stream, or make records for one: jq queries, the parts that it makes of a record,
/// and records that the Kinesis Producer Library puts together.
pub mod delivery {
    pub use crate::flow::{
        Compression, Failure, Part, Preparation, Split, Unpack, aggregate, object_name, parts, query, random_string,
        uuid,
    };
}

/// Is one of the engine's helpers (a function's guard, a query's evaluator), and never returns, where this program was started as
/// one. A program that wants them calls this before anything else; without it a function's process is ended by its group only, and
/// a query has this process's memory.
pub fn enter() {
    runner::guard::enter();
    flow::query::process::enter();
}
