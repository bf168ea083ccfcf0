//! The JSON Schema of `--output json`, made from the types of the events and their comments.

use std::path::Path;

use schemars::generate::SchemaSettings;

use super::Line;

fn schema() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Line<'static>>().to_value();
    schema["title"] = "Events of provision --output json, one a line".into();
    let text = serde_json::to_string_pretty(&schema).expect("a schema serialises");
    // The comments speak of Rust's types.
    text.replace("`None`", "null") + "\n"
}

/// `tests/cli/events.rs` holds what commands print against this file.
#[test]
fn the_schema_of_events_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/events.schema.json");
    let found = schema();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &found).expect("the schema can be written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == kept, "schema/events.schema.json is stale; BLESS=1 writes it anew");
}
