//! Settings of a run, and ways to answer an event without Lambda's Runtime API.

use std::env;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

use crate::batch::{Batch, PutBack, Reply};
use crate::error::EventError;
use crate::log;
use crate::outcome::IntoOutcome;
use crate::record::{Invocation, Record};
use crate::shutdown::Hook;

/// Lambda gives a function the equivalent of one core for each 1,769 MB of memory:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const MEGABYTES_PER_CORE: usize = 1769;

/// Runs a transform with other settings than [`run`](crate::run).
///
/// ```no_run
/// use std::time::Duration;
/// use firehose_transform::{Outcome, Record, Runner};
///
/// fn main() -> std::process::ExitCode {
///     Runner::new().threads(1).keep_back(Duration::from_secs(2)).run(|record: &Record<'_>| {
///         Outcome::bytes(record.bytes().to_ascii_uppercase()).with_newline()
///     })
/// }
/// ```
pub struct Runner<'a> {
    pub(crate) threads: usize,
    pub(crate) keep_back: Duration,
    pub(crate) put_back: Option<Box<PutBack<'a>>>,
    pub(crate) in_flight: usize,
    pub(crate) before_exit: Hook,
}

impl<'a> Runner<'a> {
    /// The settings of [`run`](crate::run): as many [`threads`](Runner::threads) as the function has whole cores,
    /// [half a second kept back](Runner::keep_back), [64 records in flight](Runner::in_flight), and no
    /// [`put_back`](Runner::put_back).
    pub fn new() -> Runner<'a> {
        Runner {
            threads: cores(),
            keep_back: Duration::from_millis(500),
            put_back: None,
            in_flight: 64,
            before_exit: Arc::new(|| {}),
        }
    }

    /// Shares the records of an event among up to this many threads. 0 counts as 1.
    ///
    /// An event gets at most one thread for each 32 KiB. The default is one for each 1,769 MB of the function's memory, which is what
    /// Lambda gives [one core](https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html) for. Has no effect on
    /// asynchronous transforms.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Runner<'a> {
        self.threads = threads.max(1);
        self
    }

    /// Lets an asynchronous transform work on up to this many records of a batch at the same time. 0 counts as 1; the default is 64.
    /// Has no effect on transforms that are not asynchronous.
    #[must_use]
    pub fn in_flight(mut self, records: usize) -> Runner<'a> {
        self.in_flight = records.max(1);
        self
    }

    /// Stops this long before [the deadline](Invocation::deadline) and answers. Records that were not begun by then fail, and the
    /// others are delivered. Without this the invocation would time out, and Firehose would retry and finally fail the whole batch. The
    /// default is half a second.
    ///
    /// Zero lets the invocation time out. Use it if a retry is likely to be faster.
    #[must_use]
    pub fn keep_back(mut self, time: Duration) -> Runner<'a> {
        self.keep_back = time;
        self
    }

    /// Writes records whose answers do not fit into the response back to their source and answers them with `Dropped`. By default
    /// such records fail. AWS's own Lambda blueprint does the same.
    ///
    /// `sink` is called once for a batch, at its end, with all such records. It returns one result for each record, in order; an
    /// error fails that record.
    ///
    /// A record that is put back gets a new id, a new arrival time and a new place in the order. If the source is a Kinesis stream,
    /// **every other reader of that stream sees the record twice**. A smaller buffer of the delivery stream's transform avoids all
    /// this, because the batches get smaller. The function's role needs `kinesis:PutRecords` or `firehose:PutRecordBatch`.
    ///
    /// This crate does not depend on the AWS SDK. With the SDK, a sink is some twenty lines: group the records by five hundred, call
    /// `put_records` on [`source_stream_arn`](Record::source_stream_arn) with [`partition_key`](Record::partition_key) and
    /// [`bytes`](Record::bytes), or `put_record_batch` if there is no source stream, and return one result for each record. The
    /// sink is called in the thread of `run`; wait for the SDK's futures with your runtime's `block_on`.
    #[must_use]
    pub fn put_back(mut self, sink: impl Fn(&[Record<'_>]) -> Vec<Result<(), String>> + Sync + 'a) -> Runner<'a> {
        self.put_back = Some(Box::new(sink));
        self
    }

    /// Calls `hook` once when Lambda ends the environment with SIGTERM, after the running invocation.
    ///
    /// Lambda sends SIGTERM only to functions that have an extension, and kills the process half a second later:
    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>.
    #[must_use]
    pub fn before_exit(mut self, hook: impl Fn() + Send + Sync + 'static) -> Runner<'a> {
        self.before_exit = Arc::new(hook);
        self
    }

    /// Answers one event: like [`batch`](crate::batch()), with these settings. The answer replaces what was in `reply`, whose buffers
    /// are reused. Failures are returned in `reply` and not logged.
    ///
    /// # Errors
    /// As [`batch`](crate::batch()).
    pub fn answer<O: IntoOutcome>(
        &self,
        event: &[u8],
        invocation: &Invocation,
        reply: &mut Reply,
        transform: impl Fn(&Record<'_>) -> O + Sync,
    ) -> Result<(), EventError> {
        let time_left = self.time_left(invocation);
        let batch = Batch { event, invocation, time_left: &time_left, put_back: self.put_back.as_deref() };
        batch.answer_on(self.threads, reply, transform)
    }

    /// Answers one event under another Lambda runtime, with the event and the response as raw JSON. Failures are logged, as
    /// [`run`](crate::run) does. For `lambda_runtime` use `layers::service`, which the feature `lambda-runtime` adds.
    ///
    /// # Errors
    /// As [`batch`](crate::batch()).
    pub fn answer_raw<O: IntoOutcome>(
        &self,
        event: &RawValue,
        invocation: &Invocation,
        transform: impl Fn(&Record<'_>) -> O + Sync,
    ) -> Result<Box<RawValue>, EventError> {
        let mut reply = Reply::default();
        self.answer(event.get().as_bytes(), invocation, &mut reply, transform)?;
        log::failures(&reply.failures, invocation);
        let response =
            String::from_utf8(reply.response).expect("ids are text and all else is ASCII or JSON by serde_json");
        Ok(RawValue::from_string(response).expect("the response is JSON"))
    }

    /// [`answer`](Runner::answer) with an asynchronous transform, under any async runtime.
    ///
    /// # Errors
    /// As [`batch`](crate::batch()).
    pub async fn answer_async<O: IntoOutcome>(
        &self,
        event: &[u8],
        invocation: &Invocation,
        reply: &mut Reply,
        transform: impl AsyncFn(&Record<'_>) -> O,
    ) -> Result<(), EventError> {
        let time_left = self.time_left(invocation);
        let batch = Batch { event, invocation, time_left: &time_left, put_back: self.put_back.as_deref() };
        batch.answer_async(self.in_flight, reply, transform).await
    }

    /// The time until no further record is begun.
    fn time_left(&self, invocation: &Invocation) -> impl Fn() -> Duration + Sync + use<> {
        let deadline = invocation.deadline.filter(|_| !self.keep_back.is_zero());
        let end = deadline.map(|deadline| deadline.checked_sub(self.keep_back).unwrap_or(SystemTime::UNIX_EPOCH));
        move || end.map_or(Duration::MAX, |end| end.duration_since(SystemTime::now()).unwrap_or_default())
    }
}

impl Default for Runner<'_> {
    fn default() -> Self {
        Runner::new()
    }
}

/// Lambda shows at least two cores to every function, but lets a small one use only a part of one.
fn cores() -> usize {
    let paid = env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").ok().and_then(|megabytes| megabytes.parse().ok());
    cores_of(paid, thread::available_parallelism().map_or(1, usize::from))
}

fn cores_of(megabytes: Option<usize>, seen: usize) -> usize {
    megabytes.map_or(1, |megabytes| megabytes / MEGABYTES_PER_CORE).clamp(1, seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_the_whole_cores_that_it_pays_for() {
        let table = [
            (None, 8, 1),
            (Some(128), 2, 1),
            (Some(3537), 2, 1),
            (Some(3538), 2, 2),
            (Some(10_240), 6, 5),
            (Some(10_240), 2, 2),
        ];
        for (megabytes, seen, cores) in table {
            assert_eq!(cores_of(megabytes, seen), cores, "{megabytes:?} of {seen}");
        }
    }
}
