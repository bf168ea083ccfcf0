//! CBOR 1.1, which the SDKs for Java and what is built on them speak to Kinesis. It is turned into JSON before anything is
//! understood, and answers are turned back: there is one way of reading and refusing. What JSON has no types for is known by the
//! names of the members that Kinesis has: data is a byte string, a time is milliseconds with tag 1.

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use ciborium::Value as Cbor;
use serde_json::{Map, Value as Json};

pub const CONTENT_TYPE: &str = "application/x-amz-cbor-1.1";

const EPOCH: u64 = 1;
const BLOBS: &[&str] = &["Data"];
const TIMES: &[&str] = &["ApproximateArrivalTimestamp", "ConsumerCreationTimestamp", "StreamCreationTimestamp"];

/// A request's body as JSON; `None` when it is not CBOR, or has no counterpart.
pub fn to_json(body: &[u8]) -> Option<Bytes> {
    if body.is_empty() {
        return Some(Bytes::new());
    }
    let value: Cbor = ciborium::from_reader(body).ok()?;
    Some(json(value)?.to_string().into())
}

fn json(value: Cbor) -> Option<Json> {
    Some(match value {
        Cbor::Null => Json::Null,
        Cbor::Bool(value) => value.into(),
        Cbor::Integer(value) => {
            let value = i128::from(value);
            i64::try_from(value).map(Json::from).or_else(|_| u64::try_from(value).map(Json::from)).ok()?
        }
        Cbor::Float(value) => value.into(),
        Cbor::Text(text) => text.into(),
        Cbor::Bytes(bytes) => BASE64.encode_to_string(bytes).into(),
        Cbor::Array(items) => Json::Array(items.into_iter().map(json).collect::<Option<_>>()?),
        Cbor::Map(entries) => {
            let entry = |(key, value): (Cbor, Cbor)| Some((key.into_text().ok()?, json(value)?));
            Json::Object(entries.into_iter().map(entry).collect::<Option<Map<_, _>>>()?)
        }
        Cbor::Tag(EPOCH, time) => match *time {
            Cbor::Integer(millis) => (i64::try_from(millis).ok()? as f64 / 1000.0).into(),
            seconds => json(seconds)?,
        },
        Cbor::Tag(_, value) => json(*value)?,
        _ => return None,
    })
}

/// An answer's JSON as CBOR.
pub fn from_json(body: &[u8]) -> Bytes {
    if body.is_empty() {
        return Bytes::new();
    }
    let value: Json = serde_json::from_slice(body).unwrap_or_default();
    let mut out = Vec::with_capacity(body.len());
    ciborium::into_writer(&cbor("", value), &mut out).expect("a value is written to memory");
    out.into()
}

fn cbor(name: &str, value: Json) -> Cbor {
    match value {
        Json::Null => Cbor::Null,
        Json::Bool(value) => Cbor::Bool(value),
        Json::Number(number) if TIMES.contains(&name) => {
            let millis = (number.as_f64().unwrap_or_default() * 1000.0).round() as i64;
            Cbor::Tag(EPOCH, Box::new(millis.into()))
        }
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => integer.into(),
            (None, float) => Cbor::Float(float.unwrap_or_default()),
        },
        Json::String(text) if BLOBS.contains(&name) => match BASE64.decode_to_vec(&text) {
            Ok(bytes) => Cbor::Bytes(bytes),
            Err(_) => Cbor::Text(text),
        },
        Json::String(text) => Cbor::Text(text),
        Json::Array(items) => Cbor::Array(items.into_iter().map(|item| cbor("", item)).collect()),
        Json::Object(entries) => {
            let entry = |(name, value): (String, Json)| {
                let value = cbor(&name, value);
                (Cbor::Text(name), value)
            };
            Cbor::Map(entries.into_iter().map(entry).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_java_writes_is_understood() {
        // A map and a list of unknown length, a byte string, a time in milliseconds, a text in pieces.
        let body = [
            &b"\xbf\x67Records\x9f\xbf\x64Data\x43\x00\xff\xfe\xff\xff\x69Timestamp\xc1"[..],
            &[0x1b, 0, 0, 0x01, 0x9f, 0x5b, 0x6f, 0x2d, 0x0f],
            b"\x6aStreamName\x7f\x61a\x61b\xff\x65Limit\x19\x27\x10\xff",
        ]
        .concat();
        let expected = json!({
            "Records": [{ "Data": "AP/+" }], "Timestamp": 1_783_951_502.607, "StreamName": "ab", "Limit": 10_000,
        });
        let millis = i64::from_be_bytes([0, 0, 0x01, 0x9f, 0x5b, 0x6f, 0x2d, 0x0f]);
        let read: Json = serde_json::from_slice(&to_json(&body).expect("it is CBOR")).expect("it is JSON");
        assert_eq!(read["Timestamp"], json!(millis as f64 / 1000.0));
        assert_eq!((&read["Records"], &read["StreamName"]), (&expected["Records"], &expected["StreamName"]));
        assert_eq!(read["Limit"], expected["Limit"]);
        assert_eq!(to_json(b"\xbf\x61a"), None, "cut off");
        assert_eq!(to_json(b"{}").map(|_| ()), None, "JSON");
    }

    #[test]
    fn answers_have_byte_strings_and_times() {
        let answer = json!({
            "Records": [{ "Data": "AP/+", "ApproximateArrivalTimestamp": 1_783_951_509.007, "PartitionKey": "Data" }],
            "MillisBehindLatest": 5,
        });
        let cbor: Cbor = ciborium::from_reader(&*from_json(answer.to_string().as_bytes())).expect("it is CBOR");
        let text = format!("{cbor:?}");
        assert!(text.contains("Bytes([0, 255, 254])"), "{text}");
        assert!(text.contains("Tag(1, Integer(Integer(1783951509007)))"), "{text}");
        assert!(text.contains(r#"Text("PartitionKey"), Text("Data")"#), "{text}");
    }
}
