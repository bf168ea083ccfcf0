//! Object operations: the input's members to the store, its answer to the output's.

use bytes::Bytes;
use s3s::dto::*;

use super::adapter::Context;
use super::checksum::{self, with_checksum};
use super::{convert, documents};
use crate::request::AwsError;
use crate::service::s3::bucket::Tags;
use crate::service::s3::checksum::Algorithm;
use crate::service::s3::object::{New, Object, Precondition};
use crate::service::s3::{Description, State};

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
    let checksum = cx.checksum.cloned().unwrap_or_else(|| Algorithm::Crc64Nvme.of(&body));
    let new = New::whole(body, Some(checksum.clone()), description);
    let stored = state.put(cx.now, &input.bucket, &input.key, new, precondition)?;
    let output = PutObjectOutput {
        e_tag: Some(convert::etag(&stored.etag)),
        version_id: stored.version,
        server_side_encryption: documents::algorithm(&kms_key),
        ssekms_key_id: kms_key,
        ..Default::default()
    };
    Ok(with_checksum!(output, Some(&checksum), typed))
}

/// Of a GET or a HEAD, whose inputs are two types with the same members.
macro_rules! conditions {
    ($input:expr) => {
        convert::Conditions {
            matches: $input.if_match.as_ref(),
            matches_none: $input.if_none_match.as_ref(),
            modified_since: $input.if_modified_since.as_ref(),
            unmodified_since: $input.if_unmodified_since.as_ref(),
        }
    };
}

pub fn get(state: &State, input: &GetObjectInput) -> Result<GetObjectOutput, AwsError> {
    let (object, body) = state.get(&input.bucket, &input.key, input.version_id.as_deref())?;
    conditions!(input).check(object)?;
    let part = Span::of_read(input.range.as_ref(), input.part_number, object)?;
    let mode = input.checksum_mode.as_ref().filter(|_| input.range.is_none());
    let checksum = checksum::asked_for(mode, object, &body);
    let description = object.description.clone();
    let output = GetObjectOutput {
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
        version_id: state.told(&input.bucket, &object.version),
        ..Default::default()
    };
    Ok(with_checksum!(output, checksum.as_ref(), typed))
}

pub fn head(state: &State, input: &HeadObjectInput) -> Result<HeadObjectOutput, AwsError> {
    let (object, body) = state.get(&input.bucket, &input.key, input.version_id.as_deref())?;
    conditions!(input).check(object)?;
    let part = Span::of_read(input.range.as_ref(), input.part_number, object)?;
    let mode = input.checksum_mode.as_ref().filter(|_| input.range.is_none());
    let checksum = checksum::asked_for(mode, object, &body);
    let description = object.description.clone();
    let output = HeadObjectOutput {
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
        version_id: state.told(&input.bucket, &object.version),
        ..Default::default()
    };
    Ok(with_checksum!(output, checksum.as_ref(), typed))
}

/// Only what was asked for.
pub fn attributes(state: &State, input: &GetObjectAttributesInput) -> Result<GetObjectAttributesOutput, AwsError> {
    let (object, body) = state.get(&input.bucket, &input.key, input.version_id.as_deref())?;
    // The library takes a list in one header for one word.
    let asked = || input.object_attributes.iter().flat_map(|words| words.as_str().split(',')).map(str::trim);
    let asks = |name: &str| asked().any(|word| word == name);
    let parts = object.etag.split_once('-').and_then(|(_, count)| count.parse().ok());
    let sum = checksum::of(object, &body);
    let typed = Checksum { checksum_type: Some(checksum::kind(sum.is_composite())), ..Default::default() };
    let storage = StorageClass::from_static(StorageClass::STANDARD);
    let standard = asks(ObjectAttributes::STORAGE_CLASS).then_some(storage);
    Ok(GetObjectAttributesOutput {
        e_tag: Some(convert::etag(&object.etag)).filter(|_| asks(ObjectAttributes::ETAG)),
        checksum: asks(ObjectAttributes::CHECKSUM).then(|| with_checksum!(typed, Some(&sum))),
        object_parts: parts
            .filter(|_| asks(ObjectAttributes::OBJECT_PARTS))
            .map(|count: i32| GetObjectAttributesParts { total_parts_count: Some(count), ..Default::default() }),
        object_size: Some(object.size as i64).filter(|_| asks(ObjectAttributes::OBJECT_SIZE)),
        storage_class: standard,
        last_modified: Some(convert::time(object.last_modified)),
        version_id: state.told(&input.bucket, &object.version),
        ..Default::default()
    })
}

pub fn tagging(state: &State, input: &GetObjectTaggingInput) -> Result<GetObjectTaggingOutput, AwsError> {
    let object = state.object(&input.bucket, &input.key, input.version_id.as_deref())?;
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
    *state.tags_mut(bucket, key, version)? = tags;
    let object = state.object(bucket, key, version)?;
    Ok(state.told(bucket, &object.version))
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
    /// Of a GET or a HEAD. A part's number is that of the upload, whose parts are not remembered: of an object that was put
    /// in one piece, the first is the whole.
    fn of_read(range: Option<&Range>, part: Option<i32>, object: &Object) -> Result<Span, AwsError> {
        let Some(number) = part else { return Span::of(range, object.size) };
        if range.is_some() {
            let message = "Cannot specify both Range header and partNumber query parameter";
            return Err(AwsError::new("InvalidRequest", message));
        }
        if object.etag.contains('-') {
            let message = "partNumber of an object that was uploaded in parts is not supported by the local engine";
            return Err(AwsError::new("NotImplemented", message).with_status(501));
        }
        match number {
            1 if object.size == 0 => Span::of(None, 0),
            1 => Span::of(Some(&Range::Int { first: 0, last: None }), object.size),
            _ => {
                let message = "The requested partnumber is not satisfiable";
                Err(AwsError::new("InvalidPartNumber", message).with_status(416))
            }
        }
    }

    pub fn of(range: Option<&Range>, size: u64) -> Result<Span, AwsError> {
        let Some(range) = range else { return Ok(Span { from: 0, to: size as usize, content_range: None }) };
        let range = match range {
            Range::Suffix { length } => Range::Suffix { length: size.min(*length) },
            Range::Int { .. } => *range,
        };
        let asked = range
            .check(size)
            .map_err(|_| AwsError::new("InvalidRange", "The requested range is not satisfiable").with_status(416))?;
        let content_range = Some(format!("bytes {}-{}/{size}", asked.start, asked.end - 1));
        Ok(Span { from: asked.start as usize, to: asked.end as usize, content_range })
    }
}

/// Bucket, key and version of a copy's source. Access points there are none.
pub fn source(source: &CopySource) -> Result<(&str, &str, Option<&str>), AwsError> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => Ok((bucket, key, version_id.as_deref())),
        _ => {
            let message = "A header you provided implies functionality that is not implemented";
            Err(AwsError::new("NotImplemented", message).with_status(501))
        }
    }
}

pub fn copy(state: &mut State, cx: &Context, input: CopyObjectInput, tags: Tags) -> Result<CopyObjectOutput, AwsError> {
    let (bucket, key, version) = source(&input.copy_source)?;
    let (source, body) = state.get(bucket, key, version)?;
    let (copied_version, checksum) = (state.told(bucket, &source.version), copied(source, &body, &input));
    convert::source_conditions!(input).check_source(source)?;
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
    } else if bucket == input.bucket && key == input.key && version.is_none() {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                       object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(AwsError::new("InvalidRequest", message));
    }
    if replaces(input.tagging_directive.as_ref().map(TaggingDirective::as_str)) {
        description.tags = tags;
    }
    let kms_key = documents::kms_key(state, &input.bucket, input.server_side_encryption.as_ref(), input.ssekms_key_id)?;
    description.kms_key = kms_key.clone();
    let new = New::whole(body, Some(checksum.clone()), description);
    let stored = state.put(cx.now, &input.bucket, &input.key, new, Precondition::None)?;
    let result = CopyObjectResult {
        e_tag: Some(convert::etag(&stored.etag)),
        last_modified: Some(convert::time(cx.now)),
        ..Default::default()
    };
    Ok(CopyObjectOutput {
        copy_object_result: Some(with_checksum!(result, Some(&checksum), typed)),
        version_id: stored.version,
        copy_source_version_id: copied_version,
        server_side_encryption: documents::algorithm(&kms_key),
        ssekms_key_id: kms_key,
        ..Default::default()
    })
}

/// A copy's checksum is of the whole: by the algorithm asked for, or that of the source.
fn copied(source: &crate::service::s3::Object, body: &[u8], input: &CopyObjectInput) -> crate::service::s3::Checksum {
    let asked = input.checksum_algorithm.as_ref().and_then(|name| Algorithm::named(name.as_str()));
    let algorithm = asked.or(source.checksum.as_ref().map(|checksum| checksum.algorithm));
    algorithm.unwrap_or(Algorithm::Crc64Nvme).of(body)
}
