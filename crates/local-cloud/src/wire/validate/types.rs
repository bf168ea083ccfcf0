//! JSON types, before any constraint: what AWS's reader says when a value is of the wrong one.

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
        (Kind::String | Kind::Blob, Value::String(_)) => Ok(()),
        (Kind::Number, Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => Ok(()),
        (Kind::Timestamp, Value::Number(_) | Value::String(_)) => Ok(()),
        (kind, value) => Err(AwsError::new("SerializationException", complaint(kind, value))),
    }
}

fn complaint(kind: Kind, value: &Value) -> String {
    let wanted = match kind {
        Kind::Structure | Kind::Map if value.is_array() => return "Start of list found where not expected".into(),
        Kind::Structure | Kind::Map => return "Expected map or null".into(),
        Kind::List if !value.is_object() => return "Expected list or null".into(),
        Kind::List => "a List",
        Kind::String => "a String",
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
