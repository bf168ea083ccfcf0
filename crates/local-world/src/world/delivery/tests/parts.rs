//! Records that are taken apart or unpacked on their way.

use std::io::Write;

use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::flow::prepare::aggregate::aggregate;
use crate::world::delivery;
use crate::world::tests::stage::{FUNCTION, REGION, Stage, ok, processing, text_of};

const LAMBDA: (&str, &[(&str, &str)]) =
    ("Lambda", &[("LambdaArn", FUNCTION), ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "10")]);

fn gzip(plain: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(plain.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn records_of_the_producer_library_are_taken_apart_for_the_function_the_backup_and_the_destination() {
    let mut stage = Stage::with_bucket();
    stage.create(
        "d",
        json!({ "Prefix": "good/", "ProcessingConfiguration": processing(&[LAMBDA]),
            "S3BackupMode": "Enabled", "S3BackupConfiguration": { "Prefix": "backup/" } }),
    );
    stage.put_bytes(&aggregate(&[("k0", "a"), ("k1", "b"), ("k2", "c")]));
    stage.put(&["d"]);
    stage.advance(10_000);
    let records = stage.invocations[0].1["records"].clone();
    let told = |record: &Value| {
        let metadata = &record["kinesisRecordMetadata"];
        (text_of(&record["data"]), metadata["partitionKey"].clone(), metadata["subsequenceNumber"].clone())
    };
    let told: Vec<_> = records.as_array().unwrap().iter().map(told).collect();
    let expected = [("a", "k0", 0), ("b", "k1", 1), ("c", "k2", 2), ("d", "k", 0)];
    assert_eq!(told, expected.map(|(data, key, n)| (data.to_owned(), json!(key), json!(n))));
    let outer = |n: usize| records[n]["kinesisRecordMetadata"]["sequenceNumber"].clone();
    assert!(outer(0) == outer(1) && outer(0) != outer(3), "the outer record's sequence number");
    assert_ne!(records[0]["recordId"], records[1]["recordId"]);
    stage.answer(|text| match text {
        "b" => json!({ "result": "ProcessingFailed" }),
        text => ok(text.to_uppercase()),
    });
    stage.advance(60_000);
    assert_eq!((stage.texts("good/"), stage.texts("backup/")), (vec!["ACD".into()], vec!["abcd".into()]));
    let line: Value = serde_json::from_str(&stage.texts("bad/")[0]).unwrap();
    assert_eq!(text_of(&line["rawData"]), "b");
    assert_eq!((stage.backlog("d"), stage.due()), (0, None));
}

#[test]
fn parts_that_were_stored_before_a_restart_do_not_come_again() {
    let mut stage = Stage::with_bucket();
    stage.create("d", json!({ "Prefix": "good/", "ProcessingConfiguration": processing(&[LAMBDA]) }));
    stage.put_bytes(&aggregate(&[("k", "a"), ("k", "b"), ("k", "c")]));
    stage.advance(10_000);
    // One part is dropped at once, one fails, one is good: each ends at another time.
    stage.answer(|text| match text {
        "a" => json!({ "result": "Dropped" }),
        "b" => json!({ "result": "ProcessingFailed" }),
        text => ok(text.into()),
    });
    assert_eq!(stage.backlog("d"), 1, "the record is not finished before its last part");
    let mut stage = stage.restarted();
    stage.advance(0);
    stage.advance(10_000);
    let texts: Vec<String> =
        stage.invocations[0].1["records"].as_array().unwrap().iter().map(|r| text_of(&r["data"])).collect();
    assert_eq!(texts, ["b", "c"], "what was dropped stays dropped");
    stage.answer(|text| ok(text.into()));
    stage.advance(60_000);
    assert_eq!((stage.texts("good/"), stage.backlog("d")), (vec!["bc".into()], 0));
}

#[test]
fn what_cloudwatch_logs_sent_is_unpacked_and_what_it_did_not_send_fails() {
    let mut stage = Stage::with_bucket();
    let steps: &[(&str, &[(&str, &str)])] =
        &[("CloudWatchLogProcessing", &[("DataMessageExtraction", "True")]), ("Decompression", &[]), LAMBDA];
    stage.create(
        "d",
        json!({ "Prefix": "good/", "ProcessingConfiguration": processing(steps),
            "S3BackupMode": "Enabled", "S3BackupConfiguration": { "Prefix": "backup/", "CompressionFormat": "GZIP" } }),
    );
    let messages = json!([{ "id": "1", "timestamp": 1, "message": "one" }, { "message": "two" }]);
    stage.put_bytes(&gzip(&json!({ "messageType": "DATA_MESSAGE", "logEvents": messages }).to_string()));
    stage.put_bytes(&gzip(&json!({ "messageType": "CONTROL_MESSAGE", "logEvents": [] }).to_string()));
    stage.put_bytes(b"plain");
    stage.advance(10_000);
    let texts: Vec<String> =
        stage.invocations[0].1["records"].as_array().unwrap().iter().map(|r| text_of(&r["data"])).collect();
    assert_eq!(texts, ["one\ntwo\n", ""], "one document is one record");
    stage.answer(|text| ok(text.to_uppercase()));
    stage.advance(60_000);
    assert_eq!(stage.texts("good/"), ["ONE\nTWO\n"]);
    let bad = stage.objects("bad/decompression-failed/2026/07/13/14/");
    let line: Value = serde_json::from_str(&bad[0].1).unwrap();
    assert_eq!((text_of(&line["rawData"]).as_str(), &line["errorCode"]), ("plain", &json!("Decompression failed.")));
    assert_eq!((&line["attemptsMade"], line.get("lambdaARN")), (&json!(1), None));
    assert_eq!(stage.backlog("d"), 0);
    let described = stage.described("d");
    let extraction = &described["ProcessingConfiguration"]["Processors"][0]["Parameters"][0]["ParameterValue"];
    assert_eq!(extraction, "true", "it shows in lower case");
}

#[test]
fn decompression_comes_later_only_where_there_is_a_function() {
    let mut stage = Stage::with_bucket();
    let decompress = || json!({ "ProcessingConfiguration": processing(&[("Decompression", &[])]) });
    stage.create("plain", json!({}));
    stage.create("transformed", json!({ "ProcessingConfiguration": processing(&[LAMBDA]) }));
    let refused = stage.update("plain", "1", decompress()).unwrap_err();
    let expected =
        "Enabling source decompression is not supported for existing stream with no Lambda function attached.";
    assert_eq!(refused.message, expected);
    stage.update("transformed", "1", decompress()).unwrap();
}

#[test]
fn what_waits_for_a_function_that_is_taken_away_is_delivered_without_it() {
    let mut stage = Stage::with_bucket();
    stage.create("d", json!({ "Prefix": "good/", "ProcessingConfiguration": processing(&[LAMBDA]) }));
    stage.put(&["a"]);
    stage.update("d", "1", json!({ "ProcessingConfiguration": { "Enabled": false } })).unwrap();
    stage.turn(|world, turn| delivery::flush(world, turn, REGION, &[]));
    assert_eq!((stage.texts("good/"), stage.invocations.len()), (vec!["a".into()], 0));
}

/// Each record is of 6,000 user records: with the second of them enough are prepared at once.
#[test]
fn records_of_very_many_parts_are_taken_apart_some_at_a_time() {
    let mut stage = Stage::with_bucket();
    stage.create("d", json!({ "Prefix": "good/" }));
    let many = aggregate(&vec![("k", "x"); 6_000]);
    for _ in 0..3 {
        stage.put_bytes(&many);
    }
    stage.put(&["last"]);
    stage.advance(300_000);
    assert_eq!(stage.texts("good/").concat(), "x".repeat(18_000) + "last");
    assert_eq!((stage.backlog("d"), stage.due()), (0, None));
}
