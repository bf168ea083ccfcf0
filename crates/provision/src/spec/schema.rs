//! The JSON Schema of the spec, for editors: made of the same records that the reader reads.

use serde_json::json;

use super::grammar::Spec;
use crate::yaml::shape::Shape;

/// The JSON Schema of a spec, as it stands in `schema/stack.schema.json`.
pub fn schema() -> String {
    let mut schema = Spec::schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Stack spec of provision");
    schema["required"] = json!(["version", "stack"]);
    let text = serde_json::to_string_pretty(&schema).expect("a value of strings and numbers serialises");
    text + "\n"
}
