//! The input: one record of a batch, with the metadata of the batch.
//!
//! A record is a set of positions in the event. Its payload and its Kinesis metadata are decoded on first use: a transform that
//! drops by arrival time, or passes records on without looking at them, pays for neither.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::time::{Duration, SystemTime};

use base64_simd::STANDARD;
use serde::Deserialize;

use crate::Error;
use crate::buffer;
use crate::event::{Event, Slot, Span, Text};
#[cfg(feature = "fields")]
use crate::json::{Fields, ObjectWriter, Value};
use crate::log::{self, Level};
use crate::values;

/// Lambda's description of one invocation. All fields are empty if a batch runs without Lambda. From the headers of the Runtime API:
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Lambda's request id, which is in every log line as `requestId`.
    pub request_id: String,
    /// When the invocation is ended: by Lambda when the function's time-out has passed, or by Firehose five minutes after its start.
    pub deadline: Option<SystemTime>,
    /// The X-Ray trace header, if the invocation has one. Send it as the header `X-Amzn-Trace-Id` with requests to other services.
    /// Log lines have its root as `traceId`.
    ///
    /// Other runtimes set it as the environment variable `_X_AMZN_TRACE_ID`. This crate does not, because changing the environment is
    /// not safe in a program with threads.
    pub trace_id: Option<String>,
    /// The ARN of the function, with the alias or version that was invoked.
    pub function_arn: Option<String>,
}

/// One record to transform: its payload and its metadata.
///
/// Everything is read on first use and then kept; calling a method twice costs nothing more.
pub struct Record<'a> {
    event: Event<'a>,
    slot: &'a Slot,
    invocation: &'a Invocation,
    payload: OnceCell<Option<Vec<u8>>>,
    kinesis: OnceCell<Kinesis<'a>>,
    /// The payload was read as JSON without a mistake.
    is_json: Cell<bool>,
}

impl<'a> Record<'a> {
    pub(crate) fn new(event: Event<'a>, slot: &'a Slot, invocation: &'a Invocation) -> Record<'a> {
        let (payload, kinesis, is_json) = (OnceCell::new(), OnceCell::new(), Cell::new(false));
        Record { event, slot, invocation, payload, kinesis, is_json }
    }

    /// The id by which Firehose matches answers to records. It is opaque: AWS has changed its format before, so do not parse it.
    /// It stays the same if Firehose retries the batch.
    pub fn id(&self) -> &'a str {
        self.raw_id().as_str()
    }

    /// When the stream received the record, to the millisecond. `UNIX_EPOCH` if the event does not say.
    pub fn arrived_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.slot.arrived_ms)
    }

    /// When the stream received the record, in milliseconds since the Unix epoch. 0 if the event does not say.
    pub fn arrived_at_ms(&self) -> u64 {
        self.slot.arrived_ms
    }

    /// The payload as the producer sent it, decoded from base64.
    ///
    /// Empty if the event's data is not base64. Firehose does not send such events; the record then fails whatever the transform
    /// returns.
    pub fn bytes(&self) -> &[u8] {
        self.decoded().unwrap_or_default()
    }

    /// The payload as UTF-8 text.
    ///
    /// # Errors
    /// [`Error::NotText`] if the payload is not UTF-8, [`Error::NotBase64`] if the event's data is not base64.
    pub fn text(&self) -> Result<&str, Error> {
        let payload = self.payload()?;
        match values::utf8(payload) {
            Some(text) => Ok(text),
            None => std::str::from_utf8(payload).map_err(Error::NotText), // says where
        }
    }

    /// The payload as one JSON value of type `T`, which may borrow from the payload.
    ///
    /// Numbers are exact: a float is the nearest to what the payload says, and integers may have 128 bits.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use firehose_transform::{Error, Outcome, Record};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct View<'a> {
    ///     #[serde(borrow)]
    ///     page: Cow<'a, str>, // borrowed unless it has escapes; a `&str` would refuse those
    /// }
    ///
    /// fn page(record: &Record<'_>) -> Result<Outcome, Error> {
    ///     let view: View<'_> = record.json()?;
    ///     Ok(Outcome::text(view.page))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotJson`] if the payload is not JSON, is not a `T`, or has anything but white space after the value;
    /// [`Error::NotBase64`] if the event's data is not base64.
    pub fn json<'r, T: Deserialize<'r>>(&'r self) -> Result<T, Error> {
        let value = values::read(self.payload()?).map_err(Error::NotJson)?;
        self.is_json.set(true);
        Ok(value)
    }

    /// The fields of the payload, which is a JSON object, one after the other and without allocating. The fastest way to read one
    /// field or to rewrite some: see [`json`](crate::json).
    ///
    /// # Errors
    /// [`Error::NotText`] if the payload is not UTF-8, [`Error::Other`] if it does not start like an object, [`Error::NotBase64`] if
    /// the event's data is not base64. Mistakes further on are reported by the iterator when it reaches them.
    #[cfg(feature = "fields")]
    pub fn fields(&self) -> Result<Fields<'_>, Error> {
        Fields::of_utf8(self.utf8()?)
    }

    /// A copy of the payload, which is a JSON object, to add fields to. The payload is copied as it is: order, spelling and white space
    /// stay, so an object with line breaks keeps them.
    ///
    /// The payload is checked to be valid JSON, but not if [`json`](Record::json) has read it before.
    ///
    /// ```
    /// use firehose_transform::json::ObjectWriter;
    /// use firehose_transform::testing::{Answer, transform};
    /// use firehose_transform::{Error, Record};
    ///
    /// fn with_region(record: &Record<'_>) -> Result<ObjectWriter, Error> {
    ///     let mut object = record.object()?;
    ///     object.add("region", &record.region());
    ///     Ok(object)
    /// }
    ///
    /// let answers = transform([r#"{"price": 1.50}"#], with_region);
    /// assert_eq!(answers, [Answer::ok(r#"{"price": 1.50,"region":"us-east-1"}"#)]);
    /// ```
    ///
    /// # Errors
    /// [`Error::NotText`] if the payload is not UTF-8, [`Error::NotJson`] if it is not JSON, [`Error::Other`] if it is not an
    /// object, [`Error::NotBase64`] if the event's data is not base64.
    #[cfg(feature = "fields")]
    pub fn object(&self) -> Result<ObjectWriter, Error> {
        ObjectWriter::of_utf8(self.utf8()?, self.is_json.get())
    }

    /// The payload as a JSON value to change in places, nested ones too: see [`json::Value`](crate::json::Value).
    ///
    /// # Errors
    /// [`Error::NotText`] if the payload is not UTF-8, [`Error::NotJson`] or [`Error::Other`] if it is not JSON,
    /// [`Error::NotBase64`] if the event's data is not base64.
    #[cfg(feature = "fields")]
    pub fn value(&self) -> Result<Value<'_>, Error> {
        Value::of_utf8(self.utf8()?)
    }

    /// The partition key that the producer chose, of 1 to 256 characters. `None` unless the source is a Kinesis stream.
    pub fn partition_key(&self) -> Option<&str> {
        self.kinesis().partition_key.as_deref()
    }

    /// The shard's id, for example `shardId-000000000000`. `None` unless the source is a Kinesis stream.
    pub fn shard_id(&self) -> Option<&str> {
        self.kinesis().shard_id.as_deref()
    }

    /// The record's sequence number, a decimal number that is unique in its shard. `None` unless the source is a Kinesis stream.
    pub fn sequence_number(&self) -> Option<&str> {
        self.kinesis().sequence_number.as_deref()
    }

    /// The position inside a record that the Kinesis Producer Library aggregated, from 0. `None` unless the source is a Kinesis
    /// stream, or if the event's value is not a number.
    pub fn subsequence_number(&self) -> Option<u64> {
        match self.kinesis().subsequence_number.as_ref()? {
            NumberOrText::Number(number) => Some(*number),
            NumberOrText::Text(text) => text.parse().ok(),
        }
    }

    /// The ARN of the delivery stream. Empty if the event does not say.
    pub fn delivery_stream_arn(&self) -> &'a str {
        self.head(self.event.index.delivery_stream_arn).unwrap_or_default()
    }

    /// The ARN of the Kinesis stream that the delivery stream reads. `None` if producers write to the delivery stream itself.
    pub fn source_stream_arn(&self) -> Option<&'a str> {
        self.head(self.event.index.source_stream_arn)
    }

    /// Firehose's id of this attempt. A retry has a new one, while record ids stay. Empty if the event does not say.
    pub fn invocation_id(&self) -> &'a str {
        self.head(self.event.index.invocation_id).unwrap_or_default()
    }

    /// The region of the delivery stream, such as `eu-west-1`. Empty if the event does not say.
    pub fn region(&self) -> &'a str {
        self.head(self.event.index.region).unwrap_or_default()
    }

    /// Lambda's data about the invocation: request id, deadline, trace id.
    pub fn invocation(&self) -> &'a Invocation {
        self.invocation
    }

    /// The time left until [the deadline](Invocation::deadline), zero after it. `None` if there is no deadline.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.invocation.deadline?;
        Some(deadline.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// Writes a line to the function's log, with the ids of request, trace and record. The reason of a failed record is logged
    /// automatically.
    pub fn log(&self, level: Level, message: impl fmt::Display) {
        log::line(level, message, self.invocation, Some(self.id()));
    }

    /// The payload, checked to be UTF-8.
    #[cfg(feature = "fields")]
    fn utf8(&self) -> Result<&[u8], Error> {
        let payload = self.payload()?;
        // Nearly all payloads are ASCII, which costs less to check.
        if !values::is_ascii(payload) {
            self.text()?;
        }
        Ok(payload)
    }

    /// `None` if the event's data is missing or not base64.
    fn decoded(&self) -> Option<&[u8]> {
        self.payload.get_or_init(|| self.decode()).as_deref()
    }

    fn decode(&self) -> Option<Vec<u8>> {
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

    /// The payload's base64, as written in the event. `None` if the event has none.
    pub(crate) fn data(&self) -> Option<&'a [u8]> {
        self.event.bytes(self.slot.data)
    }

    pub(crate) fn raw_id(&self) -> Text<'a> {
        self.event.text(self.slot.id).unwrap_or(Text::Plain(b""))
    }

    /// The payload, decoded on first use.
    pub(crate) fn payload(&self) -> Result<&[u8], Error> {
        self.decoded().ok_or(Error::NotBase64)
    }

    /// Whether the transform has read the payload.
    pub(crate) fn is_decoded(&self) -> bool {
        self.payload.get().is_some()
    }

    /// Checks that the payload can be passed on unchanged. Does not decode it if the transform did not.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let plain = || self.data().is_some_and(|data| STANDARD.check(data).is_ok());
        if self.payload.get().is_none() && plain() { Ok(()) } else { self.payload().map(drop) }
    }

    /// The error that fails the record whatever the transform returned: it asked for a payload that cannot be decoded.
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

    /// All fields are `None` if the metadata cannot be read.
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

/// Serde borrows a `Cow`, but not one inside an `Option`. This type can be inside one.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for BorrowedText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Recorded events have a number here; AWS's console samples have text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NumberOrText<'a> {
    Number(u64),
    #[serde(borrow)]
    Text(BorrowedText<'a>),
}
