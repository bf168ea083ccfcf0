//! Streams come, are described and listed, and go.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::stream::{Mode, Status, Stream};
use super::{Named, Scope, State, account, invalid};
use crate::arn;
use crate::model::json::{page, seconds};
use crate::request::AwsError;

/// Shards of a new on-demand stream.
const ON_DEMAND_SHARDS: u32 = 4;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateStream {
    stream_name: String,
    shard_count: Option<u32>,
    stream_mode_details: Option<ModeDetails>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_kib: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModeDetails {
    pub stream_mode: Mode,
}

pub fn create_stream(state: &mut State, at: Scope, input: CreateStream) -> Result<Value, AwsError> {
    let name = input.stream_name;
    let key = at.key(&name);
    if state.streams.contains(&key) {
        let message = format!("Stream {name} under account {} already exists.", at.account);
        return Err(AwsError::new("ResourceInUseException", message));
    }
    // The documentation says provisioned; of a call that says neither mode nor shards, AWS makes an on-demand stream.
    let unsaid = input.shard_count.map_or(Mode::OnDemand, |_| Mode::Provisioned);
    let mode = input.stream_mode_details.map_or(unsaid, |details| details.stream_mode);
    let shards = match (mode, input.shard_count) {
        (Mode::OnDemand, None) => ON_DEMAND_SHARDS,
        (Mode::OnDemand, Some(_)) => {
            // The words are ours, here and below.
            return Err(AwsError::new("ValidationException", "ShardCount must not be set for an ON_DEMAND stream."));
        }
        (Mode::Provisioned, Some(count)) => {
            account::check_shards(state, at, count)?;
            count
        }
        (Mode::Provisioned, None) => {
            return Err(AwsError::new("ValidationException", "ShardCount must be set for a PROVISIONED stream."));
        }
    };
    super::tags::check(&input.tags)?;
    account::check_passing(state, at)?;
    let arn = arn::regional("kinesis", at.region, at.account, &format!("stream/{name}"));
    let mut stream = Stream::new(name, arn, mode, shards, at.now);
    stream.tags = input.tags;
    stream.max_record_kib = input.max_record_kib.unwrap_or(stream.max_record_kib);
    state.streams.insert(&key, stream);
    state.pass(&key, Status::Creating, at);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteStream {
    #[serde(flatten)]
    stream: Named,
    #[serde(default)]
    enforce_consumer_deletion: bool,
}

pub fn delete_stream(state: &mut State, at: Scope, input: DeleteStream) -> Result<Value, AwsError> {
    let name = input.stream.name()?;
    let key = at.existing(state, name)?;
    let consumers = state.streams.get(&key).map_or(0, |stream| stream.consumers.len());
    if consumers > 0 && !input.enforce_consumer_deletion {
        let message = format!(
            "DeleteStream can’t delete {}:{name} because there are consumers associated with this data stream. To delete \
             {name} anyway, set the EnforceConsumerDeletion parameter to true to force the deletion of all the consumers \
             that are associated with it.",
            at.account
        );
        return Err(AwsError::new("ResourceInUseException", message));
    }
    account::check_passing(state, at)?;
    state.pass(&key, Status::Deleting, at);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStream {
    #[serde(flatten)]
    stream: Named,
    limit: Option<usize>,
    exclusive_start_shard_id: Option<String>,
}

pub fn describe_stream(state: &mut State, at: Scope, input: DescribeStream) -> Result<Value, AwsError> {
    let key = at.existing(state, input.stream.name()?)?;
    state.trim(&key, at.now);
    let stream = state.streams.get(&key).ok_or_else(|| at.not_found(&key))?;
    let ids: Vec<(String, u32)> =
        stream.shards.keys().map(|index| (crate::record::sequence::shard_id(*index), *index)).collect();
    let limit = input.limit.unwrap_or(100).min(100);
    let all = ids.iter().map(|(id, index)| (id.as_str(), *index));
    let (shown, more) = page(all, input.exclusive_start_shard_id.as_deref(), limit);
    let mut description = describe(stream);
    // A stream that is being created shows no shards yet.
    let shown = if stream.status == Status::Creating { vec![] } else { shown };
    description["Shards"] = shown.iter().map(|(_, index)| stream.describe_shard(*index)).collect();
    description["HasMoreShards"] = more.into();
    Ok(json!({ "StreamDescription": description }))
}

pub fn describe_stream_summary(state: &mut State, at: Scope, input: Named) -> Result<Value, AwsError> {
    let key = at.existing(state, input.name()?)?;
    let stream = state.streams.get(&key).ok_or_else(|| at.not_found(&key))?;
    let mut summary = describe(stream);
    summary["OpenShardCount"] = stream.open_shard_count().into();
    summary["ConsumerCount"] = stream.consumers.len().into();
    summary["MaxRecordSizeInKiB"] = stream.max_record_kib.into();
    Ok(json!({ "StreamDescriptionSummary": summary }))
}

/// The members that both descriptions have.
fn describe(stream: &Stream) -> Value {
    let mut out = json!({
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "StreamStatus": stream.status,
        "StreamModeDetails": { "StreamMode": stream.mode },
        "RetentionPeriodHours": stream.retention_h,
        "StreamCreationTimestamp": seconds(stream.created),
        "EnhancedMonitoring": [{ "ShardLevelMetrics": stream.metrics }],
        "EncryptionType": if stream.key_id.is_some() { "KMS" } else { "NONE" },
    });
    if let Some(key_id) = &stream.key_id {
        out["KeyId"] = key_id.as_str().into();
    }
    out
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStreams {
    limit: Option<usize>,
    exclusive_start_stream_name: Option<String>,
    /// The name of the last stream of the page before.
    next_token: Option<String>,
}

pub fn list_streams(state: &mut State, at: Scope, input: ListStreams) -> Result<Value, AwsError> {
    if input.exclusive_start_stream_name.is_some() && input.next_token.is_some() {
        return Err(invalid("NextToken and ExclusiveStartStreamName cannot be provided together."));
    }
    let start = input.exclusive_start_stream_name.or(input.next_token);
    let prefix = at.key("");
    let all = state.streams.with_prefix(&prefix).map(|(_, stream)| (stream.name.as_str(), stream));
    let (streams, more) = page(all, start.as_deref(), input.limit.unwrap_or(100));
    let summaries: Vec<Value> = streams.iter().map(|(_, stream)| summary(stream)).collect();
    let names: Vec<&str> = streams.iter().map(|(name, _)| *name).collect();
    let mut out = json!({ "HasMoreStreams": more, "StreamSummaries": summaries, "StreamNames": names });
    if let (true, Some(last)) = (more, names.last()) {
        out["NextToken"] = (*last).into();
    }
    Ok(out)
}

fn summary(stream: &Stream) -> Value {
    json!({
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "StreamStatus": stream.status,
        "StreamModeDetails": { "StreamMode": stream.mode },
        "StreamCreationTimestamp": seconds(stream.created),
    })
}
