//! Each anomaly of AWS: a change, then the anomaly is seen, and after its time it is not.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use local_cloud::anomalies::{row, rows};
use local_cloud::{Consistency, Engine, Settings};
use serde_json::json;

use super::support::*;
use cases::CASES;

mod cases;

/// One call: `service:Operation` with a JSON body or a form, or `METHOD path` with a body.
type Call = (&'static str, &'static str);

/// How one row is seen.
struct Case {
    row: &'static str,
    /// What is there before.
    before: &'static [Call],
    write: Call,
    /// What shows it.
    at: Call,
    /// A part of status and body while it lasts. It is not in the answer without the row.
    seen: &'static str,
    /// A part of the answer after its time.
    later: &'static str,
}

/// One call, `service:Operation` with a JSON body or a form, or `METHOD path` with a body: its status and what was answered.
async fn call(engine: &Engine, (what, body): (&str, &str)) -> String {
    let (request, body) = match what.split_once(':') {
        Some(("iam", action)) => {
            let form = format!("Action={action}&Version=2010-05-08&{body}");
            (Request::post("/").header("content-type", FORM), form)
        }
        Some((service, operation)) if !what.contains(' ') => {
            let prefix = match service {
                "kinesis" => "Kinesis_20131202",
                "firehose" => "Firehose_20150804",
                _ => "Logs_20140328",
            };
            (Request::post("/").header("x-amz-target", format!("{prefix}.{operation}")), body.to_owned())
        }
        _ => {
            let (method, path) = what.split_once(' ').expect("a method and a path");
            (Request::builder().method(method).uri(path), body.to_owned())
        }
    };
    let service = if what.contains(" /20") { "/lambda/" } else { "/s3/" };
    let request = request.header("authorization", SIGNED.replace("/s3/", service));
    let answer = engine.call(request.body(Bytes::from(body)).expect("valid parts")).await;
    format!("{} {}", answer.status().as_u16(), text(&answer))
}

async fn engine_with(consistency: Consistency) -> Engine {
    let settings = Settings { consistency, ..Settings::default() };
    Engine::start(settings).await.expect("an engine in memory starts")
}

/// Time for every state to pass, and for none of the anomalies.
const A_STATE: Duration = Duration::from_millis(100);

/// What the case's call is answered after its write.
async fn prepared(engine: &Engine, case: &Case) -> String {
    for before in case.before {
        assert!(call(engine, *before).await.starts_with('2'), "{}: {before:?}", case.row);
        engine.advance(Duration::from_secs(3600)).await;
    }
    let written = call(engine, case.write).await;
    assert!(written.starts_with('2'), "{}: {written}", case.row);
    engine.advance(A_STATE).await;
    call(engine, case.at).await
}

#[tokio::test(start_paused = true)]
async fn each_anomaly_is_seen_after_its_change_and_not_after_its_time() {
    for case in CASES {
        let row = row(case.row).expect(case.row);
        let engine = engine_with(case.row.parse().expect("a row")).await;
        let seen = prepared(&engine, case).await;
        assert!(seen.contains(case.seen), "{}: {seen}", case.row);
        let (least, most) = row.lasts;
        engine.advance(Duration::from_millis(least) - 2 * A_STATE).await;
        let still = call(&engine, case.at).await;
        assert!(still.contains(case.seen), "{}, still: {still}", case.row);
        engine.advance(Duration::from_millis(most - least) + 4 * A_STATE).await;
        let later = call(&engine, case.at).await;
        assert!(later.contains(case.later) && !later.contains(case.seen), "{}, later: {later}", case.row);
        let counts: Vec<_> = engine.anomalies().iter().map(|count| (count.row.name, count.shown)).collect();
        assert_eq!(counts, [(case.row, 2)]);

        let kind = prepared(&engine_with(Consistency::default()).await, case).await;
        assert!(kind.contains(case.later) && !kind.contains(case.seen), "{}, turned off: {kind}", case.row);
    }
}

#[test]
fn each_row_has_a_case() {
    let without: Vec<&str> =
        rows().map(|row| row.name).filter(|name| !CASES.iter().any(|case| case.row == *name)).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[tokio::test(start_paused = true)]
async fn anomalies_are_turned_on_and_off_at_run_time_and_end_with_a_reset() {
    let engine = engine().await;
    let control = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(format!("/_local/{path}")).body(Bytes::new());
        let answer = engine.call(request.expect("valid parts")).await;
        (answer.status().as_u16(), serde_json::from_slice::<serde_json::Value>(answer.body()).expect("JSON"))
    };
    let (status, on) = control("POST", "consistency?rows=s3-create-aborted").await;
    let first = json!({ "row": "s3-create-aborted", "begun": 0, "shown": 0 });
    assert_eq!((status, &on["consistency"]), (200, &json!([first])));
    let wrong = control("POST", "consistency?rows=s3-nothing").await;
    assert_eq!(wrong.0, 400);
    assert!(wrong.1["error"].as_str().is_some_and(|error| error.contains("s3-create-aborted")), "{wrong:?}");
    assert_eq!(control("POST", "consistency").await.0, 400);

    const DELETE: Call = ("DELETE /lake", "");
    const CREATE: Call = ("PUT /lake", "");
    let again = async || {
        call(&engine, CREATE).await;
        call(&engine, DELETE).await;
        call(&engine, CREATE).await
    };
    assert!(again().await.starts_with("409"));
    let (_, on) = control("POST", "consistency?rows=aws=0ms,seed=3").await;
    assert_eq!(on["consistency"].as_array().map(Vec::len), Some(rows().count()), "they are more");
    let counted = on["consistency"].as_array().expect("a list").iter().find(|row| row["row"] == "s3-create-aborted");
    assert_eq!(counted, Some(&json!({ "row": "s3-create-aborted", "begun": 1, "shown": 1 })));
    assert_eq!(control("POST", "reset").await.0, 200);
    assert!(again().await.starts_with("200"), "the reset forgot what was under way, and the new time is none");
    let off = control("DELETE", "consistency").await;
    assert_eq!(
        (off, control("GET", "consistency").await),
        ((200, json!({ "consistency": [] })), (200, json!({ "consistency": [] })))
    );
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_was_there_is_no_new_one() {
    let engine = engine_with("s3-absent".parse().expect("a row")).await;
    call(&engine, ("PUT /lake", "")).await;
    engine.advance(Duration::from_secs(3600)).await;
    assert!(call(&engine, ("PUT /lake", "")).await.starts_with("200"), "as in us-east-1");
    assert!(call(&engine, ("PUT /lake/key", "data")).await.starts_with("200"));
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_the_share_of_the_changes_that_bring_one_about_and_a_seed_repeats_it() {
    let run = async |choice: &str| {
        let engine = engine_with(choice.parse().expect("a choice")).await;
        let mut seen = vec![];
        for _ in 0..60 {
            call(&engine, ("PUT /lake", "")).await;
            call(&engine, ("DELETE /lake", "")).await;
            seen.push(call(&engine, ("PUT /lake", "")).await.starts_with("409"));
            engine.advance(Duration::from_secs(3600)).await;
            call(&engine, ("DELETE /lake", "")).await;
            engine.advance(Duration::from_secs(3600)).await;
        }
        seen
    };
    let once = run("s3-create-aborted,rate=0.5,seed=1").await;
    let struck = once.iter().filter(|seen| **seen).count();
    assert!((15..45).contains(&struck), "{struck}");
    assert_eq!(once, run("s3-create-aborted,rate=0.5,seed=1").await);
    assert_ne!(once, run("s3-create-aborted,rate=0.5,seed=2").await);
    assert!(!run("s3-create-aborted,rate=0").await.contains(&true));
}
