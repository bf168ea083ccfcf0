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
    /// Calls that prepare the world.
    before: &'static [Call],
    write: Call,
    /// The call that shows the anomaly.
    at: Call,
    /// The status, or a part of status and body, while it lasts. It is not in the answer without the row.
    seen: &'static str,
    /// The same after its time.
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

/// Whether an answer has this status, or this text in it. The body alone may hold any digits: ids are random.
fn says(answer: &str, text: &str) -> bool {
    match text.parse::<u16>() {
        Ok(_) => answer.starts_with(text),
        Err(_) => answer.contains(text),
    }
}

/// Time for every state to pass, and for none of the anomalies.
const A_STATE: Duration = Duration::from_millis(100);

/// Makes the case's write, and gives the answer to the call that shows the anomaly.
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

/// The difference between the case's row and the answers, if there is one.
async fn wrong(case: &Case) -> Option<String> {
    let row = row(case.row).expect(case.row);
    let (least, most) = row.lasts;
    let is_later = |answer: &str| says(answer, case.later) && !says(answer, case.seen);
    let engine = engine_with(case.row.parse().expect("a row")).await;
    let first = prepared(&engine, case).await;
    engine.advance(Duration::from_millis(least) - 2 * A_STATE).await;
    let still = call(&engine, case.at).await;
    engine.advance(Duration::from_millis(most - least) + 4 * A_STATE).await;
    let later = call(&engine, case.at).await;
    let shown: Vec<u64> = engine.anomalies().iter().map(|count| count.shown).collect();
    let turned_off = prepared(&engine_with(Consistency::default()).await, case).await;
    let right =
        says(&first, case.seen) && says(&still, case.seen) && is_later(&later) && shown == [2] && is_later(&turned_off);
    (!right).then(|| format!("{}: {first}\n  {still}\n  {later}\n  shown {shown:?}\n  {turned_off}", case.row))
}

#[tokio::test(start_paused = true)]
async fn each_anomaly_is_seen_after_its_change_and_not_after_its_time() {
    let mut all = vec![];
    for case in CASES {
        all.extend(wrong(case).await);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// These are shown without a change, in tests of their own.
const AT_ANY_TIME: [&str; 5] =
    ["logs-empty-pages", "iam-short-pages", "logs-late-events", "logs-late-streams", "firehose-late-reading"];

#[test]
fn each_row_has_a_case() {
    let shown = |name: &&str| AT_ANY_TIME.contains(name) || CASES.iter().any(|case| case.row == *name);
    let without: Vec<&str> = rows().map(|row| row.name).filter(|name| !shown(name)).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[tokio::test(start_paused = true)]
async fn wordings_come_in_turn_and_name_the_role_of_the_refused_call() {
    let engine = engine_with("firehose-role-lag,lambda-role-lag".parse().expect("rows")).await;
    let case = |name: &str| CASES.iter().find(|case| case.row == name).expect("a case");
    let (delivery, function) = (case("firehose-role-lag"), case("lambda-role-lag"));
    call(&engine, delivery.write).await;
    for (at, wordings) in [
        (
            delivery.at,
            [
                "Firehose is unable to assume role arn:aws:iam::000000000000:role/r. ",
                "The security token included in the request is invalid. ",
                "Role arn:aws:iam::000000000000:role/r is not authorized to perform: ",
                "Access was denied. ",
                "Verify that the IAM role has access ",
                "Firehose is unable to assume role ",
            ]
            .as_slice(),
        ),
        (
            function.at,
            &[
                "cannot be assumed by Lambda",
                "execution role does not have permissions",
                "KMS key is invalid for CreateGrant",
                "throttled by EC2",
                "cannot be assumed by Lambda",
            ],
        ),
    ] {
        for wording in wordings {
            let refused = call(&engine, at).await;
            assert!(refused.starts_with("400") && refused.contains(wording), "{wording}: {refused}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_pages_of_events_are_empty_and_lead_on() {
    let engine = engine_with("logs-empty-pages".parse().expect("a row")).await;
    let now = engine.now();
    json(&engine, "Logs_20140328.CreateLogGroup", json!({ "logGroupName": "g" })).await;
    json(&engine, "Logs_20140328.CreateLogStream", json!({ "logGroupName": "g", "logStreamName": "s" })).await;
    let events = json!([{ "timestamp": now, "message": "one" }, { "timestamp": now, "message": "two" }]);
    let put = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events });
    json(&engine, "Logs_20140328.PutLogEvents", put).await;
    for (operation, next) in [("GetLogEvents", "nextBackwardToken"), ("FilterLogEvents", "nextToken")] {
        let mut input = json!({ "logGroupName": "g", "limit": 1 });
        if operation == "GetLogEvents" {
            input["logStreamName"] = "s".into();
        }
        let mut pages = vec![];
        for _ in 0..4 {
            let page = json(&engine, &format!("Logs_20140328.{operation}"), input.clone()).await;
            pages.push(page["events"].as_array().expect("a list").len());
            input["nextToken"] = page[next].clone();
        }
        assert_eq!(pages, [0, 0, 1, 1], "{operation}");
    }
    assert_eq!(engine.anomalies()[0].shown, 4);
    let from_head = json!({ "logGroupName": "g", "logStreamName": "s", "startFromHead": true });
    let page = json(&engine, "Logs_20140328.GetLogEvents", from_head).await;
    assert_eq!((page["events"].as_array().map(Vec::len), engine.anomalies()[0].shown), (Some(2), 4));
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_list_of_iams_holds_one_item_and_says_that_there_are_more() {
    let engine = engine_with("iam-short-pages".parse().expect("a row")).await;
    for role in ["a", "b"] {
        let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                      %22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A\
                      %22sts%3AAssumeRole%22%7D%5D%7D";
        let created = format!("RoleName={role}&AssumeRolePolicyDocument={policy}");
        assert!(call(&engine, ("iam:CreateRole", &created)).await.starts_with("200"));
    }
    let first = call(&engine, ("iam:ListRoles", "MaxItems=100")).await;
    let names = |answer: &str| answer.matches("<RoleName>").count();
    assert_eq!((names(&first), first.contains("<IsTruncated>true<")), (1, true), "{first}");
    let marker = first.split("<Marker>").nth(1).and_then(|rest| rest.split('<').next()).expect("a marker");
    let second = call(&engine, ("iam:ListRoles", &format!("Marker={marker}"))).await;
    assert_eq!((names(&second), second.contains("<IsTruncated>false<")), (1, true), "{second}");
    assert_eq!(engine.anomalies()[0].shown, 2);
}

#[tokio::test(start_paused = true)]
async fn events_are_found_some_time_after_they_were_written() {
    let engine = engine_with("logs-late-events=5s".parse().expect("a row")).await;
    json(&engine, "Logs_20140328.CreateLogGroup", json!({ "logGroupName": "g" })).await;
    json(&engine, "Logs_20140328.CreateLogStream", json!({ "logGroupName": "g", "logStreamName": "s" })).await;
    let found = async || {
        let input = json!({ "logGroupName": "g", "logStreamName": "s", "startFromHead": true });
        let got = json(&engine, "Logs_20140328.GetLogEvents", input).await;
        let filtered = json(&engine, "Logs_20140328.FilterLogEvents", json!({ "logGroupName": "g" })).await;
        [got, filtered].map(|page| page["events"].as_array().map(Vec::len).unwrap_or_default())
    };
    let put = async || {
        let events = json!([{ "timestamp": engine.now(), "message": "one" }]);
        let input = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events });
        json(&engine, "Logs_20140328.PutLogEvents", input).await;
    };
    put().await;
    engine.advance(Duration::from_millis(4_999)).await;
    assert_eq!(found().await, [0, 0]);
    put().await;
    engine.advance(Duration::from_millis(1)).await;
    assert_eq!(found().await, [1, 1]);
    engine.set_consistency(Consistency::default());
    assert_eq!(found().await, [2, 2], "it is turned off");
}

#[tokio::test(start_paused = true)]
async fn a_delivery_stream_may_be_active_before_it_reads_its_stream() {
    let engine = engine_with("firehose-late-reading=60s".parse().expect("a row")).await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let role = role(&engine, "firehose.amazonaws.com").await;
    json(&engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    engine.advance(Duration::from_secs(1)).await;
    let source = json!({ "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "RoleARN": role });
    let destination = json!({ "BucketARN": "arn:aws:s3:::lake", "RoleARN": role,
        "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 0 } });
    let input = json!({ "DeliveryStreamName": "d", "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": source, "ExtendedS3DestinationConfiguration": destination });
    json(&engine, "Firehose_20150804.CreateDeliveryStream", input).await;
    for (record, wait_s) in [("early", 1), ("late", 60), ("in time", 5)] {
        let data = base64_simd::STANDARD.encode_to_string(record);
        let input = json!({ "StreamName": "s", "PartitionKey": "k", "Data": data });
        json(&engine, "Kinesis_20131202.PutRecord", input).await;
        engine.advance(Duration::from_secs(wait_s)).await;
    }
    let listing = text(&s3(&engine, "GET", "/lake?list-type=2", &[], "").await).to_owned();
    let keys: Vec<&str> = listing.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(keys.len(), 1, "{listing}");
    assert_eq!(text(&s3(&engine, "GET", &format!("/lake/{}", keys[0]), &[], "").await), "in time");
}

#[tokio::test(start_paused = true)]
async fn log_streams_are_listed_some_time_after_they_were_created() {
    let engine = engine_with("logs-late-streams=5s".parse().expect("a row")).await;
    json(&engine, "Logs_20140328.CreateLogGroup", json!({ "logGroupName": "g" })).await;
    let create = async |name: &str| {
        json(&engine, "Logs_20140328.CreateLogStream", json!({ "logGroupName": "g", "logStreamName": name })).await
    };
    let listed = async || {
        let page = json(&engine, "Logs_20140328.DescribeLogStreams", json!({ "logGroupName": "g" })).await;
        page["logStreams"].as_array().map(Vec::len).unwrap_or_default()
    };
    create("a").await;
    engine.advance(Duration::from_millis(4_999)).await;
    create("b").await;
    assert_eq!(listed().await, 0);
    engine.advance(Duration::from_millis(1)).await;
    assert_eq!(listed().await, 1);
    engine.set_consistency(Consistency::default());
    assert_eq!(listed().await, 2, "it is turned off");
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
