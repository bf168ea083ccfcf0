//! Tags of log groups: by ARN, and by name as older clients do.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Outcome, group_name};

#[derive(Deserialize)]
struct Input {
    #[serde(alias = "resourceArn", alias = "logGroupName")]
    group: String,
}

#[derive(Deserialize)]
struct TagInput {
    #[serde(alias = "resourceArn", alias = "logGroupName")]
    group: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct UntagInput {
    #[serde(alias = "resourceArn", alias = "logGroupName")]
    group: String,
    #[serde(alias = "tagKeys", alias = "tags")]
    keys: Vec<String>,
}

pub fn list(call: &mut Call) -> Outcome {
    let input: Input = call.input()?;
    Ok(json!({ "tags": call.group(group_name(&input.group))?.tags }))
}

pub fn tag(call: &mut Call) -> Outcome {
    let input: TagInput = call.input()?;
    call.group_mut(group_name(&input.group))?.tags.extend(input.tags);
    Ok(Value::Null)
}

pub fn untag(call: &mut Call) -> Outcome {
    let input: UntagInput = call.input()?;
    call.group_mut(group_name(&input.group))?.tags.retain(|key, _| !input.keys.contains(key));
    Ok(Value::Null)
}
