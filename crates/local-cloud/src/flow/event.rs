//! The event that a transform is invoked with.
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>

use bytes::Bytes;
use serde::Serialize;

use super::item::Item;
use super::job::Job;
use crate::service::json::Blob;
use crate::service::kinesis::stream::shard_id;
use crate::settings::Millis;

/// Of a synchronous invocation's payload, in bytes.
pub const REQUEST_LIMIT: usize = 6_291_456;
/// More than the event's members around its records.
const ENVELOPE: usize = 2_048;
/// More than a record's members take without its data and partition key.
const RECORD: usize = 420;
/// A control character in a partition key takes six bytes of JSON.
const ESCAPED: usize = 6;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    invocation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_kinesis_stream_arn: Option<&'a str>,
    delivery_stream_arn: &'a str,
    region: &'a str,
    records: Vec<EventRecord<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventRecord<'a> {
    record_id: String,
    approximate_arrival_timestamp: Millis,
    data: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    kinesis_record_metadata: Option<Metadata<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    sequence_number: String,
    subsequence_number: u32,
    partition_key: &'a str,
    shard_id: String,
    approximate_arrival_timestamp: Millis,
}

/// The whole payload.
pub fn payload(job: &Job, invocation_id: &str, items: &[Item]) -> Bytes {
    let event = Event {
        invocation_id,
        source_kinesis_stream_arn: job.source.as_ref().map(|source| source.stream_arn.as_str()),
        delivery_stream_arn: &job.arn,
        region: &job.region,
        records: items.iter().map(|item| event_record(item, job.source.is_some())).collect(),
    };
    serde_json::to_vec(&event).expect("strings and numbers serialise").into()
}

fn event_record(item: &Item, from_kinesis: bool) -> EventRecord<'_> {
    let record = &item.record;
    let metadata = || Metadata {
        sequence_number: record.sequence.to_string(),
        subsequence_number: item.subsequence,
        partition_key: &record.partition_key,
        shard_id: shard_id(item.origin.shard),
        approximate_arrival_timestamp: record.arrival,
    };
    EventRecord {
        record_id: item.id(),
        approximate_arrival_timestamp: record.arrival,
        data: Blob(record.data.clone()),
        kinesis_record_metadata: from_kinesis.then(metadata),
    }
}

/// At most this much of the payload is this record's, in bytes.
pub fn size_bound(item: &Item) -> usize {
    item.record.data.len().div_ceil(3) * 4 + item.record.partition_key.len() * ESCAPED + RECORD
}

/// Do records of this bound together make a payload that can be sent?
pub fn fits(size_bound: usize) -> bool {
    size_bound + ENVELOPE <= REQUEST_LIMIT
}
