//! An engine keeps its world for the next one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use local_cloud::Engine;
use serde_json::json;

use super::support::*;

#[tokio::test]
async fn what_an_engine_kept_the_next_one_finds_and_time_does_not_go_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = on_disk(folder.path()).await.expect("a new folder");
    s3(&first, "PUT", "/lake", &[], "").await;
    s3(&first, "PUT", "/lake/kept", &[], "hello").await;
    s3(&first, "PUT", "/lake/gone", &[], "hello").await;
    first.advance(Duration::from_secs(3600)).await;
    s3(&first, "DELETE", "/lake/gone", &[], "").await;
    let then = first.now();
    let second = on_disk(folder.path()).await.err().map(|error| error.to_string());
    assert!(second.is_some_and(|text| text.contains("another process runs an emulator on this folder")));
    first.close().await;
    assert_eq!(s3(&first, "GET", "/lake/kept", &[], "").await.status(), 503);

    let again = on_disk(folder.path()).await.expect("the folder is free");
    assert!(again.now() + 1000 >= then, "the clock was moved by an hour and stays so");
    assert_eq!(text(&s3(&again, "GET", "/lake/kept", &[], "").await), "hello");
    assert_eq!(again.dump()["s3"]["lake"]["objects"], serde_json::json!({ "kept": 5 }));
}

/// A bucket, a stream of two shards, and delivery streams that read it, with how many seconds each buffers.
async fn make(engine: &Engine, delivery_streams: &[(&str, u32)]) {
    s3(engine, "PUT", "/lake", &[], "").await;
    let role = role(engine, "firehose.amazonaws.com").await;
    json(engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 2 })).await;
    engine.advance(Duration::from_secs(1)).await;
    for (name, seconds) in delivery_streams {
        let source = json!({ "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "RoleARN": role });
        let destination = json!({ "BucketARN": "arn:aws:s3:::lake", "RoleARN": role, "Prefix": format!("{name}/"),
            "BufferingHints": { "IntervalInSeconds": seconds, "SizeInMBs": 1 } });
        let delivery = json!({ "DeliveryStreamName": name, "DeliveryStreamType": "KinesisStreamAsSource",
            "KinesisStreamSourceConfiguration": source, "ExtendedS3DestinationConfiguration": destination });
        json(engine, "Firehose_20150804.CreateDeliveryStream", delivery).await;
    }
    engine.advance(Duration::from_secs(1)).await;
}

async fn put(engine: &Engine, data: &str) {
    let encoded = base64_simd::STANDARD.encode_to_string(data);
    let record = json!({ "StreamName": "s", "PartitionKey": &data[..data.len().min(256)], "Data": encoded });
    json(engine, "Kinesis_20131202.PutRecord", record).await;
}

/// How often each record, by the comma after it, was delivered.
async fn delivered(engine: &Engine, name: &str) -> BTreeMap<String, usize> {
    let objects = engine.dump()["s3"]["lake"]["objects"].clone();
    let mut times = BTreeMap::new();
    for key in objects.as_object().expect("keys and sizes").keys().filter(|key| key.starts_with(&format!("{name}/"))) {
        let object = s3(engine, "GET", &format!("/lake/{key}"), &[], "").await;
        for record in text(&object).split_terminator(',') {
            *times.entry(record.to_owned()).or_default() += 1;
        }
    }
    times
}

#[tokio::test(start_paused = true)]
async fn records_buffered_when_an_engine_ends_are_delivered_once_by_the_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = on_disk(folder.path()).await.expect("a new folder");
    make(&first, &[("d", 60)]).await;
    put(&first, "one,").await;
    first.advance(Duration::from_secs(30)).await;
    assert_eq!((first.backlog("us-east-1", "d"), &first.dump()["s3"]["lake"]["objects"]), (1, &json!({})));
    first.close().await;

    let second = on_disk(folder.path()).await.expect("the folder is free");
    put(&second, "two,").await;
    second.advance(Duration::from_secs(120)).await;
    assert_eq!(second.backlog("us-east-1", "d"), 0);
    put(&second, "three,").await;
    second.flush("us-east-1", &["d".into()]);
    second.idle().await;
    let once = |record: &str| (record.to_owned(), 1);
    assert_eq!(delivered(&second, "d").await, BTreeMap::from(["one", "two", "three"].map(once)));
}

#[tokio::test(start_paused = true)]
async fn large_objects_are_there_after_a_kill_and_those_that_could_not_be_stored_come_later() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = on_disk(folder.path()).await.expect("a new folder");
    make(&first, &[("d", 1)]).await;
    let large = |letter: &str| format!("{},", letter.repeat(100_000));
    put(&first, &large("a")).await;
    first.advance(Duration::from_secs(2)).await;
    first.inject("firehose>s3:PutObject=503,count=2".parse().expect("a rule"));
    put(&first, &large("b")).await;
    first.advance(Duration::from_secs(2)).await;
    let left = tempfile::tempdir().expect("a temporary folder");
    copy(folder.path(), left.path());

    let second = on_disk(left.path()).await.expect("a killed engine's journal can be read");
    let once = |letters: &[&str]| letters.iter().map(|letter| (letter.repeat(100_000), 1)).collect();
    assert!(delivered(&second, "d").await == once(&["a"]));
    second.advance(Duration::from_secs(60)).await;
    second.close().await;
    let third = on_disk(left.path()).await.expect("the folder is free");
    assert!(delivered(&third, "d").await == once(&["a", "b"]));
}

/// The journal of an engine that runs.
fn copy(from: &Path, to: &Path) {
    for file in ["world.redb", "contents.redb"] {
        std::fs::copy(from.join(file), to.join(file)).expect("the journal is there");
    }
    std::fs::create_dir(to.join("records")).expect("a new folder");
    for file in std::fs::read_dir(from.join("records")).expect("the records are there") {
        let file = file.expect("it can be listed");
        std::fs::copy(file.path(), to.join("records").join(file.file_name())).expect("it can be copied");
    }
}

/// The system holds of a running engine's journal exactly what a killed engine leaves behind.
#[tokio::test(start_paused = true)]
async fn every_record_acknowledged_before_a_kill_is_delivered_exactly_once() {
    let mut folder = tempfile::tempdir().expect("a temporary folder");
    let mut engine = on_disk(folder.path()).await.expect("a new folder");
    make(&engine, &[("quick", 3), ("slow", 20)]).await;
    for life in 0..6 {
        for n in 0..10 {
            put(&engine, &format!("{life}.{n},")).await;
            engine.advance(Duration::from_millis(500 + 100 * life)).await;
        }
        let left = tempfile::tempdir().expect("a temporary folder");
        copy(folder.path(), left.path());
        engine = on_disk(left.path()).await.expect("a killed engine's journal can be read");
        folder = left;
    }
    engine.flush("us-east-1", &[]);
    engine.idle().await;
    let all: BTreeMap<String, usize> = (0..60).map(|n| (format!("{}.{}", n / 10, n % 10), 1)).collect();
    assert_eq!(delivered(&engine, "quick").await, all);
    assert_eq!(delivered(&engine, "slow").await, all);
}

#[tokio::test]
async fn what_a_killed_engine_left_of_its_functions_goes_when_the_next_one_starts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let left = folder.path().join("functions/lambda-left");
    std::fs::create_dir_all(&left).expect("a new folder");
    let engine = on_disk(folder.path()).await.expect("the folder is free");
    assert!(!left.exists() && folder.path().join("functions").is_dir());
    engine.close().await;
}
