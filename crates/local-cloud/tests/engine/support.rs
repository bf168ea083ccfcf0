//! Requests made by hand.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use local_cloud::{Engine, Settings, StartError};
use serde_json::{Value, json};

pub const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

pub const FORM: &str = "application/x-www-form-urlencoded";

pub type Headers = [(&'static str, &'static str)];

/// Runs an ignored test of this binary in a process of its own that has few file descriptors: a limit holds for a whole process.
pub fn with_few_descriptors(test: &str) {
    let this = std::env::current_exe().expect("a test binary has a path");
    let words = [test, "--exact", "--ignored", "--nocapture"];
    let limited =
        Command::new("/bin/sh").args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]).arg(this).args(words).output();
    let output = limited.expect("a shell");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    assert!(said(&output.stdout).contains("1 passed"), "it ran");
}

pub async fn engine() -> Engine {
    Engine::start(Settings::default()).await.expect("an engine in memory starts")
}

pub async fn on_disk(folder: &std::path::Path) -> Result<Engine, StartError> {
    Engine::start(Settings { data_dir: Some(folder.to_owned()), ..Settings::default() }).await
}

pub async fn s3(engine: &Engine, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(path).header("authorization", SIGNED);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    engine.call(request.body(Bytes::from(body.to_owned())).expect("valid parts")).await
}

pub fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap_or("?"))
}

pub fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("UTF-8")
}

pub async fn json(engine: &Engine, target: &str, input: Value) -> Value {
    let request = Request::post("/").header("authorization", SIGNED).header("x-amz-target", target);
    let answer = engine.call(request.body(Bytes::from(input.to_string())).expect("valid parts")).await;
    assert_eq!(answer.status(), 200, "{target}: {}", text(&answer));
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

pub async fn lambda(engine: &Engine, path: &str, input: Value) -> Response<Bytes> {
    let request = Request::post(format!("/2015-03-31/functions{path}"))
        .header("authorization", SIGNED.replace("/s3/", "/lambda/"));
    engine.call(request.body(Bytes::from(input.to_string())).expect("valid parts")).await
}

/// Base64 of a zip with one file.
pub fn zip_of(name: &str, text: &str) -> String {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("a new archive");
    zip.write_all(text.as_bytes()).expect("in memory");
    base64_simd::STANDARD.encode_to_string(zip.finish().expect("in memory").into_inner())
}

/// A role that the service may assume and that may do everything, old enough to count.
pub async fn role(engine: &Engine, service: &str) -> &'static str {
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
