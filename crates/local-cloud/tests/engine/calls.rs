//! Calls, and the time that passes between them.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use local_cloud::Engine;
use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn a_service_that_is_not_here_and_a_call_without_a_signature_are_told_so() {
    let engine = engine().await;
    let call = async |target: &str, signature: Option<&str>| {
        let mut request = Request::post("/").header("x-amz-target", target);
        if let Some(signature) = signature {
            request = request.header("authorization", signature);
        }
        engine.call(request.body(Bytes::from_static(b"{}")).expect("valid parts")).await
    };
    let unknown = call("Nobody_1.Do", Some(SIGNED)).await;
    assert_eq!((unknown.status().as_u16(), header(&unknown, "x-amzn-errortype")), (400, "UnknownOperationException"));
    let unsigned = call("Kinesis_20131202.ListStreams", None).await;
    assert_eq!(unsigned.status(), 403);
    assert_eq!(
        text(&unsigned),
        r#"{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}"#
    );
}

async fn stream_status(engine: &Engine) -> Value {
    let described = json(engine, "Kinesis_20131202.DescribeStreamSummary", json!({ "StreamName": "s" })).await;
    described["StreamDescriptionSummary"]["StreamStatus"].clone()
}

#[tokio::test(start_paused = true)]
async fn what_is_due_happens_when_the_clock_is_moved_and_when_time_just_passes() {
    let engine = engine().await;
    json(&engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    assert_eq!(stream_status(&engine).await, "CREATING");
    let before = engine.now();
    engine.advance(Duration::from_millis(100)).await;
    assert_eq!(engine.now() - before, 100);
    assert_eq!(stream_status(&engine).await, "ACTIVE");
    json(&engine, "Kinesis_20131202.DeleteStream", json!({ "StreamName": "s" })).await;
    assert_eq!(engine.dump()["kinesis"], json!({ "us-east-1": ["s"] }));
    tokio::time::sleep(Duration::from_millis(100)).await; // of the paused clock
    assert_eq!(engine.dump()["kinesis"], json!({}), "the engine's own timer let it go");
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_function_while_the_paused_world_stands_still() {
    let engine = engine().await;
    let code = zip_of("app.py", "def handler(event, context):\n    return {'twice': event['n'] * 2}\n");
    let role = role(&engine, "lambda.amazonaws.com").await;
    let definition = json!({
        "FunctionName": "f", "Runtime": "python3.13", "Handler": "app.handler", "Role": role, "Code": { "ZipFile": code },
    });
    let created = lambda(&engine, "", definition).await;
    assert_eq!(created.status(), 201, "{}", text(&created));
    engine.advance(Duration::from_secs(1)).await;

    let before = engine.now();
    let answer = lambda(&engine, "/f/invocations", json!({ "n": 21 })).await;
    assert_eq!((answer.status().as_u16(), text(&answer)), (200, r#"{"twice": 42}"#));
    assert_eq!(engine.now(), before, "the process' start took wall time and no world time");
    engine.close().await;
}
