//! Server access logs of a bucket: where they go is checked, kept and shown. No log is written.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>. Codes and words are those that
//! <https://github.com/localstack/localstack/pull/9737> saw on AWS.

use s3s::dto::*;
use serde::{Deserialize, Serialize};

use super::{acls, documents};
use crate::request::AwsError;
use crate::service::s3::{State, refusal};

/// The document that is kept: the protocol layer's own type cannot be.
#[derive(Serialize, Deserialize)]
struct Target {
    bucket: String,
    prefix: String,
    format: Option<Format>,
}

/// How the keys of logs are made.
#[derive(Serialize, Deserialize)]
enum Format {
    Simple,
    /// By the time of this: of the event, or of the delivery.
    Partitioned(Option<String>),
}

pub fn status(state: &State, bucket: &str) -> Result<GetBucketLoggingOutput, AwsError> {
    let target: Option<Target> = documents::kept(state, bucket, documents::LOGGING)?;
    Ok(GetBucketLoggingOutput { logging_enabled: target.map(shown) })
}

fn shown(target: Target) -> LoggingEnabled {
    let format = target.format.map(|format| match format {
        Format::Simple => TargetObjectKeyFormat { partitioned_prefix: None, simple_prefix: Some(SimplePrefix {}) },
        Format::Partitioned(source) => {
            let partitioned = PartitionedPrefix { partition_date_source: source.map(PartitionDateSource::from) };
            TargetObjectKeyFormat { partitioned_prefix: Some(partitioned), simple_prefix: None }
        }
    });
    LoggingEnabled {
        target_bucket: target.bucket,
        target_grants: None,
        target_object_key_format: format,
        target_prefix: target.prefix,
    }
}

/// A status without a target turns the logs off.
pub fn set(state: &mut State, input: PutBucketLoggingInput) -> Result<PutBucketLoggingOutput, AwsError> {
    match input.bucket_logging_status.logging_enabled {
        None => documents::forget(state, &input.bucket, documents::LOGGING)?,
        Some(enabled) => {
            check(state, &input.bucket, &enabled)?;
            let format = enabled.target_object_key_format.and_then(|format| {
                let source =
                    |prefix: PartitionedPrefix| prefix.partition_date_source.map(|source| source.as_str().to_owned());
                let partitioned = format.partitioned_prefix.map(|prefix| Format::Partitioned(source(prefix)));
                partitioned.or(format.simple_prefix.map(|_| Format::Simple))
            });
            let target = Target { bucket: enabled.target_bucket, prefix: enabled.target_prefix, format };
            documents::keep(state, &input.bucket, documents::LOGGING, &target)?;
        }
    }
    Ok(PutBucketLoggingOutput {})
}

/// The target is in the same region, and lets logs be delivered: by its policy, which S3 does not look at here, or by its ACL.
fn check(state: &State, bucket: &str, enabled: &LoggingEnabled) -> Result<(), AwsError> {
    let source = state.bucket(bucket)?;
    let target = enabled.target_bucket.as_str();
    let invalid =
        |message: &str| AwsError::new("InvalidTargetBucketForLogging", message).with_detail("TargetBucket", target);
    let there = state.bucket(target).map_err(|_| invalid("The target bucket for logging does not exist"))?;
    if there.region != source.region {
        let refused = AwsError::new("CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed. ");
        let refused = refused.with_status(403).with_detail("TargetBucketLocation", &there.region);
        return Err(refused.with_detail("SourceBucketLocation", &source.region));
    }
    if enabled.target_grants.as_ref().is_some_and(|grants| !grants.is_empty()) {
        return Err(refusal::not_implemented_parameter("TargetGrants"));
    }
    let both = |format: &TargetObjectKeyFormat| format.partitioned_prefix.is_some() && format.simple_prefix.is_some();
    if enabled.target_object_key_format.as_ref().is_some_and(both) {
        return Err(refusal::malformed_xml());
    }
    if !documents::is_owner_enforced(state, target)? && !acls::lets_logs_in(state, target)? {
        return Err(invalid(
            "You must give the log-delivery group WRITE and READ_ACP permissions to the target bucket",
        ));
    }
    Ok(())
}
