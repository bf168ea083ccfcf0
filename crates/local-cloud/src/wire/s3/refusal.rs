//! Refuses requests before any operation, and writes errors.

use aws_facts::s3::check_bucket_characters;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};

use super::{acls, checksum, unsupported};
use crate::brief;
use crate::model::query::escape;
use crate::request::{AwsError, Request};
use crate::service::s3::object::within_bounds;
use crate::service::s3::{State, refusal};
use crate::target::Target;

/// The host that answers, which AWS names in its errors.
pub const HOST_ID: &str = "bG9jYWwtY2xvdWQ=";

/// An error and, when the bucket is elsewhere, where.
pub struct Refusal {
    error: AwsError,
    region: Option<String>,
}

impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Refusal {
        Refusal { error, region: None }
    }
}

impl Refusal {
    pub fn response(self, id: &str) -> Response<Bytes> {
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

pub fn internal(error: &dyn std::fmt::Display) -> AwsError {
    AwsError::new("InternalError", error.to_string()).with_status(500)
}

/// Headers in which callers name the owner of the bucket, and of the bucket that is copied from.
const OWNERS: &[&str] = &["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];

/// Ownership, place and wholeness, before any operation.
pub fn admit(
    target: &Target,
    request: &Request,
    account: &str,
    region_of: impl Fn(&str) -> Option<String>,
) -> Result<(), Refusal> {
    let mut owners = OWNERS.iter().filter_map(|name| request.header(name));
    if let Some(owner) = owners.find(|owner| *owner != account) {
        return Err(not_owned_by(owner).into());
    }
    if let Some(name) = target.bucket().filter(|name| check_bucket_characters(name).is_err()) {
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
pub fn refuse_grants(target: &Target, request: &Request, state: &State) -> Result<(), AwsError> {
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
