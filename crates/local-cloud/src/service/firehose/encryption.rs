//! Encryption at rest of a delivery stream that is put to directly. It changes what is described, not what is stored.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Scope;
use crate::flow::config::invalid;
use crate::request::AwsError;
use crate::world::World;

/// As asked for when a delivery stream is made.
pub fn initial(asked: Option<Value>, kind: &str) -> Result<Value, AwsError> {
    match asked {
        None => Ok(disabled()),
        Some(_) if kind != "DirectPut" => Err(not_direct()),
        Some(asked) => Ok(enabled(asked)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Start {
    delivery_stream_name: String,
    delivery_stream_encryption_configuration_input: Option<Value>,
}

pub fn start(world: &mut World, at: &Scope, input: Start) -> Result<Value, AwsError> {
    let asked = input.delivery_stream_encryption_configuration_input.unwrap_or_else(|| json!({}));
    set(world, at, &input.delivery_stream_name, enabled(asked))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Stop {
    delivery_stream_name: String,
}

pub fn stop(world: &mut World, at: &Scope, input: Stop) -> Result<Value, AwsError> {
    set(world, at, &input.delivery_stream_name, disabled())
}

fn set(world: &mut World, at: &Scope, name: &str, encryption: Value) -> Result<Value, AwsError> {
    if at.find(&world.firehose, name)?.source.is_some() {
        return Err(not_direct());
    }
    if let Some(stream) = world.firehose.streams.get_mut(&at.key(name)) {
        stream.encryption = encryption;
    }
    Ok(json!({}))
}

fn enabled(asked: Value) -> Value {
    let mut out = json!({ "Status": "ENABLED", "KeyType": "AWS_OWNED_CMK" });
    if let (Some(out), Value::Object(asked)) = (out.as_object_mut(), asked) {
        out.extend(asked);
    }
    out
}

fn disabled() -> Value {
    json!({ "Status": "DISABLED" })
}

fn not_direct() -> AwsError {
    invalid("Server-side encryption is only applicable to DirectPut delivery stream type.")
}
