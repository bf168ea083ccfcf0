//! JSON types, before any constraint: what AWS's reader says when a value is of the wrong one.

use base64_simd::STANDARD;
use serde_json::Value;

use super::model::{Kind, Service, Shape};
use crate::request::AwsError;

/// The first value of a wrong type, depth first. `null` is fine everywhere.
pub fn check(tables: &Service, shape: &Shape, value: &Value) -> Result<(), AwsError> {
    match (shape.kind, value) {
        (_, Value::Null) => Ok(()),
        (Kind::Structure, Value::Object(_)) => shape
            .members
            .iter()
            .filter_map(|(name, member)| Some((tables.shape(member), value.get(name)?)))
            .try_for_each(|(member, value)| check(tables, member, value)),
        (Kind::List, Value::Array(items)) => {
            items.iter().try_for_each(|item| check(tables, tables.of(&shape.member), item))
        }
        (Kind::Map, Value::Object(entries)) => {
            entries.values().try_for_each(|item| check(tables, tables.of(&shape.value), item))
        }
        (Kind::String, Value::String(_)) => Ok(()),
        (Kind::Blob, Value::String(text)) => blob(text),
        (Kind::Number, Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => Ok(()),
        (Kind::Timestamp, Value::Number(_)) => Ok(()),
        (kind, value) => Err(unreadable(complaint(kind, value))),
    }
}

/// Base64 with its padding, in AWS's words (and spelling) where it is none.
fn blob(text: &str) -> Result<(), AwsError> {
    if STANDARD.check(text.as_bytes()).is_ok() {
        return Ok(());
    }
    let content = text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text);
    let foreign = content.chars().find(|c| !c.is_ascii_alphanumeric() && !"+/".contains(*c));
    let why = match foreign {
        _ if !text.len().is_multiple_of(4) => {
            format!("Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.len())
        }
        Some(foreign) => format!("Invalid Base64 character: '{foreign}'"),
        None => "Invalid last non-pad Base64 character dectected".into(),
    };
    Err(unreadable(format!("'{text}' can not be converted to a Blob: {why}")))
}

fn unreadable(message: String) -> AwsError {
    AwsError::new("SerializationException", message)
}

fn complaint(kind: Kind, value: &Value) -> String {
    let wanted = match kind {
        Kind::Structure if !value.is_array() => return "Expected null".into(),
        Kind::Map if !value.is_array() => return "Expected map or null".into(),
        Kind::List if !value.is_object() => return "Expected list or null".into(),
        Kind::Structure | Kind::Map | Kind::List => "",
        Kind::String => "an String",
        Kind::Number => "an Integer",
        Kind::Boolean => "an Boolean",
        Kind::Timestamp => "milliseconds since epoch",
        Kind::Blob => "a Blob",
    };
    let found = match value {
        Value::Array(_) => return "Start of list found where not expected".into(),
        Value::Object(_) => return "Start of structure or map found where not expected.".into(),
        Value::Bool(_) => "class java.lang.Boolean",
        Value::Number(_) => "class com.amazon.coral.value.json.numbers.TruncatingBigNumber",
        Value::String(_) | Value::Null => "class java.lang.String",
    };
    format!("{found} can not be converted to {wanted}")
}
