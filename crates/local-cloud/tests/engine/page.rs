//! The page at `/_local/`: who may use it, what it shows, and what it does.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use local_cloud::Engine;
use serde_json::{Value, json};

use super::support::*;

async fn ask(engine: &Engine, method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("/_local/{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    engine.call(request.body(Bytes::new()).expect("valid parts")).await
}

async fn told(engine: &Engine, method: &str, path: &str) -> (u16, Value) {
    let answer = ask(engine, method, path, &[]).await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).expect("JSON"))
}

/// The first frame that a new watcher gets.
async fn frame(engine: &Engine) -> Value {
    let answer = ask(engine, "GET", "watch?frames=1", &[]).await;
    assert_eq!(header(&answer, "content-type"), "text/event-stream");
    let data = text(&answer).strip_prefix("event: frame\ndata: ").expect("one frame").trim_end();
    serde_json::from_str(data).expect("JSON")
}

/// A stream, and two delivery streams on it. One of them expects gzip, so that it fails whatever else is put.
async fn pipeline(engine: &Engine) {
    s3(engine, "PUT", "/lake", &[], "").await;
    let role = role(engine, "firehose.amazonaws.com").await;
    json(engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    engine.advance(Duration::from_secs(1)).await;
    for (name, processors) in [("raw", json!([])), ("logs", json!([{ "Type": "Decompression", "Parameters": [] }]))] {
        let source = json!({ "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "RoleARN": role });
        let enabled = processors != json!([]);
        let destination = json!({
            "BucketARN": "arn:aws:s3:::lake", "RoleARN": role, "Prefix": format!("{name}/good/"),
            "ErrorOutputPrefix": format!("{name}/bad/!{{firehose:error-output-type}}/"),
            "ProcessingConfiguration": { "Enabled": enabled, "Processors": processors },
        });
        let input = json!({ "DeliveryStreamName": name, "DeliveryStreamType": "KinesisStreamAsSource",
            "KinesisStreamSourceConfiguration": source, "ExtendedS3DestinationConfiguration": destination });
        json(engine, "Firehose_20150804.CreateDeliveryStream", input).await;
    }
    engine.advance(Duration::from_secs(1)).await;
}

async fn put(engine: &Engine, data: &str) {
    let data = base64_simd::STANDARD.encode_to_string(data);
    json(engine, "Kinesis_20131202.PutRecord", json!({ "StreamName": "s", "PartitionKey": "k", "Data": data })).await;
    engine.idle().await;
}

#[tokio::test(start_paused = true)]
async fn many_records_are_read_in_many_turns_with_no_rest_between_them() {
    let engine = engine().await;
    pipeline(&engine).await;
    let records: Vec<Value> = (0..500).map(|_| json!({ "PartitionKey": "k", "Data": "eA==" })).collect();
    for _ in 0..4 {
        json(&engine, "Kinesis_20131202.PutRecords", json!({ "StreamName": "s", "Records": records })).await;
    }
    // The timer rests for one millisecond before the first turn.
    tokio::time::sleep(Duration::from_millis(2)).await;
    let shown = frame(&engine).await["frame"].take();
    let deliveries = shown["deliveries"].as_array().expect("a list");
    let raw = deliveries.iter().find(|delivery| delivery["id"].as_str().is_some_and(|id| id.ends_with("raw")));
    assert_eq!(raw.expect("it is there")["unread"], 0, "{shown}");
}

#[tokio::test(start_paused = true)]
async fn the_page_steers_with_its_token_and_pages_of_others_do_not() {
    let engine = engine().await;
    let page = ask(&engine, "GET", "", &[]).await;
    assert_eq!((page.status().as_u16(), header(&page, "content-type")), (200, "text/html; charset=utf-8"));
    let without_slash = engine.call(Request::get("/_local").body(Bytes::new()).expect("valid parts")).await;
    assert_eq!((without_slash.status().as_u16(), header(&without_slash, "location")), (308, "/_local/"));
    let token = text(&page).split_once(r#"name="token" content=""#).and_then(|(_, rest)| rest.split_once('"'));
    let token = token.expect("the page has a token").0;
    assert_eq!(token.len(), 32);
    let host = ("host", "localhost:4566");
    let (own, other) = (("origin", "http://localhost:4566"), ("origin", "http://localhost:3000"));
    let status =
        async |method, path, headers: &[(&str, &str)]| ask(&engine, method, path, headers).await.status().as_u16();
    assert_eq!(status("POST", "pause", &[host, own]).await, 403, "without the token");
    assert_eq!(status("POST", "pause", &[host, own, ("x-local-token", "0")]).await, 403);
    assert_eq!(status("POST", "pause", &[host, other, ("x-local-token", token)]).await, 403);
    assert!(!engine.pace().paused);
    assert_eq!(status("POST", "pause", &[host, own, ("x-local-token", token)]).await, 200);
    assert!(engine.pace().paused);
    for path in ["", "watch?frames=1", "dump", "records?from=stream&source=us-east-1/s"] {
        assert_eq!(status("GET", path, &[host, other]).await, 403, "{path}");
    }
    assert_eq!(status("POST", "resume", &[]).await, 200, "programs need no token");
    let another = super::support::engine().await;
    let theirs = ask(&another, "GET", "", &[]).await;
    assert!(!text(&theirs).contains(token), "each engine has its own");
}

#[tokio::test(start_paused = true)]
async fn watchers_get_a_frame_when_something_changes_and_the_clock_when_nothing_does() {
    let engine = engine().await;
    pipeline(&engine).await;
    let request = Request::get("/_local/watch").body(Bytes::new()).expect("valid parts");
    let mut body = engine.exchange(request).await.expect("no rule loses it").into_body();
    let mut next = async || {
        let event = body.frame().await.expect("it goes on").expect("it is whole").into_data().expect("data");
        String::from_utf8(event.to_vec()).expect("UTF-8")
    };
    let begun = tokio::time::Instant::now();
    assert!(next().await.starts_with("event: frame\n"));
    for second in 1..4 {
        assert!(next().await.starts_with("event: clock\n"));
        assert_eq!(begun.elapsed(), Duration::from_secs(second));
    }
    put(&engine, "a").await;
    let changed = next().await;
    assert!(changed.starts_with("event: frame\n") && changed.contains(r#""records":1"#), "{changed}");
    assert!(begun.elapsed() <= Duration::from_millis(3_250));
}

#[tokio::test(start_paused = true)]
async fn so_many_may_watch_and_a_place_is_free_again_when_one_leaves() {
    let engine = engine().await;
    let watch = async || {
        let request = Request::get("/_local/watch").body(Bytes::new()).expect("valid parts");
        engine.exchange(request).await.expect("no rule loses it")
    };
    let mut watching = vec![];
    for _ in 0..16 {
        watching.push(watch().await);
    }
    assert!(watching.iter().all(|answer| answer.status() == 200));
    assert_eq!(watch().await.status(), 503);
    watching.pop();
    tokio::time::sleep(Duration::from_millis(1)).await; // of the paused clock
    assert_eq!(watch().await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_record_is_listed_followed_and_found_in_its_object() {
    let engine = engine().await;
    pipeline(&engine).await;
    put(&engine, "first").await;
    put(&engine, "second").await;
    let (_, listed) = told(&engine, "GET", "records?from=stream&source=us-east-1/s&limit=1").await;
    let newest = &listed["records"][0];
    assert_eq!(
        (&newest["data"]["text"], &newest["ordinal"], &newest["key"]),
        (&json!("second"), &json!(1), &json!("k"))
    );
    told(&engine, "POST", "flush").await;
    let (_, record) = told(&engine, "GET", "record?from=stream&source=us-east-1/s&shard=0&ordinal=1").await;
    let raw = &record["deliveries"][1];
    assert_eq!((&raw["delivery"], &raw["state"]), (&json!("us-east-1/raw"), &json!("stored")));
    let place = &raw["places"][0];
    assert_eq!((&place["offset"], &place["data"]["text"]), (&json!(5), &json!("second")));
    let key = place["key"].as_str().expect("a key");
    let stored = s3(&engine, "GET", &format!("/lake/{key}"), &[], "").await;
    assert_eq!(&text(&stored)[5..], "second");
    let (_, object) = told(&engine, "GET", &format!("object?bucket=lake&key={key}")).await;
    assert_eq!((&object["count"], &object["records"][1]["offset"]), (&json!(2), &json!(5)));
    for wrong in [
        "record?from=stream&source=us-east-1/s&shard=0&ordinal=2",
        "record?from=stream&source=us-east-1/s",
        "records?from=stream&source=us-east-1/none",
        "records?from=nowhere&source=us-east-1/s",
        "object?bucket=lake&key=none",
    ] {
        assert_eq!(told(&engine, "GET", wrong).await.0, 404, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_puts_the_original_into_its_source_again() {
    let engine = engine().await;
    pipeline(&engine).await;
    put(&engine, "no gzip").await;
    let shown = frame(&engine).await["frame"].take();
    let failure = &shown["failures"][0];
    assert_eq!((&failure["error"], &failure["raw"]["text"]), (&json!("decompression-failed"), &json!("no gzip")));
    assert_eq!((&failure["delivery"], &failure["source"]), (&json!("us-east-1/logs"), &json!("us-east-1/s")));
    assert!(failure["reason"]["code"].is_string(), "{failure}");
    let (status, source) = told(&engine, "POST", "replay?delivery=us-east-1/logs&shard=0&ordinal=0&part=0").await;
    assert_eq!((status, source), (200, json!({ "from": "stream", "source": "us-east-1/s" })));
    engine.idle().await;
    let (_, listed) = told(&engine, "GET", "records?from=stream&source=us-east-1/s").await;
    let both: Vec<_> =
        listed["records"].as_array().expect("a list").iter().map(|one| (&one["data"]["text"], &one["key"])).collect();
    assert_eq!(both, [(&json!("no gzip"), &json!("k")); 2]);
    let shown = frame(&engine).await["frame"].take();
    let counts: Vec<_> = shown["deliveries"].as_array().expect("a list").iter().map(|one| &one["failed"]).collect();
    assert_eq!(counts, [2, 0], "it fails again");
    assert_eq!(told(&engine, "POST", "replay?delivery=us-east-1/logs&shard=0&ordinal=9").await.0, 404);
    assert_eq!(told(&engine, "POST", "replay").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn one_fault_rule_is_removed_and_the_others_stay() {
    let engine = engine().await;
    for rule in ["kinesis:*=throttle", "firehose%3Es3:PutObject=503"] {
        assert_eq!(told(&engine, "POST", &format!("faults?rule={rule}")).await.0, 200);
    }
    let (status, left) = told(&engine, "DELETE", "faults?rule=kinesis:*%3Dthrottle").await;
    assert_eq!((status, left["faults"].as_array().map(Vec::len)), (200, Some(1)));
    assert_eq!(told(&engine, "DELETE", "faults?rule=kinesis:*%3Dthrottle").await.0, 404);
    assert_eq!(frame(&engine).await["frame"]["faults"][0]["rule"], "firehose>s3:PutObject=503");
    assert_eq!(told(&engine, "DELETE", "faults?rule=firehose%3Es3:PutObject%3D503").await.0, 200);
}
