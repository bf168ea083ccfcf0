//! A delivery stream's tags.

use std::collections::BTreeMap;

use aws_facts::tags::{MAX_TAGS, RESERVED_PREFIX};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{DeliveryStream, Scope, State, Status};
use crate::flow::refused::invalid;
use crate::model::json::page;
use crate::request::AwsError;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// Fails when there would be too many; the words are ours, and for reserved keys too.
pub fn added(
    mut tags: BTreeMap<String, Option<String>>,
    more: Vec<Tag>,
) -> Result<BTreeMap<String, Option<String>>, AwsError> {
    tags.extend(more.into_iter().map(|tag| (tag.key, tag.value)));
    if tags.len() > MAX_TAGS {
        let message = format!("A Firehose can have at most {MAX_TAGS} tags");
        return Err(AwsError::new("LimitExceededException", message));
    }
    if tags.keys().any(|key| key.starts_with(RESERVED_PREFIX)) {
        return Err(invalid("Tag keys cannot begin with aws:"));
    }
    Ok(tags)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagDeliveryStream {
    delivery_stream_name: String,
    tags: Vec<Tag>,
}

pub fn tag(state: &mut State, at: &Scope, input: TagDeliveryStream) -> Result<Value, AwsError> {
    let stream = taggable(state, at, &input.delivery_stream_name)?;
    stream.tags = added(stream.tags.clone(), input.tags)?;
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UntagDeliveryStream {
    delivery_stream_name: String,
    tag_keys: Vec<String>,
}

pub fn untag(state: &mut State, at: &Scope, input: UntagDeliveryStream) -> Result<Value, AwsError> {
    let stream = taggable(state, at, &input.delivery_stream_name)?;
    stream.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

fn taggable<'a>(state: &'a mut State, at: &Scope, name: &str) -> Result<&'a mut DeliveryStream, AwsError> {
    let deleting = at.find(state, name)?.status == Status::Deleting;
    let stream = state.streams.get_mut(&at.key(name)).filter(|_| !deleting);
    stream.ok_or_else(|| {
        let message = format!("Firehose {name} under account {} is in DELETING state", at.account);
        AwsError::new("ResourceInUseException", message)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForDeliveryStream {
    delivery_stream_name: String,
    exclusive_start_tag_key: Option<String>,
    limit: Option<usize>,
}

pub fn list(state: &mut State, at: &Scope, input: ListTagsForDeliveryStream) -> Result<Value, AwsError> {
    let stream = at.find(state, &input.delivery_stream_name)?;
    let all = stream.tags.iter().map(|(key, value)| (key.as_str(), value));
    let (shown, more) = page(all, input.exclusive_start_tag_key.as_deref(), input.limit.unwrap_or(MAX_TAGS));
    let tags: Vec<Tag> =
        shown.into_iter().map(|(key, value)| Tag { key: key.to_owned(), value: value.clone() }).collect();
    Ok(json!({ "Tags": tags, "HasMoreTags": more }))
}
