//! Events as Firehose sends them, from its two kinds of sources, in the forms seen over the years.

use firehose_transform::{Outcome, Record, batch};
use serde_json::{Value, json};

/// All that a record tells.
fn told(record: &Record<'_>) -> Value {
    json!({
        "id": record.id(),
        "arrived": record.arrived_at_ms(),
        "text": record.text().expect("the payloads here are text"),
        "key": record.partition_key(),
        "shard": record.shard_id(),
        "sequence": record.sequence_number(),
        "subsequence": record.subsequence_number(),
        "stream": record.delivery_stream_arn(),
        "source": record.source_stream_arn(),
        "invocation": record.invocation_id(),
        "region": record.region(),
    })
}

fn read(event: &[u8]) -> Vec<Value> {
    let seen = std::sync::Mutex::new(Vec::new());
    let reply = batch(event, |record| {
        seen.lock().expect("nothing panics").push(told(record));
        Outcome::unchanged()
    });
    let response: Value = serde_json::from_slice(&reply.expect("it is an event").response).expect("it is JSON");
    let event: Value = serde_json::from_slice(event).expect("it is JSON");
    let pairs = |value: &Value| -> Vec<_> {
        let records = value["records"].as_array().expect("records is a list").iter();
        records.map(|record| (record["recordId"].clone(), record["data"].clone())).collect()
    };
    assert_eq!(pairs(&response), pairs(&event), "unchanged is unchanged");
    seen.into_inner().expect("nothing panics")
}

#[test]
fn from_a_kinesis_stream() {
    let sequence = "49636633817702646102964746676780538356721397016536547330";
    let record = |id: &str, arrived: u64, text: &str, key: &str, subsequence: u64| {
        json!({
            "id": id, "arrived": arrived, "text": text, "key": key, "shard": "shardId-000000000000", "sequence": sequence,
            "subsequence": subsequence, "stream": "arn:aws:firehose:us-east-1:111122223333:deliverystream/test-delivery2",
            "source": "arn:aws:kinesis:us-east-1:111122223333:stream/kinesis-test",
            "invocation": "c7234732-23cb-4cda-8730-ca97415ef84f", "region": "us-east-1",
        })
    };
    let (first, second) = (format!("{sequence}000000"), format!("{sequence}000001"));
    let expected = [
        record(&first, 1_700_000_000_123, r#"{"a": 1, "b": 2, "c": 3}"#, "user-1", 0),
        record(&second, 1_700_000_000_456, "", "é \"quoted\"", 1),
    ];
    assert_eq!(read(include_bytes!("events/kinesis.json")), expected);
}

#[test]
fn from_a_kinesis_stream_with_the_ids_of_2025_and_numbers_as_text() {
    let records = read(include_bytes!("events/kinesis-2025.json"));
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["text"], "Hello World");
    assert_eq!(records[0]["shard"], "shardId-000000000003");
    assert_eq!(records[0]["subsequence"], Value::Null, "an empty text is no number");
    assert_eq!(records[0]["key"], "4d1ad2b9-24f8-4b9d-a088-76e9947c317a");
}

#[test]
fn put_directly() {
    let expected = json!({
        "id": "49546986683135544286507457936321625675700192471156785154", "arrived": 1_495_072_949_453_u64,
        "text": "Hello, this is a test 123.", "key": null, "shard": null, "sequence": null, "subsequence": null,
        "stream": "arn:aws:firehose:us-east-1:111122223333:deliverystream/example", "source": null,
        "invocation": "invocationIdExample", "region": "us-east-1",
    });
    assert_eq!(read(include_bytes!("events/direct-put.json")), [expected]);
}
