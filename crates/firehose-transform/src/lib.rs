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
//! What is kept on the author's behalf, because Firehose punishes each of these for the whole batch:
//! every record is answered exactly once, in order; the result is one of the three words Firehose knows; an error or a
//! panic fails its own record and is logged with its id; the response never outgrows Lambda's limit. A panic can only be
//! caught where panics unwind: do not build a transform with `panic = "abort"`.
//!
//! Where to find things: [`Record`] is the input and [`Outcome`] the answer; [`batch`](batch()) is the pure step from event
//! bytes to response bytes; [`run`] is the loop around it, over Lambda's Runtime API; [`testing`] builds events and reads
//! answers. Not here, on purpose: an async runtime, the AWS SDK, and putting records back into their source.
//!
//! The contract: <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>

mod batch;
mod buffer;
mod concurrent;
mod error;
mod event;
mod http;
pub mod json;
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
