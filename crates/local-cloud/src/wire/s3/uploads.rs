//! Multipart operations: the input's members to the store, its answer to the output's.

use bytes::Bytes;
use s3s::dto::*;

use super::adapter::Context;
use super::checksum::{self, said, with_checksum};
use super::{convert, documents, objects, read};
use crate::request::AwsError;
use crate::service::s3::checksum::{Algorithm, Wanted};
use crate::service::s3::upload::{Asked, Completion};
use crate::service::s3::{State, refusal};

pub fn begin(
    state: &mut State,
    cx: &Context,
    input: CreateMultipartUploadInput,
) -> Result<CreateMultipartUploadOutput, AwsError> {
    let tags = convert::tagging_header(input.tagging.as_deref())?;
    let kms_key = documents::kms_key(state, &input.bucket, input.server_side_encryption.as_ref(), input.ssekms_key_id)?;
    let description = convert::description!(input, tags, kms_key.clone()).checked()?;
    let kind = input.checksum_type.as_ref().map(ChecksumType::as_str);
    let algorithm = input.checksum_algorithm.as_ref().and_then(|name| Algorithm::named(name.as_str()));
    let checksum = algorithm.map(|algorithm| Wanted::of(algorithm, kind)).transpose()?;
    state.begin_upload(cx.now, cx.id, &input.bucket, &input.key, description, checksum)?;
    Ok(CreateMultipartUploadOutput {
        checksum_algorithm: checksum.map(|wanted| ChecksumAlgorithm::from_static(wanted.algorithm.name())),
        checksum_type: checksum.map(|wanted| checksum::kind(wanted.composite)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(cx.id.to_owned()),
        server_side_encryption: documents::algorithm(&kms_key),
        ssekms_key_id: kms_key,
        ..Default::default()
    })
}

pub fn put_part(
    state: &mut State,
    cx: &Context,
    input: UploadPartInput,
    body: Bytes,
) -> Result<UploadPartOutput, AwsError> {
    let (id, number) = (&input.upload_id, input.part_number);
    let upload = state.upload(id, &input.bucket, &input.key)?;
    let sum = cx.checksum.cloned().or_else(|| checksum::of_whole_upload(upload, &body));
    let etag = state.put_part(cx.now, id, number, body, sum.clone())?;
    let output = UploadPartOutput { e_tag: Some(convert::etag(&etag)), ..Default::default() };
    Ok(with_checksum!(output, sum.as_ref()))
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
    convert::source_conditions!(input).check_source(source)?;
    let range = input.copy_source_range.as_deref().map(|range| source_range(range, source.size)).transpose()?;
    let part = read::Span::of(range.as_ref(), source.size)?;
    let (id, number, body) = (&input.upload_id, input.part_number, body.slice(part.from..part.to));
    let sum = state.upload(id, &input.bucket, &input.key)?.checksum.map(|wanted| wanted.algorithm.of(&body));
    let etag = state.put_part(cx.now, id, number, body, sum.clone())?;
    let copied = CopyPartResult {
        e_tag: Some(convert::etag(&etag)),
        last_modified: Some(convert::time(cx.now)),
        ..Default::default()
    };
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(with_checksum!(copied, sum.as_ref())),
        copy_source_version_id: source_version,
        ..Default::default()
    })
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

pub fn complete(
    state: &mut State,
    cx: &Context,
    input: CompleteMultipartUploadInput,
) -> Result<CompleteMultipartUploadOutput, AwsError> {
    let precondition = convert::precondition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let parts = parts.into_iter().map(asked).collect();
    let completion = Completion { parts, checksum: said!(input), precondition };
    let stored = state.complete_upload(cx.now, &input.upload_id, &input.bucket, &input.key, completion)?;
    let (object, body) = state.get(&input.bucket, &input.key, None)?;
    let output = CompleteMultipartUploadOutput {
        e_tag: Some(convert::etag(&stored.etag)),
        version_id: stored.version,
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        ..Default::default()
    };
    Ok(with_checksum!(output, Some(&checksum::of(object, &body)), typed))
}

fn asked(part: CompletedPart) -> Asked {
    let checksum = said!(part);
    Asked { number: part.part_number.unwrap_or_default(), etag: part.e_tag.map(ETag::into_value), checksum }
}

/// All parts in one page: there are at most ten thousand.
pub fn parts(state: &State, input: ListPartsInput) -> Result<ListPartsOutput, AwsError> {
    let upload = state.upload(&input.upload_id, &input.bucket, &input.key)?;
    let row = |(number, part): (&i32, &crate::service::s3::upload::Part)| {
        let row = Part {
            part_number: Some(*number),
            e_tag: Some(convert::etag(&part.etag)),
            size: Some(part.size as i64),
            last_modified: Some(convert::time(part.last_modified)),
            ..Default::default()
        };
        with_checksum!(row, part.checksum.as_ref())
    };
    let parts: Vec<Part> = upload.parts.iter().map(row).collect();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        is_truncated: Some(false),
        parts: Some(parts),
        ..Default::default()
    })
}

/// All uploads of the bucket with the prefix, in one page.
pub fn list(state: &State, input: ListMultipartUploadsInput) -> Result<ListMultipartUploadsOutput, AwsError> {
    state.bucket(&input.bucket)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let uploads = state.uploads(&input.bucket).filter(|(_, upload)| upload.key.starts_with(&prefix));
    let row = |(id, upload): (&str, &crate::service::s3::Upload)| MultipartUpload {
        key: Some(upload.key.clone()),
        upload_id: Some(id.to_owned()),
        initiated: Some(convert::time(upload.initiated)),
        ..Default::default()
    };
    let uploads: Vec<MultipartUpload> = uploads.map(row).collect();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix,
        is_truncated: Some(false),
        uploads: Some(uploads),
        ..Default::default()
    })
}
