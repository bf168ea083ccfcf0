//! Signatures that were made elsewhere, and what is said to those that are none.

use super::*;

/// The machine's time, where the world's is the same.
fn at(time: &str) -> [Timestamp; 2] {
    [time.parse().expect("it is a time"); 2]
}

/// The example of the documentation: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
fn documented(signature: &str, range: &str) -> Parts {
    let credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
    let request = http::Request::get("/test.txt")
        .header("host", "examplebucket.s3.amazonaws.com")
        .header("range", range)
        .header("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        .header("x-amz-date", "20130524T000000Z")
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={credential},SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
                 Signature={signature}"
            ),
        );
    request.body(()).expect("valid parts").into_parts().0
}

#[test]
fn a_signature_holds_for_what_was_signed_with_its_secret() {
    const SIGNATURE: &str = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let secret = |text| Secret::parse(text).expect("a key and a secret");
    let right = secret("AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let check = |head: Parts, body: &'static [u8], secret: &Secret| {
        super::check(&head, &Bytes::from_static(body), Some(secret), at("2013-05-24T00:00:00Z"))
    };
    assert_eq!(check(documented(SIGNATURE, "bytes=0-9"), b"", &right), Ok(()));
    assert_eq!(check(documented(SIGNATURE, "bytes=0-8"), b"", &right), Err(Denied::Mismatch));
    assert_eq!(check(documented(SIGNATURE, "bytes=0-9"), b"x", &right), Err(Denied::Mismatch));
    assert_eq!(check(documented("00", "bytes=0-9"), b"", &right), Err(Denied::Mismatch));
    let other = secret("AKIAIOSFODNN7EXAMPLE:other");
    assert_eq!(check(documented(SIGNATURE, "bytes=0-9"), b"", &other), Err(Denied::Mismatch));
    assert_eq!(check(documented(SIGNATURE, "bytes=0-9"), b"", &secret("AK:s")), Err(Denied::UnknownKey));
    let unsigned = http::Request::get("/").body(()).expect("valid parts").into_parts().0;
    assert_eq!(check(unsigned, b"", &right), Err(Denied::Missing));
    assert_eq!(Secret::parse("only-a-key").map(|_| ()), None);
    assert_eq!(format!("{other:?}"), "Secret(AKIAIOSFODNN7EXAMPLE:...)");
}

/// The example of the documentation: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>.
#[test]
fn chunks_are_signed_one_after_another() {
    let secret =
        Secret::parse("AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").expect("a key and a secret");
    let head = http::Request::put("/examplebucket/chunkObject.txt")
        .header("host", "s3.amazonaws.com")
        .header("x-amz-date", "20130524T000000Z")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "66560")
        .header("content-length", "66824")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;\
             content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,\
             Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        );
    let head = head.body(()).expect("valid parts").into_parts().0;
    let body = |first: &str, last: &str| {
        let chunk = |length: usize, byte: &str, signature: &str| {
            format!("{length:x};chunk-signature={signature}\r\n{}\r\n", byte.repeat(length))
        };
        let second = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497";
        Bytes::from(chunk(65536, "a", first) + &chunk(1024, "a", second) + &chunk(0, "", last))
    };
    const FIRST: &str = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    const LAST: &str = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9";
    for (body, expected) in [
        (body(FIRST, LAST), Ok(())),
        (body(FIRST, FIRST), Err(Denied::Mismatch)),
        (body(LAST, LAST), Err(Denied::Mismatch)),
        (Bytes::from_static(b"0;chunk-signature=00\r\n\r\n"), Err(Denied::Mismatch)),
        (Bytes::from_static(b"no chunk"), Err(Denied::Mismatch)),
    ] {
        assert_eq!(check(&head, &body, Some(&secret), at("2013-05-24T00:00:00Z")), expected);
    }
}

/// The example of the documentation: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>.
#[test]
fn what_stands_behind_the_chunks_is_signed_too() {
    let secret =
        Secret::parse("AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").expect("a key and a secret");
    let head = http::Request::put("/examplebucket/chunkObject.txt")
        .header("host", "s3.amazonaws.com")
        .header("x-amz-date", "20130524T000000Z")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "66560")
        .header("x-amz-trailer", "x-amz-checksum-crc32c")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;\
             host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,\
             Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        );
    let head = head.body(()).expect("valid parts").into_parts().0;
    let body = |trailers: &str| {
        let chunk = |length: usize, signature: &str| {
            format!("{length:x};chunk-signature={signature}\r\n{}\r\n", "a".repeat(length))
        };
        let first = chunk(65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
        let second = chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
        let last = "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n";
        Bytes::from(first + &second + last + trailers + "\r\n")
    };
    const SIGNED: &str = "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";
    for (trailers, expected) in [
        (format!("x-amz-checksum-crc32c:sOO8/Q==\r\n{SIGNED}"), Ok(())),
        (format!("X-Amz-Checksum-Crc32c: sOO8/Q==\r\n{SIGNED}"), Ok(())),
        (format!("x-amz-checksum-crc32c:AAAAAA==\r\n{SIGNED}"), Err(Denied::Mismatch)),
        (format!("x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-checksum-sha1:AA==\r\n{SIGNED}"), Err(Denied::Mismatch)),
        ("x-amz-checksum-crc32c:sOO8/Q==\r\n".to_owned(), Err(Denied::Mismatch)),
        (SIGNED.to_owned(), Err(Denied::Mismatch)),
    ] {
        let checked = check(&head, &body(&trailers), Some(&secret), at("2013-05-24T00:00:00Z"));
        assert_eq!(checked, expected, "{trailers}");
    }
}

#[test]
fn signatures_hold_for_their_time() {
    let secret = Secret::parse("AK:s").expect("a key and a secret");
    let errors = |now: [&str; 2], expires: Option<&str>| {
        ["kinesis", "sts", "s3"].map(|service| {
            let credential = format!("AK/20261123/eu-west-1/{service}/aws4_request");
            let request = match expires {
                None => http::Request::get("/").header("x-amz-date", "20261123T030000Z").header(
                    "authorization",
                    format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"),
                ),
                Some(seconds) => http::Request::get(format!(
                    "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date=20261123T030000Z\
                     &X-Amz-SignedHeaders=host&X-Amz-Signature=0&X-Amz-Expires={seconds}"
                )),
            };
            let head = request.body(()).expect("valid parts").into_parts().0;
            let now = now.map(|time| format!("2026-11-23T{time}Z").parse().expect("it is a time"));
            check(&head, &Bytes::new(), Some(&secret), now).unwrap_err().error(service).code
        })
    };
    const IN_TIME: [&str; 3] = ["InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"];
    const SKEWED: [&str; 3] = ["InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed"];
    const EXPIRED: [&str; 3] = ["InvalidSignatureException", "SignatureDoesNotMatch", "AccessDenied"];
    let table = [
        (["03:04:59", "03:04:59"], None, IN_TIME),
        (["03:15:01", "03:15:01"], None, SKEWED),
        (["02:44:59", "02:44:59"], None, SKEWED),
        (["03:15:01", "03:00:00"], None, IN_TIME),
        (["03:00:00", "20:00:00"], None, IN_TIME),
        (["03:59:59", "03:59:59"], Some("3600"), IN_TIME),
        (["04:00:01", "04:00:01"], Some("3600"), EXPIRED),
    ];
    for (now, expires, expected) in table {
        assert_eq!(errors(now, expires), expected, "{now:?} {expires:?}");
    }
    for expires in ["604801", "-1", "x"] {
        assert_eq!(errors(["03:00:00", "03:00:00"], Some(expires))[2], "AuthorizationQueryParametersError");
    }
    let head = http::Request::get("/").header("x-amz-date", "20261123T030000Z").header(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AK/20261123/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=0",
    );
    let head = head.body(()).expect("valid parts").into_parts().0;
    let late = check(&head, &Bytes::new(), Some(&secret), at("2026-11-23T03:10:00Z")).unwrap_err();
    assert_eq!(
        late.error("sts").message,
        "Signature expired: 20261123T030000Z is now earlier than 20261123T030500Z (20261123T031000Z - 5 min.)"
    );
}

/// Signatures of botocore 1.44.5 with this key, on 23 November 2026 at three.
#[test]
fn what_a_client_signs_holds_for_each_kind_of_service_and_for_addresses_that_are_given_away() {
    let secret = Secret::parse("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").expect("a key and a secret");
    let signed = |service: &str, headers: &str, signature: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-west-1/{service}/aws4_request, \
             SignedHeaders={headers}, Signature={signature}"
        )
    };
    let base = || http::Request::builder().header("host", "127.0.0.1:4566").header("x-amz-date", "20261123T030000Z");
    let kinesis = base()
        .method("POST")
        .uri("/")
        .header("x-amz-target", "Kinesis_20131202.ListStreams")
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "authorization",
            signed(
                "kinesis",
                "content-type;host;x-amz-date;x-amz-target",
                "e02e420b984683dc713bcd86a598cf7ed67adf448a957b112f40f8f3d9e36898",
            ),
        );
    let lambda = base().uri("/2015-03-31/functions/arn%3Aaws%3Alambda?Marker=a%2Fb%20c&MaxItems=5").header(
        "authorization",
        signed("lambda", "host;x-amz-date", "3ef2389c54b020612762e22435991c8b9a5812e17a006843102cc3f25dd1e84d"),
    );
    let presigned = http::Request::builder().header("host", "127.0.0.1:4566").uri(
        "/lake/a%20b?versionId=x%2By&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Feu-west-1\
         %2Fs3%2Faws4_request&X-Amz-Date=20261123T030000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=0781b59af6019cdf69d4485487dc81e639d75b41bc44cd1dba42939c22121f66",
    );
    for (request, body) in [(kinesis, "{}"), (lambda, ""), (presigned, "")] {
        let head = request.body(()).expect("valid parts").into_parts().0;
        assert_eq!(
            check(&head, &Bytes::from_static(body.as_bytes()), Some(&secret), at("2026-11-23T03:04:00Z")),
            Ok(()),
            "{}",
            head.uri
        );
    }
}

/// A header, an address, and what Kinesis, STS and S3 say of it; nothing where it is well formed.
type Case = (Option<&'static str>, &'static str, [&'static str; 3]);

#[test]
fn who_calls_must_be_said_and_well_formed_whoever_it_is() {
    const FINE: [&str; 3] = ["", "", ""];
    const INCOMPLETE: [&str; 3] =
        ["403 IncompleteSignatureException", "400 IncompleteSignature", "400 AuthorizationHeaderMalformed"];
    const UNSUPPORTED: [&str; 3] =
        ["403 IncompleteSignatureException", "400 IncompleteSignature", "400 InvalidArgument"];
    let table: &[Case] = &[
        (Some("AWS4-HMAC-SHA256 Credential=AK/20260101/r/s/aws4_request, SignedHeaders=host, Signature=0"), "/", FINE),
        (Some("AWS4-HMAC-SHA256 Credential=AK/20260101/r/s/aws4_request,SignedHeaders=host,Signature=0"), "/", FINE),
        (None, "/?AWSAccessKeyId=AK&Signature=0&Expires=1", FINE),
        (None, "/", ["403 MissingAuthenticationTokenException", "403 MissingAuthenticationToken", "403 AccessDenied"]),
        (Some("AWS4-HMAC-SHA256 Credential=AK/20260101/r/s/aws4_request, Signature=0"), "/", INCOMPLETE),
        (Some("AWS4-HMAC-SHA256 Credential=AK, SignedHeaders=host, Signature=0"), "/", INCOMPLETE),
        (
            Some("AWS4-HMAC-SHA256 Credential=AK/20260101//s/aws4_request, SignedHeaders=host, Signature=0"),
            "/",
            INCOMPLETE,
        ),
        (Some("Bearer token"), "/", UNSUPPORTED),
        (
            Some("AWS AK:signature="),
            "/",
            ["403 IncompleteSignatureException", "400 IncompleteSignature", "400 InvalidRequest"],
        ),
        (Some("AWS5 Credential=AK/20260101/r/s/aws4_request, SignedHeaders=host, Signature=0"), "/", UNSUPPORTED),
        (
            None,
            "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK",
            ["403 IncompleteSignatureException", "400 IncompleteSignature", "400 AuthorizationQueryParametersError"],
        ),
        (
            Some("AWS4-HMAC-SHA256 Credential=AK/20260101/r/s/aws4_request, SignedHeaders=host, Signature=0"),
            "/?X-Amz-Algorithm=AWS4-HMAC-SHA256",
            ["400 InvalidSignatureException", "403 SignatureDoesNotMatch", "400 InvalidArgument"],
        ),
    ];
    for (authorization, address, expected) in table {
        let mut request = http::Request::get(*address);
        if let Some(authorization) = authorization {
            request = request.header("authorization", *authorization);
        }
        let head = request.body(()).expect("valid parts").into_parts().0;
        let denied = check(&head, &Bytes::new(), None, at("2026-11-23T03:04:00Z")).err();
        let say = |service| denied.as_ref().map(|denied| denied.error(service));
        let found = ["kinesis", "sts", "s3"]
            .map(|service| say(service).map_or(String::new(), |error| format!("{} {}", error.status, error.code)));
        assert_eq!(found, *expected, "{authorization:?} {address}");
    }
}

#[test]
fn what_is_missing_is_named_as_aws_names_it() {
    let words = |authorization: &str| {
        let request = http::Request::get("/").header("authorization", authorization);
        let head = request.body(()).expect("valid parts").into_parts().0;
        check(&head, &Bytes::new(), None, at("2026-11-23T03:04:00Z"))
            .err()
            .map(|denied| denied.error("kinesis").message)
    };
    assert_eq!(
        words("AWS4-HMAC-SHA256 Signature=0").as_deref(),
        Some(
            "Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' parameter. \
             (Hashed with SHA-256 and encoded with Base64) Authorization=L/JA/03YXC2k9c+N4ktZga+BEbh/tl2SXu6Wvko8K3I="
        )
    );
    assert_eq!(
        words("Bearer token").as_deref(),
        Some(
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with \
             Base64): 'sirDDmH2JNXZ7PrsYu3JMpduFdLxWZgJKX9UIu07OWs='."
        )
    );
}
