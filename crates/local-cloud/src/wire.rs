//! Protocols: which service a request is for, what it carries, and how its answer is encoded.

use bytes::Bytes;
use http::request::Parts;

use crate::model::protocol::Protocol;
use crate::request::Request;
use crate::world::services::SERVICES;

pub mod cbor;
pub mod chunked;
pub mod encode;
pub mod events;
#[cfg(test)]
mod fuzz;
pub mod limit;
pub mod operation;
pub mod s3;
pub mod scope;
pub mod signature;
pub mod subject;

/// The recipient of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The engine's own calls, under `/_local/`.
    Local,
    /// A row of [`SERVICES`].
    Service(usize),
    S3,
    /// JSON or query, but no service or version that exists here.
    UnknownJson,
    UnknownQuery,
}

/// An HTTP request as the services see it.
pub fn request(parts: Parts, body: Bytes) -> Request {
    let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
    let scope = scope::of(&parts.headers, &query);
    Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query,
        headers: parts.headers,
        body,
        region: scope.region.unwrap_or_else(|| "us-east-1".into()),
        signed_for: scope.service,
        access_key: scope.access_key,
        id: uuid::Uuid::new_v4().to_string(),
    }
}

/// The target decides first, whatever the client signed for: SDKs sign Kinesis calls for hosts of their own making. Then a
/// form with a known API version, then Lambda's paths (a bucket can have such a name, so not when signed for S3); the rest
/// is S3's.
pub fn route(request: &Request) -> Route {
    if request.path == "/_local" || request.path.starts_with("/_local/") {
        return Route::Local;
    }
    if let Some(target) = request.header("x-amz-target") {
        let prefix = target.split('.').next().unwrap_or_default();
        return find(|protocol| matches!(protocol, Protocol::Json { target } if *target == prefix))
            .map_or(Route::UnknownJson, Route::Service);
    }
    if let Some(version) = form_version(request) {
        return find(|protocol| matches!(protocol, Protocol::Query { version: known, .. } if *known == version))
            .map_or(Route::UnknownQuery, Route::Service);
    }
    let for_s3 = request.signed_for.as_deref() == Some("s3");
    if is_lambda_path(&request.path) && !for_s3 {
        return find(|protocol| *protocol == Protocol::RestJson).map_or(Route::S3, Route::Service);
    }
    Route::S3
}

fn find(is: impl Fn(&Protocol) -> bool) -> Option<usize> {
    SERVICES.iter().position(|service| is(&service.protocol))
}

/// Is it a call of the query protocol?
fn is_form(request: &Request) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    request.method == http::Method::POST && request.path == "/" && kind.starts_with("application/x-www-form-urlencoded")
}

/// `Version` of a form that names an `Action`.
fn form_version(request: &Request) -> Option<String> {
    if !is_form(request) {
        return None;
    }
    let form = pairs(&request.body);
    let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    value("Action").and(value("Version"))
}

/// `/YYYY-MM-DD/` and one of Lambda's collections.
fn is_lambda_path(path: &str) -> bool {
    const COLLECTIONS: &[&str] = &[
        "functions",
        "event-source-mappings",
        "layers",
        "layers-by-arn",
        "tags",
        "account-settings",
        "event-invoke-config",
        "code-signing-configs",
        "capacity-providers",
        "durable-executions",
        "durable-execution-callbacks",
    ];
    let mut segments = path.split('/').skip(1);
    let date = segments.next().unwrap_or_default();
    let is_date = date.len() == 10
        && date
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    is_date && segments.next().is_some_and(|collection| COLLECTIONS.contains(&collection))
}

/// A form's or a query string's parameters, decoded; what cannot be decoded is left out.
fn pairs(text: &[u8]) -> Vec<(String, String)> {
    serde_urlencoded::from_bytes(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> Request {
        let mut builder = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (parts, body) = builder.body(Bytes::from_static(body.as_bytes())).expect("valid parts").into_parts();
        request(parts, body)
    }

    /// Method, path, headers, body, and the service's name or another route.
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, Expected);
    type Expected = Result<&'static str, Route>;

    #[test]
    fn a_request_finds_its_service_by_target_form_path_and_else_is_for_s3() {
        const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        const S3: (&str, &str) =
            ("authorization", "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/s3/aws4_request, X=Y");
        let table: &[Case] = &[
            ("POST", "/", &[("x-amz-target", "Kinesis_20131202.PutRecord")], "{}", Ok("kinesis")),
            ("POST", "/", &[("x-amz-target", "Logs_20140328.CreateLogGroup"), S3], "{}", Ok("logs")),
            ("POST", "/", &[("x-amz-target", "Nobody.Knows")], "{}", Err(Route::UnknownJson)),
            ("POST", "/", &[FORM], "Action=GetRole&Version=2010-05-08", Ok("iam")),
            ("POST", "/", &[FORM], "Action=GetCallerIdentity&Version=2011-06-15", Ok("sts")),
            ("POST", "/", &[FORM], "Action=Publish&Version=2010-03-31", Err(Route::UnknownQuery)),
            ("GET", "/2015-03-31/functions/f", &[], "", Ok("lambda")),
            ("GET", "/2015-03-31/functions/f", &[S3], "", Err(Route::S3)),
            ("GET", "/2015-03-31/other", &[], "", Err(Route::S3)),
            ("GET", "/_local/health", &[], "", Err(Route::Local)),
            ("GET", "/_local", &[], "", Err(Route::Local)),
            ("PUT", "/bucket/key", &[], "", Err(Route::S3)),
            ("GET", "/", &[], "", Err(Route::S3)),
        ];
        for (method, path, headers, body, expected) in table {
            let found = match route(&parsed(method, path, headers, body)) {
                Route::Service(index) => Ok(SERVICES[index].name),
                other => Err(other),
            };
            assert_eq!(&found, expected, "{method} {path} {headers:?} {body}");
        }
    }
}
