//! Bucket operations: the input's members to the store, its answer to the output's.

use s3s::dto::*;
use serde_json::Value;

use super::context::Context;
use super::convert::{self, Tagged};
use super::{acls, documents};
use crate::request::AwsError;
use crate::service::s3::bucket::{EU, Tags};
use crate::service::s3::{State, lifecycle, refusal};

pub fn create(
    state: &mut State,
    cx: &Context,
    input: CreateBucketInput,
    tags: Vec<Tag>,
) -> Result<CreateBucketOutput, AwsError> {
    let tags = convert::tags(tags, Tagged::NewBucket)?;
    let constraint = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    let constraint = constraint.as_ref().map(BucketLocationConstraint::as_str);
    let ownership = documents::ownership_header(input.object_ownership.as_ref())?;
    let acl = input.acl.as_ref().map(BucketCannedACL::as_str);
    acls::admit_new(ownership, acl)?;
    state.create_bucket(cx.now, cx.region, &input.bucket, constraint, tags)?;
    if let Some(word) = ownership {
        documents::keep(state, &input.bucket, documents::OWNERSHIP, &word)?;
    }
    if let Some(name) = acl {
        documents::keep(state, &input.bucket, documents::ACL, &name)?;
    }
    Ok(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
}

pub fn head(state: &State, name: &str) -> Result<HeadBucketOutput, AwsError> {
    let region = state.bucket(name)?.region.clone();
    Ok(HeadBucketOutput { access_point_alias: Some(false), bucket_region: Some(region), ..Default::default() })
}

pub fn list(state: &State, cx: &Context, input: ListBucketsInput) -> Result<ListBucketsOutput, AwsError> {
    let prefix = input.prefix.clone().unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let at_most = usize::try_from(input.max_buckets.unwrap_or(10_000)).unwrap_or(0);
    let wanted = |name: &str, region: &str| {
        name.starts_with(&prefix) && name > after.as_str() && input.bucket_region.as_deref().is_none_or(|r| r == region)
    };
    let mut found: Vec<Bucket> = state
        .buckets()
        .filter(|(name, bucket)| wanted(name, &bucket.region))
        .take(at_most.saturating_add(1))
        .map(|(name, bucket)| Bucket {
            name: Some(name.to_owned()),
            bucket_region: Some(bucket.region.clone()),
            creation_date: Some(convert::time(bucket.created)),
        })
        .collect();
    let more = found.len() > at_most;
    found.truncate(at_most);
    Ok(ListBucketsOutput {
        continuation_token: found.last().and_then(|bucket| bucket.name.clone()).filter(|_| more),
        buckets: Some(found),
        owner: Some(convert::owner(cx.account)),
        prefix: input.prefix,
    })
}

pub fn location(state: &State, name: &str) -> Result<GetBucketLocationOutput, AwsError> {
    let bucket = state.bucket(name)?;
    let called = if bucket.in_eu { EU } else { &bucket.region };
    let constraint = (called != "us-east-1").then(|| BucketLocationConstraint::from(called.to_owned()));
    Ok(GetBucketLocationOutput { location_constraint: constraint })
}

pub fn tagging(state: &State, name: &str) -> Result<GetBucketTaggingOutput, AwsError> {
    let tags = &state.bucket(name)?.tags;
    if tags.is_empty() {
        return Err(refusal::unset("NoSuchTagSet", "The TagSet does not exist", name));
    }
    Ok(GetBucketTaggingOutput { tag_set: convert::tag_set(tags) })
}

pub fn set_tags(state: &mut State, name: &str, tags: Tags) -> Result<(), AwsError> {
    state.bucket_mut(name)?.tags = tags;
    Ok(())
}

/// The rules as they are kept, and from which size on objects move.
pub fn lifecycle(state: &State, name: &str) -> Result<(Value, Option<TransitionDefaultMinimumObjectSize>), AwsError> {
    let rules = state.bucket(name)?.lifecycle().cloned().ok_or_else(|| {
        refusal::unset("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", name)
    })?;
    Ok((rules, documents::least_transition(state, name)?))
}

pub fn shown_lifecycle(
    name: &str,
    rules: Value,
    least: Option<TransitionDefaultMinimumObjectSize>,
) -> Result<GetBucketLifecycleConfigurationOutput, AwsError> {
    let rules = serde_json::from_value(rules).map_err(|error| {
        AwsError::new("InternalError", format!("reading the lifecycle of {name}: {error}")).with_status(500)
    })?;
    Ok(GetBucketLifecycleConfigurationOutput { rules: Some(rules), transition_default_minimum_object_size: least })
}

/// The rules of a call, checked; those without an id get one, as on AWS.
pub fn new_lifecycle(id: &str, input: &mut PutBucketLifecycleConfigurationInput) -> Result<Value, AwsError> {
    let mut rules = input.lifecycle_configuration.take().map(|configuration| configuration.rules).unwrap_or_default();
    if rules.is_empty() {
        return Err(refusal::malformed_xml());
    }
    for (at, rule) in rules.iter_mut().enumerate() {
        rule.id.get_or_insert_with(|| format!("{id}-{at}"));
    }
    let rules = serde_json::to_value(rules).expect("rules of strings and numbers serialise");
    lifecycle::check(&rules)?;
    Ok(rules)
}

pub fn set_lifecycle(
    state: &mut State,
    input: PutBucketLifecycleConfigurationInput,
    rules: Value,
) -> Result<PutBucketLifecycleConfigurationOutput, AwsError> {
    state.bucket_mut(&input.bucket)?.set_lifecycle(Some(rules));
    let least = input.transition_default_minimum_object_size;
    documents::keep(state, &input.bucket, documents::LEAST_TRANSITION, &least.as_ref().map(|word| word.as_str()))?;
    Ok(PutBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: documents::least_transition(state, &input.bucket)?,
    })
}
