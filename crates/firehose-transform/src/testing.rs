//! Tests of a transform: builds an event from plain payloads, runs the transform on it and returns the answers.
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

use std::collections::BTreeMap;

use base64_simd::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{EventError, IntoOutcome, Record, batch};

/// The answer to one record, as Firehose reads it out of the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Delivered.
    Ok {
        /// The delivered bytes, decoded from base64.
        data: Vec<u8>,
        /// The keys for dynamic partitioning, by name.
        partition_keys: BTreeMap<String, String>,
    },
    /// Processed and not delivered.
    Dropped,
    /// Failed.
    Failed {
        /// The reason that would be logged.
        reason: String,
    },
}

impl Answer {
    /// Delivered with this data and without partition keys.
    pub fn ok(data: impl Into<Vec<u8>>) -> Answer {
        Answer::Ok { data: data.into(), partition_keys: BTreeMap::new() }
    }

    /// Failed with this reason.
    pub fn failed(reason: impl Into<String>) -> Answer {
        Answer::Failed { reason: reason.into() }
    }
}

/// Runs a transform on payloads, as if they had come from a Kinesis stream. Returns one answer for each, in order. The event is that
/// of [`kinesis_event`].
///
/// # Panics
/// If the response breaks Firehose's contract, which would be a bug in this crate.
pub fn transform<P: AsRef<[u8]>, O: IntoOutcome>(
    payloads: impl IntoIterator<Item = P>,
    transform: impl Fn(&Record<'_>) -> O,
) -> Vec<Answer> {
    transform_event(&kinesis_event(payloads), transform).expect("the event was built here, in Firehose's shape")
}

/// Runs a transform on an event, such as a recorded one. Returns one answer for each record, in order.
///
/// ```
/// use firehose_transform::testing::{Answer, transform_event};
/// use firehose_transform::{Outcome, Record};
///
/// let recorded = br#"{"region":"eu-west-1","records":[{"recordId":"1","data":"aGk="}]}"#;
/// let answers = transform_event(recorded, |record: &Record<'_>| Outcome::text(record.region()));
/// assert_eq!(answers.unwrap(), [Answer::ok("eu-west-1")]);
/// ```
///
/// # Errors
/// As [`batch`](crate::batch()).
///
/// # Panics
/// If the response breaks Firehose's contract, which would be a bug in this crate.
pub fn transform_event<O: IntoOutcome>(
    event: &[u8],
    transform: impl Fn(&Record<'_>) -> O,
) -> Result<Vec<Answer>, EventError> {
    let reply = batch(event, transform)?;
    let mut failures = reply.failures.into_iter();
    let answers: Response = serde_json::from_slice(&reply.response).expect("the response has Firehose's shape");
    Ok(answers.records.into_iter().map(|record| record.answer(&mut failures)).collect())
}

/// The event that Firehose sends if it reads a Kinesis stream.
///
/// Records have the ids `id-0`, `id-1` and so on and the partition keys `key-0`, `key-1`. They arrived at 2023-11-14T22:13:20.123Z
/// (1,700,000,000,123 ms since the epoch), each a millisecond after the one before.
pub fn kinesis_event<P: AsRef<[u8]>>(payloads: impl IntoIterator<Item = P>) -> Vec<u8> {
    let record = |(index, payload): (usize, P)| {
        let mut record = direct_put_record(index, payload.as_ref());
        record["kinesisRecordMetadata"] = json!({
            "sequenceNumber": format!("49546986683135544286507457936321625675700192471156785{index:03}"),
            "subsequenceNumber": 0,
            "partitionKey": format!("key-{index}"),
            "shardId": "shardId-000000000000",
            "approximateArrivalTimestamp": arrival_ms(index),
        });
        record
    };
    event_of(
        json!({"sourceKinesisStreamArn": "arn:aws:kinesis:us-east-1:111122223333:stream/example"}),
        payloads.into_iter().enumerate().map(record).collect(),
    )
}

/// The event that Firehose sends if producers write to the delivery stream itself. As [`kinesis_event`], without the metadata of Kinesis.
pub fn direct_put_event<P: AsRef<[u8]>>(payloads: impl IntoIterator<Item = P>) -> Vec<u8> {
    let record = |(index, payload): (usize, P)| direct_put_record(index, payload.as_ref());
    event_of(json!({}), payloads.into_iter().enumerate().map(record).collect())
}

fn event_of(mut event: Value, records: Vec<Value>) -> Vec<u8> {
    event["invocationId"] = "3e9c6e4d-0000-4000-8000-000000000000".into();
    event["deliveryStreamArn"] = "arn:aws:firehose:us-east-1:111122223333:deliverystream/example".into();
    event["region"] = "us-east-1".into();
    event["records"] = records.into();
    event.to_string().into_bytes()
}

fn direct_put_record(index: usize, payload: &[u8]) -> Value {
    json!({
        "recordId": format!("id-{index}"),
        "approximateArrivalTimestamp": arrival_ms(index),
        "data": STANDARD.encode_to_string(payload),
    })
}

fn arrival_ms(index: usize) -> u64 {
    1_700_000_000_123 + index as u64
}

/// A response, checked as strictly as Firehose checks it.
#[derive(Deserialize)]
struct Response {
    records: Vec<Answered>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Answered {
    record_id: String,
    result: Word,
    data: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
enum Word {
    Ok,
    Dropped,
    ProcessingFailed,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Metadata {
    partition_keys: BTreeMap<String, String>,
}

impl Answered {
    fn answer(self, failures: &mut impl Iterator<Item = crate::Failure>) -> Answer {
        match self.result {
            Word::Ok => Answer::Ok {
                data: STANDARD.decode_to_vec(self.data.expect("Ok carries data")).expect("data is base64"),
                partition_keys: self.metadata.partition_keys,
            },
            Word::Dropped => Answer::Dropped,
            Word::ProcessingFailed => {
                let failure = failures.next().expect("each failed record has its reason");
                assert_eq!(failure.record_id, self.record_id, "failures come in the order of the records");
                Answer::Failed { reason: failure.reason }
            }
        }
    }
}
