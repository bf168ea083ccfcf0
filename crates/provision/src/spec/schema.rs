//! The JSON Schema of the spec, for editors: made of the same records that the reader reads.

use serde_json::{Map, Value, json};

use super::grammar::Spec;
use super::shape::{Field, Shape};

/// The JSON Schema of a spec, as it stands in `schema/stack.schema.json`.
pub fn schema() -> String {
    let mut schema = Spec::schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Stack spec of provision");
    schema["required"] = json!(["version", "stack"]);
    let text = serde_json::to_string_pretty(&schema).expect("a value of strings and numbers serialises");
    text + "\n"
}

/// An object with these fields and no others.
pub(super) fn object(about: &str, fields: &[Field]) -> Value {
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
pub(super) fn string(pattern: &str, max: usize) -> Value {
    let mut schema = json!({ "type": ["string", "number"], "pattern": or_variable(pattern) });
    if max != usize::MAX {
        schema["maxLength"] = json!(max);
    }
    schema
}

pub(super) fn or_variable(pattern: &str) -> String {
    format!("^(?:{pattern})$|\\$\\{{")
}
