//! Every delivery stream receives everything, and nothing is lost or delivered twice.

use base64_simd::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::changes::LogChange;
use crate::service::s3::listing::Query;
use crate::world::delivery;
use crate::world::delivery::source;
use crate::world::tests::stage::{REGION, ROLE, START, STREAM, Stage, ok, text_of};

#[test]
fn both_delivery_streams_on_a_stream_receive_every_record_put_since_they_were_made() {
    let mut stage = Stage::with_bucket();
    stage.put(&["too early"]);
    stage.deliver("raw", false);
    stage.deliver("processed", true);
    stage.put(&["a", "b", "c"]);
    assert_eq!((stage.backlog("raw"), stage.backlog("processed")), (3, 3));
    assert_eq!(stage.due(), Some(START + 10_000));
    stage.advance(10_000);
    let event = stage.invocations[0].1.clone();
    assert_eq!(event["sourceKinesisStreamArn"], STREAM);
    assert_eq!(event["records"][0]["kinesisRecordMetadata"]["shardId"], "shardId-000000000000");
    stage.answer(|text| match text {
        "a" => ok("A".into()),
        "b" => json!({ "result": "Dropped" }),
        _ => json!({ "result": "ProcessingFailed" }),
    });
    assert_eq!((stage.backlog("raw"), stage.backlog("processed")), (3, 2));
    stage.advance(60_000);
    let raw = stage.objects("raw/good/");
    assert!(raw[0].0.starts_with("raw/good/2026/07/13/14/raw-1-2026-07-13-14-05-09-"), "{raw:?}");
    assert_eq!(stage.texts("raw/"), ["abc"]);
    assert_eq!(stage.texts("processed/good/"), ["A"]);
    let bad = stage.objects("processed/bad/processing-failed/2026/07/13/14/");
    let line: Value = serde_json::from_str(&bad[0].1).unwrap();
    assert_eq!((text_of(&line["rawData"]).as_str(), &line["attemptsMade"]), ("c", &json!(1)));
    assert_eq!(line["errorCode"], "Lambda.ProcessingFailedStatus");
    assert_eq!((stage.backlog("raw"), stage.backlog("processed"), stage.due()), (0, 0, None));
}

#[test]
fn delivery_streams_share_what_a_turn_reads() {
    let mut stage = Stage::with_bucket();
    stage.deliver("one", false);
    stage.deliver("two", false);
    stage.put(&["x"; 400]);
    let behind: Vec<u64> = stage
        .world
        .firehose
        .pipelines
        .values()
        .map(|pipeline| source::behind(&stage.world, pipeline).records)
        .collect();
    assert_eq!(behind, [275, 275], "a turn has read 125 for each");
}

#[test]
fn a_function_that_fails_is_asked_again_and_then_its_records_fail() {
    let mut stage = Stage::with_bucket();
    stage.deliver("processed", true);
    stage.put(&["a"]);
    stage.advance(10_000);
    let (first, event) = stage.invocations.remove(0);
    stage.resolve(first, json!({}), Some("Unhandled"));
    assert!(stage.invocations.is_empty());
    stage.advance(1_000);
    let (second, again) = stage.invocations.remove(0);
    assert_ne!(event["invocationId"], again["invocationId"]);
    assert_eq!(event["records"], again["records"]);
    stage.resolve(second, json!({}), Some("Unhandled"));
    stage.advance(60_000);
    let line: Value = serde_json::from_str(&stage.texts("processed/bad/")[0]).unwrap();
    assert_eq!((&line["errorCode"], &line["attemptsMade"]), (&json!("Lambda.FunctionError"), &json!(2)));
    assert_eq!(stage.backlog("processed"), 0);
}

#[test]
fn what_was_not_stored_before_a_restart_is_delivered_once_after_it() {
    let mut stage = Stage::with_bucket();
    stage.deliver("raw", false);
    stage.deliver("processed", true);
    stage.put(&["stored "]);
    stage.turn(|world, turn| delivery::flush(world, turn, REGION, &["raw".into()]));
    assert_eq!(stage.texts("raw/"), ["stored "]);
    stage.put(&["buffered"]);
    stage.advance(10_000);
    assert_eq!(stage.invocations.len(), 1, "one batch is in the function when the engine stops");

    let mut stage = stage.restarted();
    assert_eq!((stage.backlog("raw"), stage.backlog("processed")), (1, 2));
    stage.advance(0);
    stage.advance(10_000);
    stage.answer(|text| ok(text.to_uppercase()));
    stage.advance(60_000);
    let mut raw = stage.texts("raw/");
    raw.sort();
    assert_eq!(raw, ["buffered", "stored "]);
    assert_eq!(stage.texts("processed/good/"), ["STORED BUFFERED"]);
    assert_eq!((stage.backlog("raw"), stage.backlog("processed"), stage.due()), (0, 0, None));
}

#[test]
fn a_flush_follows_records_through_the_function() {
    let mut stage = Stage::with_bucket();
    stage.deliver("processed", true);
    stage.put(&["a"]);
    stage.turn(|world, turn| delivery::flush(world, turn, REGION, &[]));
    stage.answer(|text| ok(text.to_uppercase()));
    assert_eq!(stage.texts("processed/good/"), ["A"]);
    stage.put(&["b"]);
    assert!(stage.invocations.is_empty(), "what comes after the flush is buffered again");
}

#[test]
fn an_object_that_cannot_be_stored_is_kept_until_it_can() {
    let mut stage = Stage::new();
    stage.deliver("raw", false);
    stage.put(&["a"]);
    stage.advance(60_000);
    assert_eq!((stage.backlog("raw"), stage.due()), (1, Some(START + 65_000)));
    stage.make_bucket();
    stage.advance(5_000);
    assert_eq!((stage.texts("raw/"), stage.backlog("raw")), (vec!["a".into()], 0));
}

#[test]
fn resharding_loses_and_doubles_nothing() {
    let mut stage = Stage::with_bucket();
    stage.deliver("raw", false);
    for (count, text) in [(2, "a"), (3, "b"), (2, "c"), (1, "d")] {
        stage.put(&[text]);
        let reshard = json!({ "StreamName": "events", "TargetShardCount": count, "ScalingType": "UNIFORM_SCALING" });
        stage.ask("kinesis", "UpdateShardCount", reshard).unwrap();
        stage.put(&[&text.to_uppercase()]);
    }
    stage.advance(60_000);
    assert_eq!(stage.texts("raw/"), ["aAbBcCdD"]);
    let shards = stage.ask("kinesis", "ListShards", json!({ "StreamName": "events" })).unwrap();
    let open = |shard: &&Value| shard["SequenceNumberRange"].get("EndingSequenceNumber").is_none();
    assert_eq!(shards["Shards"].as_array().unwrap().iter().filter(open).count(), 1);
}

#[test]
fn records_put_directly_are_stored_and_forgotten() {
    let mut stage = Stage::with_bucket();
    let destination = json!({ "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake", "CompressionFormat": "GZIP",
        "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 0 } });
    let create = json!({ "DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": destination });
    stage.ask("firehose", "CreateDeliveryStream", create).unwrap();
    let record = json!({ "Data": BASE64.encode_to_string("hello") });
    stage.ask("firehose", "PutRecord", json!({ "DeliveryStreamName": "d", "Record": record })).unwrap();
    let query = Query { max: 10, ..Query::default() };
    let page = stage.world.s3.list("lake", &query).unwrap();
    assert!(page.entries[0].0.ends_with(".gz"), "{:?}", page.entries[0].0);
    let kept = stage.logs.last().cloned();
    assert!(matches!(kept, Some(LogChange::Trim { first: 1, .. })), "nothing is kept of what is stored: {kept:?}");
    stage.ask("firehose", "DeleteDeliveryStream", json!({ "DeliveryStreamName": "d" })).unwrap();
    let gone = stage.ask("firehose", "DescribeDeliveryStream", json!({ "DeliveryStreamName": "d" })).unwrap_err();
    assert_eq!(gone.message, "Firehose d under account 000000000000 not found.");
    assert!(stage.journal.keys().all(|(table, _)| !table.starts_with("firehose")), "{:?}", stage.journal.keys());
    assert!(matches!(stage.logs.last(), Some(LogChange::Remove { .. })));
}

#[test]
fn a_panic_over_one_delivery_stream_stops_no_other_and_loses_nothing() {
    let mut stage = Stage::with_bucket();
    stage.deliver("bad", false);
    stage.deliver("good", false);
    stage.put(&["a"]);
    stage.turn(|world, turn| {
        delivery::each_pipeline(world, turn, |_, _, pipeline| assert!(pipeline.job.name == "good", "no such luck"));
    });
    assert_eq!((stage.backlog("bad"), stage.backlog("good")), (1, 1));
    stage.put(&["b"]);
    stage.advance(60_000);
    assert_eq!(stage.texts("good/"), ["ab"]);
    stage.advance(65_000);
    assert_eq!((stage.texts("bad/"), stage.backlog("bad"), stage.due()), (vec!["ab".into()], 0, None));
}

#[test]
fn objects_are_encrypted_as_the_delivery_stream_or_else_their_bucket_says() {
    const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/k";
    const OTHER: &str = "arn:aws:kms:us-east-1:000000000000:key/other";
    let mut stage = Stage::with_bucket();
    let kms = json!({ "KMSEncryptionConfig": { "AWSKMSKeyARN": KEY } });
    stage.create("with", json!({ "Prefix": "with/", "EncryptionConfiguration": kms }));
    stage.create("without", json!({ "Prefix": "without/" }));
    let rule = json!({ "apply_server_side_encryption_by_default": { "sse_algorithm": "aws:kms", "kms_master_key_id": OTHER },
        "bucket_key_enabled": true });
    stage.put(&["a"]);
    stage.advance(60_000);
    stage.world.s3.bucket_mut("lake").unwrap().documents.insert("encryption".into(), json!({ "rules": [rule] }));
    stage.put(&["b"]);
    stage.advance(60_000);
    let found = |prefix: &str| {
        let of = |key: &String| stage.world.s3.object("lake", key, None).unwrap().description.encryption.clone();
        let keys = stage.keys(prefix);
        keys.iter().map(of).map(|found| (found.kms_key, found.bucket_key)).collect::<Vec<_>>()
    };
    let (key, other) = (Some(KEY.to_owned()), Some(OTHER.to_owned()));
    assert_eq!(found("with/"), [(key.clone(), false), (key, true)]);
    assert_eq!(found("without/"), [(None, false), (other, true)]);
}
