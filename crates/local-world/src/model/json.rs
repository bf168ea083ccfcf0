//! Shared by the JSON 1.1 services: the operation's name, a checked and typed input, and blobs as base64.

use std::fmt;

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::model::{reading, validate};
use crate::request::{Answer, AwsError, Reply, Request, Unwritten};

/// `CreateStream` of `X-Amz-Target: Kinesis_20131202.CreateStream`.
pub fn operation(request: &Request) -> &str {
    let target = request.header("x-amz-target").unwrap_or_default();
    target.rsplit_once('.').map_or(target, |(_, operation)| operation)
}

/// A control operation: its input checked against the service model, then typed.
pub fn checked<I: DeserializeOwned>(service: &str, operation: &str, body: &[u8]) -> Result<I, AwsError> {
    let input = value(body)?;
    validate::input(service, operation, &input)?;
    typed_value(input)
}

/// The input as it came; of no body at all, one without members.
pub fn value(body: &[u8]) -> Result<Value, AwsError> {
    serde_json::from_slice(if body.is_empty() { b"{}" } else { body }).map_err(not_serialisable)
}

/// A checked input as the operation's own type.
pub fn typed_value<I: DeserializeOwned>(input: Value) -> Result<I, AwsError> {
    reading::read(input).map_err(not_serialisable)
}

/// An input straight into its type: for operations that check their own bounds.
pub fn typed<'a, I: de::Deserialize<'a>>(body: &'a [u8]) -> Result<I, AwsError> {
    read(body).map_err(not_serialisable)
}

/// The same for operations that say in their own words what is wrong.
pub fn read<'a, I: de::Deserialize<'a>>(body: &'a [u8]) -> Result<I, serde_json::Error> {
    let mut from = serde_json::Deserializer::from_slice(body);
    let input = reading::read(&mut from)?;
    from.end()?;
    Ok(input)
}

/// The answer with this body.
pub fn answer(output: impl Serialize + Send + 'static) -> Answer {
    Answer::Unwritten(Unwritten::new(move || Ok(Reply::json(&output))))
}

/// The answer with this body; an operation without output has none at all.
pub fn output(output: Value) -> Answer {
    if output.is_null() { Answer::Reply(Reply::empty()) } else { answer(output) }
}

/// The answer with this JSON.
pub fn written(body: Vec<u8>) -> Answer {
    Answer::Reply(reply(body))
}

/// The reply with this JSON.
pub fn reply(body: Vec<u8>) -> Reply {
    Reply { body: body.into(), ..Reply::empty() }
}

/// One violated constraint, in the words of the JSON services' `ValidationException`.
pub fn violation(path: &str, constraint: &str) -> AwsError {
    AwsError::new(
        "ValidationException",
        format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must {constraint}"
        ),
    )
}

/// A required member that is missing.
pub fn missing(path: &str) -> AwsError {
    AwsError::new(
        "ValidationException",
        format!(
            "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
        ),
    )
}

/// An operation of the service that this engine does not have.
pub fn unsupported(service: &str, operation: &str) -> AwsError {
    AwsError::new(
        "UnknownOperationException",
        format!("{service}'s {operation} is not supported by the built-in emulator"),
    )
}

/// Epoch seconds with a fraction, which is how these services write timestamps.
pub fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}

fn not_serialisable(error: serde_json::Error) -> AwsError {
    AwsError::new("SerializationException", error.to_string())
}

/// Bytes that travel as base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob(pub Bytes);

impl<'de> de::Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Base64;
        impl Visitor<'_> for Base64 {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
                decode_base64(text.as_bytes()).map(Blob).ok_or_else(|| E::custom("data is not valid base64"))
            }
        }
        from.deserialize_str(Base64)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode_to_string(&self.0))
    }
}

/// Standard base64 with padding; `None` when it is not.
pub fn decode_base64(text: &[u8]) -> Option<Bytes> {
    BASE64.decode_to_vec(text).ok().map(Bytes::from)
}

/// Up to the first `limit` of `all` after `start` (exclusive), and whether there are more.
pub fn page<'a, T>(
    all: impl Iterator<Item = (&'a str, T)>,
    start: Option<&str>,
    limit: usize,
) -> (Vec<(&'a str, T)>, bool) {
    let mut rest = all.skip_while(|(key, _)| start.is_some_and(|start| *key <= start));
    let page = rest.by_ref().take(limit).collect();
    (page, rest.next().is_some())
}
