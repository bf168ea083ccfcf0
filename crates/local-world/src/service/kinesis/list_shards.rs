//! ListShards: pages of a stream's shards, through a filter.
//!
//! <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html>

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::iterator::Iterator;
use super::shards::Shard;
use super::stream::parse_shard_id;
use super::{Scope, State, invalid, name_in};
use crate::model::json::page;
use crate::record::sequence::shard_id;
use crate::request::AwsError;
use crate::time::Millis;

/// Shards of one page.
const MOST_SHARDS: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListShards {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    next_token: Option<String>,
    exclusive_start_shard_id: Option<String>,
    stream_creation_timestamp: Option<f64>,
    max_results: Option<usize>,
    shard_filter: Option<ShardFilter>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShardFilter {
    r#type: String,
    shard_id: Option<String>,
    /// Epoch seconds.
    timestamp: Option<f64>,
}

pub fn list_shards(state: &mut State, at: Scope, input: ListShards) -> Result<Value, AwsError> {
    let named = input.stream_name.is_some() || input.stream_arn.is_some();
    let (key, start, begun_with) = match (&input.next_token, named) {
        (Some(_), true) => return Err(invalid("NextToken and StreamName cannot be provided together.")),
        (None, false) => return Err(invalid("Either NextToken or StreamName should be provided.")),
        (Some(token), false) => resumed(token, at.now)?,
        (None, true) => {
            let name = name_in(input.stream_name.as_deref(), input.stream_arn.as_deref())?;
            (at.existing(state, name)?, input.exclusive_start_shard_id, None)
        }
    };
    state.trim(&key, at.now);
    let stream = state.streams.get(&key).ok_or_else(|| at.not_found(&key))?;
    at.of_that_time(stream, input.stream_creation_timestamp)?;
    let shard_filter = input.shard_filter.or(begun_with);
    if let Some(filter) = &shard_filter {
        filter.check()?;
    }
    let horizon = at.now.saturating_sub(stream.retention_ms()).max(stream.created);
    let passing =
        |shard: &Shard, index| shard_filter.as_ref().is_none_or(|filter| filter.passes(at.now, horizon, index, shard));
    let ids: Vec<(String, u32)> = stream
        .shards
        .iter()
        .filter(|(index, shard)| passing(shard, **index))
        .map(|(index, _)| (shard_id(*index), *index))
        .collect();
    let limit = input.max_results.unwrap_or(MOST_SHARDS).min(MOST_SHARDS);
    let (shown, more) = page(ids.iter().map(|(id, index)| (id.as_str(), *index)), start.as_deref(), limit);
    let shards: Vec<Value> = shown.iter().map(|(_, index)| stream.describe_shard(*index)).collect();
    let mut out = json!({ "Shards": shards });
    if let (true, Some((_, last))) = (more, shown.last()) {
        // A page's end is an iterator without a record.
        let end = Iterator { stream: key, created: stream.created, shard: *last, ordinal: 0, issued: at.now };
        out["NextToken"] = token(&end, shard_filter.as_ref()).into();
    }
    Ok(out)
}

/// Where a listing goes on, and with which filter.
fn token(end: &Iterator, filter: Option<&ShardFilter>) -> String {
    let filter = filter.map(|filter| serde_json::to_vec(filter).expect("texts and numbers serialise"));
    format!("{}.{}", end.encode(), URL_SAFE_NO_PAD.encode_to_string(filter.unwrap_or_default()))
}

/// The stream, the id of the last shard of the page before, and the filter that the listing began with.
fn resumed(token: &str, now: Millis) -> Result<(String, Option<String>, Option<ShardFilter>), AwsError> {
    let unknown = || invalid("Invalid NextToken.");
    let (end, filter) = token.split_once('.').ok_or_else(unknown)?;
    let end = Iterator::decode(end, now).map_err(|error| match error.code {
        "ExpiredIteratorException" => AwsError::new("ExpiredNextTokenException", "NextToken has expired."),
        _ => unknown(),
    })?;
    let filter = URL_SAFE_NO_PAD.decode_to_vec(filter).map_err(|_| unknown())?;
    let filter = (!filter.is_empty()).then(|| serde_json::from_slice(&filter)).transpose().map_err(|_| unknown())?;
    Ok((end.stream, Some(shard_id(end.shard)), filter))
}

impl ShardFilter {
    fn check(&self) -> Result<(), AwsError> {
        let needs = match self.r#type.as_str() {
            "AFTER_SHARD_ID" if self.shard_id.is_none() => "ShardId",
            "AT_TIMESTAMP" | "FROM_TIMESTAMP" if self.timestamp.is_none() => "Timestamp",
            _ => return Ok(()),
        };
        Err(invalid(format!("{needs} must be specified in ShardFilter when Type is {}.", self.r#type)))
    }

    fn passes(&self, now: Millis, horizon: Millis, index: u32, shard: &Shard) -> bool {
        let time = self.timestamp.map_or(now, |seconds| (seconds * 1000.0) as Millis);
        // Shards are stamped with a second, those of a split or merge with the next one.
        let second = |time: Millis| time / 1000;
        let open_at = |time: Millis| shard.created_s <= second(time) && shard.closed.is_none_or(|closed| closed > time);
        match self.r#type.as_str() {
            "AT_LATEST" => shard.closed.is_none(),
            "AFTER_SHARD_ID" => self.shard_id.as_deref().and_then(parse_shard_id).is_none_or(|after| index > after),
            "AT_TRIM_HORIZON" => open_at(horizon),
            "AT_TIMESTAMP" => open_at(time),
            "FROM_TIMESTAMP" => open_at(time) || shard.created_s > second(time),
            _ => true,
        }
    }
}
