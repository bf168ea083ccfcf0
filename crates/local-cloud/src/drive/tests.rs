//! A disk that takes nothing more, and then takes more again.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::*;

const PLENTY: i64 = 1 << 40;
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
/// More than what stays in a row.
const LARGE: usize = 100 << 10;

async fn on(folder: &Path, room: &Arc<AtomicI64>) -> Engine {
    let settings = Settings { data_dir: Some(folder.to_owned()), paused: true, ..Settings::default() };
    Engine::start_on(settings, Disk::with_room(room)).await.expect("the folder is whole")
}

async fn call(engine: &Engine, request: http::request::Builder, body: String) -> (StatusCode, String) {
    let request = request.header("authorization", SIGNED).body(body.into()).expect("valid parts");
    let answer = engine.call(request).await;
    (answer.status(), String::from_utf8_lossy(answer.body()).into_owned())
}

async fn kinesis(engine: &Engine, operation: &str, input: Value) -> (StatusCode, Value) {
    let request = Request::post("/").header("x-amz-target", format!("Kinesis_20131202.{operation}"));
    let (status, body) = call(engine, request, input.to_string()).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

async fn put(engine: &Engine, data: &str) -> StatusCode {
    let data = base64_simd::STANDARD.encode_to_string(data);
    kinesis(engine, "PutRecord", json!({ "StreamName": "s", "PartitionKey": "k", "Data": data })).await.0
}

async fn put_object(engine: &Engine, key: &str) -> StatusCode {
    let size = if key.contains("large") { LARGE } else { 10 };
    call(engine, Request::put(format!("/lake/{key}")), key[..1].repeat(size)).await.0
}

async fn make(engine: &Engine) {
    let made = kinesis(engine, "CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await.0;
    engine.advance(Duration::from_secs(1)).await;
    assert_eq!((made, call(engine, Request::put("/lake"), String::new()).await.0), (StatusCode::OK, StatusCode::OK));
}

/// The records in the stream and the objects in the bucket, whose bytes are looked at.
async fn all(engine: &Engine) -> (Vec<String>, BTreeSet<String>) {
    let begin = json!({ "StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = kinesis(engine, "GetShardIterator", begin).await.1["ShardIterator"].clone();
    let read = kinesis(engine, "GetRecords", json!({ "ShardIterator": iterator })).await.1;
    let data = |record: &Value| record["Data"].as_str().map(|data| base64_simd::STANDARD.decode_to_vec(data));
    let records = read["Records"].as_array().expect("reading works").iter().map(|record| {
        String::from_utf8(data(record).expect("a record has data").expect("base64")).expect("it was text")
    });
    let records = records.collect();
    let objects = engine.dump()["s3"]["lake"]["objects"].as_object().expect("the bucket is there").clone();
    for (key, size) in &objects {
        let (status, body) = call(engine, Request::get(format!("/lake/{key}")), String::new()).await;
        let whole = body.len() as u64 == size.as_u64().expect("a size") && body == key[..1].repeat(body.len());
        assert!(status == 200 && whole, "{key}: {status}");
    }
    (records, objects.into_iter().map(|(key, _)| key).collect())
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_refuses_changes_in_each_services_words_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let room = Arc::new(AtomicI64::new(PLENTY));
    let engine = on(folder.path(), &room).await;
    make(&engine).await;
    assert_eq!(put(&engine, "before").await, 200);
    assert_eq!((engine.stalled(), put_object(&engine, "a").await), (None, StatusCode::OK));

    room.store(0, Ordering::SeqCst);
    for _ in 0..3 {
        let (status, answer) =
            kinesis(&engine, "PutRecord", json!({ "StreamName": "s", "PartitionKey": "k", "Data": "eA==" })).await;
        assert_eq!((status.as_u16(), &answer["__type"]), (500, &json!("InternalFailure")), "{answer}");
        assert!(answer["message"].as_str().is_some_and(|text| text.contains("nothing of this call is kept")));
        for key in ["b", "b.large"] {
            let (status, answer) = call(&engine, Request::put(format!("/lake/{key}")), "b".repeat(LARGE)).await;
            assert!(status == 500 && answer.contains("<Code>InternalError</Code>"), "{answer}");
        }
        assert_eq!(all(&engine).await, (vec!["before".to_owned()], BTreeSet::from(["a".to_owned()])));
    }
    assert!(engine.stalled().is_some_and(|why| why.contains("keeping what changed in")));

    room.store(PLENTY, Ordering::SeqCst);
    assert_eq!((put(&engine, "after").await, put_object(&engine, "c.large").await), (StatusCode::OK, StatusCode::OK));
    assert_eq!((engine.stalled(), engine.damage()), (None, vec![]));
    let expected = (vec!["before".to_owned(), "after".to_owned()], BTreeSet::from(["a".into(), "c.large".into()]));
    assert_eq!(all(&engine).await, expected);
    engine.close().await;
    assert_eq!(all(&on(folder.path(), &room).await).await, expected);
}

/// The system holds of a running engine's folder exactly what a killed engine leaves behind.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a new folder");
    for entry in std::fs::read_dir(from).expect("it can be listed") {
        let entry = entry.expect("it can be listed");
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).expect("it can be copied")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn at_whichever_write_the_disk_is_full_exactly_what_was_acknowledged_is_there_after_a_kill_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let room = Arc::new(AtomicI64::new(PLENTY));
    let engine = on(folder.path(), &room).await;
    make(&engine).await;
    let (mut records, mut objects) = (vec![], BTreeSet::new());
    let mut refused = 0;
    for writes in 0..60 {
        room.store(writes, Ordering::SeqCst);
        for n in 0..3 {
            let (record, key) = (format!("{writes}.{n}"), format!("{}{writes}.{n}", ["o", "large", "p"][n]));
            match put(&engine, &record).await.as_u16() {
                200 => records.push(record),
                status => refused += usize::from(status == 500),
            }
            match put_object(&engine, &key).await.as_u16() {
                200 => drop(objects.insert(key)),
                status => refused += usize::from(status == 500),
            }
        }
        let expected = (records.clone(), objects.clone());
        room.store(0, Ordering::SeqCst);
        assert_eq!(all(&engine).await, expected, "{writes}: in the engine that could not write");
        if writes % 4 == 0 {
            let left = tempfile::tempdir().expect("a temporary folder");
            copy(folder.path(), left.path());
            let killed = on(left.path(), &Arc::new(AtomicI64::new(PLENTY))).await;
            assert_eq!((all(&killed).await, killed.damage()), (expected.clone(), vec![]), "{writes}: after a kill");
        }
        room.store(PLENTY, Ordering::SeqCst);
        let again = format!("{writes}.again");
        assert_eq!(put(&engine, &again).await, 200, "{writes}: {:?}", engine.stalled());
        records.push(again);
        assert_eq!(all(&engine).await, (records.clone(), objects.clone()), "{writes}: when there is room again");
    }
    let counted = records.len() + objects.len() + refused;
    assert!(refused > 60 && counted == 60 * 7, "{refused} refused of {counted}");
}
