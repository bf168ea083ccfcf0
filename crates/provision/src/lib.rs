//! Creates and deletes Kinesis, Firehose, Lambda and S3 test environments, on AWS or in this process. The library is for the
//! program and its tests, and makes no promise to others.
//!
//! ```text
//! spec -> derive -> node (desired + live) -> plan (steps) -> apply -> event -> report
//!                    ^ survey                   | schedule
//! ```
//!
//! - Decisions are pure: `spec`, `derive`, `names`, `plan` and `schedule` know no clock, no IO and no AWS client.
//! - Doing is a thin loop: `survey` reads, `apply` runs steps, the kinds in `resource` speak through the AWS SDK.
//! - `cloud` is the only place that knows where we are; `send` repeats calls that meet a `transient`, `wait` polls; nothing prints but `report`.
//!
//! The emulator is the crate `local-cloud`. There is no state file.

pub mod apply;
pub mod args;
pub mod artifact;
pub mod change;
pub mod claims;
pub mod cli;
pub mod cloud;
pub mod command;
pub mod derive;
pub mod doctor;
mod environment_name;
pub mod error;
pub mod event;
pub mod exit;
pub mod exports;
pub mod firehose_errors;
#[cfg(test)]
mod floors;
pub mod follow;
#[cfg(test)]
mod fuzz;
pub mod interrupt;
pub mod job;
pub mod kinds;
mod ledger;
pub mod names;
pub mod node;
pub mod outcome;
pub mod outputs;
pub mod permissions;
pub mod plan;
pub mod prefix;
pub mod producer;
pub mod record;
pub mod replay;
pub mod report;
pub mod resource;
pub mod run;
pub mod saved_plan;
pub mod scan;
pub mod schedule;
pub mod secret;
mod section;
pub mod seen;
pub mod send;
pub mod serving;
pub mod session;
pub mod source;
pub mod spec;
pub mod surroundings;
pub mod survey;
pub mod transform;
pub mod transient;
pub mod verify;
pub mod wait;
mod waits;
mod workdir;
mod yaml;
