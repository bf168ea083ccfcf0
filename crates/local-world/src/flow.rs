//! Firehose's pipeline: preparing records, buffering, judging what a transform answered, naming objects. Pure.
//!
//! ```text
//! prepare -> [buffer -> event -> lambda -> answer] -> place -> buffer by slot -> object, and progress
//! ```
//!
//! Large work (taking records apart, writing an event, judging an answer, compressing) is a [`task::Task`].
//! [`crate::world::delivery`] moves records through the pipeline, from a source to a bucket.

mod answer;
pub(crate) mod buffer;
pub(crate) mod compression;
pub(crate) mod config;
pub(crate) mod destination;
pub(crate) mod event;
pub(crate) mod failure;
#[cfg(test)]
mod fuzz;
pub(crate) mod ident;
pub(crate) mod item;
pub(crate) mod job;
pub(crate) mod object;
mod partition;
pub(crate) mod pieces;
pub(crate) mod pipeline;
pub(crate) mod prefix;
pub(crate) mod prepare;
pub(crate) mod processors;
pub(crate) mod progress;
pub mod query;
pub(crate) mod refused;
pub(crate) mod settle;
pub(crate) mod slot;
pub mod task;

pub use compression::Compression;
pub use failure::Failure;
pub use ident::uuid;
pub use object::name as object_name;
pub use prefix::random_string;
pub use prepare::aggregate::aggregate;
pub use prepare::split::Split;
pub use prepare::{Part, Preparation, Unpack, parts};

/// As which service roles are assumed.
pub const PRINCIPAL: &str = "firehose.amazonaws.com";
