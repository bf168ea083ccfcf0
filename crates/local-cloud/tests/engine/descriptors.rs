//! An engine whose process has no file descriptor left: what wants one fails, with a reason, and nothing ends.

use std::fs::File;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::*;

const ANSWERS: &str = "def handler(event, context): return 'well'";

#[test]
fn what_needs_a_descriptor_fails_and_works_again_later() {
    with_few_descriptors("descriptors::run_out_and_recover");
}

#[tokio::test]
#[ignore = "uses up the descriptors of its process: another starts it as a process of its own"]
async fn run_out_and_recover() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = on_disk(folder.path()).await.expect("a new folder");
    let role = role(&engine, "lambda.amazonaws.com").await;
    let definition = json!({
        "FunctionName": "f", "Runtime": "python3.13", "Handler": "app.handler", "Role": role, "Timeout": 30,
        "Code": { "ZipFile": zip_of("app.py", ANSWERS) },
    });
    assert_eq!(lambda(&engine, "", definition).await.status(), 201);
    json(&engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    engine.advance(Duration::from_secs(1)).await;

    let hoard: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(!hoard.is_empty());
    let failed = lambda(&engine, "/f/invocations", json!({})).await;
    assert_eq!((failed.status().as_u16(), header(&failed, "x-amz-function-error")), (200, "Unhandled"));
    assert!(text(&failed).contains("Too many open files"), "{}", text(&failed));
    for path in ["/lake", "/lake/a"] {
        // Where it is kept needs no new file: the journal's are open.
        assert_eq!(s3(&engine, "PUT", path, &[], "").await.status(), 200, "{path}");
    }
    // A log's first record wants a file: either way the engine goes on.
    let record = json!({ "StreamName": "s", "Data": "YQ==", "PartitionKey": "k" });
    let put = async || {
        let request = http::Request::post("/").header("authorization", SIGNED);
        let request = request.header("x-amz-target", "Kinesis_20131202.PutRecord");
        engine.call(request.body(record.to_string().into()).expect("valid parts")).await
    };
    let refused = put().await;
    assert!([200, 500].contains(&refused.status().as_u16()), "{}", text(&refused));

    drop(hoard);
    let answered = lambda(&engine, "/f/invocations", json!({})).await;
    assert_eq!((answered.status().as_u16(), text(&answered)), (200, "\"well\""));
    let taken: Value = serde_json::from_slice(put().await.body()).expect("JSON");
    assert_eq!(taken["ShardId"], "shardId-000000000000", "{taken}");
    engine.close().await;
    let again = on_disk(folder.path()).await.expect("what was kept is whole");
    assert_eq!(s3(&again, "GET", "/lake/a", &[], "").await.status(), 200);
    again.close().await;
}
