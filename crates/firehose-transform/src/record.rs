//! The input: one record of a batch, with what is known about the batch.
//!
//! A record is places in the event. Its payload is decoded when it is first asked for, and its Kinesis metadata likewise: a
//! transform that drops by arrival time, or passes on what it does not look at, pays for neither.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::time::{Duration, SystemTime};

use base64_simd::STANDARD;
use serde::Deserialize;

use crate::Error;
use crate::buffer;
use crate::event::{Event, Slot, Span, Text};
use crate::json::Fields;
use crate::log::{self, Level};
use crate::scan::is_ascii;

/// Lambda's side of one invocation. All fields are empty when a batch is run without Lambda.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Lambda's request id, as in the function's log lines.
    pub request_id: String,
    /// When Lambda ends the invocation.
    pub deadline: Option<SystemTime>,
    /// The X-Ray trace header to pass on, where the invocation has one: what other runtimes put into the environment as
    /// `_X_AMZN_TRACE_ID`, which is not safe in a program with threads. Whoever calls others passes it on as the header
    /// `X-Amzn-Trace-Id`; log lines have its root as `traceId`.
    pub trace_id: Option<String>,
    /// The function, with the alias or version that was asked for.
    pub function_arn: Option<String>,
}

/// One record to transform.
pub struct Record<'a> {
    event: Event<'a>,
    slot: &'a Slot,
    invocation: &'a Invocation,
    payload: OnceCell<Option<Vec<u8>>>,
    kinesis: OnceCell<Kinesis<'a>>,
}

impl<'a> Record<'a> {
    pub(crate) fn new(event: Event<'a>, slot: &'a Slot, invocation: &'a Invocation) -> Record<'a> {
        Record { event, slot, invocation, payload: OnceCell::new(), kinesis: OnceCell::new() }
    }

    /// The opaque id that Firehose matches answers by. Its format changes; do not parse it.
    pub fn id(&self) -> &'a str {
        self.raw_id().as_str()
    }

    /// When the record reached the stream, to the millisecond. The epoch where the event does not say.
    pub fn arrived_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.slot.arrived_ms)
    }

    /// The same as milliseconds since the epoch.
    pub fn arrived_at_ms(&self) -> u64 {
        self.slot.arrived_ms
    }

    /// The payload as the producer put it.
    ///
    /// If the event's data is not base64, which Firehose does not send, this is empty and the record fails, whatever it
    /// is answered with.
    pub fn bytes(&self) -> &[u8] {
        self.decoded().unwrap_or_default()
    }

    /// The payload as text.
    ///
    /// # Errors
    /// The payload is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(self.payload()?).map_err(Error::NotText)
    }

    /// The payload as one JSON value. `T` may borrow from the payload.
    ///
    /// # Errors
    /// The payload is not JSON, not a `T`, or has something after the value.
    pub fn json<'r, T: Deserialize<'r>>(&'r self) -> Result<T, Error> {
        serde_json::from_slice(self.payload()?).map_err(Error::NotJson)
    }

    /// The payload as a JSON object, field by field and without building anything. The fastest way to read one field, or to
    /// rewrite some: see [`json`](crate::json).
    ///
    /// # Errors
    /// The payload is not UTF-8, or not an object. What is wrong further on is told when it is reached.
    pub fn fields(&self) -> Result<Fields<'_>, Error> {
        let payload = self.payload()?;
        // Nearly all is ASCII, which is faster to see.
        if !is_ascii(payload) {
            self.text()?;
        }
        Fields::of_utf8(payload)
    }

    /// The key the producer chose. Only with a Kinesis stream as source.
    pub fn partition_key(&self) -> Option<&str> {
        self.kinesis().partition_key.as_deref()
    }

    /// For example `shardId-000000000000`. Only with a Kinesis stream as source.
    pub fn shard_id(&self) -> Option<&str> {
        self.kinesis().shard_id.as_deref()
    }

    /// The record's sequence number in its shard. Only with a Kinesis stream as source.
    pub fn sequence_number(&self) -> Option<&str> {
        self.kinesis().sequence_number.as_deref()
    }

    /// The place inside an aggregated record. Only with a Kinesis stream as source.
    pub fn subsequence_number(&self) -> Option<u64> {
        match self.kinesis().subsequence_number.as_ref()? {
            NumberOrText::Number(number) => Some(*number),
            NumberOrText::Text(text) => text.parse().ok(),
        }
    }

    /// The delivery stream that asks. Empty where the event does not say.
    pub fn delivery_stream_arn(&self) -> &'a str {
        self.head(self.event.index.delivery_stream_arn).unwrap_or_default()
    }

    /// The Kinesis stream that the delivery stream reads, if it reads one.
    pub fn source_stream_arn(&self) -> Option<&'a str> {
        self.head(self.event.index.source_stream_arn)
    }

    /// Firehose's id of this attempt: new for each retry, while record ids stay. Empty where the event does not say.
    pub fn invocation_id(&self) -> &'a str {
        self.head(self.event.index.invocation_id).unwrap_or_default()
    }

    /// The region of the delivery stream. Empty where the event does not say.
    pub fn region(&self) -> &'a str {
        self.head(self.event.index.region).unwrap_or_default()
    }

    /// Lambda's side of the invocation: request id, deadline, trace id.
    pub fn invocation(&self) -> &'a Invocation {
        self.invocation
    }

    /// How much time is left until the deadline, where there is one.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.invocation.deadline?;
        Some(deadline.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// Writes a line to the function's log, with the ids of request, trace and record. What a record fails with is logged by itself.
    pub fn log(&self, level: Level, message: impl fmt::Display) {
        log::line(level, message, self.invocation, Some(self.id()));
    }

    /// `None` where the event's data is not base64, or is not there.
    fn decoded(&self) -> Option<&[u8]> {
        self.payload.get_or_init(|| self.decode()).as_deref()
    }

    fn decode(&self) -> Option<Vec<u8>> {
        // Absent is not what Firehose sends.
        let data = self.data()?;
        let mut payload = buffer::take();
        if STANDARD.decode_append(data, &mut payload).is_ok() {
            return Some(payload);
        }
        // JSON may write the slashes of base64 as `\/`.
        let unescaped = self.unescaped_data()?;
        payload.clear();
        STANDARD.decode_append(unescaped.as_bytes(), &mut payload).ok().map(|_| payload)
    }

    fn unescaped_data(&self) -> Option<String> {
        let data = self.data().filter(|data| data.contains(&b'\\'))?;
        serde_json::from_slice(&[b"\"", data, b"\""].concat()).ok()
    }

    /// The payload's base64, as the event writes it. `None` where the event has none.
    pub(crate) fn data(&self) -> Option<&'a [u8]> {
        self.event.bytes(self.slot.data)
    }

    pub(crate) fn raw_id(&self) -> Text<'a> {
        self.event.text(self.slot.id).unwrap_or(Text::Plain(b""))
    }

    /// The payload, decoded now if it was not before.
    pub(crate) fn payload(&self) -> Result<&[u8], Error> {
        self.decoded().ok_or(Error::NotBase64)
    }

    /// That the payload can be passed on as it is, without decoding it if that was not asked for.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Error> {
        let plain = || self.data().is_some_and(|data| STANDARD.check(data).is_ok());
        if self.payload.get().is_none() && plain() { Ok(()) } else { self.payload().map(drop) }
    }

    /// Why the record fails whatever it is answered with: its payload was asked for and could not be given.
    pub(crate) fn refused(&self) -> Option<Error> {
        matches!(self.payload.get(), Some(None)).then_some(Error::NotBase64)
    }

    pub(crate) fn recycle(self) {
        if let Some(Some(payload)) = self.payload.into_inner() {
            buffer::give_back(payload);
        }
    }

    fn head(&self, span: Span) -> Option<&'a str> {
        self.event.text(span).map(Text::as_str)
    }

    /// All absent where the metadata cannot be read.
    fn kinesis(&self) -> &Kinesis<'a> {
        let read = || serde_json::from_slice(self.event.bytes(self.slot.kinesis)?).ok();
        self.kinesis.get_or_init(|| read().unwrap_or_default())
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id())
            .field("bytes", &self.bytes().escape_ascii().to_string())
            .finish()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis<'a> {
    #[serde(borrow)]
    partition_key: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    shard_id: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    sequence_number: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    subsequence_number: Option<NumberOrText<'a>>,
}

/// Serde borrows a `Cow`, but not one inside an `Option`: this can be inside one.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for BorrowedText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Captures of events show a number; some senders write it as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NumberOrText<'a> {
    Number(u64),
    #[serde(borrow)]
    Text(BorrowedText<'a>),
}
