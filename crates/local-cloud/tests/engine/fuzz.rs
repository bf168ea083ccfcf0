//! Whatever is asked, the engine does not fail.

use bytes::Bytes;
use http::Request;

use crate::support::{SIGNED, engine, json, s3};

/// The method and the path in the first line, headers, an empty line and the body.
fn request(input: &[u8]) -> Option<Request<Bytes>> {
    let end = input.windows(2).position(|pair| pair == b"\n\n")?;
    let mut lines = std::str::from_utf8(&input[..end]).ok()?.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(path).header("authorization", SIGNED);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        request = request.header(name, value);
    }
    request.body(Bytes::copy_from_slice(&input[end + 2..])).ok()
}

#[test]
fn fuzz_request() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    fuzz::over("request", |input| {
        let Some(request) = request(input) else { return };
        runtime.block_on(async {
            let engine = engine().await;
            s3(&engine, "PUT", "/bucket", &[], "").await;
            json(&engine, "Kinesis_20131202.CreateStream", serde_json::json!({"StreamName": "s", "ShardCount": 1}))
                .await;
            let answer = engine.call(request).await;
            assert_ne!(answer.status(), 500, "{}", String::from_utf8_lossy(answer.body()));
        });
    });
}
