//! The engine through its doors, with requests made by hand: no SDK, no fixed port.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use local_cloud::{Engine, Settings, StartError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

const FORM: &str = "application/x-www-form-urlencoded";

type Headers = [(&'static str, &'static str)];

async fn engine() -> Engine {
    Engine::start(Settings::default()).await.expect("an engine in memory starts")
}

async fn on_disk(folder: &std::path::Path) -> Result<Engine, StartError> {
    Engine::start(Settings { data_dir: Some(folder.to_owned()), ..Settings::default() }).await
}

async fn s3(engine: &Engine, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(path).header("authorization", SIGNED);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    engine.call(request.body(Bytes::from(body.to_owned())).expect("valid parts")).await
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap_or("?"))
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("UTF-8")
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_put_whole_and_in_part() {
    let engine = engine().await;
    assert_eq!(s3(&engine, "PUT", "/lake", &[], "").await.status(), 200);
    let headers = [("content-type", "text/plain"), ("content-encoding", "gzip"), ("x-amz-meta-who", "me")];
    let put = s3(&engine, "PUT", "/lake/a%20b/c", &headers, "hello world").await;
    assert_eq!((put.status().as_u16(), header(&put, "etag")), (200, "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""));

    let got = s3(&engine, "GET", "/lake/a%20b/c", &[], "").await;
    assert_eq!(text(&got), "hello world");
    for (name, expected) in [("content-type", "text/plain"), ("content-encoding", "gzip"), ("x-amz-meta-who", "me")] {
        assert_eq!(header(&got, name), expected);
    }
    let part = s3(&engine, "GET", "/lake/a%20b/c", &[("range", "bytes=-5")], "").await;
    assert_eq!((part.status().as_u16(), text(&part)), (206, "world"));
    assert_eq!(header(&part, "content-range"), "bytes 6-10/11");
    let head = s3(&engine, "HEAD", "/lake/a%20b/c", &[], "").await;
    assert_eq!((header(&head, "content-length"), head.body().len()), ("11", 0));
    let listed = s3(&engine, "GET", "/lake?list-type=2&prefix=a+b/", &[], "").await;
    assert!(text(&listed).contains("<Key>a b/c</Key>"), "{}", text(&listed));
    assert_eq!(s3(&engine, "DELETE", "/lake/a%20b/c", &[], "").await.status(), 204);
    assert_eq!(s3(&engine, "GET", "/lake/a%20b/c", &[], "").await.status(), 404);
}

#[tokio::test]
async fn a_streamed_body_is_stored_without_its_chunks() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
    ];
    let body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    assert_eq!(s3(&engine, "PUT", "/lake/k", &headers, body).await.status(), 200);
    let got = s3(&engine, "GET", "/lake/k", &[], "").await;
    assert_eq!((text(&got), header(&got, "content-encoding")), ("hello", ""));
    let short = s3(&engine, "PUT", "/lake/k", &headers, "4\r\nhell\r\n0\r\n\r\n").await;
    assert_eq!(short.status(), 400);
    assert!(text(&short).contains("<Code>IncompleteBody</Code>"));
}

#[tokio::test]
async fn s3_refuses_in_the_words_of_aws() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    s3(&engine, "PUT", "/lake/k", &[], "x").await;
    let table: &[(&str, &str, &Headers, u16, &str)] = &[
        ("GET", "/nothing/k", &[], 404, "NoSuchBucket"),
        ("GET", "/lake/nothing", &[], 404, "NoSuchKey"),
        ("DELETE", "/lake", &[], 409, "BucketNotEmpty"),
        ("PUT", "/lake/k", &[("if-none-match", "*")], 412, "PreconditionFailed"),
        ("PUT", "/lake/k", &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], 400, "BadDigest"),
        ("GET", "/lake/k", &[("x-amz-expected-bucket-owner", "111122223333")], 403, "AccessDenied"),
        ("GET", "/lake/k", &[("range", "bytes=5-")], 416, "InvalidRange"),
        ("GET", "/lake?tagging", &[], 404, "NoSuchTagSet"),
        ("GET", "/lake?lifecycle", &[], 404, "NoSuchLifecycleConfiguration"),
        ("GET", "/lake?policy", &[], 404, "NoSuchBucketPolicy"),
        ("GET", "/lake?list-type=2&continuation-token=*", &[], 400, "InvalidArgument"),
        ("GET", "/lake?analytics", &[], 501, "NotImplemented"),
    ];
    for (method, path, headers, status, code) in table {
        let refused = s3(&engine, method, path, headers, "").await;
        assert_eq!(refused.status().as_u16(), *status, "{method} {path} {}", text(&refused));
        assert!(text(&refused).contains(&format!("<Code>{code}</Code>")), "{method} {path} {}", text(&refused));
    }
    let unsigned = engine.call(Request::get("/lake/k").body(Bytes::new()).expect("valid parts")).await;
    assert_eq!(unsigned.status(), 403);
    let head = s3(&engine, "HEAD", "/lake/nothing", &[], "").await;
    assert_eq!((head.status().as_u16(), head.body().len()), (404, 0));
}

#[tokio::test]
async fn a_bucket_elsewhere_redirects_and_keeps_the_tags_it_was_made_with() {
    let engine = engine().await;
    let body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
                <Tags><Tag><Key>team</Key><Value>data</Value></Tag></Tags></CreateBucketConfiguration>";
    assert_eq!(s3(&engine, "PUT", "/pond", &[], body).await.status(), 200);
    let head = s3(&engine, "HEAD", "/pond", &[], "").await;
    assert_eq!((head.status().as_u16(), header(&head, "x-amz-bucket-region")), (301, "eu-west-1"));
    let there = [("authorization", SIGNED.replace("us-east-1", "eu-west-1"))];
    let request = Request::get("/pond?tagging").header(there[0].0, &there[0].1).body(Bytes::new());
    let tags = engine.call(request.expect("valid parts")).await;
    assert!(text(&tags).contains("<Key>team</Key><Value>data</Value>"), "{}", text(&tags));
}

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
    assert!(second.is_some_and(|text| text.contains("another process runs an engine on this folder")));
    first.close().await;
    assert_eq!(s3(&first, "GET", "/lake/kept", &[], "").await.status(), 503);

    let again = on_disk(folder.path()).await.expect("the folder is free");
    assert!(again.now() + 1000 >= then, "the clock was moved by an hour and stays so");
    assert_eq!(text(&s3(&again, "GET", "/lake/kept", &[], "").await), "hello");
    assert_eq!(again.dump()["s3"]["lake"]["objects"], serde_json::json!({ "kept": 5 }));
}

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

async fn json(engine: &Engine, target: &str, input: Value) -> Value {
    let request = Request::post("/").header("authorization", SIGNED).header("x-amz-target", target);
    let answer = engine.call(request.body(Bytes::from(input.to_string())).expect("valid parts")).await;
    assert_eq!(answer.status(), 200, "{target}: {}", text(&answer));
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

async fn lambda(engine: &Engine, path: &str, input: Value) -> Response<Bytes> {
    let request = Request::post(format!("/2015-03-31/functions{path}"))
        .header("authorization", SIGNED.replace("/s3/", "/lambda/"));
    engine.call(request.body(Bytes::from(input.to_string())).expect("valid parts")).await
}

/// A role that the service may assume and that may do everything, old enough to count.
async fn role(engine: &Engine, service: &str) -> &'static str {
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }] });
    let policy =
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    for fields in [
        [("Action", "CreateRole"), ("AssumeRolePolicyDocument", &trust.to_string()), ("PolicyName", "")],
        [("Action", "PutRolePolicy"), ("PolicyDocument", &policy.to_string()), ("PolicyName", "all")],
    ] {
        let fields = [("Version", "2010-05-08"), ("RoleName", "r")].into_iter().chain(fields);
        let form = serde_urlencoded::to_string(fields.collect::<Vec<_>>()).expect("plain pairs");
        let request = Request::post("/").header("authorization", SIGNED).header("content-type", FORM).body(form.into());
        let answer = engine.call(request.expect("valid parts")).await;
        assert_eq!(answer.status(), 200, "{}", text(&answer));
    }
    engine.advance(Duration::from_secs(1)).await;
    "arn:aws:iam::000000000000:role/r"
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
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file("app.py", zip::write::SimpleFileOptions::default()).expect("a new archive");
    zip.write_all(b"def handler(event, context):\n    return {'twice': event['n'] * 2}\n").expect("in memory");
    let code = base64_simd::STANDARD.encode_to_string(zip.finish().expect("in memory").into_inner());
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

#[tokio::test(start_paused = true)]
async fn records_buffered_when_an_engine_ends_are_delivered_once_by_the_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = on_disk(folder.path()).await.expect("a new folder");
    s3(&first, "PUT", "/lake", &[], "").await;
    let role = role(&first, "firehose.amazonaws.com").await;
    json(&first, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 2 })).await;
    first.advance(Duration::from_secs(1)).await;
    let source = json!({ "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "RoleARN": role });
    let destination = json!({ "BucketARN": "arn:aws:s3:::lake", "RoleARN": role, "Prefix": "good/",
        "BufferingHints": { "IntervalInSeconds": 60, "SizeInMBs": 1 } });
    let delivery = json!({ "DeliveryStreamName": "d", "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": source, "ExtendedS3DestinationConfiguration": destination });
    json(&first, "Firehose_20150804.CreateDeliveryStream", delivery).await;
    first.advance(Duration::from_secs(1)).await;
    let put = async |engine: &Engine, data: &str| {
        let data = base64_simd::STANDARD.encode_to_string(data);
        let record = json!({ "StreamName": "s", "PartitionKey": "k", "Data": data });
        json(engine, "Kinesis_20131202.PutRecord", record).await;
    };
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
    let objects = second.dump()["s3"]["lake"]["objects"].clone();
    let mut delivered = String::new();
    for key in objects.as_object().expect("keys and sizes").keys() {
        assert!(key.starts_with("good/"), "{key}");
        delivered += text(&s3(&second, "GET", &format!("/lake/{key}"), &[], "").await);
    }
    assert_eq!(delivered, "one,two,three,");
}

async fn raw(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the server answers and closes");
    answer
}

#[tokio::test]
async fn the_port_answers_to_loopback_names_and_to_no_web_page() {
    let engine = engine().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        engine.serve(listener, stopped).await
    });
    for (head, status) in [
        ("GET /_local/health HTTP/1.1\r\nHost: localhost:1", "200 OK"),
        ("GET /_local/health HTTP/1.1\r\nHost: evil.example", "403 Forbidden"),
        ("GET /lake HTTP/1.1\r\nHost: evil.example", "403 Forbidden"),
        ("GET /_local/health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost", "403 Forbidden"),
        ("GET /_local/nothing HTTP/1.1\r\nHost: localhost", "404 Not Found"),
        ("POST /_local/advance?ms=soon HTTP/1.1\r\nHost: localhost", "400 Bad Request"),
    ] {
        let answer = raw(address, &format!("{head}\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
    }
    let health = raw(address, "GET /_local/health HTTP/1.1\r\nHost: [::1]:1\r\nConnection: close\r\n\r\n").await;
    assert!(health.contains(r#""status":"ok""#) && health.contains(r#""account":"000000000000""#), "{health}");
    stop.send(()).expect("the server still waits");
    server.await.expect("the server does not panic").expect("and ends well");
}
