//! A request on its way to the library: without its signature and the coding of its body, in path style.

use http::{HeaderName, HeaderValue, Method};
use s3s::dto::Range;

use super::checksum;
use super::refusal::internal;
use crate::request::{AwsError, Request};
use crate::service::s3::refusal::invalid_argument;
use crate::target::Target;
use crate::wire::chunked;

/// Query parameters that presigning adds, in versions 4 and 2 of signatures.
const PRESIGNED: &[&str] = &[
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "AWSAccessKeyId",
    "Expires",
    "Signature",
];

/// Headers that an address signed in the second version carries in its query, as `x-amz-` headers of both versions are.
const HOISTED: &[&str] = &["content-md5", "content-type"];

/// Makes headers of the query parameters that a presigned address carries for them: clients move headers there, so that they are
/// part of the address and its signature.
///
/// This comes before anything looks at the request: a header can make it another operation (`x-amz-copy-source`).
pub fn headers_from_query(request: &mut Request) -> Result<(), AwsError> {
    let signed = |name: &str| request.query(name).is_some();
    let outdated = signed("AWSAccessKeyId") && signed("Signature");
    if !outdated && !signed("X-Amz-Signature") {
        return Ok(());
    }
    let is_header = |name: &str| {
        let name = name.to_ascii_lowercase();
        let of_signature = PRESIGNED.iter().any(|known| known.eq_ignore_ascii_case(&name));
        !of_signature && (name.starts_with("x-amz-") || (outdated && HOISTED.contains(&name.as_str())))
    };
    let (hoisted, query): (Vec<_>, Vec<_>) =
        std::mem::take(&mut request.query).into_iter().partition(|(name, _)| is_header(name));
    request.query = query;
    for (name, value) in hoisted {
        let invalid = || invalid_argument("A header in the query is malformed", &name, &value);
        let header = HeaderName::try_from(&name).map_err(|_| invalid())?;
        let text = HeaderValue::try_from(&value).map_err(|_| invalid())?;
        request.headers.entry(header).or_insert(text);
    }
    Ok(())
}

/// Takes off what belongs to the signature: headers, query parameters, and the coding of the body.
pub fn take_off_signature(request: &mut Request) -> Result<(), AwsError> {
    let encoding = request.header("content-encoding").unwrap_or_default().to_owned();
    let streams = request.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    let codings: Vec<&str> = encoding.split(',').map(str::trim).filter(|coding| !coding.is_empty()).collect();
    if streams || codings.contains(&"aws-chunked") {
        decode_chunked(request)?;
        let rest: Vec<&str> = codings.into_iter().filter(|coding| *coding != "aws-chunked").collect();
        request.headers.remove("content-encoding");
        if let Ok(rest) = HeaderValue::from_str(&rest.join(","))
            && !rest.is_empty()
        {
            request.headers.insert("content-encoding", rest);
        }
    }
    for name in ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-decoded-content-length", "x-amz-trailer"]
    {
        request.headers.remove(name);
    }
    request.query.retain(|(name, _)| !PRESIGNED.contains(&name.as_str()));
    Ok(())
}

/// Takes the header `Expires` from the request: S3 keeps any text, and the library takes only a date.
pub fn take_expires(request: &mut Request) -> Option<String> {
    let expires = request.headers.remove(http::header::EXPIRES)?;
    expires.to_str().ok().map(str::to_owned)
}

/// The body without its coding; what was said of it behind it is now said before.
fn decode_chunked(request: &mut Request) -> Result<(), AwsError> {
    let incomplete = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    let incomplete = || AwsError::new("IncompleteBody", incomplete);
    let (body, trailers) = chunked::decode(request.body.clone()).map_err(|chunked::Malformed| incomplete())?;
    if request.header("x-amz-decoded-content-length").is_some_and(|length| length.parse() != Ok(body.len())) {
        return Err(incomplete());
    }
    checksum::from_trailers(request, trailers)?;
    request.body = body;
    Ok(())
}

/// The body of a completion without parts.
const NO_PARTS: &str = "<CompleteMultipartUpload/>";

/// Is it the completion of an upload without a body? The library would refuse that before anybody looked for the upload.
fn completes_nothing(target: &Target, request: &Request) -> bool {
    request.method == Method::POST && target.has_key() && request.query("uploadId").is_some() && request.body.is_empty()
}

/// The request as `s3s` takes it: unsigned, in path style, with its true length.
pub fn for_s3s(target: &Target, request: Request) -> Result<s3s::HttpRequest, AwsError> {
    let query = serde_urlencoded::to_string(&request.query).map_err(|error| internal(&error))?;
    let uri = if query.is_empty() { target.path().to_owned() } else { format!("{}?{query}", target.path()) };
    let invalid =
        |error: http::Error| AwsError::new("InvalidURI", format!("Couldn't parse the specified URI: {error}"));
    let body = if completes_nothing(target, &request) { NO_PARTS.into() } else { request.body };
    let length = body.len();
    let builder = http::Request::builder().method(request.method).uri(uri);
    let mut out = builder.body(s3s::Body::from(body)).map_err(invalid)?;
    *out.headers_mut() = request.headers;
    // A range that makes no sense is none.
    let senseless =
        |range: &HeaderValue| range.to_str().is_ok_and(|range| range == "bytes=-" || Range::parse(range).is_err());
    if out.headers().get(http::header::RANGE).is_some_and(senseless) {
        out.headers_mut().remove(http::header::RANGE);
    }
    out.headers_mut().remove(http::header::TRANSFER_ENCODING);
    out.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok(out)
}
