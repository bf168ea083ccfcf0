//! The event that a transform is invoked with.
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>

use std::io::Write;

use aws_facts::lambda::MAX_EVENT_BYTES;
use base64_simd::STANDARD as BASE64;
use bytes::Bytes;

use super::item::Item;
use super::job::Job;
use super::pieces::Pieces;
use crate::record::sequence::shard_id;

/// More than the event's members around its records.
const ENVELOPE: usize = 2_048;
/// More than a record's members take without its data and partition key.
const RECORD: usize = 420;
/// A control character in a partition key takes six bytes of JSON.
const ESCAPED: usize = 6;

/// The whole payload, written straight into one buffer: this runs once for every record.
pub fn payload(job: &Job, invocation_id: &str, items: &Pieces<Item>) -> Bytes {
    let mut out = Vec::with_capacity(ENVELOPE + items.iter().map(size_bound).sum::<usize>());
    out.extend_from_slice(br#"{"invocationId":"#);
    text(&mut out, invocation_id);
    if let Some(source) = &job.source {
        out.extend_from_slice(br#","sourceKinesisStreamArn":"#);
        text(&mut out, &source.stream_arn);
    }
    out.extend_from_slice(br#","deliveryStreamArn":"#);
    text(&mut out, &job.arn);
    out.extend_from_slice(br#","region":"#);
    text(&mut out, &job.region);
    out.extend_from_slice(br#","records":["#);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_record(&mut out, item, job.source.is_some());
    }
    out.extend_from_slice(b"]}");
    out.into()
}

fn write_record(out: &mut Vec<u8>, item: &Item, from_kinesis: bool) {
    let record = &item.record;
    let sequence = record.sequence.to_string();
    print(
        out,
        format_args!(
            r#"{{"recordId":"{}","approximateArrivalTimestamp":{},"data":""#,
            item.id_of(&sequence),
            record.arrival
        ),
    );
    BASE64.encode_append(&record.data, out);
    out.push(b'"');
    if from_kinesis {
        let (shard, subsequence) = (shard_id(item.origin.shard), item.subsequence);
        print(
            out,
            format_args!(
                r#","kinesisRecordMetadata":{{"sequenceNumber":"{sequence}","subsequenceNumber":{subsequence},"partitionKey":"#
            ),
        );
        text(out, &record.partition_key);
        print(out, format_args!(r#","shardId":"{shard}","approximateArrivalTimestamp":{}}}"#, record.arrival));
    }
    out.push(b'}');
}

fn text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("text serialises, and memory takes it");
}

fn print(out: &mut Vec<u8>, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

/// At most this much of the payload is this record's, in bytes.
pub fn size_bound(item: &Item) -> usize {
    item.record.data.len().div_ceil(3) * 4 + item.record.partition_key.bytes() * ESCAPED + RECORD
}

/// Do records of this bound together make a payload that can be sent?
pub fn fits(size_bound: usize) -> bool {
    size_bound + ENVELOPE <= MAX_EVENT_BYTES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::item::Origin;
    use super::*;
    use crate::flow::job::{Source, sample};
    use crate::record::Record;
    use crate::record::sequence::Sequence;

    fn item(partition_key: &str, data: Vec<u8>) -> Item {
        let sequence = Sequence::of_record(1, 3, 4, 5);
        let record =
            Record { sequence, partition_key: partition_key.into(), data: data.into(), arrival: 1_700_000_000_123 };
        Item { subsequence: 2, ..Item::new(Origin { shard: 3, ordinal: 4, part: 2, parts: 9 }, record) }
    }

    #[test]
    fn an_event_has_the_members_that_the_service_gives_it() {
        let source = Source {
            stream_arn: "arn:s".into(),
            stream_key: "us-east-1/s".into(),
            stream_created: 0,
            role_arn: "arn:r".into(),
        };
        let item = item("ключ \"\n", b"hello".to_vec());
        let items = vec![item.clone()].into();
        let event: Value = serde_json::from_slice(&payload(&sample(Some(source)), "id", &items)).unwrap();
        let sequence = item.record.sequence.to_string();
        let record = |metadata: bool| {
            let mut record = json!({
                "recordId": format!("{sequence}000002"), "approximateArrivalTimestamp": 1_700_000_000_123_u64,
                "data": "aGVsbG8=",
            });
            if metadata {
                record["kinesisRecordMetadata"] = json!({
                    "sequenceNumber": sequence, "subsequenceNumber": 2, "partitionKey": "ключ \"\n",
                    "shardId": "shardId-000000000003", "approximateArrivalTimestamp": 1_700_000_000_123_u64,
                });
            }
            record
        };
        let expected = json!({
            "invocationId": "id", "sourceKinesisStreamArn": "arn:s", "deliveryStreamArn": "arn:d", "region": "us-east-1",
            "records": [record(true)],
        });
        assert_eq!(event, expected);
        let direct: Value = serde_json::from_slice(&payload(&sample(None), "id", &items)).unwrap();
        let expected = json!({
            "invocationId": "id", "deliveryStreamArn": "arn:d", "region": "us-east-1", "records": [record(false)],
        });
        assert_eq!(direct, expected);
        assert_eq!(item.id(), format!("{sequence}000002"));
    }

    proptest! {
        #[test]
        fn no_event_is_larger_than_its_bound(records in proptest::collection::vec((".{0,256}", proptest::collection::vec(0u8..255, 0..300)), 0..5)) {
            let items: Vec<Item> = records.into_iter().map(|(key, data)| item(&key, data)).collect();
            let items = Pieces::from(items);
            let bound = items.iter().map(size_bound).sum::<usize>() + ENVELOPE;
            prop_assert!(payload(&sample(None), "id", &items).len() <= bound);
        }
    }
}
