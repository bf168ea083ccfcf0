//! The events that Firehose invokes a transform with. Pure.
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>

use base64_simd::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A delivery stream and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub delivery_stream_arn: String,
    /// `None`: producers write to the delivery stream itself.
    pub stream_arn: Option<String>,
    pub region: String,
}

/// One record of an event, before it is wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub id: String,
    pub data: Data,
    pub arrival_ms: u64,
    /// Its position in the stream. Left out of events whose source is not a stream.
    pub partition_key: String,
    pub shard: String,
    pub sequence_number: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    Bytes(Bytes),
    /// Put into the event unchanged, although it is not base64.
    Verbatim(String),
}

/// Unusual content for events. Firehose does not send any of it today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Unknown fields, in the event and in each record.
    pub unknown_fields: bool,
    /// `"subsequenceNumber": "0"`.
    pub textual_subsequence: bool,
}

impl Record {
    /// The `number`th record of a batch, with an id in the form that Firehose gives them.
    pub fn numbered(number: usize, data: impl Into<Bytes>) -> Record {
        let sequence_number = format!("49546986683135544286507457936321625675700192471{number:09}");
        Record {
            id: format!("{sequence_number}000000"),
            data: Data::Bytes(data.into()),
            arrival_ms: 1_700_000_000_000 + number as u64,
            partition_key: format!("key-{}", number % 97),
            shard: "shardId-000000000000".into(),
            sequence_number,
        }
    }

    /// The payload. For data that is not base64, its text.
    pub fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Bytes(bytes) => bytes,
            Data::Verbatim(text) => text.as_bytes(),
        }
    }
}

/// The event with these records, as JSON.
pub fn event(source: &Source, records: &[Record], odd: Oddities) -> Bytes {
    let event = Event {
        invocation_id: "3e9c6e4d-0000-4000-8000-000000000000",
        source_kinesis_stream_arn: source.stream_arn.as_deref(),
        delivery_stream_arn: &source.delivery_stream_arn,
        region: &source.region,
        records: records.iter().map(|record| wire(record, source.stream_arn.is_some(), odd)).collect(),
        new_here: odd.unknown_fields.then_some(UNKNOWN),
    };
    serde_json::to_vec(&event).expect("an event of strings serialises").into()
}

const UNKNOWN: Unknown = Unknown { list: [1, 2], text: "\u{e9}\"\\" };

#[derive(Serialize, Clone, Copy)]
struct Unknown {
    list: [u8; 2],
    text: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    new_here: Option<Unknown>,
    invocation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_kinesis_stream_arn: Option<&'a str>,
    delivery_stream_arn: &'a str,
    region: &'a str,
    records: Vec<Wire<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    new_here: Option<Unknown>,
    record_id: &'a str,
    approximate_arrival_timestamp: u64,
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kinesis_record_metadata: Option<Metadata<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    sequence_number: &'a str,
    subsequence_number: serde_json::Value,
    partition_key: &'a str,
    shard_id: &'a str,
    approximate_arrival_timestamp: u64,
}

fn wire(record: &Record, from_stream: bool, odd: Oddities) -> Wire<'_> {
    let metadata = || Metadata {
        sequence_number: &record.sequence_number,
        subsequence_number: if odd.textual_subsequence { "0".into() } else { 0.into() },
        partition_key: &record.partition_key,
        shard_id: &record.shard,
        approximate_arrival_timestamp: record.arrival_ms,
    };
    Wire {
        new_here: odd.unknown_fields.then_some(UNKNOWN),
        record_id: &record.id,
        approximate_arrival_timestamp: record.arrival_ms,
        data: match &record.data {
            Data::Bytes(bytes) => STANDARD.encode_to_string(bytes),
            Data::Verbatim(text) => text.clone(),
        },
        kinesis_record_metadata: from_stream.then(metadata),
    }
}

/// The records of an event that somebody recorded or wrote.
///
/// # Errors
/// The reason why Firehose could not have sent this event.
pub fn recorded(event: &[u8]) -> Result<Vec<Record>, String> {
    #[derive(Deserialize)]
    struct Recorded {
        records: Vec<Given>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Given {
        record_id: String,
        data: String,
        #[serde(default)]
        approximate_arrival_timestamp: u64,
    }
    let recorded: Recorded = serde_json::from_slice(event).map_err(|e| e.to_string())?;
    let record = |(number, given): (usize, Given)| Record {
        id: given.record_id,
        data: match STANDARD.decode_to_vec(&given.data) {
            Ok(bytes) => Data::Bytes(bytes.into()),
            Err(_) => Data::Verbatim(given.data),
        },
        arrival_ms: given.approximate_arrival_timestamp,
        ..Record::numbered(number, Bytes::new())
    };
    Ok(recorded.records.into_iter().enumerate().map(record).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(stream: bool) -> Source {
        Source {
            delivery_stream_arn: "arn:aws:firehose:us-east-1:000000000000:deliverystream/d".into(),
            stream_arn: stream.then(|| "arn:aws:kinesis:us-east-1:000000000000:stream/s".into()),
            region: "us-east-1".into(),
        }
    }

    #[test]
    fn an_event_tells_where_records_stood_only_if_they_came_from_a_stream() {
        let records = [Record::numbered(7, "a")];
        let of = |stream| String::from_utf8(event(&source(stream), &records, Oddities::default()).to_vec()).unwrap();
        assert_eq!(
            of(true),
            r#"{"invocationId":"3e9c6e4d-0000-4000-8000-000000000000","sourceKinesisStreamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s","deliveryStreamArn":"arn:aws:firehose:us-east-1:000000000000:deliverystream/d","region":"us-east-1","records":[{"recordId":"49546986683135544286507457936321625675700192471000000007000000","approximateArrivalTimestamp":1700000000007,"data":"YQ==","kinesisRecordMetadata":{"sequenceNumber":"49546986683135544286507457936321625675700192471000000007","subsequenceNumber":0,"partitionKey":"key-7","shardId":"shardId-000000000000","approximateArrivalTimestamp":1700000000007}}]}"#
        );
        assert!(!of(false).contains("inesis"), "{}", of(false));
    }

    #[test]
    fn a_recorded_event_gives_its_records_and_what_is_none_says_why() {
        let records =
            [Record::numbered(0, "a"), Record { data: Data::Verbatim("*".into()), ..Record::numbered(1, "") }];
        let odd = Oddities { unknown_fields: true, textual_subsequence: true };
        assert_eq!(recorded(&event(&source(true), &records, odd)), Ok(records.to_vec()));
        assert!(recorded(br#"{"Records":[]}"#).unwrap_err().contains("missing field `records`"));
    }
}
