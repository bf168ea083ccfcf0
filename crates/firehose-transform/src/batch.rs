//! From event bytes to response bytes. No IO, no clock, no environment.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64_simd::STANDARD;

use crate::error::EventError;
use crate::outcome::{IntoOutcome, Outcome};
use crate::record::{Event, Invocation, Record, WireRecord};
use crate::response::{Overflow, Response};

/// The answer to one event.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// The response's JSON, at most [`MAX_RESPONSE_BYTES`](crate::MAX_RESPONSE_BYTES) long.
    pub response: Vec<u8>,
    /// The records that were answered with `ProcessingFailed`, in order.
    pub failures: Vec<Failure>,
}

/// A record that failed, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub record_id: String,
    pub reason: String,
}

/// Answers every record of an event exactly once, in order.
///
/// A record whose payload is not base64, whose transform returns an error or panics, or whose answer does not fit any
/// more into the response is answered with `ProcessingFailed`; the others are not concerned.
///
/// # Errors
/// The event is not a Firehose transform event.
pub fn batch<O: IntoOutcome>(event: &[u8], transform: impl Fn(&Record<'_>) -> O) -> Result<Reply, EventError> {
    batch_of(event, &Invocation::default(), transform)
}

pub(crate) fn batch_of<O: IntoOutcome>(
    event: &[u8],
    invocation: &Invocation,
    transform: impl Fn(&Record<'_>) -> O,
) -> Result<Reply, EventError> {
    let event: Event<'_> = serde_json::from_slice(event).map_err(EventError::Malformed)?;
    let mut response =
        Response::to(&event.records).ok_or(EventError::TooManyRecords { records: event.records.len() })?;
    let mut failures = Vec::new();
    let mut payload = Vec::new();
    for wire in &event.records {
        let outcome = match decode(wire, &mut payload) {
            Ok(()) => apply(&transform, &Record { event: &event, wire, invocation, bytes: &payload }),
            Err(reason) => Outcome::Failed(reason),
        };
        if let Err(reason) = answer(&mut response, wire, &payload, outcome) {
            failures.push(Failure { record_id: wire.record_id.to_string(), reason });
        }
    }
    Ok(Reply { response: response.finish(), failures })
}

/// Fills `payload`, which is reused from record to record.
fn decode(wire: &WireRecord<'_>, payload: &mut Vec<u8>) -> Result<(), String> {
    payload.clear();
    let data = wire.data.as_deref().ok_or("the record has no data")?;
    STANDARD.decode_append(data, payload).map_err(|_| "the record's data is not base64".to_owned())
}

fn apply<O: IntoOutcome>(transform: impl Fn(&Record<'_>) -> O, record: &Record<'_>) -> Outcome {
    // Whatever the transform shares between records is its own: a broken invariant there can only fail more records.
    catch_unwind(AssertUnwindSafe(|| transform(record).into_outcome()))
        .unwrap_or_else(|panic| Outcome::Failed(format!("the transform panicked: {}", panic_message(panic.as_ref()))))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "without a message",
    }
}

fn answer(response: &mut Response, wire: &WireRecord<'_>, payload: &[u8], outcome: Outcome) -> Result<(), String> {
    match outcome {
        Outcome::Keep(kept) => response.keep(wire, payload, kept).map_err(|Overflow { needed, left }| {
            format!(
                "the answer takes {needed} bytes and the response has {left} left: let the delivery stream buffer less \
                 before it calls the function"
            )
        }),
        Outcome::Dropped => {
            response.dropped(wire);
            Ok(())
        }
        Outcome::Failed(reason) => {
            response.failed(wire);
            Err(reason)
        }
    }
}
