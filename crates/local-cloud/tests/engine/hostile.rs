//! Requests that nest without end, or claim to hold more than they do: each is refused on a stack of 2 MiB, as workers have.

use std::time::Duration;

use bytes::Bytes;
use http::Request;

use super::support::*;

const DEEP: usize = 300_000;

#[tokio::test]
async fn no_document_is_too_deep_and_none_is_larger_than_it_is() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let nested = |open: &[u8], close: &[u8]| [open.repeat(DEEP), close.repeat(DEEP)].concat();
    let policy = |document: &str| {
        let fields = [("Action", "CreatePolicy"), ("Version", "2010-05-08"), ("PolicyName", "p")];
        let fields = fields.into_iter().chain([("PolicyDocument", document)]).collect::<Vec<_>>();
        serde_urlencoded::to_string(fields).expect("plain pairs").into_bytes()
    };
    let laughs: String = (1..30).map(|n| format!("<!ENTITY l{n} \"&l{0};&l{0};\">", n - 1)).collect();
    let laughs = format!("<!DOCTYPE l [<!ENTITY l0 \"ha\">{laughs}]><Tagging>&l29;</Tagging>");
    let xml = [
        nested(b"<Tagging>", b"</Tagging>"),
        nested(b"<And>", b"</And>"),
        b"<a>".repeat(DEEP),
        laughs.into_bytes(),
        format!("<Tagging {}/>", "a=\"1\" ".repeat(DEEP)).into_bytes(),
    ];
    let json = [
        nested(b"[", b"]"),
        nested(b"{\"StreamName\":", b"}"),
        nested(b"{\"Records\":[", b"]}"),
        b"[".repeat(DEEP),
        format!("{{\"StreamName\":{}}}", "9".repeat(DEEP)).into_bytes(),
    ];
    let cbor = [
        b"\x81".repeat(DEEP),
        b"\x9f".repeat(DEEP),
        b"\xa1\x61a".repeat(DEEP),
        b"\xc1".repeat(DEEP),
        b"\x5f".repeat(DEEP),
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
    ];
    let forms = [
        policy(&"[".repeat(50_000)),
        policy(&format!("{}1{}", "{\"Statement\":".repeat(5_000), "}".repeat(5_000))),
        b"Action=CreateRole&Version=2010-05-08&Tags.member.18446744073709551615.Key=a".to_vec(),
        [&b"Action=CreateRole&Version=2010-05-08"[..], &b"&Tags.member.1.Tags.member.1.Key=a".repeat(5_000)].concat(),
    ];
    let target = ("x-amz-target", "Kinesis_20131202.PutRecords");
    let documents = ["?tagging", "?lifecycle", "?cors", "?versioning", "?encryption", "/k?tagging", "?delete"];
    let documents = documents.iter().flat_map(|path| xml.iter().map(move |body| (*path, vec![], body)));
    let json = json.iter().map(|body| ("", vec![target], body));
    let cbor = cbor.iter().map(|body| ("", vec![target, ("content-type", "application/x-amz-cbor-1.1")], body));
    let forms = forms.iter().map(|body| ("", vec![("content-type", FORM)], body));
    for (path, headers, body) in documents.chain(json).chain(cbor).chain(forms) {
        let (method, path) = match path {
            "" => ("POST", "/".to_owned()),
            "?delete" => ("POST", format!("/lake{path}")),
            path => ("PUT", format!("/lake{path}")),
        };
        let mut request = Request::builder().method(method).uri(&path).header("authorization", SIGNED);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = engine.call(request.body(Bytes::copy_from_slice(body)).expect("valid parts")).await;
        let start = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert!(answer.status().is_client_error(), "{path} {start}: {} {}", answer.status(), text(&answer));
    }
    assert_eq!(s3(&engine, "GET", "/lake", &[], "").await.status(), 200);
}

#[tokio::test]
async fn a_bucket_policy_and_a_key_have_their_sizes() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let long = |length: usize| format!("/lake/{}", "k".repeat(length));
    for (length, status, code) in [(1_024, 200, ""), (1_025, 400, "KeyTooLongError")] {
        let answer = s3(&engine, "PUT", &long(length), &[], "").await;
        assert_eq!(answer.status(), status, "{length}");
        assert!(text(&answer).contains(code), "{length}: {}", text(&answer));
    }
    let policy = |wildcards: usize| {
        let resource = format!("arn:aws:s3:::lake/{}", "*a".repeat(wildcards));
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"000000000000"}},"Action":"s3:*","Resource":"{resource}"}}]}}"#
        )
    };
    for (wildcards, status, code) in [(10_000, 204, ""), (10_240, 400, "PolicyTooLarge")] {
        let answer = s3(&engine, "PUT", "/lake?policy", &[], &policy(wildcards)).await;
        assert_eq!(answer.status(), status, "{wildcards}: {}", text(&answer));
        assert!(text(&answer).contains(code), "{wildcards}: {}", text(&answer));
    }
    engine.advance(Duration::from_secs(1)).await;
    assert_eq!(s3(&engine, "GET", &long(1_024), &[], "").await.status(), 200);
}
