//! Multipart operations: the input's members to the store, its answer to the output's.

use bytes::Bytes;
use s3s::dto::*;

use super::checksum::{self, said, with_checksum};
use super::context::Context;
use super::documents::{self, with_encryption};
use super::lists::{self, Spelling};
use super::{acls, convert, objects, read};
use crate::request::AwsError;
use crate::service::s3::checksum::{Algorithm, Wanted};
use crate::service::s3::upload::{Asked, Completion, Joined};
use crate::service::s3::{State, refusal};

pub fn begin(
    state: &mut State,
    cx: &Context,
    input: CreateMultipartUploadInput,
) -> Result<CreateMultipartUploadOutput, AwsError> {
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
    let kind = input.checksum_type.as_ref().map(ChecksumType::as_str);
    let algorithm = input.checksum_algorithm.as_ref().and_then(|name| Algorithm::named(name.as_str()));
    let checksum = algorithm.map(|algorithm| Wanted::of(algorithm, kind)).transpose()?;
    state.begin_upload(cx.now, cx.id, &input.bucket, &input.key, description, checksum)?;
    let output = CreateMultipartUploadOutput {
        checksum_algorithm: checksum.map(|wanted| ChecksumAlgorithm::from_static(wanted.algorithm.name())),
        checksum_type: checksum.map(|wanted| checksum::kind(wanted.composite)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(cx.id.to_owned()),
        ..Default::default()
    };
    Ok(with_encryption!(output, &encryption))
}

pub fn put_part(
    state: &mut State,
    cx: &Context,
    input: UploadPartInput,
    body: Bytes,
) -> Result<UploadPartOutput, AwsError> {
    let (id, number) = (&input.upload_id, input.part_number);
    let upload = state.upload(id, &input.bucket, &input.key)?;
    let sum = cx
        .checksum
        .cloned()
        .or_else(|| checksum::of_whole_upload(upload).map(|algorithm| cx.sums.checksum(algorithm, &body)));
    let encryption = upload.description.encryption.clone();
    let etag = state.put_part(cx.now, id, number, body, cx.sums, sum.clone())?;
    let output = UploadPartOutput { e_tag: Some(convert::etag(&etag)), ..Default::default() };
    Ok(with_checksum!(with_encryption!(output, &encryption), sum.as_ref()))
}

/// A part that is (a range of) an object that is there.
pub fn copy_part(
    state: &mut State,
    cx: &Context,
    input: UploadPartCopyInput,
) -> Result<UploadPartCopyOutput, AwsError> {
    let (bucket, key, version) = objects::source(&input.copy_source)?;
    let (source, body) = state.get(bucket, key, version).map_err(objects::of_source)?;
    source.description.readable()?;
    let source_version = state.told(bucket, &source.version);
    convert::source_conditions!(input).check_source(cx.now, source)?;
    let (id, number, body) = (&input.upload_id, input.part_number, source_part(&input, &body)?);
    let upload = state.upload(id, &input.bucket, &input.key)?;
    let sum = upload.checksum.map(|wanted| cx.sums.checksum(wanted.algorithm, &body));
    let encryption = upload.description.encryption.clone();
    let etag = state.put_part(cx.now, id, number, body, cx.sums, sum.clone())?;
    let copied = CopyPartResult {
        e_tag: Some(convert::etag(&etag)),
        last_modified: Some(convert::time(cx.now)),
        ..Default::default()
    };
    let output = UploadPartCopyOutput {
        copy_part_result: Some(with_checksum!(copied, sum.as_ref())),
        copy_source_version_id: source_version,
        ..Default::default()
    };
    Ok(with_encryption!(output, &encryption))
}

/// The range of the source that becomes the part.
pub fn source_part(input: &UploadPartCopyInput, body: &Bytes) -> Result<Bytes, AwsError> {
    let size = body.len() as u64;
    let range = input.copy_source_range.as_deref().map(|range| source_range(range, size)).transpose()?;
    let part = read::Span::of(range.as_ref(), size)?;
    Ok(body.slice(part.from..part.to))
}

/// Both ends must be said, and be there.
fn source_range(text: &str, size: u64) -> Result<Range, AwsError> {
    let invalid = |message: &str| refusal::invalid_argument(message, "x-amz-copy-source-range", text);
    match Range::parse(text) {
        Ok(range @ Range::Int { last: Some(last), .. }) if last < size => Ok(range),
        Ok(Range::Int { first, last: Some(_) }) if first < size => {
            Err(invalid(&format!("Range specified is not valid for source object of size: {size}")))
        }
        Ok(Range::Int { last: Some(_), .. }) => {
            Err(refusal::invalid_request("The specified copy range is invalid for the source object size"))
        }
        _ => Err(invalid(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based \
             offsets of the first and last bytes to copy",
        )),
    }
}

/// Splits a completion's input into what the store needs and the rest.
pub fn completion(
    mut input: CompleteMultipartUploadInput,
) -> Result<(CompleteMultipartUploadInput, Completion), AwsError> {
    let precondition = convert::precondition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let parts = input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
    let parts = parts.into_iter().map(asked).collect();
    let composite = input.checksum_type.as_ref().map(|kind| kind.as_str() == ChecksumType::COMPOSITE);
    let size = input.mpu_object_size.and_then(|size| u64::try_from(size).ok());
    let completion = Completion { parts, checksum: said!(input.clone()), composite, size, precondition };
    Ok((input, completion))
}

pub fn complete(
    state: &mut State,
    cx: &Context,
    input: CompleteMultipartUploadInput,
    completion: Completion,
    joined: &Joined,
) -> Result<CompleteMultipartUploadOutput, AwsError> {
    let stored = state.complete_upload(cx.now, &input.upload_id, &input.bucket, &input.key, completion, joined)?;
    let (object, body) = state.get(&input.bucket, &input.key, Some(stored.id()))?;
    let output = CompleteMultipartUploadOutput {
        e_tag: Some(convert::etag(&stored.etag)),
        expiration: objects::expiration(state, &input.bucket, &input.key, &object.version),
        version_id: stored.version,
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        ..Default::default()
    };
    let output = with_encryption!(output, &object.description.encryption);
    Ok(with_checksum!(output, Some(&checksum::of(object, &joined.sums, &body)), typed))
}

fn asked(part: CompletedPart) -> Asked {
    let checksum = said!(part);
    Asked { number: part.part_number.unwrap_or_default(), etag: part.e_tag.map(ETag::into_value), checksum }
}

/// Entries in one page, of parts and of uploads.
const MAX_PAGE: i32 = 1000;

pub fn parts(state: &State, cx: &Context, input: ListPartsInput) -> Result<ListPartsOutput, AwsError> {
    let upload = state.upload(&input.upload_id, &input.bucket, &input.key)?;
    let (after, max) = (input.part_number_marker.unwrap_or_default(), input.max_parts.unwrap_or(MAX_PAGE));
    let max = max.clamp(0, MAX_PAGE);
    let mut rest = upload.parts.iter().filter(|(number, _)| **number > after);
    let page: Vec<Part> = rest.by_ref().take(max as usize).map(|(number, part)| row(upload, *number, part)).collect();
    Ok(ListPartsOutput {
        is_truncated: Some(rest.next().is_some()),
        max_parts: Some(max),
        part_number_marker: Some(after),
        next_part_number_marker: Some(page.last().and_then(|part| part.part_number).unwrap_or_default()),
        parts: Some(page),
        checksum_algorithm: upload.checksum.map(algorithm),
        checksum_type: upload.checksum.map(|wanted| checksum::kind(wanted.composite)),
        storage_class: Some(upload.description.storage_class().to_owned().into()),
        owner: Some(convert::owner(cx.account)),
        initiator: Some(initiator(cx)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        ..Default::default()
    })
}

/// A part's checksum is shown where the upload wants one.
fn row(upload: &crate::service::s3::Upload, number: i32, part: &crate::service::s3::upload::Part) -> Part {
    let row = Part {
        part_number: Some(number),
        e_tag: Some(convert::etag(&part.etag)),
        size: Some(part.size as i64),
        last_modified: Some(convert::time(part.last_modified)),
        ..Default::default()
    };
    with_checksum!(row, part.checksum.as_ref().filter(|_| upload.checksum.is_some()))
}

fn algorithm(wanted: Wanted) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from_static(wanted.algorithm.name())
}

/// The account's root: there are no users here.
fn initiator(cx: &Context) -> Initiator {
    Initiator { display_name: None, id: convert::owner(cx.account).id }
}

pub fn list(
    state: &State,
    cx: &Context,
    input: ListMultipartUploadsInput,
) -> Result<ListMultipartUploadsOutput, AwsError> {
    let after = input.key_marker.clone().unwrap_or_default();
    let max = input.max_uploads.unwrap_or(MAX_PAGE);
    let mut query = lists::query(&input.prefix, &input.delimiter, after, Some(max))?;
    // Without a key the id says nothing.
    let marker = input.upload_id_marker.filter(|id| !id.is_empty() && !query.after.is_empty());
    query.after_version = marker.clone();
    let page = state.list_uploads(&input.bucket, &query)?;
    let spelled = Spelling::of(input.encoding_type.as_ref())?;
    let row = |(key, (id, upload)): &(&str, (&str, &crate::service::s3::Upload))| MultipartUpload {
        key: Some(spelled.write(key)),
        upload_id: Some((*id).to_owned()),
        initiated: Some(convert::time(upload.initiated)),
        checksum_algorithm: upload.checksum.map(algorithm),
        checksum_type: upload.checksum.map(|wanted| checksum::kind(wanted.composite)),
        storage_class: Some(upload.description.storage_class().to_owned().into()),
        owner: Some(convert::owner(cx.account)),
        initiator: Some(initiator(cx)),
    };
    // AWS names the last upload whether or not there are more, and no prefix.
    let last = page.entries.last();
    Ok(ListMultipartUploadsOutput {
        uploads: Some(page.entries.iter().map(row).collect()),
        common_prefixes: Some(lists::common_prefixes(&page, spelled)),
        is_truncated: Some(page.next.is_some()),
        max_uploads: Some(query.max as i32),
        key_marker: Some(spelled.write(&query.after)),
        upload_id_marker: Some(marker.unwrap_or_default()),
        next_key_marker: Some(last.map(|(key, _)| spelled.write(key)).unwrap_or_default()),
        next_upload_id_marker: Some(last.map(|(_, (id, _))| (*id).to_owned()).unwrap_or_default()),
        prefix: input.prefix.map(|prefix| spelled.write(&prefix)),
        delimiter: input.delimiter.map(|delimiter| spelled.write(&delimiter)),
        bucket: Some(input.bucket),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}
