//! Checks what exists in the account: buckets, and how much of the quotas is in use.

use std::collections::HashSet;

use aws_facts::kinesis::STREAMS_CREATING_OR_DELETING;
use aws_sdk_kinesis::types::StreamStatus;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde_json::Value;

use super::Check;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::resource::stream::Mode;
use crate::spec::stack::{Entry, Stack};

/// No operation returns the quota of delivery streams. It is 5,000 in these regions and at least 100 elsewhere.
/// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
const DELIVERY_STREAMS: i64 = 5_000;
const REGIONS: [&str; 5] = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "ap-northeast-1"];
const DELIVERY_STREAMS_ELSEWHERE: i64 = 100;

pub async fn buckets(cx: &Cx, stack: &Stack) -> Vec<Check> {
    let mut checks = vec![];
    for entry in stack.buckets.values() {
        let (name, create) = (entry.physical(), entry.managed().is_some_and(|entry| entry.desired.create));
        let call = cx.s3().head_bucket().bucket(name).expected_bucket_owner(&cx.names.account);
        match call.send().await {
            Ok(_) => {
                checks.push(Check::good("bucket", format!("{name} exists in this account and region")));
                checks.extend(policy(cx, name).await);
            }
            Err(error) => checks.push(not_seen(cx, name, create, error)),
        }
    }
    checks
}

fn not_seen(cx: &Cx, name: &str, create: bool, error: SdkError<HeadBucketError, HttpResponse>) -> Check {
    let header = |name: &str| error.raw_response().and_then(|response| response.headers().get(name)).map(str::to_owned);
    let region = header("x-amz-bucket-region");
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(404) if create => Check::good("bucket", format!("{name} does not exist; `up` will create it")),
        Some(404) => {
            Check::failed("bucket", format!("{name} does not exist"), "create it, or set `create: if-missing`")
        }
        Some(301 | 400) if region.is_some() => {
            let found = format!("{name} is in {}, not in {}", region.unwrap_or_default(), cx.names.region);
            Check::failed("bucket", found, "choose another bucket, or use the bucket's region")
        }
        Some(403) => Check::failed(
            "bucket",
            format!("{name} belongs to another account, or these credentials cannot access it"),
            "bucket names are unique across AWS: choose another, or allow s3:ListBucket on it",
        ),
        _ => Check::unchecked(
            "bucket",
            format!("{name}: {}", Error::aws("reading it", error)),
            "check the network and --endpoint",
        ),
    }
}

/// Checks whether the bucket policy denies writing claims or delivered objects.
async fn policy(cx: &Cx, name: &str) -> Option<Check> {
    let text = match cx.s3().get_bucket_policy().bucket(name).send().await {
        Ok(answer) => answer.policy?,
        Err(error) => {
            let error = Error::aws(format!("reading the policy of {name}"), error);
            let none = error.code() == Some("NoSuchBucketPolicy");
            return (!none).then(|| {
                Check::unchecked(
                    "bucket",
                    error.to_string(),
                    "allow s3:GetBucketPolicy on it to include it in the check",
                )
            });
        }
    };
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let denies = denied(&document);
    (!denies.is_empty()).then(|| {
        Check::care(
            "bucket",
            format!("the policy of {name} denies {}", denies.join("; ")),
            "see that it lets in who runs this and the delivery streams' roles; where it demands headers of objects, `markers: false` \
             writes none",
        )
    })
}

/// `s3:PutObject depending on s3:x-amz-server-side-encryption`, for each statement that denies.
fn denied(document: &Value) -> Vec<String> {
    let listed = |value: &Value| -> Vec<Value> { value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]) };
    let denies = listed(&document["Statement"]).into_iter().filter(|statement| statement["Effect"] == "Deny");
    let told = denies.map(|statement| {
        let named = |element: &str| -> Vec<String> {
            listed(&statement[element]).iter().filter_map(|action| action.as_str().map(str::to_owned)).collect()
        };
        let (actions, others) = (named("Action"), named("NotAction"));
        let actions = if actions.is_empty() { format!("all except {}", others.join(", ")) } else { actions.join(", ") };
        let operators = statement["Condition"].as_object().into_iter().flatten();
        let keys: Vec<String> = operators
            .flat_map(|(_, keys)| keys.as_object().into_iter().flatten())
            .map(|(key, _)| key.clone())
            .collect();
        let condition = if keys.is_empty() { String::new() } else { format!(" depending on {}", keys.join(", ")) };
        format!("{actions}{condition}")
    });
    told.collect()
}

/// Checks the quotas for the stack's streams.
pub async fn streams(cx: &Cx, stack: &Stack) -> Vec<Check> {
    let wanted: Vec<(&str, Mode)> = stack
        .streams
        .values()
        .filter_map(Entry::managed)
        .map(|entry| (entry.physical.as_str(), entry.desired.mode))
        .collect();
    if wanted.is_empty() {
        return vec![];
    }
    let (there, moving) = match listed(cx).await {
        Ok(listed) => listed,
        Err(error) => return vec![unread("streams", &error, "kinesis:ListStreams")],
    };
    let missing: Vec<Mode> = wanted.iter().filter(|(name, _)| !there.contains(*name)).map(|(_, mode)| *mode).collect();
    let mut checks = vec![];
    if moving + missing.len() > STREAMS_CREATING_OR_DELETING {
        let found = format!(
            "{moving} streams are being created or deleted and {} will be created; AWS allows {STREAMS_CREATING_OR_DELETING} at a time",
            missing.len()
        );
        checks.push(Check::care("streams", found, "`up` waits for the others and takes longer"));
    }
    let limits = match cx.kinesis().describe_limits().send().await {
        Ok(limits) => limits,
        Err(error) => {
            let error = Error::aws("reading the limits", error);
            checks.push(unread("streams", &error, "kinesis:DescribeLimits"));
            return checks;
        }
    };
    let shards: i64 =
        missing.iter().map(|mode| if let Mode::Provisioned { shards } = mode { i64::from(*shards) } else { 0 }).sum();
    let on_demand = missing.iter().filter(|mode| **mode == Mode::OnDemand).count() as i64;
    checks.push(room("streams", "shards", limits.open_shard_count.into(), shards, limits.shard_limit.into()));
    if on_demand > 0 {
        let (used, most) = (limits.on_demand_stream_count.into(), limits.on_demand_stream_count_limit.into());
        checks.push(room("streams", "on-demand streams", used, on_demand, most));
    }
    checks
}

/// The names of all streams, and how many are being created or deleted.
async fn listed(cx: &Cx) -> Result<(HashSet<String>, usize)> {
    let mut pages = cx.kinesis().list_streams().into_paginator().send();
    let (mut names, mut moving) = (HashSet::new(), 0);
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Error::aws("listing the streams", error))?;
        let summaries = page.stream_summaries.unwrap_or_default();
        let is_moving = |status: &StreamStatus| matches!(status, StreamStatus::Creating | StreamStatus::Deleting);
        moving += summaries.iter().filter(|summary| is_moving(&summary.stream_status)).count();
        names.extend(page.stream_names);
    }
    Ok((names, moving))
}

/// Checks the quota for the stack's delivery streams.
pub async fn delivery_streams(cx: &Cx, stack: &Stack) -> Option<Check> {
    let wanted: Vec<&str> =
        stack.deliveries.values().filter(|entry| entry.managed().is_some()).map(Entry::physical).collect();
    if wanted.is_empty() {
        return None;
    }
    let there = match crate::resource::stream::delivery_streams(cx).await {
        Ok(there) => there,
        Err(error) => return Some(unread("deliveries", &error, "firehose:ListDeliveryStreams")),
    };
    let missing = wanted.iter().filter(|name| !there.iter().any(|there| there == *name)).count();
    let (used, more) = (there.len() as i64, missing as i64);
    if REGIONS.contains(&cx.names.region.as_str()) {
        return Some(room("deliveries", "delivery streams", used, more, DELIVERY_STREAMS));
    }
    let found = format!("{used} delivery streams exist and {more} will be created");
    let most =
        format!("the quota in {} may be as low as {DELIVERY_STREAMS_ELSEWHERE}: see Service Quotas", cx.names.region);
    Some(match used + more > DELIVERY_STREAMS_ELSEWHERE {
        true => Check::care("deliveries", found, most),
        false => Check::good("deliveries", found),
    })
}

fn room(about: &'static str, what: &str, used: i64, more: i64, most: i64) -> Check {
    match used + more > most {
        false => Check::good(about, format!("{used} of {most} {what} are in use and {more} will be created")),
        true => Check::failed(
            about,
            format!("{used} of {most} {what} are in use and {more} will be created"),
            "request an increase in Service Quotas, or delete environments that are no longer needed (provision list)",
        ),
    }
}

fn unread(about: &'static str, error: &Error, action: &str) -> Check {
    Check::unchecked(about, error.to_string(), format!("allow {action} to include it in the check"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_quota_that_would_be_passed_is_told_with_its_remedy() {
        assert_eq!(room("streams", "shards", 498, 2, 500).state, State::Good);
        let check = room("streams", "shards", 499, 2, 500);
        assert_eq!((check.state, check.remedy.is_some()), (State::Failed, true));
    }

    #[test]
    fn what_a_bucket_denies_is_told_with_what_it_asks_for() {
        let sse = json!({ "Effect": "Deny", "Action": "s3:PutObject", "Condition": { "Null": { "s3:x-amz-server-side-encryption": "true" } } });
        let allow = json!({ "Effect": "Allow", "Action": "s3:*" });
        assert_eq!(
            denied(&json!({ "Statement": [sse, allow] })),
            ["s3:PutObject depending on s3:x-amz-server-side-encryption"]
        );
        assert_eq!(denied(&json!({ "Statement": allow })), Vec::<String>::new());
        assert_eq!(denied(&json!({ "Statement": { "Effect": "Deny", "Action": ["a", "b"] } })), ["a, b"]);
        assert_eq!(denied(&json!({ "Statement": { "Effect": "Deny", "NotAction": "a" } })), ["all except a"]);
    }
}
