//! The engine's own calls: time, faults, a new world.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use local_cloud::{Delays, Engine, Settings};
use serde_json::{Value, json};

use super::support::*;

async fn control(engine: &Engine, method: &str, call: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(format!("/_local/{call}")).body(Bytes::new());
    let answer = engine.call(request.expect("valid parts")).await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).expect("JSON"))
}

async fn streams(engine: &Engine) -> Response<Bytes> {
    let request =
        Request::post("/").header("authorization", SIGNED).header("x-amz-target", "Kinesis_20131202.ListStreams");
    engine.call(request.body(Bytes::from_static(b"{}")).expect("valid parts")).await
}

#[tokio::test(start_paused = true)]
async fn the_clock_begins_where_it_is_told_stands_runs_and_runs_faster() {
    let begin = 4_000_000_000_000;
    let settings = Settings { time: Some(begin), paused: true, ..Settings::default() };
    let engine = Engine::start(settings).await.expect("an engine in memory starts");
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(control(&engine, "GET", "clock").await, (200, json!({ "now_ms": begin, "speed": 1, "paused": true })));
    control(&engine, "POST", "advance?ms=1500").await;
    control(&engine, "POST", "resume").await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let (_, clock) = control(&engine, "POST", "speed?factor=60").await;
    assert_eq!(clock, json!({ "now_ms": begin + 2500, "speed": 60, "paused": false }));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(control(&engine, "POST", "pause").await.1["now_ms"], begin + 62_500);
    for wrong in ["speed", "speed?factor=0", "speed?factor=fast"] {
        assert_eq!(control(&engine, "POST", wrong).await.0, 400, "{wrong}");
    }
    let whole = "advance wants ?ms=MILLISECONDS, a whole number";
    for (wrong, told) in [
        ("advance", whole),
        ("advance?ms=-1", whole),
        ("advance?ms=1e9", whole),
        (
            "advance?ms=217845391937501",
            "the world's clock goes to the beginning of the year 9000: advance takes 217845391937500 ms at most now",
        ),
        (
            "advance?ms=99999999999999999999",
            "the world's clock goes to the beginning of the year 9000: advance takes 217845391937500 ms at most now",
        ),
    ] {
        assert_eq!(control(&engine, "POST", wrong).await, (400, json!({ "error": told })), "{wrong}");
    }
    let (status, clock) = control(&engine, "POST", "advance?ms=217845391937500").await;
    assert_eq!((status, &clock["now_ms"]), (200, &json!(221_845_392_000_000_u64)));
    assert_eq!(streams(&engine).await.status(), 200, "it goes on at the end of its calendar");
}

#[tokio::test(start_paused = true)]
async fn what_is_due_on_a_clock_that_stands_waits_until_it_goes_on() {
    let engine = engine().await;
    control(&engine, "POST", "pause").await;
    json(&engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    json(&engine, "Kinesis_20131202.DescribeStreamSummary", json!({ "StreamName": "s" })).await;
    tokio::time::sleep(Duration::from_secs(60)).await; // of the paused clock
    let status = async || {
        let described = json(&engine, "Kinesis_20131202.DescribeStreamSummary", json!({ "StreamName": "s" })).await;
        described["StreamDescriptionSummary"]["StreamStatus"].clone()
    };
    assert_eq!(status().await, "CREATING");
    control(&engine, "POST", "resume").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(status().await, "ACTIVE");
}

#[tokio::test]
async fn faults_are_written_as_their_service_writes_errors_and_lose_only_the_answer() {
    let engine = engine().await;
    for rule in ["kinesis:ListStreams=throttle,count=1", "kinesis:ListStreams=503,count=1", "s3:GetObject=throttle"] {
        assert_eq!(control(&engine, "POST", &format!("faults?rule={rule}")).await.0, 200);
    }
    let first = streams(&engine).await;
    assert_eq!((first.status().as_u16(), header(&first, "x-amzn-errortype")), (400, "LimitExceededException"));
    // Both rules met the first call, and a refusal is one: the second rule has spent itself there too.
    assert_eq!(streams(&engine).await.status(), 200);
    s3(&engine, "PUT", "/lake", &[], "").await;
    let refused = s3(&engine, "GET", "/lake/key", &[], "").await;
    assert_eq!(refused.status(), 503);
    assert!(text(&refused).contains("<Code>SlowDown</Code>"), "{}", text(&refused));
    let (_, rules) = control(&engine, "GET", "faults").await;
    assert_eq!(rules["faults"][2], json!({ "rule": "s3:GetObject=throttle", "matched": 1, "injected": 1 }));
    let (status, rules) = control(&engine, "POST", "faults?rule=firehose%3Es3:PutObject=503").await;
    assert_eq!((status, &rules["faults"][3]["rule"]), (200, &json!("firehose>s3:PutObject=503")));

    engine.inject("s3:PutObject=lost-reply".parse().expect("a rule"));
    let put = Request::put("/lake/key").header("authorization", SIGNED).body(Bytes::from_static(b"data"));
    assert!(engine.exchange(put.expect("valid parts")).await.is_err(), "the answer is lost");
    assert_eq!(control(&engine, "DELETE", "faults").await, (200, json!({ "faults": [] })));
    assert_eq!(text(&s3(&engine, "GET", "/lake/key", &[], "").await), "data");
    assert_eq!(control(&engine, "POST", "faults?rule=*=often").await.0, 400);
    assert_eq!(control(&engine, "POST", "faults").await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn the_control_plane_is_called_as_often_as_on_aws_where_limits_are_asked_for() {
    let limited = Engine::start(Settings { limits: true, ..Settings::default() }).await.expect("an engine in memory");
    let code = async |engine: &Engine| {
        let answer = streams(engine).await;
        (answer.status().as_u16(), header(&answer, "x-amzn-errortype").to_owned())
    };
    for _ in 0..5 {
        assert_eq!(code(&limited).await.0, 200);
    }
    assert_eq!(code(&limited).await, (400, "LimitExceededException".to_owned()));
    limited.advance(Duration::from_millis(200)).await;
    assert_eq!(code(&limited).await.0, 200);
    let unlimited = engine().await;
    for _ in 0..50 {
        assert_eq!(code(&unlimited).await.0, 200);
    }
}

#[tokio::test]
async fn no_rule_strikes_the_control_api_which_can_take_it_back() {
    let engine = engine().await;
    engine.inject("*=500".parse().expect("a rule"));
    engine.inject("*=lost-reply".parse().expect("a rule"));
    assert_eq!(streams(&engine).await.status(), 504, "whose reply is lost");
    assert_eq!(control(&engine, "GET", "health").await.0, 200);
    assert_eq!(control(&engine, "DELETE", "faults").await, (200, json!({ "faults": [] })));
    assert_eq!(streams(&engine).await.status(), 200);
}

#[tokio::test]
async fn the_health_says_how_unkind_it_is() {
    let settings = |engine: Engine| async move { control(&engine, "GET", "health").await.1["settings"].take() };
    let kind = settings(engine().await).await;
    assert_eq!((&kind["limits"], &kind["consistency"]), (&json!(false), &json!([])), "{kind}");
    let unkind = Settings {
        delays: Delays::AWS,
        limits: true,
        enforce_iam: true,
        speed: 20,
        consistency: "iam-absent".parse().expect("a row"),
        ..Settings::default()
    };
    let unkind = settings(Engine::start(unkind).await.expect("an engine in memory starts")).await;
    let expected = json!({
        "delays_ms": { "stream": 12_000, "delivery_stream": 30_000, "function": 2_000, "role": 8_000 },
        "speed": 20, "limits": true, "enforce_iam": true, "consistency": ["iam-absent"], "faults": 0,
    });
    assert_eq!(unkind, expected);
}

#[tokio::test(start_paused = true)]
async fn a_reset_forgets_everything_in_memory_and_on_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let on_disk = on_disk(folder.path()).await.expect("a new folder");
    for engine in [&engine().await, &on_disk] {
        s3(engine, "PUT", "/lake", &[], "").await;
        json(engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
        engine.advance(Duration::from_secs(3600)).await;
        let before = engine.now();
        assert_eq!(control(engine, "POST", "reset").await.0, 200);
        assert!(engine.now() >= before);
        assert_eq!((&engine.dump()["kinesis"], &engine.dump()["s3"]), (&json!({}), &json!({})));
        s3(engine, "PUT", "/pond", &[], "").await;
    }
    on_disk.close().await;
    let again = super::support::on_disk(folder.path()).await.expect("the folder is free");
    assert_eq!(again.dump()["s3"].as_object().expect("by bucket").keys().collect::<Vec<_>>(), ["pond"]);
}
