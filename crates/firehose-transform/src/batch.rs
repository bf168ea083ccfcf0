//! From event bytes to response bytes. No IO, no clock, no environment.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::error::EventError;
use crate::event::{Event, Index, Slot};
use crate::outcome::{IntoOutcome, Outcome};
use crate::pace::Pace;
use crate::record::{Invocation, Record};
use crate::response::{Overflow, Refused, Response};

/// The answer to one event. Pass it to [`Runner::answer`](crate::Runner::answer) again and its buffers are reused, so that later
/// events of the same size need no allocation.
#[derive(Debug, Default)]
pub struct Reply {
    /// The response as JSON, in the shape that Firehose expects. At most [`MAX_RESPONSE_BYTES`](crate::MAX_RESPONSE_BYTES) bytes.
    pub response: Vec<u8>,
    /// The records that were answered with `ProcessingFailed`, in the order of the event.
    pub failures: Vec<Failure>,
    /// The number of records in the event.
    pub records: usize,
    index: Index,
}

/// A record that was answered with `ProcessingFailed`, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// The record's id, as in [`Record::id`].
    pub record_id: String,
    /// A sentence for people. It is logged and not sent to Firehose.
    pub reason: String,
}

/// Answers every record of an event exactly once, in order.
///
/// A record is answered with `ProcessingFailed` if its payload is not base64, if the transform returns an error or panics, or if
/// its answer no longer fits into the response. Other records are not affected.
///
/// This runs a transform without Lambda, in the calling thread and without a deadline.
/// [`Runner::answer`](crate::Runner::answer) does the same with threads and a deadline.
///
/// # Errors
/// [`EventError::Malformed`] if the event is not a Firehose transform event, [`EventError::TooManyRecords`] if even an
/// answer that fails every record would exceed [`MAX_RESPONSE_BYTES`](crate::MAX_RESPONSE_BYTES).
pub fn batch<O: IntoOutcome>(event: &[u8], transform: impl Fn(&Record<'_>) -> O) -> Result<Reply, EventError> {
    let mut reply = Reply::default();
    let batch = Batch { event, invocation: &Invocation::default(), time_left: &|| Duration::MAX, put_back: None };
    batch.answer(&mut reply, transform)?;
    Ok(reply)
}

/// One event and the limits that apply while it is answered.
pub(crate) struct Batch<'a> {
    pub(crate) event: &'a [u8],
    pub(crate) invocation: &'a Invocation,
    /// The time left for transforms. Called between records; once it is zero, no further record is transformed.
    pub(crate) time_left: &'a (dyn Fn() -> Duration + Sync),
    pub(crate) put_back: Option<&'a PutBack<'a>>,
}

/// Writes records back to their source. Returns one result for each record, in order.
pub(crate) type PutBack<'a> = dyn Fn(&[Record<'_>]) -> Vec<Result<(), String>> + Sync + 'a;

pub(crate) const NO_TIME: &str = "no time was left before the invocation's deadline";

impl<'a> Batch<'a> {
    /// Answers the event in the calling thread.
    pub(crate) fn answer<O: IntoOutcome>(
        &'a self,
        reply: &'a mut Reply,
        transform: impl Fn(&Record<'_>) -> O,
    ) -> Result<(), EventError> {
        let mut answers = self.answers(reply)?;
        let mut pace = Pace::default();
        for slot in answers.slots() {
            let record = Record::new(answers.event, slot, self.invocation);
            let outcome = self.outcome(&mut pace, &transform, &record);
            answers.answer(record, outcome);
        }
        answers.finish();
        Ok(())
    }

    pub(crate) fn answers(&'a self, reply: &'a mut Reply) -> Result<Answers<'a>, EventError> {
        let Reply { response, failures, records, index } = reply;
        let event = index.read(self.event)?;
        *records = event.index.slots.len();
        failures.clear();
        let response = Response::to(&event, response).ok_or(EventError::TooManyRecords { records: *records })?;
        Ok(Answers { event, batch: self, response, failures, overflowed: Vec::new() })
    }

    #[inline]
    pub(crate) fn outcome<O: IntoOutcome>(
        &self,
        pace: &mut Pace,
        transform: impl Fn(&Record<'_>) -> O,
        record: &Record<'_>,
    ) -> Outcome {
        if pace.is_out_of_time(self.time_left) {
            return Outcome::Failed(NO_TIME.to_owned());
        }
        // A panic may leave the transform's own shared state inconsistent. That can only make further records fail.
        let outcome = catch_unwind(AssertUnwindSafe(|| transform(record).into_outcome())).unwrap_or_else(panicked);
        record.refused().map_or(outcome, Outcome::failed)
    }
}

pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Outcome {
    let message = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "without a message",
    };
    Outcome::Failed(format!("the transform panicked: {message}"))
}

/// Writes outcomes into the response, in the order of the records.
pub(crate) struct Answers<'a> {
    pub(crate) event: Event<'a>,
    batch: &'a Batch<'a>,
    response: Response<'a>,
    failures: &'a mut Vec<Failure>,
    overflowed: Vec<(Record<'a>, Overflow)>,
}

impl<'a> Answers<'a> {
    pub(crate) fn slots(&self) -> &'a [Slot] {
        &self.event.index.slots
    }

    #[inline]
    pub(crate) fn answer(&mut self, record: Record<'a>, outcome: Outcome) {
        let answered = match outcome {
            Outcome::Keep(kept) => self.response.keep(&record, kept),
            Outcome::Dropped => {
                self.response.dropped(&record);
                Ok(())
            }
            Outcome::Failed(reason) => {
                self.response.failed(&record);
                Err(Refused::Failed(reason))
            }
        };
        match answered {
            Ok(()) => {}
            Err(Refused::Overflow(overflow)) if self.batch.put_back.is_some() => {
                self.overflowed.push((record, overflow));
                return;
            }
            Err(refused) => self.failed(&record, refused.to_string()),
        }
        record.recycle();
    }

    #[cold]
    fn failed(&mut self, record: &Record<'_>, reason: String) {
        self.failures.push(Failure { record_id: record.id().to_owned(), reason });
    }

    pub(crate) fn finish(mut self) {
        self.put_back();
        self.response.finish();
    }

    /// Records that were put back are answered with `Dropped`. The others stay failed.
    fn put_back(&mut self) {
        let Some(put_back) = self.batch.put_back.filter(|_| !self.overflowed.is_empty()) else { return };
        let (records, overflows): (Vec<_>, Vec<_>) = self.overflowed.drain(..).unzip();
        let mut results = catch_unwind(AssertUnwindSafe(|| put_back(&records))).unwrap_or_default().into_iter();
        for (record, overflow) in records.iter().zip(overflows) {
            match results.next().unwrap_or_else(|| Err("the sink returned no result for this record".to_owned())) {
                Ok(()) => self.response.drop_late(&overflow),
                Err(why) => self.failed(record, format!("{}; putting it back: {why}", Refused::Overflow(overflow))),
            }
        }
    }
}
