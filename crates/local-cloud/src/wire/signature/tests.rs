//! Signatures that were made elsewhere, and what is said to those that are none.

use super::*;

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
        super::check(&head, &Bytes::from_static(body), Some(secret))
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

/// What botocore 1.44.5 signs with this key, on 23 November 2026 at three.
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
        assert_eq!(check(&head, &Bytes::from_static(body.as_bytes()), Some(&secret)), Ok(()), "{}", head.uri);
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
        let denied = check(&head, &Bytes::new(), None).err();
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
        check(&head, &Bytes::new(), None).err().map(|denied| denied.error("kinesis").message)
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
        Some("'token' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer token'.")
    );
}
