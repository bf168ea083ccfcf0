//! S3 through the door.

use bytes::Bytes;
use http::Request;
use sha2::Digest;

use super::support::*;

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
async fn s3_reads_on_conditions_and_in_parts() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    s3(&engine, "PUT", "/lake/k", &[], "0123456789").await;
    let (past, future) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Wed, 06 Nov 2099 08:49:37 GMT");
    let head = s3(&engine, "HEAD", "/lake/k", &[], "").await;
    let unchanged = [("if-modified-since", header(&head, "last-modified"))];
    assert_eq!(s3(&engine, "GET", "/lake/k", &unchanged, "").await.status(), 304);
    let (etag, other) = ("\"781e5e245d69b566979b86e28d23f2c7\"", "\"0\"");
    // (path, headers, status, content-range)
    let table: &[(&str, &Headers, u16, &str)] = &[
        ("/lake/k", &[("if-modified-since", past)], 200, ""),
        ("/lake/k", &[("if-modified-since", future)], 200, ""),
        ("/lake/k", &[("if-unmodified-since", past)], 412, ""),
        ("/lake/k", &[("if-unmodified-since", future)], 200, ""),
        ("/lake/k", &[("if-match", etag), ("if-unmodified-since", past)], 200, ""),
        ("/lake/k", &[("if-match", other)], 412, ""),
        ("/lake/k", &[("if-none-match", etag)], 304, ""),
        ("/lake/k", &[("if-none-match", other), ("if-modified-since", future)], 200, ""),
        ("/lake/k", &[("range", "bytes=2-4")], 206, "bytes 2-4/10"),
        ("/lake/k", &[("range", "bytes=-700")], 206, "bytes 0-9/10"),
        ("/lake/k", &[("range", "bytes=1-0")], 200, ""),
        ("/lake/k", &[("range", "lines=1-2")], 200, ""),
        ("/lake/k", &[("range", "bytes=-")], 200, ""),
        ("/lake/k", &[("range", "bytes=-0")], 416, ""),
        ("/lake/k?partNumber=1", &[], 206, "bytes 0-9/10"),
        ("/lake/k?partNumber=2", &[], 416, ""),
        ("/lake/k?partNumber=1", &[("range", "bytes=2-4")], 400, ""),
    ];
    for (path, headers, status, range) in table {
        for method in ["GET", "HEAD"] {
            let answer = s3(&engine, method, path, headers, "").await;
            let told = (answer.status().as_u16(), header(&answer, "content-range"));
            assert_eq!(told, (*status, *range), "{method} {path} {headers:?}");
            assert!(*status != 304 || header(&answer, "etag") == etag, "{method} {path} {headers:?}");
        }
    }
    for (unless, status) in
        [(("x-amz-copy-source-if-none-match", etag), 412), (("x-amz-copy-source-if-match", etag), 200)]
    {
        let headers = [("x-amz-copy-source", "/lake/k"), unless];
        assert_eq!(s3(&engine, "PUT", "/lake/copy", &headers, "").await.status(), status, "{unless:?}");
    }
}

#[tokio::test]
async fn s3_refuses_in_the_words_of_aws() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    s3(&engine, "PUT", "/lake/k", &[], "x").await;
    let table: &[(&str, &str, &Headers, u16, &str)] = &[
        ("GET", "/nothing/k", &[], 404, "NoSuchBucket"),
        ("PUT", "/nothing?encryption", &[], 404, "NoSuchBucket"),
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
        ("DELETE", "/lake?metadataConfiguration", &[], 501, "NotImplemented"),
        ("PUT", "/lake?abac", &[], 501, "NotImplemented"),
        ("PUT", "/lake/other?renameObject", &[("x-amz-rename-source", "/lake/k")], 501, "NotImplemented"),
        ("PUT", "/lake/k?encryption", &[], 501, "NotImplemented"),
        ("PUT", "/lake/k", &[("x-amz-object-lock-mode", "GOVERNANCE")], 501, "NotImplemented"),
        ("PUT", "/lake/k", &[("x-amz-website-redirect-location", "/")], 501, "NotImplemented"),
        ("GET", "/lake/k", &[("x-amz-server-side-encryption-customer-algorithm", "AES256")], 501, "NotImplemented"),
        ("PUT", "/lake/k", &[("x-amz-checksum-sha512", "AAAA")], 501, "NotImplemented"),
        ("PUT", "/new", &[("x-amz-bucket-object-lock-enabled", "true")], 501, "NotImplemented"),
    ];
    for (method, path, headers, status, code) in table {
        let refused = s3(&engine, method, path, headers, "").await;
        assert_eq!(refused.status().as_u16(), *status, "{method} {path} {}", text(&refused));
        assert!(text(&refused).contains(&format!("<Code>{code}</Code>")), "{method} {path} {}", text(&refused));
    }
    assert_eq!(text(&s3(&engine, "GET", "/lake/k", &[], "").await), "x", "nothing of it was done");
    let lockless = [("x-amz-bucket-object-lock-enabled", "false")];
    assert_eq!(s3(&engine, "PUT", "/new", &lockless, "").await.status(), 200);
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
    let made = s3(&engine, "PUT", "/pond", &[], body).await;
    assert_eq!((made.status().as_u16(), header(&made, "x-amz-bucket-arn")), (200, "arn:aws:s3:::pond"));
    s3(&engine, "PUT", "/sea", &[], &body.replace("eu-west-1", "EU")).await;
    for (name, place) in [("pond", "eu-west-1"), ("sea", "EU")] {
        let located = s3(&engine, "GET", &format!("/{name}?location"), &[], "").await;
        assert!(text(&located).contains(&format!(">{place}</LocationConstraint>")), "{}", text(&located));
    }
    let head = s3(&engine, "HEAD", "/pond", &[], "").await;
    assert_eq!((head.status().as_u16(), header(&head, "x-amz-bucket-region")), (301, "eu-west-1"));
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>";
    s3(&engine, "PUT", "/lake", &[], "").await;
    assert_eq!(s3(&engine, "PUT", "/lake?tagging", &[], tags).await.status(), 204);
    let there = [("authorization", SIGNED.replace("us-east-1", "eu-west-1"))];
    let request = Request::get("/pond?tagging").header(there[0].0, &there[0].1).body(Bytes::new());
    let tags = engine.call(request.expect("valid parts")).await;
    assert!(text(&tags).contains("<Key>team</Key><Value>data</Value>"), "{}", text(&tags));
}

#[tokio::test]
async fn a_buckets_documents_are_those_of_a_new_bucket_until_others_are_put() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let encryption = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
                      <SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/lake</KMSMasterKeyID>\
                      </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
    let open =
        "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>";
    let owners = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    let policy = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}"#;
    for (name, document, before, after, gone) in [
        ("encryption", encryption, "AES256", "alias/lake", "AES256"),
        ("publicAccessBlock", open, "<BlockPublicAcls>true<", "<BlockPublicAcls>false<", "NoSuchPublicAccessBlock"),
        ("ownershipControls", owners, "BucketOwnerEnforced", "ObjectWriter", ""),
        ("policy", policy, "NoSuchBucketPolicy", "\"Deny\"", "NoSuchBucketPolicy"),
    ] {
        let path = format!("/lake?{name}");
        let get = async || text(&s3(&engine, "GET", &path, &[], "").await).to_owned();
        assert!(get().await.contains(before), "{name}: {}", get().await);
        let put = s3(&engine, "PUT", &path, &[], document).await;
        assert!(put.status().is_success(), "{name}: {}", text(&put));
        assert!(get().await.contains(after), "{name}: {}", get().await);
        if name == "encryption" {
            let put = s3(&engine, "PUT", "/lake/key", &[], "x").await;
            assert_eq!(header(&put, "x-amz-server-side-encryption"), "aws:kms");
            let head = s3(&engine, "HEAD", "/lake/key", &[], "").await;
            assert_eq!(header(&head, "x-amz-server-side-encryption-aws-kms-key-id"), "alias/lake");
            let own = s3(&engine, "PUT", "/lake/own", &[("x-amz-server-side-encryption", "AES256")], "x").await;
            assert_eq!(header(&own, "x-amz-server-side-encryption"), "AES256");
        }
        if !gone.is_empty() {
            s3(&engine, "DELETE", &path, &[], "").await;
            assert!(get().await.contains(gone), "{name}: {}", get().await);
        }
    }
    let misnamed = s3(&engine, "PUT", "/La_ke", &[], "").await;
    assert!(text(&misnamed).contains("<Message>The specified bucket is not valid.</Message>"), "{}", text(&misnamed));
    let refused = s3(&engine, "PUT", "/lake?policy", &[], "no policy").await;
    assert!(text(&refused).contains("<Code>MalformedPolicy</Code>"), "{}", text(&refused));
}

#[tokio::test]
async fn access_logs_go_to_a_bucket_of_the_region_that_lets_them_in() {
    let engine = engine().await;
    for bucket in ["lake", "logs", "acls"] {
        s3(&engine, "PUT", &format!("/{bucket}"), &[], "").await;
    }
    let far =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    s3(&engine, "PUT", "/far", &[], far).await;
    let owners = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    s3(&engine, "PUT", "/acls?ownershipControls", &[], owners).await;
    let put = async |inside: &str| {
        let document = format!("<BucketLoggingStatus>{inside}</BucketLoggingStatus>");
        text(&s3(&engine, "PUT", "/lake?logging", &[], &document).await).to_owned()
    };
    let get = async || text(&s3(&engine, "GET", "/lake?logging", &[], "").await).to_owned();
    let to = |bucket: &str, more: &str| {
        format!(
            "<LoggingEnabled><TargetBucket>{bucket}</TargetBucket>{more}<TargetPrefix>lake/</TargetPrefix></LoggingEnabled>"
        )
    };
    let grants = "<TargetGrants><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">\
                  <URI>http://acs.amazonaws.com/groups/s3/LogDelivery</URI></Grantee><Permission>READ</Permission></Grant>\
                  </TargetGrants>";
    for (inside, code) in [
        (to("nowhere", ""), "<Code>InvalidTargetBucketForLogging</Code>"),
        (to("far", ""), "<Code>CrossLocationLoggingProhibitted</Code>"),
        (to("acls", ""), "<Code>InvalidTargetBucketForLogging</Code>"),
        (to("logs", grants), "<Code>NotImplemented</Code>"),
        ("<LoggingEnabled><TargetBucket>logs</TargetBucket></LoggingEnabled>".into(), "<Code>MalformedXML</Code>"),
    ] {
        let refused = put(&inside).await;
        assert!(refused.contains(code), "{inside}: {refused}");
    }
    assert!(!get().await.contains("LoggingEnabled"), "nothing was kept: {}", get().await);
    assert_eq!(put(&to("logs", "")).await, "");
    assert!(get().await.contains("<TargetBucket>logs</TargetBucket>"), "{}", get().await);
    assert_eq!(s3(&engine, "PUT", "/acls?acl", &[("x-amz-acl", "log-delivery-write")], "").await.status(), 200);
    assert_eq!(put(&to("acls", "")).await, "");
    assert_eq!(put("").await, "");
    assert!(!get().await.contains("LoggingEnabled"), "turned off: {}", get().await);
}

#[tokio::test]
async fn a_policy_that_demands_tls_shuts_no_local_client_out() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let policy = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::lake","arn:aws:s3:::lake/*"],
                     "Condition":{"Bool":{"aws:SecureTransport":"false"}}}}"#;
    assert_eq!(s3(&engine, "PUT", "/lake?policy", &[], policy).await.status(), 204);
    assert_eq!(s3(&engine, "PUT", "/lake/key", &[], "x").await.status(), 200);
}

#[tokio::test]
async fn a_public_policy_is_not_taken_until_the_bucket_lets_it() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let to = |principal: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}}}}"#
        )
    };
    let (everybody, account) = (to(r#""*""#), to(r#"{"AWS":"000000000000"}"#));
    let status = async || text(&s3(&engine, "GET", "/lake?policyStatus", &[], "").await).to_owned();
    assert!(status().await.contains("<Code>NoSuchBucketPolicy</Code>"), "{}", status().await);
    let refused = s3(&engine, "PUT", "/lake?policy", &[], &everybody).await;
    assert_eq!(refused.status(), 403);
    assert!(text(&refused).contains("<Code>AccessDenied</Code>"), "{}", text(&refused));
    assert_eq!(s3(&engine, "PUT", "/lake?policy", &[], &account).await.status(), 204);
    assert!(status().await.contains("<IsPublic>false</IsPublic>"), "{}", status().await);
    let open =
        "<PublicAccessBlockConfiguration><BlockPublicPolicy>false</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    assert_eq!(s3(&engine, "PUT", "/lake?publicAccessBlock", &[], open).await.status(), 200);
    assert_eq!(s3(&engine, "PUT", "/lake?policy", &[], &everybody).await.status(), 204);
    assert!(status().await.contains("<IsPublic>true</IsPublic>"), "{}", status().await);
}

#[tokio::test]
async fn s3_says_in_its_errors_what_they_are_about() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    s3(&engine, "PUT", "/lake/k", &[], "0123456789").await;
    let argument =
        |name: &str, value: &str| format!("<ArgumentName>{name}</ArgumentName><ArgumentValue>{value}</ArgumentValue>");
    let header = "<Header>If-Match</Header><additionalMessage>We don't accept the provided value";
    let long = format!("/lake/{}", "k".repeat(1025));
    let table: &[(&str, &str, &Headers, String)] = &[
        ("GET", "/nowhere/k", &[], "<BucketName>nowhere</BucketName>".into()),
        ("GET", "/lake?tagging", &[], "<BucketName>lake</BucketName>".into()),
        ("GET", "/lake/a%20%26b", &[], "<Key>a &amp;b</Key>".into()),
        ("GET", "/lake/k?uploadId=none", &[], "<UploadId>none</UploadId>".into()),
        ("POST", "/lake/k?uploadId=none", &[], "<Code>NoSuchUpload</Code>".into()),
        ("GET", "/lake/k?versionId=x", &[], argument("versionId", "x")),
        ("GET", "/lake/k", &[("if-match", "\"0\"")], "<Condition>If-Match</Condition>".into()),
        (
            "GET",
            "/lake/k",
            &[("range", "bytes=10-20")],
            "<RangeRequested>bytes=10-20</RangeRequested><ActualObjectSize>10</ActualObjectSize>".into(),
        ),
        ("PUT", "/lake/k", &[("if-match", "*")], header.into()),
        ("PUT", "/lake/k", &[("content-md5", "MTIz")], "<Content-MD5>MTIz</Content-MD5>".into()),
        ("PUT", "/lake/k", &[("x-amz-tagging", "a=1,b")], argument("x-amz-tagging", "a=1,b")),
        ("PUT", "/lake/k", &[("x-amz-storage-class", "X")], "<StorageClassRequested>X</StorageClassRequested>".into()),
        ("PUT", &long, &[], "<Size>1025</Size><MaxSizeAllowed>1024</MaxSizeAllowed>".into()),
    ];
    for (method, path, headers, details) in table {
        let refused = s3(&engine, method, path, headers, "").await;
        assert!(text(&refused).contains(details.as_str()), "{method} {path} {}", text(&refused));
        assert!(text(&refused).contains("</RequestId><HostId>"), "{method} {path} {}", text(&refused));
    }
}

#[tokio::test]
async fn an_object_uploaded_in_parts_is_read_and_described_part_by_part() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let big = "a".repeat(5 * 1024 * 1024);
    let composite = [("x-amz-checksum-algorithm", "SHA256")];
    for (key, wanted) in [("plain", &[][..]), ("summed", &composite)] {
        let path = format!("/lake/{key}");
        let begun = text(&s3(&engine, "POST", &format!("{path}?uploads"), wanted, "").await).to_owned();
        let id = begun.split(['<', '>']).skip_while(|word| *word != "UploadId").nth(1).expect("an id").to_owned();
        let mut parts = String::new();
        for (number, body) in [(1, big.as_str()), (2, "hello")] {
            let sum = base64_simd::STANDARD.encode_to_string(sha2::Sha256::digest(body));
            let headers = [("x-amz-checksum-sha256", sum.as_str())];
            let put = format!("{path}?uploadId={id}&partNumber={number}");
            let put = s3(&engine, "PUT", &put, if wanted.is_empty() { &[] } else { &headers }, body).await;
            assert_eq!(put.status(), 200, "{}", text(&put));
            parts += &format!("<Part><PartNumber>{number}</PartNumber><ChecksumSHA256>{sum}</ChecksumSHA256></Part>");
        }
        if wanted.is_empty() {
            parts = "<Part><PartNumber>1</PartNumber></Part><Part><PartNumber>2</PartNumber></Part>".into();
        }
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let done = s3(&engine, "POST", &format!("{path}?uploadId={id}"), &[], &document).await;
        assert_eq!(done.status(), 200, "{}", text(&done));

        for method in ["GET", "HEAD"] {
            let part =
                s3(&engine, method, &format!("{path}?partNumber=2"), &[("x-amz-checksum-mode", "ENABLED")], "").await;
            let told = (part.status().as_u16(), header(&part, "content-range"), header(&part, "x-amz-mp-parts-count"));
            assert_eq!(told, (206, "bytes 5242880-5242884/5242885", "2"), "{method} {key}");
            let sum = base64_simd::STANDARD.encode_to_string(sha2::Sha256::digest("hello"));
            let expected = if wanted.is_empty() { "" } else { &sum };
            assert_eq!(header(&part, "x-amz-checksum-sha256"), expected, "{method} {key}");
            assert_eq!(s3(&engine, method, &format!("{path}?partNumber=3"), &[], "").await.status(), 416);
        }
        let asked = [("x-amz-object-attributes", "ETag")];
        let described = s3(&engine, "GET", &format!("{path}?attributes"), &asked, "").await;
        let etag =
            format!("<ETag>{}</ETag>", header(&s3(&engine, "HEAD", &path, &[], "").await, "etag").replace('"', ""));
        assert!(text(&described).contains(&etag), "{}", text(&described));
        let asked = [("x-amz-object-attributes", "ObjectParts"), ("x-amz-max-parts", "1")];
        let described = s3(&engine, "GET", &format!("{path}?attributes"), &asked, "").await;
        assert!(text(&described).contains("<PartsCount>2</PartsCount>"), "{}", text(&described));
        let listed = text(&described).contains("<NextPartNumberMarker>1</NextPartNumberMarker>");
        assert_eq!(listed, !wanted.is_empty(), "{}", text(&described));
    }
}

#[tokio::test]
async fn a_storage_class_is_shown_and_what_is_archived_is_not_read() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    for (class, status) in [("STANDARD_IA", 200), ("GLACIER", 403)] {
        assert_eq!(s3(&engine, "PUT", "/lake/k", &[("x-amz-storage-class", class)], "x").await.status(), 200);
        assert_eq!(header(&s3(&engine, "HEAD", "/lake/k", &[], "").await, "x-amz-storage-class"), class);
        let listed = s3(&engine, "GET", "/lake", &[], "").await;
        assert!(text(&listed).contains(&format!("<StorageClass>{class}</StorageClass>")), "{}", text(&listed));
        let read = s3(&engine, "GET", "/lake/k", &[], "").await;
        assert_eq!(read.status(), status, "{}", text(&read));
    }
}

#[tokio::test]
async fn uploads_and_their_parts_are_listed_page_by_page() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let word = |text: &str, name: &str| {
        text.split(['<', '>']).skip_while(|word| *word != name).nth(1).unwrap_or_default().to_owned()
    };
    let mut ids = vec![];
    for key in ["a/1", "b", "b"] {
        let begun = s3(&engine, "POST", &format!("/lake/{key}?uploads"), &[], "").await;
        ids.push(word(text(&begun), "UploadId"));
    }
    let (mut after, mut seen) = (String::new(), vec![]);
    loop {
        let page = s3(&engine, "GET", &format!("/lake?uploads&max-uploads=1{after}"), &[], "").await;
        let (key, id) = (word(text(&page), "NextKeyMarker"), word(text(&page), "NextUploadIdMarker"));
        after = format!("&key-marker={key}&upload-id-marker={id}");
        seen.push(id);
        if text(&page).contains("<IsTruncated>false") {
            break;
        }
    }
    seen.sort();
    let mut begun = ids.clone();
    begun.sort();
    assert_eq!(seen, begun);
    let rolled = s3(&engine, "GET", "/lake?uploads&delimiter=/&max-uploads=1", &[], "").await;
    assert!(text(&rolled).contains("<Prefix>a/</Prefix>"), "{}", text(&rolled));
    let wrong = s3(&engine, "GET", &format!("/lake?uploads&key-marker=b&upload-id-marker={}", ids[0]), &[], "").await;
    assert!(text(&wrong).contains("Invalid uploadId marker"), "{}", text(&wrong));

    let path = format!("/lake/a/1?uploadId={}", ids[0]);
    for number in [1, 2, 5] {
        s3(&engine, "PUT", &format!("{path}&partNumber={number}"), &[], "x").await;
    }
    for (after, next, more) in [(0, "1", "true"), (1, "2", "true"), (2, "5", "false"), (5, "0", "false")] {
        let page = s3(&engine, "GET", &format!("{path}&max-parts=1&part-number-marker={after}"), &[], "").await;
        let told = (word(text(&page), "NextPartNumberMarker"), word(text(&page), "IsTruncated"));
        assert_eq!(told, (next.into(), more.into()), "{}", text(&page));
    }
}

const GRANT: (&str, &str) = ("x-amz-grant-read", "id=1");

#[tokio::test]
async fn canned_acls_are_kept_where_the_buckets_ownership_allows_any() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let with = |name| [("x-amz-acl", name)];
    let code = async |path: &str, name| {
        let answer = s3(&engine, "PUT", path, &with(name), "").await;
        let text = text(&answer).to_owned();
        text.split(['<', '>']).skip_while(|word| *word != "Code").nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(code("/lake/k", "bucket-owner-full-control").await, "");
    for (path, name) in [("/lake/k", "public-read"), ("/lake/k?acl", "private"), ("/lake?acl", "private")] {
        assert_eq!(code(path, name).await, "AccessControlListNotSupported", "{path} {name}");
    }
    assert_eq!(code("/lake/k", "nobody").await, "InvalidArgument");
    assert_eq!(code("/pond", "public-read").await, "InvalidBucketAclWithObjectOwnership");
    assert_eq!(code("/pond", "private").await, "");
    let grants: &[(&str, &Headers, &str)] = &[
        ("/lake/k", &[GRANT], "AccessControlListNotSupported"),
        ("/lake?acl", &[GRANT], "AccessControlListNotSupported"),
        ("/lake/k", &[GRANT, ("x-amz-acl", "private")], "InvalidRequest"),
        ("/nowhere/k", &[GRANT], "NoSuchBucket"),
        ("/fresh", &[GRANT], "InvalidBucketAclWithObjectOwnership"),
        ("/fresh", &[GRANT, ("x-amz-object-ownership", "ObjectWriter")], "NotImplemented"),
        ("/lake?acl", &[], "MissingSecurityHeader"),
    ];
    for (path, headers, expected) in grants {
        let refused = s3(&engine, "PUT", path, headers, "").await;
        assert!(text(&refused).contains(&format!("<Code>{expected}</Code>")), "{path} {}", text(&refused));
    }
    let owners = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    s3(&engine, "PUT", "/lake?ownershipControls", &[], owners).await;
    for path in ["/lake?acl", "/lake/k?acl", "/lake/k"] {
        assert_eq!(code(path, "public-read").await, "AccessDenied", "{path}");
    }
    s3(&engine, "DELETE", "/lake?publicAccessBlock", &[], "").await;
    for (put, get) in [("/lake?acl", "/lake?acl"), ("/lake/k?acl", "/lake/k?acl"), ("/lake/n", "/lake/n?acl")] {
        assert_eq!(code(put, "public-read").await, "");
        let shown = s3(&engine, "GET", get, &[], "").await;
        assert!(text(&shown).contains("global/AllUsers"), "{get} {}", text(&shown));
    }
}

#[tokio::test]
async fn an_object_says_when_it_expires_and_a_reader_may_have_it_say_otherwise() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    for expires in ["Wed, 21 Oct 2026 07:28:00 GMT", "0"] {
        s3(&engine, "PUT", "/lake/k", &[("expires", expires), ("cache-control", "no-store")], "x").await;
        s3(&engine, "PUT", "/lake/copy", &[("x-amz-copy-source", "/lake/k")], "").await;
        for (method, key) in [("GET", "k"), ("HEAD", "k"), ("HEAD", "copy")] {
            let found = s3(&engine, method, &format!("/lake/{key}"), &[], "").await;
            assert_eq!((header(&found, "expires"), header(&found, "cache-control")), (expires, "no-store"), "{key}");
        }
    }
    let other = "Thu, 22 Oct 2026 07:28:00 GMT";
    let query = "response-cache-control=no-cache&response-expires=Thu%2C%2022%20Oct%202026%2007%3A28%3A00%20GMT";
    for method in ["GET", "HEAD"] {
        let found = s3(&engine, method, &format!("/lake/k?{query}"), &[], "").await;
        assert_eq!((header(&found, "expires"), header(&found, "cache-control")), (other, "no-cache"), "{method}");
    }
}

#[tokio::test]
async fn an_object_says_how_it_is_encrypted_as_its_writer_or_its_bucket_said() {
    const KMS: (&str, &str) = ("x-amz-server-side-encryption", "aws:kms");
    const KEY: (&str, &str) =
        ("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:us-east-1:000000000000:key/k");
    const BUCKET_KEY: (&str, &str) = ("x-amz-server-side-encryption-bucket-key-enabled", "true");
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let found = async |headers: &Headers| {
        let put = s3(&engine, "PUT", "/lake/k", headers, "x").await;
        let head = s3(&engine, "HEAD", "/lake/k", &[], "").await;
        let of = |answer| [KMS.0, KEY.0, BUCKET_KEY.0].map(|name| header(answer, name).to_owned());
        assert_eq!(of(&put), of(&head), "{}", text(&put));
        of(&head)
    };
    assert_eq!(found(&[]).await, ["AES256", "", ""]);
    assert_eq!(found(&[BUCKET_KEY]).await, ["AES256", "", ""]);
    assert_eq!(found(&[KMS, KEY]).await, ["aws:kms", KEY.1, ""]);
    assert_eq!(found(&[KMS, BUCKET_KEY]).await, ["aws:kms", "alias/aws/s3", "true"]);
    assert_eq!(found(&[(KMS.0, "aws:kms:dsse")]).await, ["aws:kms:dsse", "alias/aws/s3", ""]);
    let by_default = format!(
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>\
         <KMSMasterKeyID>{}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled>\
         </Rule></ServerSideEncryptionConfiguration>",
        KEY.1
    );
    assert_eq!(s3(&engine, "PUT", "/lake?encryption", &[], &by_default).await.status(), 200);
    assert_eq!(found(&[]).await, ["aws:kms", KEY.1, "true"]);
    assert_eq!(found(&[(BUCKET_KEY.0, "false")]).await, ["aws:kms", KEY.1, ""]);
    for (headers, code) in [
        (&[KEY][..], "InvalidArgument"),
        (&[(KMS.0, "AES256"), KEY], "InvalidArgument"),
        (&[(KMS.0, "rot13")], "InvalidEncryptionAlgorithmError"),
    ] {
        let refused = s3(&engine, "PUT", "/lake/k", headers, "x").await;
        assert!(text(&refused).contains(&format!("<Code>{code}</Code>")), "{}", text(&refused));
    }
}

#[tokio::test]
async fn a_presigned_address_carries_headers_in_its_query() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let newer = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fs3%2Faws4_request\
                 &X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0";
    let older = "AWSAccessKeyId=AK&Expires=2000000000&Signature=0&content-type=text%2Fcsv";
    for (signature, content_type) in [(newer, "binary/octet-stream"), (older, "text/csv")] {
        let address = format!("/lake/k?{signature}&x-amz-meta-who=me&x-amz-storage-class=STANDARD_IA");
        let put = Request::put(&address).body(Bytes::from("x")).expect("valid parts");
        let put = engine.call(put).await;
        assert_eq!(put.status(), 200, "{}", text(&put));
        let head = s3(&engine, "HEAD", "/lake/k", &[], "").await;
        let found = ["x-amz-meta-who", "x-amz-storage-class", "content-type"].map(|name| header(&head, name));
        assert_eq!(found, ["me", "STANDARD_IA", content_type], "{signature}");
    }
}

#[tokio::test]
async fn a_bucket_with_a_reserved_name_is_not_created_and_is_only_missing_to_other_calls() {
    let engine = engine().await;
    for (method, path, code) in [
        ("PUT", "/lake--x-s3", "InvalidBucketName"),
        ("PUT", "/Lake", "InvalidBucketName"),
        ("GET", "/Lake/k", "InvalidBucketName"),
        ("GET", "/lake--x-s3/k", "NoSuchBucket"),
        ("PUT", "/amzn-s3-demo-lake/k", "NoSuchBucket"),
    ] {
        let refused = s3(&engine, method, path, &[], "").await;
        assert!(text(&refused).contains(&format!("<Code>{code}</Code>")), "{method} {path}: {}", text(&refused));
    }
}

#[tokio::test]
async fn an_upload_may_be_completed_twice() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    let begun = s3(&engine, "POST", "/lake/k?uploads", &[], "").await;
    let id = text(&begun).split("UploadId>").nth(1).expect("an id").trim_end_matches("</").to_owned();
    let part = s3(&engine, "PUT", &format!("/lake/k?uploadId={id}&partNumber=1"), &[], "x").await;
    let etag = header(&part, "etag");
    let parts = format!(
        "<CompleteMultipartUpload><Part><ETag>{etag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    );
    let path = format!("/lake/k?uploadId={id}");
    let first = s3(&engine, "POST", &path, &[], &parts).await;
    let second = s3(&engine, "POST", &path, &[], &parts).await;
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200), "{}", text(&second));
    assert_eq!(text(&first), text(&second));
}

#[tokio::test]
async fn a_condition_that_only_directory_buckets_have_deletes_nothing() {
    let engine = engine().await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    s3(&engine, "PUT", "/lake/k", &[], "x").await;
    let body = "<Delete><Object><Key>k</Key><Size>7</Size></Object></Delete>";
    let answer = s3(&engine, "POST", "/lake?delete", &[], body).await;
    assert!(text(&answer).contains("<Code>NotImplemented</Code>"), "{}", text(&answer));
    assert_eq!(s3(&engine, "HEAD", "/lake/k", &[], "").await.status(), 200);
}
