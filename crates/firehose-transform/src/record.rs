//! The input: one record of a batch, with what is known about the batch.
//!
//! A record borrows the event. Only its payload is decoded into memory of its own.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::Error;

/// Lambda's side of one invocation. All fields are empty when a batch is run without Lambda.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Lambda's request id, as in the function's log lines.
    pub request_id: String,
    /// When Lambda ends the invocation.
    pub deadline: Option<SystemTime>,
    /// The X-Ray trace header to pass on, where the invocation has one.
    pub trace_id: Option<String>,
}

/// One record to transform.
#[derive(Debug)]
pub struct Record<'a> {
    pub(crate) event: &'a Event<'a>,
    pub(crate) wire: &'a WireRecord<'a>,
    pub(crate) invocation: &'a Invocation,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// The opaque id that Firehose matches answers by. Its format changes; do not parse it.
    pub fn id(&self) -> &'a str {
        &self.wire.record_id
    }

    /// When the record reached the stream, to the millisecond. The epoch where the event does not say.
    pub fn arrived_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.wire.approximate_arrival_timestamp)
    }

    /// The payload as the producer put it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The payload as text.
    ///
    /// # Errors
    /// The payload is not UTF-8.
    pub fn text(&self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes).map_err(Error::NotText)
    }

    /// The payload as one JSON value. `T` may borrow from the payload.
    ///
    /// # Errors
    /// The payload is not JSON, not a `T`, or has something after the value.
    pub fn json<T: Deserialize<'a>>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.bytes).map_err(Error::NotJson)
    }

    /// The key the producer chose. Only with a Kinesis stream as source.
    pub fn partition_key(&self) -> Option<&'a str> {
        self.kinesis()?.partition_key.as_deref()
    }

    /// For example `shardId-000000000000`. Only with a Kinesis stream as source.
    pub fn shard_id(&self) -> Option<&'a str> {
        self.kinesis()?.shard_id.as_deref()
    }

    /// The record's sequence number in its shard. Only with a Kinesis stream as source.
    pub fn sequence_number(&self) -> Option<&'a str> {
        self.kinesis()?.sequence_number.as_deref()
    }

    /// The place inside an aggregated record. Only with a Kinesis stream as source.
    pub fn subsequence_number(&self) -> Option<u64> {
        match self.kinesis()?.subsequence_number.as_ref()? {
            NumberOrText::Number(number) => Some(*number),
            NumberOrText::Text(text) => text.parse().ok(),
        }
    }

    /// The delivery stream that asks. Empty where the event does not say.
    pub fn delivery_stream_arn(&self) -> &'a str {
        &self.event.delivery_stream_arn
    }

    /// The Kinesis stream that the delivery stream reads, if it reads one.
    pub fn source_stream_arn(&self) -> Option<&'a str> {
        self.event.source_kinesis_stream_arn.as_deref()
    }

    /// Firehose's id of this attempt: new for each retry, while record ids stay. Empty where the event does not say.
    pub fn invocation_id(&self) -> &'a str {
        &self.event.invocation_id
    }

    /// The region of the delivery stream. Empty where the event does not say.
    pub fn region(&self) -> &'a str {
        &self.event.region
    }

    /// Lambda's side of the invocation: request id, deadline, trace id.
    pub fn invocation(&self) -> &'a Invocation {
        self.invocation
    }

    fn kinesis(&self) -> Option<&'a KinesisMetadata<'a>> {
        self.wire.kinesis_record_metadata.as_ref()
    }
}

/// A Firehose transform event. Unknown fields are ignored: AWS adds some.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    #[serde(borrow, default)]
    invocation_id: Cow<'a, str>,
    #[serde(borrow, default)]
    delivery_stream_arn: Cow<'a, str>,
    source_kinesis_stream_arn: Option<String>,
    #[serde(borrow, default)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) records: Vec<WireRecord<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireRecord<'a> {
    #[serde(borrow)]
    pub(crate) record_id: Cow<'a, str>,
    #[serde(default)]
    approximate_arrival_timestamp: u64,
    /// Base64. Absent is not what Firehose sends; it fails the record and not the batch.
    #[serde(borrow)]
    pub(crate) data: Option<Text<'a>>,
    #[serde(borrow)]
    kinesis_record_metadata: Option<KinesisMetadata<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KinesisMetadata<'a> {
    #[serde(borrow)]
    partition_key: Option<Text<'a>>,
    #[serde(borrow)]
    shard_id: Option<Text<'a>>,
    #[serde(borrow)]
    sequence_number: Option<Text<'a>>,
    #[serde(borrow)]
    subsequence_number: Option<NumberOrText<'a>>,
}

/// Serde borrows a `Cow`, but not one inside an `Option`: this can be inside one.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
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
    Text(Text<'a>),
}
