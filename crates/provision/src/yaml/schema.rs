//! The JSON Schema of shapes, for editors.

use serde_json::{Map, Value, json};

use super::shape::Field;

/// An object with these fields and no others.
pub(crate) fn object(about: &str, fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    json!({
        "type": ["object", "null"],
        "description": about.trim(),
        "properties": properties,
        "additionalProperties": false,
    })
}

fn property(field: &Field) -> Value {
    let mut schema = (field.schema)();
    schema["description"] = json!(field.doc.trim());
    if let Some(default) = field.default {
        schema["default"] = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
    }
    schema
}

/// A string of this pattern, or one with a variable in it.
pub(crate) fn string(pattern: &str, max: usize) -> Value {
    let mut schema = json!({ "type": ["string", "number"], "pattern": or_variable(pattern) });
    if max != usize::MAX {
        schema["maxLength"] = json!(max);
    }
    schema
}

pub(crate) fn or_variable(pattern: &str) -> String {
    format!("^(?:{pattern})$|\\$\\{{")
}
