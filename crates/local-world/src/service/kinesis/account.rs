//! The limits of an account in a region.

use aws_facts::kinesis::STREAMS_CREATING_OR_DELETING;
use serde::Deserialize;
use serde_json::{Value, json};

use super::stream::{Mode, Status, Stream};
use super::{Scope, State};
use crate::request::AwsError;

const MOST_ON_DEMAND: usize = 50;

/// <https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html>
fn shard_limit(region: &str) -> usize {
    match region {
        "us-east-1" | "us-west-2" | "eu-west-1" => 20_000,
        _ => 6_000,
    }
}

fn streams<'a>(state: &'a State, at: Scope) -> impl Iterator<Item = &'a Stream> {
    let prefix = at.key("");
    state.streams.with_prefix(&prefix).map(|(_, stream)| stream).collect::<Vec<_>>().into_iter()
}

fn open_shards(state: &State, at: Scope) -> usize {
    streams(state, at).map(Stream::open_shard_count).sum()
}

/// May there be so many shards more?
pub fn check_shards(state: &State, at: Scope, more: u32) -> Result<(), AwsError> {
    let (current, limit) = (open_shards(state, at), shard_limit(at.region));
    if current + more as usize <= limit {
        return Ok(());
    }
    let message = format!(
        "This request would exceed the shard limit for the account {} in {}. Current shard count for the account: {current}. \
         Limit: {limit}. Number of additional shards that would have resulted from this request: {more}. Refer to the AWS \
         Service Limits page (https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and \
         how to request higher limits.",
        at.account, at.region
    );
    Err(AwsError::new("LimitExceededException", message))
}

/// May one more stream be CREATING or DELETING?
pub fn check_passing(state: &State, at: Scope) -> Result<(), AwsError> {
    let passes = |stream: &&Stream| matches!(stream.status, Status::Creating | Status::Deleting);
    if streams(state, at).filter(passes).count() < STREAMS_CREATING_OR_DELETING {
        return Ok(());
    }
    let message = format!(
        "This request would have exceed the limit on the number of streams that can simultaneously be in CREATING or \
         DELETING for the account {}. Limit: {STREAMS_CREATING_OR_DELETING}.",
        at.account
    );
    Err(AwsError::new("LimitExceededException", message))
}

#[derive(Debug, Deserialize)]
pub struct Nothing {}

pub fn describe_limits(state: &mut State, at: Scope, _: Nothing) -> Result<Value, AwsError> {
    let on_demand = streams(state, at).filter(|stream| stream.mode == Mode::OnDemand).count();
    Ok(json!({
        "ShardLimit": shard_limit(at.region),
        "OpenShardCount": open_shards(state, at),
        "OnDemandStreamCount": on_demand,
        "OnDemandStreamCountLimit": MOST_ON_DEMAND,
    }))
}

/// The commitment cannot be made here.
pub fn describe_settings(_: &mut State, _: Scope, _: Nothing) -> Result<Value, AwsError> {
    Ok(json!({ "MinimumThroughputBillingCommitment": { "Status": "DISABLED" } }))
}
