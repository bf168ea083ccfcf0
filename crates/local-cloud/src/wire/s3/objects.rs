//! Object operations: the input's members to the store, its answer to the output's.

use bytes::Bytes;
use s3s::dto::*;

use super::adapter::Context;
use super::{convert, documents};
use crate::request::AwsError;
use crate::service::s3::bucket::Tags;
use crate::service::s3::object::Precondition;
use crate::service::s3::{Description, State};

/// Keys in one deletion.
const MAX_KEYS: usize = 1000;

pub fn put(
    state: &mut State,
    cx: &Context,
    input: PutObjectInput,
    body: Bytes,
    tags: Tags,
    precondition: Precondition,
) -> Result<PutObjectOutput, AwsError> {
    let kms_key = documents::kms_key(state, &input.bucket, input.server_side_encryption.as_ref(), input.ssekms_key_id)?;
    let description = Description {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        metadata: convert::metadata(input.metadata),
        tags,
        kms_key: kms_key.clone(),
    };
    let etag = state.put(cx.now, &input.bucket, &input.key, body, description, precondition)?;
    Ok(PutObjectOutput {
        e_tag: Some(convert::etag(&etag)),
        server_side_encryption: documents::algorithm(&kms_key),
        ssekms_key_id: kms_key,
        ..Default::default()
    })
}

pub fn get(state: &State, input: &GetObjectInput) -> Result<GetObjectOutput, AwsError> {
    let (object, body) = state.get(&input.bucket, &input.key)?;
    convert::readable(&object.etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let part = Span::of(input.range.as_ref(), object.size)?;
    let description = object.description.clone();
    Ok(GetObjectOutput {
        accept_ranges: Some("bytes".into()),
        body: Some(convert::blob(body.slice(part.from..part.to))),
        content_length: Some((part.to - part.from) as i64),
        content_range: part.content_range,
        content_type: description.content_type.or_else(binary),
        content_encoding: description.content_encoding,
        content_disposition: description.content_disposition,
        content_language: description.content_language,
        cache_control: description.cache_control,
        e_tag: Some(convert::etag(&object.etag)),
        last_modified: Some(convert::time(object.last_modified)),
        metadata: Some(description.metadata.into_iter().collect()),
        server_side_encryption: documents::algorithm(&description.kms_key),
        ssekms_key_id: description.kms_key,
        tag_count: Some(description.tags.len() as i32).filter(|count| *count > 0),
        ..Default::default()
    })
}

pub fn head(state: &State, input: &HeadObjectInput) -> Result<HeadObjectOutput, AwsError> {
    let object = state.object(&input.bucket, &input.key)?;
    convert::readable(&object.etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let part = Span::of(input.range.as_ref(), object.size)?;
    let description = object.description.clone();
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".into()),
        content_length: Some((part.to - part.from) as i64),
        content_range: part.content_range,
        content_type: description.content_type.or_else(binary),
        content_encoding: description.content_encoding,
        content_disposition: description.content_disposition,
        content_language: description.content_language,
        cache_control: description.cache_control,
        e_tag: Some(convert::etag(&object.etag)),
        last_modified: Some(convert::time(object.last_modified)),
        metadata: Some(description.metadata.into_iter().collect()),
        server_side_encryption: documents::algorithm(&description.kms_key),
        ssekms_key_id: description.kms_key,
        ..Default::default()
    })
}

fn binary() -> Option<String> {
    Some("binary/octet-stream".into())
}

/// The part of an object that is asked for.
pub struct Span {
    pub from: usize,
    pub to: usize,
    content_range: Option<String>,
}

impl Span {
    pub fn of(range: Option<&Range>, size: u64) -> Result<Span, AwsError> {
        let Some(range) = range else { return Ok(Span { from: 0, to: size as usize, content_range: None }) };
        let asked = range
            .check(size)
            .map_err(|_| AwsError::new("InvalidRange", "The requested range is not satisfiable").with_status(416))?;
        let content_range = Some(format!("bytes {}-{}/{size}", asked.start, asked.end - 1));
        Ok(Span { from: asked.start as usize, to: asked.end as usize, content_range })
    }
}

pub fn delete_many(state: &mut State, input: DeleteObjectsInput) -> Result<DeleteObjectsOutput, AwsError> {
    if !(1..=MAX_KEYS).contains(&input.delete.objects.len()) {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(AwsError::new("MalformedXML", message));
    }
    let mut deleted = vec![];
    for object in input.delete.objects {
        state.delete(&input.bucket, &object.key)?;
        deleted.push(DeletedObject { key: Some(object.key), ..Default::default() });
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(DeleteObjectsOutput { deleted: Some(deleted).filter(|_| !quiet), ..Default::default() })
}

/// Bucket and key of a copy's source. Access points there are none.
pub fn source(source: &CopySource) -> Result<(&str, &str), AwsError> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket, key)),
        _ => {
            let message = "A header you provided implies functionality that is not implemented";
            Err(AwsError::new("NotImplemented", message).with_status(501))
        }
    }
}

pub fn copy(state: &mut State, cx: &Context, input: CopyObjectInput, tags: Tags) -> Result<CopyObjectOutput, AwsError> {
    let (bucket, key) = source(&input.copy_source)?;
    let (source, body) = state.get(bucket, key)?;
    convert::readable(&source.etag, input.copy_source_if_match.as_ref(), input.copy_source_if_none_match.as_ref())?;
    let replaces = |directive: Option<&str>| directive == Some("REPLACE");
    let mut description = source.description.clone();
    if replaces(input.metadata_directive.as_ref().map(MetadataDirective::as_str)) {
        description = Description {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: convert::metadata(input.metadata),
            tags: description.tags,
            kms_key: None,
        };
    } else if bucket == input.bucket && key == input.key {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                       object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(AwsError::new("InvalidRequest", message));
    }
    if replaces(input.tagging_directive.as_ref().map(TaggingDirective::as_str)) {
        description.tags = tags;
    }
    let kms_key = documents::kms_key(state, &input.bucket, input.server_side_encryption.as_ref(), input.ssekms_key_id)?;
    description.kms_key = kms_key.clone();
    let etag = state.put(cx.now, &input.bucket, &input.key, body, description, Precondition::None)?;
    let result = CopyObjectResult {
        e_tag: Some(convert::etag(&etag)),
        last_modified: Some(convert::time(cx.now)),
        ..Default::default()
    };
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        server_side_encryption: documents::algorithm(&kms_key),
        ssekms_key_id: kms_key,
        ..Default::default()
    })
}
