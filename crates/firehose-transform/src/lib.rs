//! An SDK for AWS Lambda functions that transform the records of an Amazon Data Firehose delivery stream.
//!
//! ```no_run
//! use firehose_transform::{Error, Outcome, Record, run};
//!
//! fn main() -> std::process::ExitCode {
//!     run(shout)
//! }
//!
//! fn shout(record: &Record<'_>) -> Result<Outcome, Error> {
//!     Ok(Outcome::text(record.text()?.to_uppercase()).with_newline())
//! }
//! ```
//!
//! Name the binary `bootstrap`, put it into a zip, and use the runtime `provided.al2023`. No async runtime is needed, no event types
//! and no JSON by hand. The README shows how to depend on this crate.
//!
//! # Records and answers
//!
//! Firehose collects records and calls the function with a batch of them. A [`Record`] has the payload as
//! [`bytes`](Record::bytes), [`text`](Record::text), [`json`](Record::json) or [field by field](Record::fields), its
//! [time of arrival](Record::arrived_at) and, if a Kinesis stream is the source, its [partition key](Record::partition_key),
//! [shard](Record::shard_id) and [sequence number](Record::sequence_number). The function answers each record with an [`Outcome`]:
//!
//! | Answer | What Firehose does |
//! |---|---|
//! | [`Outcome::text`], [`bytes`](Outcome::bytes), [`json`](Outcome::json), [`write`](Outcome::write), [`unchanged`](Outcome::unchanged) | delivers the data. Records are joined without a separator: see [`with_newline`](Outcome::with_newline) |
//! | the same [`with_partition_key`](Outcome::with_partition_key) | delivers the data under the prefix that the keys give |
//! | [`Outcome::dropped`], or `None` | counts the record as processed |
//! | [`Outcome::failed`], or `Err` with anything that can be displayed | stores the original under the error prefix |
//!
//! # What the crate guarantees
//!
//! A mistake in any of these makes Firehose fail the whole batch, in some cases after three retries:
//!
//! - Every record is answered exactly once, in order, with its own id and a result that Firehose knows.
//! - An error or a panic fails only its own record, and is logged with the record's id. The same holds for data that is not base64,
//!   text that is not UTF-8 and JSON that does not match the requested type. (A panic can only be caught if panics unwind: do not
//!   set `panic = "abort"`.)
//! - The response never exceeds [Lambda's limit](MAX_RESPONSE_BYTES). A record that does not fit fails, or is
//!   [put back](Runner::put_back) into its source.
//! - Records that are not begun before the deadline fail, and the others are delivered. The invocation does not time out.
//! - SIGTERM lets the running invocation finish.
//!
//! The contract: <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>
//!
//! # State, threads and waiting
//!
//! A transform may be a closure that borrows or owns what its records share: `run(|record| enrich(record, &table))`. A function with
//! several cores transforms the records of a large batch on [several threads](Runner::threads). A transform that waits for a
//! service is asynchronous and runs under any async runtime: see [`run_async`]. [`Runner`] has all settings.
//!
//! # Features
//!
//! `fields`, which is on by default, adds the module [`json`] and [`Record::fields`]. `lambda-runtime` adds the module `layers`: a service for
//! `lambda_runtime`, to put layers of `tower` around it.
//!
//! # Tests
//!
//! [`testing::transform`] runs a transform on payloads and returns the answers, [`testing::transform_event`] on a recorded event.
//! [`testing::kinesis_event`] builds an event, and [`batch()`] answers one with the bytes that Lambda would return.
//!
//! ```
//! use firehose_transform::testing::{Answer, transform};
//! use firehose_transform::{Outcome, Record};
//!
//! let answers = transform(["a", ""], |record: &Record<'_>| match record.bytes() {
//!     [] => Outcome::dropped(),
//!     bytes => Outcome::bytes(bytes.to_ascii_uppercase()),
//! });
//! assert_eq!(answers, [Answer::ok("A"), Answer::Dropped]);
//! ```
//!
//! # Cost
//!
//! An event is read in one pass that decodes nothing. A payload is decoded on first use. The response is written into one buffer.
//! All buffers are reused: after the first events, neither the loop nor the reader and writer in [`json`] allocate anything for a
//! record. What a transform builds itself (`String`, `Vec`, partition keys, reasons) is allocated as usual.
#![deny(missing_docs)]

// From the outside in: runtime, runner and layers; batch, parallel and concurrent; event, record, outcome and response; scan and values. They keep the
// contract, and need nothing of `json`, which is a feature.
mod batch;
mod buffer;
mod concurrent;
mod error;
mod event;
mod http;
#[cfg(feature = "fields")]
pub mod json;
#[cfg(feature = "lambda-runtime")]
pub mod layers;
mod log;
mod outcome;
mod output;
mod pace;
mod parallel;
mod record;
mod response;
mod runner;
mod runtime;
mod scan;
mod shutdown;
pub mod testing;
mod values;

pub use batch::{Failure, Reply, batch};
pub use error::{Error, EventError};
pub use log::Level;
pub use outcome::{IntoOutcome, Outcome};
pub use record::{Invocation, Record};
pub use response::MAX_RESPONSE_BYTES;
pub use runner::Runner;
pub use runtime::{run, run_async};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
