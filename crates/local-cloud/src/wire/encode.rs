//! Answers and errors as each protocol writes them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::brief;
use crate::model::protocol::Protocol;
use crate::model::query::escape;
use crate::request::{AwsError, Reply, Request};
use crate::time::Millis;
use crate::wire::cbor;

const JSON_1_1: &str = "application/x-amz-json-1.1";

/// The format of a JSON service's requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Cbor,
}

impl Format {
    /// As the request says.
    pub fn of(request: &Request) -> Format {
        let cbor = request.header("content-type").is_some_and(|kind| kind.starts_with(cbor::CONTENT_TYPE));
        if cbor { Format::Cbor } else { Format::Json }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => JSON_1_1,
            Format::Cbor => cbor::CONTENT_TYPE,
        }
    }

    /// A request's body as JSON.
    pub fn read(self, body: Bytes) -> Result<Bytes, AwsError> {
        match self {
            Format::Json => Ok(body),
            Format::Cbor => {
                cbor::to_json(&body).ok_or_else(|| AwsError::new("SerializationException", "The body is not CBOR."))
            }
        }
    }

    /// An answer's JSON as it is to be written.
    pub fn write(self, json: Bytes) -> Bytes {
        match self {
            Format::Json => json,
            Format::Cbor => cbor::from_json(&json),
        }
    }
}

/// The response to a call of a service that speaks `protocol`.
pub fn answer(protocol: Protocol, request: &Request, outcome: Result<Reply, AwsError>) -> Response<Bytes> {
    let reply = outcome.unwrap_or_else(|error| {
        let error = AwsError { message: brief::message(error.message), ..error };
        match protocol {
            Protocol::Json { .. } => json_error(&error),
            Protocol::RestJson => rest_json_error(&error),
            Protocol::Query { namespace, .. } => query_error(&error, namespace, &request.id),
        }
    });
    let content_type = match protocol {
        Protocol::Json { .. } => JSON_1_1,
        Protocol::RestJson => "application/json",
        Protocol::Query { .. } => "text/xml",
    };
    let mut response = finish(reply, content_type);
    let id = HeaderValue::from_str(&request.id).expect("a UUID is a valid header value");
    response.headers_mut().insert("x-amzn-requestid", id);
    response
}

/// A reply with its headers; `content_type` where it sets none.
pub fn finish(reply: Reply, content_type: &'static str) -> Response<Bytes> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(*name, value);
        }
    }
    response.headers_mut().entry(http::header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    response
}

/// `Sun, 22 Nov 2026 23:08:37 GMT`
pub fn date(now: Millis) -> HeaderValue {
    let time = i64::try_from(now).ok().and_then(|now| jiff::Timestamp::from_millisecond(now).ok()).unwrap_or_default();
    let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).expect("letters, digits, commas and colons are a valid header value")
}

/// The response in this format, if the service speaks it.
pub fn formatted(response: Response<Bytes>, format: Format) -> Response<Bytes> {
    if format == Format::Json {
        return response;
    }
    let (mut head, body) = response.into_parts();
    head.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    Response::from_parts(head, format.write(body))
}

pub fn json_error(error: &AwsError) -> Reply {
    let message = if error.code == "SerializationException" { "Message" } else { "message" };
    Reply {
        status: error.status,
        headers: vec![("x-amzn-errortype", error.code.into())],
        body: json!({ "__type": error.code, message: error.message }).to_string().into(),
    }
}

/// Lambda's model spells the member `Message` in some errors and `message` in others: clients read the one they expect.
fn rest_json_error(error: &AwsError) -> Reply {
    let fault = if error.status < 500 { "User" } else { "Service" };
    Reply {
        status: error.status,
        headers: vec![("x-amzn-errortype", error.code.into())],
        body: json!({ "Type": fault, "Message": error.message, "message": error.message }).to_string().into(),
    }
}

fn query_error(error: &AwsError, namespace: &str, id: &str) -> Reply {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let body = format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>",
        error.code,
        escape(&error.message)
    );
    Reply { status: error.status, headers: vec![], body: body.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::services::SERVICES;

    fn encoded(service: &str, error: AwsError) -> (u16, String, String) {
        let (parts, body) = http::Request::new(Bytes::new()).into_parts();
        let mut request = crate::wire::request(parts, body);
        request.id = "id-1".into();
        let row = SERVICES.iter().find(|row| row.name == service).expect("a service of that name");
        let response = answer(row.protocol, &request, Err(error));
        let header = |name: &str| response.headers().get(name).map_or("-", |value| value.to_str().unwrap_or("?"));
        let body = String::from_utf8_lossy(response.body()).into_owned();
        let headers = format!("{} {}", header("content-type"), header("x-amzn-errortype"));
        assert_eq!(header("x-amzn-requestid"), "id-1");
        (response.status().as_u16(), headers, body)
    }

    #[test]
    fn the_date_is_as_http_writes_it() {
        assert_eq!(date(784_111_777_999), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn errors_are_written_as_their_protocol_writes_them() {
        let error = |code| AwsError::new(code, "a < b").with_status(404);
        assert_eq!(
            encoded("kinesis", error("ResourceNotFoundException")),
            (
                404,
                "application/x-amz-json-1.1 ResourceNotFoundException".into(),
                r#"{"__type":"ResourceNotFoundException","message":"a < b"}"#.into()
            )
        );
        assert!(encoded("kinesis", error("SerializationException")).2.contains(r#""Message":"a < b""#));
        assert_eq!(
            encoded("lambda", error("ResourceNotFoundException")).2,
            r#"{"Message":"a < b","Type":"User","message":"a < b"}"#
        );
        assert_eq!(
            encoded("sts", error("AccessDenied")).2,
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>AccessDenied</Code><Message>a &lt; b</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"
        );
    }
}
