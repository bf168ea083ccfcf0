//! Requests made by hand, and a world that answers them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method};
use serde_json::Value;

use crate::effect::{Effect, Turn};
use crate::request::{Answer, AwsError, Request};
use crate::time::Millis;
use crate::world::World;
use crate::world::services::named;

/// A request to `us-east-1` that nobody signed. The address may have a query.
pub fn request(method: Method, address: &str, body: impl Into<Bytes>) -> Request {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    Request {
        method,
        path: path.to_owned(),
        query: serde_urlencoded::from_str(query).unwrap(),
        headers: HeaderMap::new(),
        body: body.into(),
        region: "us-east-1".into(),
        signed_for: None,
        access_key: None,
        id: "id-1".into(),
    }
}

/// An operation of a service that speaks JSON 1.1.
pub fn json(operation: &str, input: &Value) -> Request {
    let target = (HeaderName::from_static("x-amz-target"), format!("X.{operation}").parse().unwrap());
    Request { headers: HeaderMap::from_iter([target]), ..request(Method::POST, "/", input.to_string()) }
}

/// An action of a service that speaks in forms.
pub fn form(parameters: &[(&str, &str)]) -> Request {
    request(Method::POST, "/", serde_urlencoded::to_string(parameters).unwrap())
}

/// The world's answer, and its requests to the driver.
pub fn asked(
    world: &mut World,
    now: Millis,
    service: &str,
    request: &Request,
) -> (Result<Answer, AwsError>, Vec<Effect>) {
    let mut turn = Turn::at(now);
    let call = (named(service).unwrap().read)(request);
    let answer = call.and_then(|call| world.handle(&mut turn, call)).and_then(Answer::written);
    (answer, turn.effects)
}

/// The body that the world answers at once.
pub fn body(world: &mut World, now: Millis, service: &str, request: &Request) -> Result<Bytes, AwsError> {
    match asked(world, now, service, request).0? {
        Answer::Reply(reply) => Ok(reply.body),
        Answer::Unwritten(_) | Answer::Pending(_) | Answer::Events(_) => panic!("{service} answers at once"),
    }
}

/// The same as JSON; nothing at all is `null`.
pub fn value(world: &mut World, now: Millis, service: &str, request: &Request) -> Result<Value, AwsError> {
    let body = body(world, now, service, request)?;
    Ok(if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
}

/// Base64 of a zip with one file, as the code of a function.
pub fn zip_of(name: &str, text: &str) -> String {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
    base64_simd::STANDARD.encode_to_string(zip.finish().unwrap().into_inner())
}
