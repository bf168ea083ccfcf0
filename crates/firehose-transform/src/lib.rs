//! Write a Firehose transform Lambda: typed records in, typed answers out.
//!
//! ```no_run
//! use firehose_transform::{Error, Outcome, Record, run};
//!
//! fn shout(record: &Record<'_>) -> Result<Outcome, Error> {
//!     Ok(Outcome::text(record.text()?.to_uppercase()).with_newline())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     run(shout)
//! }
//! ```
//!
//! Name the binary `bootstrap`, put it into a zip, and let the function's runtime be `provided.al2023`. It needs nothing else: no
//! async runtime, no event types, no JSON by hand.
//!
//! # What a transform is asked, and what it may answer
//!
//! Firehose collects records, and calls the function with a batch of them. A [`Record`] has the payload as
//! [`bytes`](Record::bytes), [`text`](Record::text), [`json`](Record::json) or [field by field](Record::fields); when it
//! [arrived](Record::arrived_at); and, if a Kinesis stream is the source, its [partition key](Record::partition_key),
//! [shard](Record::shard_id) and [sequence number](Record::sequence_number). The function answers each with an [`Outcome`]:
//!
//! | | what Firehose does |
//! |---|---|
//! | [`Outcome::text`], [`bytes`](Outcome::bytes), [`json`](Outcome::json), [`write`](Outcome::write), [`unchanged`](Outcome::unchanged) | delivers it, joined to the others byte to byte: see [`with_newline`](Outcome::with_newline) |
//! | the same [`with_partition_key`](Outcome::with_partition_key) | delivers it under the prefix that the keys make |
//! | [`Outcome::dropped`], or `None` | counts it as handled |
//! | [`Outcome::failed`], or `Err` with anything that can be displayed | stores the original under the error prefix |
//!
//! # What is kept on the author's behalf
//!
//! Firehose punishes each of these for the whole batch, some of them after three retries:
//!
//! - Every record is answered exactly once, in order, with its own id and one of the three words that Firehose knows.
//! - An error or a panic fails its own record and is logged with its id. So are data that are not base64, text that is not UTF-8
//!   and JSON that is not as expected. (A panic can only be caught where panics unwind: leave out `panic = "abort"`.)
//! - The response never outgrows [Lambda's limit](MAX_RESPONSE_BYTES). What does not fit any more fails, or is
//!   [put back](Runner::put_back) into the source.
//! - Records that are not reached before the deadline fail, and the others are delivered, instead of a time-out for all.
//! - SIGTERM lets the running invocation finish.
//!
//! # State, threads and waiting
//!
//! Whatever the closure borrows or owns is shared: `run(|record| enrich(record, &table))`. A function that pays for several cores
//! answers the records of a large batch on [several threads](Runner::threads). A transform that waits for a service is asynchronous:
//! [`run_async`], under any runtime. [`Runner`] has all that can be chosen.
//!
//! For those who put layers of `tower` around their function, the feature `lambda-runtime` has a service, in `layers`.
//!
//! # Tests
//!
//! [`testing::transform`] runs a transform over payloads and returns the answers, [`testing::transform_event`] over a recorded event;
//! [`testing::kinesis_event`] builds one, and [`batch()`] answers one as Lambda would see it:
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
//! # What it costs
//!
//! An event is read in one pass that decodes nothing; a payload is decoded when it is first asked for; the response is written into
//! one buffer. All buffers are used again: once warm, the loop itself allocates nothing for a record, nor do [`json`]'s reader and
//! writer. What a transform builds (`String`, `Vec`, partition keys, reasons) is its own.
//!
//! Not here, on purpose: an async runtime, the AWS SDK, and the other events that Lambda knows.
//!
//! The contract: <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>

// From the outside in: runtime, runner and layers; batch, parallel and concurrent; event, record, outcome and response; scan, digits and json.
mod batch;
mod buffer;
mod concurrent;
mod digits;
mod error;
mod event;
mod http;
pub mod json;
#[cfg(feature = "lambda-runtime")]
pub mod layers;
mod log;
mod outcome;
mod pace;
mod parallel;
mod record;
mod response;
mod runner;
mod runtime;
mod scan;
mod shutdown;
pub mod testing;

pub use batch::{Failure, Reply, batch};
pub use error::{Error, EventError};
pub use log::Level;
pub use outcome::{IntoOutcome, Outcome};
pub use record::{Invocation, Record};
pub use response::MAX_RESPONSE_BYTES;
pub use runner::Runner;
pub use runtime::{run, run_async};
