//! What can be chosen about a run, and all of it without Lambda.

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

/// Lambda gives a function one whole core for each so many megabytes.
const MEGABYTES_PER_CORE: usize = 1769;

/// Runs a transform with other choices than [`run`](crate::run) makes.
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
    /// As `run` runs: on as many threads as the function has whole cores, with half a second kept back, and with what does not fit
    /// into the response failed.
    pub fn new() -> Runner<'a> {
        Runner {
            threads: cores(),
            keep_back: Duration::from_millis(500),
            put_back: None,
            in_flight: 64,
            before_exit: Arc::new(|| {}),
        }
    }

    /// Share the records of a large event among so many threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Runner<'a> {
        self.threads = threads.max(1);
        self
    }

    /// With [`run_async`](crate::run_async): begin so many records of a batch before the first is answered.
    #[must_use]
    pub fn in_flight(mut self, records: usize) -> Runner<'a> {
        self.in_flight = records.max(1);
        self
    }

    /// Keep so much of the time before the deadline for answering. The records that are not reached by then fail, and the others
    /// are delivered; without it the invocation would time out, and Firehose would repeat and at last fail the whole batch.
    ///
    /// Zero keeps nothing back: for a transform whose slowness passes, so that a retry helps.
    #[must_use]
    pub fn keep_back(mut self, time: Duration) -> Runner<'a> {
        self.keep_back = time;
        self
    }

    /// Put records whose answers do not fit into the response back into where they came from, and answer them `Dropped`, instead of
    /// failing them. It is what AWS's own blueprint does. `sink` is given all such records of a batch at the end, and says for
    /// each, in order, whether it went back; what did not is failed.
    ///
    /// What that means: the record gets a new id, a new arrival time and another place in the order, and with a Kinesis stream as
    /// source **every other reader of the stream sees it twice**. Let the delivery stream buffer less before it calls the function
    /// if you can. The function's role needs `kinesis:PutRecords` or `firehose:PutRecordBatch`.
    ///
    /// The crate does not know the AWS SDK. With it, a sink is some twenty lines: group the records by five hundred, call
    /// `put_records` on [`source_stream_arn`](Record::source_stream_arn), with [`partition_key`](Record::partition_key) and
    /// [`bytes`](Record::bytes), or `put_record_batch` where there is no source stream, and return one result for each record. The
    /// sink is called in the thread of `run`; wait for the SDK with your runtime's `block_on`.
    #[must_use]
    pub fn put_back(mut self, sink: impl Fn(&[Record<'_>]) -> Vec<Result<(), String>> + Sync + 'a) -> Runner<'a> {
        self.put_back = Some(Box::new(sink));
        self
    }

    /// Call this once when Lambda ends the environment with SIGTERM, after the invocation that runs. Lambda sends the signal only to
    /// functions that have an extension, and waits half a second at most.
    #[must_use]
    pub fn before_exit(mut self, hook: impl Fn() + Send + Sync + 'static) -> Runner<'a> {
        self.before_exit = Arc::new(hook);
        self
    }

    /// Answers one event into `reply`, whose buffers are used again: like [`batch`](crate::batch()), with these choices.
    ///
    /// # Errors
    /// The event is not a Firehose transform event.
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

    /// For a function that another runtime runs: the event and the response as raw JSON, which both sides pass on without reading it.
    /// What fails is logged, as [`run`](crate::run) does. For `lambda_runtime` there is `layers::service`, with the feature of its name.
    ///
    /// # Errors
    /// The event is not a Firehose transform event.
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

    /// [`answer`](Runner::answer) with an asynchronous transform, under any runtime.
    ///
    /// # Errors
    /// The event is not a Firehose transform event.
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

    /// Until no further record is begun.
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

/// Lambda shows two cores to every function and lets a small one use a part of one.
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
