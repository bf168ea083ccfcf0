//! S3's requests, by `s3s`, over our store.
//!
//! `s3s` would verify signatures or refuse signed requests, so the signature is taken off first, and with it the
//! `aws-chunked` coding that belongs to it. What it does not know or leaves to us is in [`crate::wire::s3`].

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::service::S3ServiceBuilder;

use crate::drive::Engine;
use crate::request::{AwsError, Request};
use crate::service::s3::refusal::malformed_xml;
use crate::target::Target;
use crate::wire::s3::refusal::{self, HOST_ID, Refusal};
use crate::wire::s3::{checksum, convert, incoming};

mod adapter;
mod before;

use adapter::Adapter;

/// Answers one request for an operation of that name.
pub async fn answer(engine: &Engine, operation: &str, request: Request) -> Response<Bytes> {
    let is_head = request.method == Method::HEAD;
    let id = request_id(&request);
    let response = perform(engine, operation, &id, request).await.unwrap_or_else(|refused| refused.response(&id));
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
        refusal::admit(&target, &request, &world.settings.account, |name| {
            world.s3.bucket(name).ok().map(|b| b.region.clone())
        })?;
        refusal::refuse_grants(&target, &request, &world.s3).map_err(Refusal::from)
    })?;
    let adapter = Adapter {
        engine: engine.clone(),
        caller,
        operation: operation.to_owned(),
        region: request.region.clone(),
        id: id.to_owned(),
        bucket_tags: convert::bucket_tags(&request.body),
        checksum: checksum::verified(&request)?,
        expires: incoming::take_expires(&mut request),
        refused: Arc::default(),
    };
    // The library answers 200.
    let sets_tags = request.method == Method::PUT && !target.has_key() && request.query("tagging").is_some();
    let attributes = request.query("attributes").is_some();
    let (refused, method) = (Arc::clone(&adapter.refused), request.method.clone());
    let service = S3ServiceBuilder::new(adapter).build();
    let response = service
        .call(incoming::for_s3s(&target, request)?)
        .await
        .map_err(|error| refusal::internal(&format!("{error:?}")))?;
    if let Some(error) = refused.get() {
        return Err(with_method(error.clone(), &method).into());
    }
    let (mut parts, body) = response.into_parts();
    if sets_tags && parts.status == StatusCode::OK {
        parts.status = StatusCode::NO_CONTENT;
    }
    let body = body.collect().await.map_err(|error| refusal::internal(&*error))?.to_bytes();
    if parts.status == StatusCode::OK && attributes {
        return Ok(Response::from_parts(parts, unquoted(&body)));
    }
    // The library says no more than the code.
    if parts.status == StatusCode::BAD_REQUEST && contains(&body, "<Code>MalformedXML</Code>") {
        return Err(malformed_xml().into());
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
