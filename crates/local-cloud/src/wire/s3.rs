//! S3's protocol, by `s3s`, over our store.
//!
//! `s3s` would verify signatures or refuse signed requests, so the signature is taken off first, and with it the
//! `aws-chunked` coding that belongs to it. What `s3s` does not know (tags of a new bucket) or leaves to us (who owns a
//! bucket, where it is, whether the body is whole) is looked at here.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::service::S3ServiceBuilder;

use crate::brief;
use crate::drive::Engine;
use crate::model::query::escape;
use crate::request::{AwsError, Request};
use crate::service::s3::bucket::is_bucket_name;
use crate::service::s3::object::within_bounds;
use crate::service::s3::{State, refusal};
use crate::target::Target;

mod acls;
mod adapter;
mod before;
mod buckets;
mod checksum;
mod convert;
mod documents;
mod incoming;
mod lists;
mod objects;
mod read;
mod unsupported;
mod uploads;
mod versions;

use adapter::Adapter;

/// Who answers, where AWS names one of its hosts.
const HOST_ID: &str = "bG9jYWwtY2xvdWQ=";

/// Does this body, which makes a bucket, give it tags?
pub fn new_bucket_has_tags(body: &[u8]) -> bool {
    !convert::bucket_tags(body).is_empty()
}

/// Answers one request for an operation of that name.
pub async fn answer(engine: &Engine, operation: &str, request: Request) -> Response<Bytes> {
    let is_head = request.method == Method::HEAD;
    let id = request_id(&request);
    let response = perform(engine, operation, &id, request).await.unwrap_or_else(|refusal| refusal.response(&id));
    finish(response, &id, is_head)
}

/// The answer to a request that fails before any operation.
pub fn refuse(request: &Request, error: AwsError) -> Response<Bytes> {
    let id = request_id(request);
    finish(Refusal::from(error).response(&id), &id, request.method == Method::HEAD)
}

fn request_id(request: &Request) -> String {
    request.id.replace('-', "")[..16].to_uppercase()
}

fn finish(mut response: Response<Bytes>, id: &str, is_head: bool) -> Response<Bytes> {
    if is_head || response.status() == StatusCode::NOT_MODIFIED {
        *response.body_mut() = Bytes::new();
    }
    // The library says so of a GET only.
    if is_head && response.headers().contains_key(http::header::CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let headers = response.headers_mut();
    headers.insert("x-amz-id-2", HeaderValue::from_static(HOST_ID));
    headers.insert("x-amz-request-id", HeaderValue::from_str(id).expect("hex digits are a valid header value"));
    response
}

async fn perform(engine: &Engine, operation: &str, id: &str, mut request: Request) -> Result<Response<Bytes>, Refusal> {
    let caller = Request { body: Bytes::new(), ..request.clone() };
    incoming::take_off_signature(&mut request)?;
    let target = Target::of(&request);
    engine.look(operation, |world| {
        admit(&target, &request, &world.settings.account, |name| world.s3.bucket(name).ok().map(|b| b.region.clone()))?;
        refuse_grants(&target, &request, &world.s3).map_err(Refusal::from)
    })?;
    let adapter = Adapter {
        engine: engine.clone(),
        caller,
        operation: operation.to_owned(),
        region: request.region.clone(),
        id: id.to_owned(),
        bucket_tags: convert::bucket_tags(&request.body),
        checksum: checksum::verified(&request)?,
        refused: Arc::default(),
    };
    // The library answers 200.
    let sets_tags = request.method == Method::PUT && !target.has_key() && request.query("tagging").is_some();
    let attributes = request.query("attributes").is_some();
    let (refused, method) = (Arc::clone(&adapter.refused), request.method.clone());
    let service = S3ServiceBuilder::new(adapter).build();
    let response =
        service.call(incoming::for_s3s(&target, request)?).await.map_err(|error| internal(&format!("{error:?}")))?;
    if let Some(error) = refused.get() {
        return Err(with_method(error.clone(), &method).into());
    }
    let (mut parts, body) = response.into_parts();
    if sets_tags && parts.status == StatusCode::OK {
        parts.status = StatusCode::NO_CONTENT;
    }
    let body = body.collect().await.map_err(|error| internal(&*error))?.to_bytes();
    if parts.status == StatusCode::OK && attributes {
        return Ok(Response::from_parts(parts, unquoted(&body)));
    }
    // The library says no more than the code.
    if parts.status == StatusCode::BAD_REQUEST && contains(&body, "<Code>MalformedXML</Code>") {
        return Err(refusal::malformed_xml().into());
    }
    Ok(Response::from_parts(parts, body))
}

/// Etags here are without the quotes that the library puts around all.
fn unquoted(body: &[u8]) -> Bytes {
    let text = String::from_utf8_lossy(body);
    let [opened, closed] = ["<ETag>", "</ETag>"];
    let quotes = ["\"", "&quot;"];
    let text = quotes.iter().fold(text.into_owned(), |text, quote| {
        text.replace(&format!("{opened}{quote}"), opened).replace(&format!("{quote}{closed}"), closed)
    });
    text.into()
}

fn contains(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The store does not know how it was called.
fn with_method(error: AwsError, method: &Method) -> AwsError {
    match error.code {
        "MethodNotAllowed" => error.with_detail("Method", method.as_str()),
        _ => error,
    }
}

/// An error and, when the bucket is elsewhere, where.
struct Refusal {
    error: AwsError,
    region: Option<String>,
}

impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Refusal {
        Refusal { error, region: None }
    }
}

impl Refusal {
    fn response(self, id: &str) -> Response<Bytes> {
        let AwsError { code, message, status, headers: said, details } = self.error;
        let ends = [("RequestId", id.to_owned()), ("HostId", HOST_ID.to_owned())];
        let elements = [("Code", code.to_owned()), ("Message", message)].into_iter().chain(details).chain(ends);
        let elements = elements.map(|(name, value)| format!("<{name}>{}</{name}>", escape(&brief::message(value))));
        let body =
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{}</Error>", elements.collect::<String>());
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        for (name, value) in said {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        if let Some(region) = self.region.and_then(|region| HeaderValue::from_str(&region).ok()) {
            headers.insert("x-amz-bucket-region", region);
        }
        response
    }
}

fn internal(error: &dyn std::fmt::Display) -> AwsError {
    AwsError::new("InternalError", error.to_string()).with_status(500)
}

/// Whose the caller says the bucket is, and the one that is copied from.
const OWNERS: &[&str] = &["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];

/// Ownership, place and wholeness, before any operation.
fn admit(
    target: &Target,
    request: &Request,
    account: &str,
    region_of: impl Fn(&str) -> Option<String>,
) -> Result<(), Refusal> {
    let mut owners = OWNERS.iter().filter_map(|name| request.header(name));
    if let Some(owner) = owners.find(|owner| *owner != account) {
        return Err(not_owned_by(owner).into());
    }
    if let Some(name) = target.bucket().filter(|name| !is_bucket_name(name)) {
        return Err(refusal::invalid_bucket_name(name).into());
    }
    unsupported::check(target, request)?;
    // The library would say so in fewer words.
    within_bounds(target.key_bytes())?;
    request.header("content-md5").map_or(Ok(()), |said| checksum::is_md5(said, &request.body))?;
    let creates = target.is_created_by(request);
    let locates = request.query("location").is_some();
    match target.bucket().map(|name| (name, region_of(name))) {
        Some((name, None)) if !creates => Err(refusal::no_such_bucket(name).into()),
        Some((_, Some(region))) if region != request.region && !creates && !locates => {
            let message = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                           Please send all future requests to this endpoint.";
            let error = AwsError::new("PermanentRedirect", message).with_status(301);
            Err(Refusal { error, region: Some(region) })
        }
        _ => Ok(()),
    }
}

/// The library does not tell what it reads over.
fn refuse_grants(target: &Target, request: &Request, state: &State) -> Result<(), AwsError> {
    let granted = request.headers.keys().find(|name| name.as_str().starts_with("x-amz-grant-"));
    let Some(header) = granted.map(http::HeaderName::as_str) else { return Ok(()) };
    if target.is_created_by(request) {
        return Err(acls::refuse_new_grants(request.header("x-amz-object-ownership"), header));
    }
    Err(acls::refuse_grants(state, target.bucket(), header, request.header("x-amz-acl").is_some()))
}

fn not_owned_by(owner: &str) -> AwsError {
    if owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()) {
        let message =
            format!("The value of the expected bucket owner parameter must be an AWS Account ID... [{owner}]");
        return AwsError::new("InvalidBucketOwnerAWSAccountID", message);
    }
    AwsError::new("AccessDenied", "Access Denied").with_status(403)
}
