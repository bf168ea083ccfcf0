//! Object operations: the input's members to the store, its answer to the output's.

use bytes::Bytes;
use s3s::dto::*;

use super::adapter::Context;
use super::convert;
use crate::request::AwsError;
use crate::service::query::percent_encode;
use crate::service::s3::bucket::Tags;
use crate::service::s3::listing::{Page, Query};
use crate::service::s3::object::Precondition;
use crate::service::s3::{Description, State};

/// Keys in one page, keys in one deletion.
const MAX_KEYS: usize = 1000;

pub fn put(
    state: &mut State,
    cx: &Context,
    input: PutObjectInput,
    body: Bytes,
    tags: Tags,
    precondition: Precondition,
) -> Result<PutObjectOutput, AwsError> {
    let description = Description {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        metadata: convert::metadata(input.metadata),
        tags,
    };
    let etag = state.put(cx.now, &input.bucket, &input.key, body, description, precondition)?;
    Ok(PutObjectOutput { e_tag: Some(convert::etag(&etag)), ..Default::default() })
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
        ..Default::default()
    })
}

fn binary() -> Option<String> {
    Some("binary/octet-stream".into())
}

/// The part of an object that is asked for.
struct Span {
    from: usize,
    to: usize,
    content_range: Option<String>,
}

impl Span {
    fn of(range: Option<&Range>, size: u64) -> Result<Span, AwsError> {
        let Some(range) = range else { return Ok(Span { from: 0, to: size as usize, content_range: None }) };
        let asked = range.check(size).map_err(|_| {
            AwsError::new("InvalidRange", "The requested range is not satisfiable").with_status(416)
        })?;
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

pub fn copy(state: &mut State, cx: &Context, input: CopyObjectInput, tags: Tags) -> Result<CopyObjectOutput, AwsError> {
    let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
        let message = "A header you provided implies functionality that is not implemented";
        return Err(AwsError::new("NotImplemented", message).with_status(501));
    };
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
        };
    } else if **bucket == input.bucket && **key == input.key {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                       object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(AwsError::new("InvalidRequest", message));
    }
    if replaces(input.tagging_directive.as_ref().map(TaggingDirective::as_str)) {
        description.tags = tags;
    }
    let etag = state.put(cx.now, &input.bucket, &input.key, body, description, Precondition::None)?;
    let result = CopyObjectResult {
        e_tag: Some(convert::etag(&etag)),
        last_modified: Some(convert::time(cx.now)),
        ..Default::default()
    };
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
}

pub fn list_v2(state: &State, cx: &Context, input: ListObjectsV2Input) -> Result<ListObjectsV2Output, AwsError> {
    let after = match &input.continuation_token {
        Some(token) => decode_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    let query = query(&input.prefix, &input.delimiter, after, input.max_keys)?;
    let page = state.list(&input.bucket, &query)?;
    let spelled = Spelling::of(input.encoding_type.as_ref());
    let owner = input.fetch_owner.unwrap_or(false).then(|| convert::owner(cx.account));
    let contents = contents(&page, spelled, owner.as_ref());
    let prefixes = common_prefixes(&page, spelled);
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(spelled.write(&query.prefix)),
        max_keys: Some(query.max as i32),
        key_count: Some((contents.len() + prefixes.len()) as i32),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_deref().map(encode_token),
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        delimiter: input.delimiter.map(|delimiter| spelled.write(&delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(|key| spelled.write(&key)),
        request_charged: None,
    })
}

pub fn list_v1(state: &State, cx: &Context, input: ListObjectsInput) -> Result<ListObjectsOutput, AwsError> {
    let marker = input.marker.unwrap_or_default();
    let query = query(&input.prefix, &input.delimiter, marker.clone(), input.max_keys)?;
    let page = state.list(&input.bucket, &query)?;
    let spelled = Spelling::of(input.encoding_type.as_ref());
    let contents = contents(&page, spelled, Some(&convert::owner(cx.account)));
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(spelled.write(&query.prefix)),
        marker: Some(spelled.write(&marker)),
        max_keys: Some(query.max as i32),
        is_truncated: Some(page.next.is_some()),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes(&page, spelled)),
        // Without a delimiter a client goes on from the last key, and AWS leaves the marker out.
        next_marker: page.next.as_deref().filter(|_| input.delimiter.is_some()).map(|next| spelled.write(next)),
        delimiter: input.delimiter.map(|delimiter| spelled.write(&delimiter)),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

fn query(
    prefix: &Option<String>,
    delimiter: &Option<String>,
    after: String,
    max_keys: Option<i32>,
) -> Result<Query, AwsError> {
    let max = usize::try_from(max_keys.unwrap_or(1000)).map_err(|_| {
        AwsError::new("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
    })?;
    let (prefix, delimiter) = (prefix.clone().unwrap_or_default(), delimiter.clone().unwrap_or_default());
    Ok(Query { prefix, delimiter, after, max: max.min(MAX_KEYS) })
}

/// How keys are written in a listing: as they are, or percent-encoded (`encoding-type=url`).
#[derive(Clone, Copy)]
enum Spelling {
    Plain,
    Url,
}

impl Spelling {
    fn of(encoding: Option<&EncodingType>) -> Spelling {
        if encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL) { Spelling::Url } else { Spelling::Plain }
    }

    fn write(self, key: &str) -> String {
        match self {
            Spelling::Plain => key.to_owned(),
            Spelling::Url => percent_encode(key).replace("%2F", "/"),
        }
    }
}

fn contents(page: &Page, spelled: Spelling, owner: Option<&Owner>) -> Vec<Object> {
    let row = |(key, object): &(&str, &crate::service::s3::Object)| Object {
        key: Some(spelled.write(key)),
        e_tag: Some(convert::etag(&object.etag)),
        last_modified: Some(convert::time(object.last_modified)),
        owner: owner.cloned(),
        size: Some(object.size as i64),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Default::default()
    };
    page.objects.iter().map(row).collect()
}

fn common_prefixes(page: &Page, spelled: Spelling) -> Vec<CommonPrefix> {
    page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(spelled.write(prefix)) }).collect()
}

/// Opaque to clients, as AWS's are: base64 of the page's last entry.
fn encode_token(last: &str) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(last)
}

fn decode_token(token: &str) -> Result<String, AwsError> {
    let decoded = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).ok().and_then(|last| String::from_utf8(last).ok());
    decoded.ok_or_else(|| AwsError::new("InvalidArgument", "The continuation token provided is incorrect"))
}
