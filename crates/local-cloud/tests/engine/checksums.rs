//! Checksums of objects and parts, through the door.

use super::support::*;

const CRC32: &str = "x-amz-checksum-crc32";
const CRC64: &str = "x-amz-checksum-crc64nvme";
const ASK: (&str, &str) = ("x-amz-checksum-mode", "ENABLED");

#[tokio::test]
async fn a_checksum_is_compared_kept_and_given_back_where_it_is_asked_for() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    for (name, of_hello) in [
        (CRC32, "NhCmhg=="),
        ("x-amz-checksum-crc32c", "mnG7TA=="),
        (CRC64, "M3eFcAZSQlc="),
        ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ] {
        let put = s3(&engine, "PUT", "/lake/k", &[(name, of_hello)], "hello").await;
        assert_eq!((put.status().as_u16(), header(&put, name)), (200, of_hello), "{}", text(&put));
        let got = s3(&engine, "GET", "/lake/k", &[ASK], "").await;
        assert_eq!((header(&got, name), header(&got, "x-amz-checksum-type")), (of_hello, "FULL_OBJECT"));
        assert_eq!(header(&s3(&engine, "HEAD", "/lake/k", &[ASK], "").await, name), of_hello);
        assert_eq!(header(&s3(&engine, "GET", "/lake/k", &[], "").await, name), "");

        let wrong = s3(&engine, "PUT", "/lake/k", &[(name, of_hello)], "other").await;
        assert_eq!(wrong.status(), 400);
        let named = name.rsplit('-').next().unwrap_or_default().to_uppercase();
        let expected = format!("<Message>The {named} you specified did not match the calculated checksum.</Message>");
        assert!(
            text(&wrong).contains("<Code>BadDigest</Code>") && text(&wrong).contains(&expected),
            "{}",
            text(&wrong)
        );
    }
    let several = s3(&engine, "PUT", "/lake/k", &[(CRC32, "NhCmhg=="), (CRC64, "M3eFcAZSQlc=")], "hello").await;
    assert!(text(&several).contains("<Code>InvalidRequest</Code>"), "{}", text(&several));
    let short = s3(&engine, "PUT", "/lake/k", &[(CRC32, "NhCm")], "hello").await;
    assert!(text(&short).contains("Value for x-amz-checksum-crc32 header is invalid."), "{}", text(&short));
}

#[tokio::test]
async fn an_object_without_a_checksum_gets_one_of_s3s_own() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    assert_eq!(header(&s3(&engine, "PUT", "/lake/k", &[], "hello").await, CRC64), "M3eFcAZSQlc=");
    let copied = s3(&engine, "PUT", "/lake/c", &[("x-amz-copy-source", "lake/k")], "").await;
    assert!(text(&copied).contains("<ChecksumCRC64NVME>M3eFcAZSQlc=</ChecksumCRC64NVME>"), "{}", text(&copied));
    let attributes = [("x-amz-object-attributes", "Checksum,ObjectSize")];
    let told = s3(&engine, "GET", "/lake/k?attributes", &attributes, "").await;
    assert!(text(&told).contains("<ObjectSize>5</ObjectSize>"), "{}", text(&told));
    assert!(text(&told).contains("M3eFcAZSQlc=") && !text(&told).contains("<ETag>"), "{}", text(&told));
}

#[tokio::test]
async fn a_checksum_behind_a_streamed_body_is_compared_too() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let headers = [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("x-amz-trailer", CRC32)];
    for (trailer, code) in [
        ("x-amz-checksum-crc32:NhCmhg==\r\n", ""),
        ("x-amz-checksum-crc32:AAAAAA==\r\n", "BadDigest"),
        ("", "MalformedTrailerError"),
    ] {
        let body = format!("5\r\nhello\r\n0\r\n{trailer}\r\n");
        let put = s3(&engine, "PUT", "/lake/k", &headers, &body).await;
        assert_eq!(put.status() == 200, code.is_empty(), "{}", text(&put));
        assert!(text(&put).contains(code), "{}", text(&put));
        assert!(!code.is_empty() || header(&put, CRC32) == "NhCmhg==");
    }
}

#[tokio::test]
async fn the_checksums_of_parts_become_that_of_the_object() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    // The kind that was asked for, and the object's checksum of one part `hello`.
    for (kind, expected, shown) in [
        (&[("x-amz-checksum-algorithm", "CRC32")][..], "FKTmaw==-1", "COMPOSITE"),
        (&[("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")], "NhCmhg==", "FULL_OBJECT"),
        (&[], "M3eFcAZSQlc=", "FULL_OBJECT"),
    ] {
        let begun = s3(&engine, "POST", "/lake/k?uploads", kind, "").await;
        let id = text(&begun).split_once("<UploadId>").and_then(|(_, rest)| rest.split_once('<')).expect("an id").0;
        let path = format!("/lake/k?uploadId={id}");
        let part = format!("{path}&partNumber=1");
        if shown == "COMPOSITE" {
            let bare = s3(&engine, "PUT", &part, &[], "hello").await;
            assert!(
                text(&bare).contains("expected checksum Type: crc32, actual checksum Type: null"),
                "{}",
                text(&bare)
            );
        }
        let wrong = s3(&engine, "PUT", &part, &[(CRC32, "NhCmhg==")], "other").await;
        assert!(text(&wrong).contains("<Code>BadDigest</Code>"), "{}", text(&wrong));
        let put = s3(&engine, "PUT", &part, &[(CRC32, "NhCmhg==")], "hello").await;
        assert_eq!(header(&put, CRC32), "NhCmhg==", "{}", text(&put));
        let complete = |sum: &str| {
            let part = format!("<PartNumber>1</PartNumber><ChecksumCRC32>{sum}</ChecksumCRC32>");
            format!("<CompleteMultipartUpload><Part>{part}</Part></CompleteMultipartUpload>")
        };
        let other = s3(&engine, "POST", &path, &[], &complete("AAAAAA==")).await;
        assert!(text(&other).contains("<Code>InvalidPart</Code>"), "{}", text(&other));
        let lied = s3(&engine, "POST", &path, &[(CRC32, "AAAAAA==")], &complete("NhCmhg==")).await;
        assert!(text(&lied).contains("<Code>BadDigest</Code>"), "{}", text(&lied));
        let done = s3(&engine, "POST", &path, &[], &complete("NhCmhg==")).await;
        assert!(text(&done).contains(&format!(">{expected}<")), "{}", text(&done));
        assert_eq!(header(&s3(&engine, "HEAD", "/lake/k", &[ASK], "").await, "x-amz-checksum-type"), shown);
    }
}
