//! A stream's shards are split, merged, or brought to a number.

use aws_facts::kinesis::SHARDS;
use serde::Deserialize;
use serde_json::{Value, json};

use super::stream::{Mode, Status, Stream, parse_shard_id};
use super::{Named, Scope, State, account, invalid};
use crate::record::sequence::shard_id;
use crate::request::AwsError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateShardCount {
    #[serde(flatten)]
    stream: Named,
    target_shard_count: u32,
}

pub fn update_shard_count(state: &mut State, at: Scope, input: UpdateShardCount) -> Result<Value, AwsError> {
    let name = input.stream.name()?;
    let key = at.active(state, name)?;
    let stream = state.streams.get_mut(&key).ok_or_else(|| at.not_found(name))?;
    if stream.mode == Mode::OnDemand {
        let message = format!("Request is invalid. Stream {name} under account {} is in On-Demand mode.", at.account);
        return Err(AwsError::new("ValidationException", message));
    }
    let target = input.target_shard_count;
    let current = u32::try_from(stream.open_shard_count()).expect("shards are numbered in 32 bits");
    check_step(current, target)?;
    account::check_shards(state, at, target.saturating_sub(current))?;
    let stream = state.streams.get_mut(&key).ok_or_else(|| at.not_found(name))?;
    if target != current {
        stream.reshard(target, at.now);
    }
    let arn = stream.arn.clone();
    state.pass(&key, Status::Updating, at);
    Ok(json!({ "StreamName": name, "StreamARN": arn, "CurrentShardCount": current, "TargetShardCount": target }))
}

/// At most twice, at least half, and no more than ten thousand.
fn check_step(current: u32, target: u32) -> Result<(), AwsError> {
    let why = if target > SHARDS.max {
        format!("Target shard count or number of open shards cannot be greater than {}.", SHARDS.max)
    } else if target > current.saturating_mul(2) {
        "UpdateShardCount cannot scale up over double your current open shard count.".into()
    } else if target < current.div_ceil(2) {
        "UpdateShardCount cannot scale down below half your current open shard count.".into()
    } else {
        return Ok(());
    };
    let message = format!("{why} Current open shard count: {current}, Target shard count: {target}");
    Err(AwsError::new("LimitExceededException", message))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SplitShard {
    #[serde(flatten)]
    stream: Named,
    shard_to_split: String,
    new_starting_hash_key: String,
}

pub fn split_shard(state: &mut State, at: Scope, input: SplitShard) -> Result<Value, AwsError> {
    let name = input.stream.name()?;
    let index = index_in(at, name, &input.shard_to_split)?;
    let key = at.active(state, name)?;
    let stream = state.streams.get_mut(&key).ok_or_else(|| at.not_found(name))?;
    check_open(stream, at, index)?;
    let shard = &stream.shards[&index];
    let wanted = &input.new_starting_hash_key;
    let inside = |hash: &u128| *hash > shard.start.saturating_add(1) && *hash < shard.end;
    let hash = wanted.parse::<u128>().ok().filter(inside).ok_or_else(|| {
        invalid(format!(
            "NewStartingHashKey {wanted} used in SplitShard() on shard {} in stream {name} under account {} is not both \
             greater than one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
            shard_id(index), at.account, shard.start, shard.end
        ))
    })?;
    account::check_shards(state, at, 1)?;
    let stream = state.streams.get_mut(&key).ok_or_else(|| at.not_found(name))?;
    stream.split(index, hash, at.now);
    state.pass(&key, Status::Updating, at);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MergeShards {
    #[serde(flatten)]
    stream: Named,
    shard_to_merge: String,
    adjacent_shard_to_merge: String,
}

pub fn merge_shards(state: &mut State, at: Scope, input: MergeShards) -> Result<Value, AwsError> {
    let name = input.stream.name()?;
    let lower = index_in(at, name, &input.shard_to_merge)?;
    let upper = index_in(at, name, &input.adjacent_shard_to_merge)?;
    let key = at.active(state, name)?;
    let stream = state.streams.get_mut(&key).ok_or_else(|| at.not_found(name))?;
    check_open(stream, at, lower)?;
    check_open(stream, at, upper)?;
    if stream.shards[&lower].end.checked_add(1) != Some(stream.shards[&upper].start) {
        return Err(invalid(format!(
            "Shards {} and {} in stream {name} under account {} are not an adjacent pair of shards eligible for merging",
            shard_id(lower),
            shard_id(upper),
            at.account
        )));
    }
    stream.merge(lower, upper, at.now);
    state.pass(&key, Status::Updating, at);
    Ok(Value::Null)
}

/// A text that is no shard's id is refused before the stream is looked for.
fn index_in(at: Scope, stream: &str, id: &str) -> Result<u32, AwsError> {
    parse_shard_id(id).ok_or_else(|| at.no_such_shard(stream, id))
}

fn check_open(stream: &Stream, at: Scope, index: u32) -> Result<(), AwsError> {
    let id = shard_id(index);
    match stream.shards.get(&index) {
        None => Err(at.no_such_shard(&stream.name, &id)),
        Some(shard) if shard.closed.is_some() => Err(invalid(format!(
            "Shard {id} in stream {} under account {} has already been merged or split, and thus is not eligible for \
             merging or splitting.",
            stream.name, at.account
        ))),
        Some(_) => Ok(()),
    }
}
