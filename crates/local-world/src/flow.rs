//! Firehose's pipeline: preparing records, buffering, judging what a transform answered, naming objects. Pure.
//!
//! ```text
//! prepare -> [buffer -> event -> lambda -> answer] -> place -> buffer by slot -> object, and progress
//! ```
//!
//! What is much work (taking records apart, writing an event, judging an answer, compressing) is a [`task::Task`]. What moves records
//! through it, from a source and to a bucket, is [`crate::world::delivery`].

mod answer;
mod buffer;
mod compression;
pub mod config;
pub mod destination;
pub mod event;
pub mod failure;
#[cfg(test)]
mod fuzz;
pub mod ident;
pub mod item;
pub mod job;
pub mod object;
mod partition;
pub mod pieces;
pub mod pipeline;
pub mod prefix;
pub mod prepare;
pub mod processors;
pub mod progress;
pub mod query;
pub mod refused;
pub mod settle;
pub mod slot;
pub mod task;

/// As which service roles are assumed.
pub const PRINCIPAL: &str = "firehose.amazonaws.com";
