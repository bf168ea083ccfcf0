//! Requests that are too large, or that name things at great length.

use bytes::Bytes;
use http::{Request, Response};
use local_cloud::Engine;
use serde_json::Value;

use super::support::*;

const MIB: usize = 1 << 20;

/// No answer repeats what it refuses.
const MOST_OF_AN_ANSWER: usize = 64 << 10;

async fn sent(engine: &Engine, method: &str, path: &str, header: (&str, &str), body: String) -> Response<Bytes> {
    let service = if path.starts_with("/2015") { "/lambda/" } else { "/s3/" };
    let request = Request::builder().method(method).uri(path).header("authorization", SIGNED.replace("/s3/", service));
    engine.call(request.header(header.0, header.1).body(Bytes::from(body)).expect("valid parts")).await
}

async fn turns(engine: &Engine, of: &str) -> u64 {
    let held = engine.held();
    let figures = held["held"].as_array().expect("a list").iter();
    figures.filter(|figure| figure["by"] == of).map(|figure| figure["turns"].as_u64().expect("a number")).sum()
}

#[tokio::test]
async fn what_is_too_large_or_wrong_is_refused_briefly_and_without_a_turn_of_the_world() {
    let engine = engine().await;
    let json = |name: &'static str, bytes: usize| format!(r#"{{"{name}":"{}"}}"#, "a".repeat(bytes));
    let records = r#"{"Data":"YQ==","PartitionKey":""},"#.repeat(400_000);
    let target = |name: &'static str| ("x-amz-target", name);
    let form = |action: &str, bytes: usize| {
        format!("Action={action}&Version=2010-05-08&RoleName={}&AssumeRolePolicyDocument=x", "a".repeat(bytes))
    };
    const FORMS: (&str, &str) = ("content-type", FORM);
    const FUNCTION: &str = "/2015-03-31/functions";
    // Method, path, header, body, status, code, operation.
    let table = [
        (
            "POST",
            "/",
            target("Kinesis_20131202.PutRecords"),
            json("StreamName", 64 * MIB),
            413,
            "RequestEntityTooLargeException",
            "kinesis:PutRecords",
        ),
        (
            "POST",
            "/",
            target("Kinesis_20131202.PutRecords"),
            json("StreamName", 15 * MIB),
            400,
            "ValidationException",
            "kinesis:PutRecords",
        ),
        (
            "POST",
            "/",
            target("Kinesis_20131202.PutRecords"),
            format!(r#"{{"StreamName":"s","Records":[{records}{{}}]}}"#),
            400,
            "ValidationException",
            "kinesis:PutRecords",
        ),
        (
            "POST",
            "/",
            target("Kinesis_20131202.PutRecord"),
            json("Data", 8 * MIB),
            400,
            "ValidationException",
            "kinesis:PutRecord",
        ),
        (
            "POST",
            "/",
            target("Kinesis_20131202.GetRecords"),
            json("ShardIterator", 2 * MIB - 99),
            400,
            "ValidationException",
            "kinesis:GetRecords",
        ),
        (
            "POST",
            "/",
            target("Kinesis_20131202.CreateStream"),
            json("StreamName", 2 * MIB - 99),
            400,
            "ValidationException",
            "kinesis:CreateStream",
        ),
        (
            "POST",
            "/",
            target("Kinesis_20131202.CreateStream"),
            format!("{}{}", "[".repeat(MIB), "]"),
            400,
            "SerializationException",
            "kinesis:CreateStream",
        ),
        (
            "POST",
            "/",
            target("Firehose_20150804.PutRecordBatch"),
            json("DeliveryStreamName", 7 * MIB),
            413,
            "RequestEntityTooLargeException",
            "firehose:PutRecordBatch",
        ),
        (
            "POST",
            "/",
            target("Firehose_20150804.PutRecordBatch"),
            "x".repeat(5 * MIB),
            400,
            "SerializationException",
            "firehose:PutRecordBatch",
        ),
        (
            "POST",
            "/",
            target("Firehose_20150804.CreateDeliveryStream"),
            json("DeliveryStreamName", MIB),
            400,
            "ValidationException",
            "firehose:CreateDeliveryStream",
        ),
        (
            "POST",
            "/",
            target("Logs_20140328.PutLogEvents"),
            json("logGroupName", 8 * MIB),
            413,
            "RequestEntityTooLargeException",
            "logs:PutLogEvents",
        ),
        (
            "POST",
            "/",
            target("Logs_20140328.PutLogEvents"),
            json("logGroupName", 6 * MIB),
            400,
            "InvalidParameterException",
            "logs:PutLogEvents",
        ),
        (
            "POST",
            "/",
            target("Logs_20140328.FilterLogEvents"),
            json("filterPattern", MIB),
            400,
            "InvalidParameterException",
            "logs:FilterLogEvents",
        ),
        ("POST", "/", FORMS, form("CreateRole", 5 * MIB), 413, "RequestEntityTooLarge", "iam:CreateRole"),
        ("POST", "/", FORMS, form("CreateRole", 3 * MIB), 400, "ValidationError", "iam:CreateRole"),
        ("POST", "/", FORMS, form(&"A".repeat(3 * MIB), 1), 400, "InvalidAction", "other"),
        (
            "POST",
            FUNCTION,
            ("accept", "*/*"),
            json("FunctionName", 80_000_000),
            413,
            "RequestEntityTooLargeException",
            "lambda:CreateFunction",
        ),
        (
            "POST",
            FUNCTION,
            ("accept", "*/*"),
            json("FunctionName", 6 * MIB),
            400,
            "ValidationException",
            "lambda:CreateFunction",
        ),
        (
            "POST",
            "/2015-03-31/functions/f/invocations",
            ("accept", "*/*"),
            json("a", 6_291_456),
            413,
            "RequestTooLargeException",
            "lambda:Invoke",
        ),
        (
            "PUT",
            "/lake?tagging",
            ("accept", "*/*"),
            "<".repeat(3 * MIB),
            400,
            "MaxMessageLengthExceeded",
            "s3:PutBucketTagging",
        ),
        (
            "POST",
            "/lake?delete",
            ("accept", "*/*"),
            "<".repeat(9 * MIB),
            400,
            "MaxMessageLengthExceeded",
            "s3:DeleteObjects",
        ),
    ];
    for (method, path, header, body, status, code, operation) in table {
        let size = body.len();
        let answer = sent(&engine, method, path, header, body).await;
        let what = format!("{method} {path} {header:?} {size} bytes");
        let error = text(&answer);
        assert!(error.len() < MOST_OF_AN_ANSWER, "{what}: an answer of {} bytes", error.len());
        assert_eq!(answer.status(), status, "{what}: {error}");
        let found = header_code(&answer);
        assert!(error.contains(&format!("<Code>{code}<")) || found == code, "{what}: {found} {error}");
        assert_eq!(turns(&engine, operation).await, 0, "{what}: it was read beside the world");
    }
}

fn header_code(answer: &Response<Bytes>) -> &str {
    header(answer, "x-amzn-errortype")
}

#[tokio::test]
async fn a_request_at_its_limit_passes_and_is_counted() {
    let engine = engine().await;
    json(&engine, "Kinesis_20131202.CreateStream", serde_json::json!({ "StreamName": "s", "ShardCount": 1 })).await;
    engine.advance(std::time::Duration::from_secs(1)).await;
    let key = "\u{1f600}".repeat(256);
    let (data, escaped) = ("A".repeat(20 * 1024 * 4 / 3 / 4 * 4), "\\ud83d\\ude00".repeat(256));
    let record = format!(r#"{{"Data":"{data}","PartitionKey":"{escaped}"}}"#);
    let body = format!(r#"{{"StreamName":"s","Records":[{}]}}"#, vec![record.as_str(); 487].join(","));
    let answer = sent(&engine, "POST", "/", ("x-amz-target", "Kinesis_20131202.PutRecords"), body).await;
    assert_eq!(answer.status(), 200, "{}", text(&answer));
    let answer: Value = serde_json::from_slice(answer.body()).expect("JSON");
    assert_eq!(answer["FailedRecordCount"], 0);
    assert_eq!(answer["Records"].as_array().map(Vec::len), Some(487));
    assert_eq!((key.len(), turns(&engine, "kinesis:PutRecords").await), (1024, 1));
}
