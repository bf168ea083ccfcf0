//! A stream's tags: the older operations by stream, the newer ones by ARN.

use std::collections::BTreeMap;

use aws_facts::tags::MAX_TAGS;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Named, Scope, State, consumer, invalid, name_in};
use crate::model::json::page;
use crate::request::AwsError;

/// Characters that AWS takes in keys and values.
pub fn check(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    check_characters(tags.iter().flat_map(|(key, value)| [key, value]))
}

fn check_characters<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<(), AwsError> {
    let allowed = |c: char| c.is_alphanumeric() || " _./=+-%@:".contains(c);
    if texts.into_iter().all(|text| text.chars().all(allowed)) {
        return Ok(());
    }
    Err(invalid(
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @.",
    ))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddTagsToStream {
    #[serde(flatten)]
    stream: Named,
    tags: BTreeMap<String, String>,
}

pub fn add_tags_to_stream(state: &mut State, at: Scope, input: AddTagsToStream) -> Result<Value, AwsError> {
    add(state, at, input.stream.name()?, input.tags)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

pub fn tag_resource(state: &mut State, at: Scope, input: TagResource) -> Result<Value, AwsError> {
    let slot = slot(state, at, &input.resource_arn)?;
    extend(slot, at, &input.resource_arn, input.tags)
}

/// The tags of a stream or a consumer, by its ARN.
fn slot<'a>(state: &'a mut State, at: Scope, arn: &str) -> Result<&'a mut BTreeMap<String, String>, AwsError> {
    if arn.contains("/consumer/") {
        let (key, name) = consumer::by_arn(state, at, arn)?;
        let stream = state.streams.get_mut(&key).ok_or_else(|| at.not_found(&key))?;
        return Ok(&mut stream.consumers.get_mut(&name).expect("it was found by its ARN").tags);
    }
    let name = name_in(None, Some(arn))?;
    Ok(&mut state.streams.get_mut(&at.key(name)).ok_or_else(|| at.not_found(name))?.tags)
}

fn add(state: &mut State, at: Scope, name: &str, tags: BTreeMap<String, String>) -> Result<Value, AwsError> {
    let stream = state.streams.get_mut(&at.key(name)).ok_or_else(|| at.not_found(name))?;
    extend(&mut stream.tags, at, name, tags)
}

fn extend(
    held: &mut BTreeMap<String, String>,
    at: Scope,
    name: &str,
    tags: BTreeMap<String, String>,
) -> Result<Value, AwsError> {
    check(&tags)?;
    let new = tags.keys().filter(|tag| !held.contains_key(*tag)).count();
    if held.len() + new > MAX_TAGS {
        return Err(invalid(format!(
            "Failed to add tags to stream {name} under account {} because a given stream cannot have more than \
             {MAX_TAGS} tags associated with it.",
            at.account
        )));
    }
    held.extend(tags);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RemoveTagsFromStream {
    #[serde(flatten)]
    stream: Named,
    tag_keys: Vec<String>,
}

pub fn remove_tags_from_stream(state: &mut State, at: Scope, input: RemoveTagsFromStream) -> Result<Value, AwsError> {
    remove(state, at, input.stream.name()?, &input.tag_keys)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UntagResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub fn untag_resource(state: &mut State, at: Scope, input: UntagResource) -> Result<Value, AwsError> {
    slot(state, at, &input.resource_arn)?.retain(|tag, _| !input.tag_keys.contains(tag));
    Ok(Value::Null)
}

fn remove(state: &mut State, at: Scope, name: &str, keys: &[String]) -> Result<Value, AwsError> {
    check_characters(keys)?;
    let stream = state.streams.get_mut(&at.key(name)).ok_or_else(|| at.not_found(name))?;
    stream.tags.retain(|tag, _| !keys.contains(tag));
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForStream {
    #[serde(flatten)]
    stream: Named,
    exclusive_start_tag_key: Option<String>,
    limit: Option<usize>,
}

pub fn list_tags_for_stream(state: &mut State, at: Scope, input: ListTagsForStream) -> Result<Value, AwsError> {
    let name = input.stream.name()?;
    let stream = state.streams.get(&at.key(name)).ok_or_else(|| at.not_found(name))?;
    let all = stream.tags.iter().map(|(key, value)| (key.as_str(), value));
    let (tags, more) = page(all, input.exclusive_start_tag_key.as_deref(), input.limit.unwrap_or(MAX_TAGS));
    let tags: Vec<Value> = tags.into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags, "HasMoreTags": more }))
}

#[derive(Debug, Deserialize)]
pub struct ListTagsForResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

pub fn list_tags_for_resource(state: &mut State, at: Scope, input: ListTagsForResource) -> Result<Value, AwsError> {
    let tags = slot(state, at, &input.resource_arn)?;
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}
