//! Dynamic partitioning.

use serde_json::{Value, json};

use crate::world::tests::stage::{FUNCTION, Stage, ok, processing, text_of};

const LAMBDA: (&str, &[(&str, &str)]) =
    ("Lambda", &[("LambdaArn", FUNCTION), ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "10")]);
const SPLIT: (&str, &[(&str, &str)]) = ("RecordDeAggregation", &[("SubRecordType", "JSON")]);
const NEWLINES: (&str, &[(&str, &str)]) = ("AppendDelimiterToRecord", &[]);

fn query(text: &str) -> [(&str, &str); 2] {
    [("MetadataExtractionQuery", text), ("JsonParsingEngine", "JQ-1.6")]
}

fn partitioned(prefix: &str, processors: &[(&str, &[(&str, &str)])]) -> Value {
    json!({
        "Prefix": prefix, "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/",
        "BufferingHints": { "SizeInMBs": 64, "IntervalInSeconds": 60 },
        "DynamicPartitioningConfiguration": { "Enabled": true, "RetryOptions": { "DurationInSeconds": 10 } },
        "ProcessingConfiguration": processing(processors),
    })
}

/// The content of each object, by the part of its key before the delivery stream's name.
fn by_prefix(stage: &Stage) -> Vec<(String, String)> {
    stage.objects("").into_iter().map(|(key, text)| (key[..key.find("d-1-").unwrap()].to_owned(), text)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn records_are_split_and_filed_by_what_a_query_finds_in_them() {
    let mut stage = Stage::with_bucket();
    let query = query("{customer: .customer, day: .at[0:10]}");
    let processors = [SPLIT, ("MetadataExtraction", &query[..]), NEWLINES];
    stage.create(
        "d",
        partitioned("c=!{partitionKeyFromQuery:customer}/!{partitionKeyFromQuery:day}/!{timestamp:yyyy}/", &processors),
    );
    stage.put(&[
        r#"{"customer":"a","at":"2026-01-01T00","n":1} {"customer":"b","at":"2026-01-01T00","n":2}"#,
        r#"{"customer":"a","at":"2026-01-01T23","n":3}"#,
        r#"{"at":"2026-01-01T23","n":4}"#,
        "no JSON",
        &r#"{"customer":"a","at":"2026-01-01T00"}"#.repeat(501),
    ]);
    assert_eq!(stage.backlog("d"), 5);
    stage.advance(60_000);
    let expected = pairs(&[
        (
            "c=a/2026-01-01/2026/",
            "{\"customer\":\"a\",\"at\":\"2026-01-01T00\",\"n\":1}\n{\"customer\":\"a\",\"at\":\"2026-01-01T23\",\"n\":3}",
        ),
        ("c=b/2026-01-01/2026/", r#"{"customer":"b","at":"2026-01-01T00","n":2}"#),
    ]);
    let found = by_prefix(&stage);
    assert_eq!(found[1..], expected);
    assert_eq!(found[0].0, "bad/metadata-extraction-failed/");
    let lines: Vec<Value> = found[0].1.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        lines.iter().map(|l| (text_of(&l["rawData"]), l["errorMessage"].clone(), l.get("lambdaARN"))).collect();
    assert!(lines.iter().all(|line| line["errorCode"] == "DynamicPartitioning.MetadataExtractionFailed"));
    let expected = [
        (r#"{"at":"2026-01-01T23","n":4}"#.to_owned(), json!("partitionKeys values must not be null or empty"), None),
        ("no JSON".to_owned(), json!("Non JSON record provided"), None),
        (r#"{"customer":"a","at":"2026-01-01T00"}"#.repeat(501), json!("Non JSON record provided"), None),
    ];
    assert_eq!(told, expected);
    assert_eq!((stage.backlog("d"), stage.due()), (0, None));
}

#[test]
fn a_function_and_a_query_may_both_give_keys() {
    let mut stage = Stage::with_bucket();
    let query = query("{n: .n}");
    let processors = [("MetadataExtraction", &query[..]), LAMBDA];
    stage.create("d", partitioned("!{partitionKeyFromLambda:kind}/!{partitionKeyFromQuery:n}/", &processors));
    stage.put(&["1", "2", "3"]);
    stage.advance(10_000);
    stage.answer(|text| {
        let mut answer = ok(format!("{{\"n\":{text}}}"));
        let kind = if text == "2" { "" } else { "odd" };
        answer["metadata"] = json!({ "partitionKeys": { "kind": kind, "unused": text } });
        answer
    });
    stage.advance(60_000);
    let found = by_prefix(&stage);
    assert_eq!(
        found[1..],
        pairs(&[("odd/1/", r#"{"n":1}"#), ("odd/3/", r#"{"n":3}"#)]),
        "the query sees what the function gave"
    );
    assert_eq!(found[0].0, "bad/partitioning-failed/", "the function gave no `kind`");
    let line: Value = serde_json::from_str(&found[0].1).unwrap();
    assert_eq!(text_of(&line["rawData"]), "2");
    assert_eq!(line["errorMessage"], "partitionKeys values must not be null or empty");
}

#[test]
fn of_more_partitions_than_five_hundred_the_rest_goes_to_the_errors() {
    let mut stage = Stage::with_bucket();
    let query = query("{n: .n}");
    stage.create("d", partitioned("n=!{partitionKeyFromQuery:n}/", &[("MetadataExtraction", &query[..])]));
    let records: Vec<String> = (0..502).map(|n| format!("{{\"n\":{n}}}")).collect();
    for records in records.chunks(500) {
        stage.put(&records.iter().map(String::as_str).collect::<Vec<_>>());
    }
    stage.put(&[r#"{"n":7}"#]);
    stage.advance(60_000);
    assert_eq!(stage.texts("n=").len(), 500);
    assert_eq!(stage.texts("n=7/"), [r#"{"n":7}{"n":7}"#]);
    let errors = stage.texts("bad/activePartitionExceeded/");
    assert_eq!(errors[0].lines().count(), 2);
    assert!(errors[0].contains("DynamicPartitioning.ActivePartitionsLimitExceeded"), "{errors:?}");
    stage.put(&[r#"{"n":501}"#]);
    stage.advance(60_000);
    assert_eq!(stage.texts("n=501/").len(), 1, "stored partitions are not active any more");
}

#[test]
fn parts_in_several_partitions_come_once_whenever_the_engine_stops() {
    let mut stage = Stage::with_bucket();
    let query = query("{n: .n}");
    let processors = [SPLIT, ("MetadataExtraction", &query[..])];
    stage.create("d", partitioned("n=!{partitionKeyFromQuery:n}/", &processors));
    // Only the first partition's object can be stored before the restart. The second partition's part waits.
    stage.put(&[r#"{"n":1}"#]);
    stage.advance(30_000);
    stage.put(&[r#"{"n":1,"x":0}{"n":2}"#]);
    stage.advance(30_000);
    assert_eq!(stage.texts("n=1/"), [r#"{"n":1}{"n":1,"x":0}"#]);
    assert_eq!((stage.texts("n=2/").len(), stage.backlog("d")), (0, 1));
    let mut stage = stage.restarted();
    stage.advance(0);
    stage.advance(60_000);
    assert_eq!((stage.texts("n=1/").len(), stage.texts("n=2/")), (1, vec![r#"{"n":2}"#.to_owned()]));
    assert_eq!((stage.backlog("d"), stage.due()), (0, None));
}

#[test]
fn a_prefix_that_would_be_too_long_fails_its_record() {
    let mut stage = Stage::with_bucket();
    let query = query("{n: .n}");
    stage.create("d", partitioned("n=!{partitionKeyFromQuery:n}/", &[("MetadataExtraction", &query[..])]));
    let record = |value: &str| format!(r#"{{"n":"{value}"}}"#);
    let fit = ["a".repeat(509), "ä".repeat(480)];
    for value in &fit {
        stage.put(&[&record(value)]);
    }
    stage.put(&[&record(&"a".repeat(510)), &record(&"ä".repeat(509))]);
    stage.advance(60_000);
    for value in &fit {
        assert_eq!(stage.texts(&format!("n={value}/")), [record(value)]);
    }
    let failed = stage.texts("bad/metadata-extraction-failed/")[0].clone();
    let lines: Vec<Value> = failed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["errorMessage"], "Length of evaluated prefix cannot be greater than 512");
    assert_eq!(lines[1]["errorMessage"], "The object's key would have more than 1024 bytes");
    assert_eq!((stage.backlog("d"), stage.due()), (0, None));
}
