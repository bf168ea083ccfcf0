//! The contract with Firehose, from event bytes to response bytes.

use std::time::{Duration, SystemTime};

use firehose_transform::testing::{Answer, direct_put_event, kinesis_event, transform};
use firehose_transform::{Error, EventError, MAX_RESPONSE_BYTES, Outcome, Record, batch};
use proptest::prelude::*;
use serde_json::Value;

fn response_to(event: &str, transform: impl Fn(&Record<'_>) -> Outcome) -> String {
    let reply = batch(event.as_bytes(), transform).expect(event);
    String::from_utf8(reply.response).expect("the response is JSON")
}

#[test]
fn outcomes_are_written_as_firehose_reads_them() {
    let table = [
        (Outcome::unchanged(), r#""Ok","data":"aGk=""#),
        (Outcome::unchanged().with_newline(), r#""Ok","data":"aGkK""#),
        (Outcome::bytes([0xff]), r#""Ok","data":"/w==""#),
        (Outcome::bytes([]), r#""Ok","data":"""#),
        (Outcome::text("a").with_newline(), r#""Ok","data":"YQo=""#),
        (Outcome::json(&[1]), r#""Ok","data":"WzFd""#),
        (
            Outcome::text("a").with_partition_key("year", 2026).with_partition_key("k", "\""),
            r#""Ok","data":"YQ==","metadata":{"partitionKeys":{"year":"2026","k":"\""}}"#,
        ),
        (Outcome::dropped().with_newline(), r#""Dropped""#),
        (Outcome::failed("why"), r#""ProcessingFailed""#),
        (Outcome::json(&std::collections::BTreeMap::from([((1, 2), 3)])), r#""ProcessingFailed""#),
    ];
    for (outcome, expected) in table {
        let event = r#"{"records":[{"recordId":"a\"b","data":"aGk="}]}"#;
        let expected = format!(r#"{{"records":[{{"recordId":"a\"b","result":{expected}}}]}}"#);
        assert_eq!(response_to(event, |_| outcome.clone()), expected);
    }
}

#[test]
fn a_record_from_kinesis_tells_all_that_the_event_says() {
    let answers = transform(["payload"], |record: &Record<'_>| {
        assert_eq!(record.id(), "id-0");
        assert_eq!(record.arrived_at(), SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123));
        assert_eq!(record.bytes(), b"payload");
        assert_eq!(record.partition_key(), Some("key-0"));
        assert_eq!(record.shard_id(), Some("shardId-000000000000"));
        assert_eq!(record.sequence_number(), Some("49546986683135544286507457936321625675700192471156785000"));
        assert_eq!(record.subsequence_number(), Some(0));
        assert_eq!(record.delivery_stream_arn(), "arn:aws:firehose:us-east-1:111122223333:deliverystream/example");
        assert_eq!(record.source_stream_arn(), Some("arn:aws:kinesis:us-east-1:111122223333:stream/example"));
        assert_eq!(record.invocation_id(), "3e9c6e4d-0000-4000-8000-000000000000");
        assert_eq!(record.region(), "us-east-1");
        Outcome::dropped()
    });
    assert_eq!(answers, [Answer::Dropped]);
}

#[test]
fn a_record_put_directly_has_no_kinesis_metadata() {
    let reply = batch(&direct_put_event(["x"]), |record: &Record<'_>| {
        assert_eq!((record.partition_key(), record.source_stream_arn()), (None, None));
        Outcome::dropped()
    });
    assert_eq!(reply.expect("the event is well formed").failures, []);
}

#[test]
fn numbers_as_text_and_unknown_fields_are_read() {
    let event = r#"{"new":1,"records":[{"recordId":"r","data":"aGk=","newer":{},
        "kinesisRecordMetadata":{"subsequenceNumber":"7","partitionKey":"\u00e9","newest":[]}}]}"#;
    let response = response_to(event, |record| {
        Outcome::text(format!("{:?} {:?}", record.subsequence_number(), record.partition_key()))
    });
    assert!(response.contains(&base64_simd::STANDARD.encode_to_string(r#"Some(7) Some("é")"#)), "{response}");
}

#[test]
fn an_empty_batch_is_answered_with_no_records() {
    assert_eq!(response_to(r#"{"records":[]}"#, |_| Outcome::dropped()), r#"{"records":[]}"#);
}

#[test]
fn what_is_not_an_event_is_an_error() {
    for event in ["", "{}", r#"{"records":[{"data":""}]}"#, r#"{"records":[{"recordId":1}]}"#, "\u{feff}"] {
        let error = batch(event.as_bytes(), |_| Outcome::dropped()).expect_err(event);
        assert!(matches!(error, EventError::Malformed { .. }), "{event}: {error}");
    }
}

#[test]
fn one_bad_record_fails_alone_and_says_why() {
    let read = |record: &Record<'_>| -> Result<Outcome, Error> {
        match record.id() {
            "panic" => panic!("index {} is out of bounds", 9),
            "text" => record.text().map(Outcome::text),
            _ => record.json::<Value>().map(|value| Outcome::json(&value)),
        }
    };
    let event = r#"{"records":[
        {"recordId":"good","data":"MQ=="},   {"recordId":"base64","data":"MQ"},  {"recordId":"no data"},
        {"recordId":"panic","data":"MQ=="},  {"recordId":"text","data":"/w=="},  {"recordId":"json","data":"ew=="},
        {"recordId":"also good","data":"Mg=="}]}"#;
    let reply = batch(event.as_bytes(), read).expect("the event is well formed");
    let failures: Vec<_> = reply.failures.iter().map(|f| (f.record_id.as_str(), f.reason.as_str())).collect();
    let not_text = "the payload is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0";
    let not_json = "the payload is not the expected JSON: EOF while parsing an object at line 1 column 1";
    assert_eq!(
        failures,
        [
            ("base64", "the record's data is not base64"),
            ("no data", "the record's data is not base64"),
            ("panic", "the transform panicked: index 9 is out of bounds"),
            ("text", not_text),
            ("json", not_json),
        ]
    );
    let response: Value = serde_json::from_slice(&reply.response).expect("the response is JSON");
    assert_eq!(response["records"].as_array().expect("records is a list").len(), 7);
    assert_eq!((&response["records"][0]["result"], &response["records"][6]["data"]), (&"Ok".into(), &"Mg==".into()));
}

#[test]
fn an_answer_that_just_fits_is_kept_and_one_byte_more_is_failed() {
    let largest = (MAX_RESPONSE_BYTES - r#"{"records":[{"recordId":"id-0","result":"Ok","data":""}]}"#.len()) / 4 * 3;
    let of = |size: usize| transform([""], move |_: &Record<'_>| Outcome::bytes(vec![0; size]));
    // One comma is kept back for the first record too, which has none: at most one base64 group is lost to it.
    let fits = largest - 3;
    assert_eq!(of(fits), [Answer::ok(vec![0; fits])]);
    let [Answer::Failed { reason }] = &of(largest + 1)[..] else { panic!("it was not failed") };
    assert!(reason.starts_with("the answer takes 6291"), "{reason}");
}

/// The answer for a record, chosen by the test.
#[derive(Debug, Clone)]
enum Choice {
    Bytes(usize),
    Drop,
    Fail,
    Panic,
}

fn choices(largest: usize) -> impl Strategy<Value = Vec<Choice>> {
    let bytes = move || (0..=largest).prop_map(Choice::Bytes);
    let choice = prop_oneof![bytes(), bytes(), bytes(), Just(Choice::Drop), Just(Choice::Fail), Just(Choice::Panic)];
    prop::collection::vec(choice, 0..24)
}

fn choose(choice: &Choice) -> Outcome {
    match choice {
        Choice::Bytes(size) => Outcome::bytes(vec![b'x'; *size]),
        Choice::Drop => Outcome::dropped(),
        Choice::Fail => Outcome::failed("chosen"),
        Choice::Panic => std::panic::panic_any(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_kept_comes_back_byte_for_byte(payloads: Vec<Vec<u8>>, copied: bool) {
        let keep = |record: &Record<'_>| if copied { Outcome::bytes(record.bytes()) } else { Outcome::unchanged() };
        let expected: Vec<_> = payloads.iter().map(|payload| Answer::ok(payload.clone())).collect();
        prop_assert_eq!(transform(&payloads, keep), expected);
    }

    #[test]
    fn an_event_with_any_one_byte_changed_is_refused_or_answered_in_full(at: prop::sample::Index, byte: u8) {
        let mut event = kinesis_event(["a", "b"]);
        let at = at.index(event.len());
        event[at] = byte;
        if let Ok(reply) = batch(&event, |_: &Record<'_>| Outcome::unchanged()) {
            let response: Value = serde_json::from_slice(&reply.response).expect("the response is JSON");
            prop_assert_eq!(response["records"].as_array().map(Vec::len), Some(2));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))] // megabytes each

    #[test]
    fn every_record_is_answered_once_in_order_within_the_limit(choices in choices(900_000)) {
        let index = |record: &Record<'_>| record.id()["id-".len()..].parse::<usize>().expect("ids here are numbered");
        let event = kinesis_event(vec![""; choices.len()]);
        let reply = batch(&event, |record: &Record<'_>| choose(&choices[index(record)])).expect("the event is well formed");
        prop_assert!(reply.response.len() <= MAX_RESPONSE_BYTES);
        let response: Value = serde_json::from_slice(&reply.response).expect("the response is JSON");
        let records = response["records"].as_array().expect("records is a list");
        prop_assert_eq!(records.len(), choices.len());
        for (at, (record, choice)) in records.iter().zip(&choices).enumerate() {
            prop_assert_eq!(&record["recordId"], &Value::from(format!("id-{at}")));
            let overflowed = reply.failures.iter().any(|f| record["recordId"] == *f.record_id && f.reason.contains("left"));
            let expected = match choice {
                Choice::Bytes(_) if !overflowed => "Ok",
                Choice::Drop => "Dropped",
                Choice::Bytes(_) | Choice::Fail | Choice::Panic => "ProcessingFailed",
            };
            prop_assert_eq!(&record["result"], expected);
        }
    }
}
