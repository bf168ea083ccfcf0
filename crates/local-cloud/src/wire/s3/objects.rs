//! Object operations: the input's members to the store, its answer to the output's.

use bytes::Bytes;
use s3s::dto::*;

use super::checksum::with_checksum;
use super::context::Context;
use super::documents::{self, with_encryption};
use super::{acls, convert};
use crate::request::AwsError;
use crate::service::s3::bucket::Tags;
use crate::service::s3::checksum::Algorithm;
use crate::service::s3::object::{New, Precondition};
use crate::service::s3::version::VersionId;
use crate::service::s3::{Description, Object, State, refusal};

pub fn put(state: &mut State, cx: &Context, input: PutObjectInput, body: Bytes) -> Result<PutObjectOutput, AwsError> {
    let precondition = convert::precondition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let tags = convert::tagging_header(input.tagging.as_deref())?;
    let encryption = documents::encryption_of(
        state,
        &input.bucket,
        input.server_side_encryption.as_ref(),
        input.ssekms_key_id,
        input.bucket_key_enabled,
    )?;
    acls::admit(state, &input.bucket, input.acl.as_ref().map(ObjectCannedACL::as_str), false)?;
    let description = convert::description!(input, cx, tags, encryption.clone()).checked()?;
    let checksum = cx.checksum.cloned().unwrap_or_else(|| cx.sums.checksum(Algorithm::Crc64Nvme, &body));
    let new = New::whole(body, cx.sums, Some(checksum.clone()), description);
    let stored = state.put(cx.now, &input.bucket, &input.key, new, precondition)?;
    let output = PutObjectOutput {
        e_tag: Some(convert::etag(&stored.etag)),
        expiration: expiration(state, &input.bucket, &input.key, &stored.version),
        version_id: stored.version,
        ..Default::default()
    };
    Ok(with_checksum!(with_encryption!(output, &encryption), Some(&checksum), typed))
}

/// The expiration of a version, if it is the newest one of its key. The lifecycle rules that S3 tells of are those for the newest.
pub fn expiration(state: &State, bucket: &str, key: &str, version: &VersionId) -> Option<String> {
    let newest = state.object(bucket, key, None).ok().filter(|newest| newest.version == *version)?;
    state.expiration(bucket, key, newest)
}

pub fn tagging(state: &State, input: &GetObjectTaggingInput) -> Result<GetObjectTaggingOutput, AwsError> {
    let object = state.described(&input.bucket, &input.key, input.version_id.as_deref())?;
    let version_id = state.told(&input.bucket, &object.version);
    Ok(GetObjectTaggingOutput { tag_set: convert::tag_set(&object.description.tags), version_id })
}

/// Gives the version whose tags these are now.
pub fn set_tags(
    state: &mut State,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    tags: Tags,
) -> Result<Option<String>, AwsError> {
    state.description_mut(bucket, key, version)?.tags = tags;
    let object = state.object(bucket, key, version)?;
    Ok(state.told(bucket, &object.version))
}

/// Bucket, key and version of a copy's source. Access points there are none.
pub fn source(source: &CopySource) -> Result<(&str, &str, Option<&str>), AwsError> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => Ok((bucket, key, version_id.as_deref())),
        _ => Err(refusal::not_implemented("x-amz-copy-source")),
    }
}

pub fn copy(
    state: &mut State,
    cx: &Context,
    input: CopyObjectInput,
    precondition: Precondition,
) -> Result<CopyObjectOutput, AwsError> {
    let (bucket, key, version) = source(&input.copy_source)?;
    let (source, body) = state.get(bucket, key, version).map_err(of_source)?;
    source.description.readable()?;
    let (copied_version, checksum) =
        (state.told(bucket, &source.version), cx.sums.checksum(copied(source, &input), &body));
    convert::source_conditions!(input).check_source(cx.now, source)?;
    let encryption = documents::encryption_of(
        state,
        &input.bucket,
        input.server_side_encryption.as_ref(),
        input.ssekms_key_id.clone(),
        input.bucket_key_enabled,
    )?;
    acls::admit(state, &input.bucket, input.acl.as_ref().map(ObjectCannedACL::as_str), false)?;
    if changes_nothing(&input, (bucket, key, version)) {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                       object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(refusal::invalid_request(message));
    }
    let tags = if replaces(input.tagging_directive.as_ref().map(TaggingDirective::as_str)) {
        convert::tagging_header(input.tagging.as_deref())?
    } else {
        source.description.tags.clone()
    };
    let description = if replaces(input.metadata_directive.as_ref().map(MetadataDirective::as_str)) {
        convert::description!(input, cx, tags, encryption.clone())
    } else {
        let storage_class = convert::storage_class(input.storage_class);
        let acl = input.acl.map(|acl| acl.as_str().to_owned());
        Description { tags, encryption: encryption.clone(), storage_class, acl, ..source.description.clone() }
    };
    let new = New::whole(body, cx.sums, Some(checksum.clone()), description.checked()?);
    let stored = state.put(cx.now, &input.bucket, &input.key, new, precondition)?;
    let result = CopyObjectResult {
        e_tag: Some(convert::etag(&stored.etag)),
        last_modified: Some(convert::time(cx.now)),
        ..Default::default()
    };
    let output = CopyObjectOutput {
        copy_object_result: Some(with_checksum!(result, Some(&checksum), typed)),
        expiration: expiration(state, &input.bucket, &input.key, &stored.version),
        version_id: stored.version,
        copy_source_version_id: copied_version,
        ..Default::default()
    };
    Ok(with_encryption!(output, &encryption))
}

fn replaces(directive: Option<&str>) -> bool {
    directive == Some("REPLACE")
}

/// A copy of an object onto itself.
fn changes_nothing(input: &CopyObjectInput, (bucket, key, version): (&str, &str, Option<&str>)) -> bool {
    bucket == input.bucket
        && key == input.key
        && version.is_none()
        && input.storage_class.is_none()
        && input.server_side_encryption.is_none()
        && !replaces(input.metadata_directive.as_ref().map(MetadataDirective::as_str))
}

/// That a copy's source is a delete marker is told in other words.
pub fn of_source(error: AwsError) -> AwsError {
    if error.code != "MethodNotAllowed" {
        return error;
    }
    refusal::invalid_request(
        "The source of a copy request may not specifically refer to a delete marker by version id.",
    )
}

/// A copy's checksum is of the whole: by the algorithm asked for, or that of the source.
pub fn copied(source: &Object, input: &CopyObjectInput) -> Algorithm {
    let asked = input.checksum_algorithm.as_ref().and_then(|name| Algorithm::named(name.as_str()));
    let algorithm = asked.or(source.checksum.as_ref().map(|checksum| checksum.algorithm));
    algorithm.unwrap_or(Algorithm::Crc64Nvme)
}
