//! Changes of a stream that are not about its shards. Each change needs it ACTIVE and leaves it UPDATING for a while.

use std::collections::BTreeSet;

use aws_facts::bounds::Bounds;
use aws_facts::kinesis::{RETENTION_HOURS, SHARD_METRICS};
use serde::Deserialize;
use serde_json::{Value, json};

use super::control::ModeDetails;
use super::stream::{Status, Stream};
use super::{Named, Scope, State, invalid, name_in};
use crate::request::AwsError;

fn update(state: &mut State, at: Scope, name: &str, change: impl FnOnce(&mut Stream)) -> Result<(), AwsError> {
    let key = at.active(state, name)?;
    change(state.streams.get_mut(&key).expect("an active stream exists"));
    state.pass(&key, Status::Updating, at);
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Retention {
    #[serde(flatten)]
    stream: Named,
    retention_period_hours: i64,
}

pub fn increase_retention(state: &mut State, at: Scope, input: Retention) -> Result<Value, AwsError> {
    let name = input.stream.name()?;
    let (current, wanted) = retention(state, at, name, input.retention_period_hours)?;
    if wanted < current {
        return Err(invalid(format!(
            "Requested retention period ({wanted} hours) for stream {name} can not be shorter than existing retention \
             period ({current} hours). Use DecreaseRetentionPeriod API."
        )));
    }
    update(state, at, name, |stream| stream.retention_h = wanted)?;
    Ok(Value::Null)
}

pub fn decrease_retention(state: &mut State, at: Scope, input: Retention) -> Result<Value, AwsError> {
    let name = input.stream.name()?;
    let (current, wanted) = retention(state, at, name, input.retention_period_hours)?;
    if wanted > current {
        return Err(invalid(format!(
            "Requested retention period ({wanted} hours) for stream {name} can not be longer than existing retention \
             period ({current} hours). Use IncreaseRetentionPeriod API."
        )));
    }
    update(state, at, name, |stream| stream.retention_h = wanted)?;
    state.trim_now(&at.key(name), at.now);
    Ok(Value::Null)
}

/// The current and the wanted retention, in hours, if the wanted one is possible.
fn retention(state: &State, at: Scope, name: &str, wanted: i64) -> Result<(u32, u32), AwsError> {
    let stream = state.streams.get(&at.key(name)).ok_or_else(|| at.not_found(name))?;
    let bound = |bound, hours, length| {
        invalid(format!(
            "{bound} allowed retention period is {hours} hours. Requested retention period ({wanted} hours) is too {length}."
        ))
    };
    let Bounds { min, max } = RETENTION_HOURS;
    match u32::try_from(wanted) {
        Ok(hours) if RETENTION_HOURS.admit(hours) => Ok((stream.retention_h, hours)),
        Ok(hours) if hours > max => Err(bound("Maximum", max, "long")),
        Ok(_) | Err(_) => Err(bound("Minimum", min, "short")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStreamMode {
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_mode_details: ModeDetails,
}

pub fn update_stream_mode(state: &mut State, at: Scope, input: UpdateStreamMode) -> Result<Value, AwsError> {
    let name = name_in(None, Some(&input.stream_arn))?;
    update(state, at, name, |stream| stream.mode = input.stream_mode_details.stream_mode)?;
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
pub struct UpdateMaxRecordSize {
    #[serde(flatten)]
    stream: Named,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_kib: u32,
}

pub fn update_max_record_size(state: &mut State, at: Scope, input: UpdateMaxRecordSize) -> Result<Value, AwsError> {
    update(state, at, input.stream.name()?, |stream| stream.max_record_kib = input.max_record_kib)?;
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Encryption {
    #[serde(flatten)]
    stream: Named,
    encryption_type: String,
    key_id: String,
}

impl Encryption {
    /// The service model also has `NONE`, which these two operations do not take:
    /// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StartStreamEncryption.html>
    fn check(&self) -> Result<(), AwsError> {
        // AWS's own message is not known.
        let refused = || invalid(format!("EncryptionType must be KMS, not {}.", self.encryption_type));
        if self.encryption_type == "KMS" { Ok(()) } else { Err(refused()) }
    }
}

pub fn start_encryption(state: &mut State, at: Scope, input: Encryption) -> Result<Value, AwsError> {
    input.check()?;
    update(state, at, input.stream.name()?, |stream| stream.key_id = Some(input.key_id))?;
    Ok(Value::Null)
}

pub fn stop_encryption(state: &mut State, at: Scope, input: Encryption) -> Result<Value, AwsError> {
    input.check()?;
    update(state, at, input.stream.name()?, |stream| stream.key_id = None)?;
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Monitoring {
    #[serde(flatten)]
    stream: Named,
    shard_level_metrics: BTreeSet<String>,
}

pub fn enable_monitoring(state: &mut State, at: Scope, input: Monitoring) -> Result<Value, AwsError> {
    monitor(state, at, &input, |now, wanted| now | wanted)
}

pub fn disable_monitoring(state: &mut State, at: Scope, input: Monitoring) -> Result<Value, AwsError> {
    monitor(state, at, &input, |now, unwanted| now - unwanted)
}

fn monitor(
    state: &mut State,
    at: Scope,
    input: &Monitoring,
    change: impl Fn(&BTreeSet<String>, &BTreeSet<String>) -> BTreeSet<String>,
) -> Result<Value, AwsError> {
    let name = input.stream.name()?;
    let stream = state.streams.get(&at.key(name)).ok_or_else(|| at.not_found(name))?;
    let all = || SHARD_METRICS.iter().map(|metric| (*metric).to_owned()).collect();
    let named = if input.shard_level_metrics.contains("ALL") { all() } else { input.shard_level_metrics.clone() };
    let (current, arn) = (stream.metrics.clone(), stream.arn.clone());
    let desired = change(&current, &named);
    update(state, at, name, |stream| stream.metrics = desired.clone())?;
    Ok(json!({
        "StreamName": name,
        "StreamARN": arn,
        "CurrentShardLevelMetrics": current,
        "DesiredShardLevelMetrics": desired,
    }))
}
