//! Reading objects: whole, in part, and what is known of them.

use bytes::Bytes;
use s3s::dto::*;

use super::checksum::{self, with_checksum};
use super::context::Context;
use super::convert;
use super::documents::with_encryption;
use crate::request::AwsError;
use crate::service::s3::object::{self, Object};
use crate::service::s3::{Checksum as Sum, Description, State, Sums, refusal};

/// Parts in one page.
const MAX_PARTS: usize = 1000;

/// Makes the answer that a GET and a HEAD have in common (their types have the same members), and gives the object's bytes and
/// the part that is asked for.
macro_rules! read {
    ($Output:ident, $state:expr, $cx:expr, $input:expr) => {{
        let (object, body) = $state.get(&$input.bucket, &$input.key, $input.version_id.as_deref())?;
        let conditions = convert::Conditions {
            matches: $input.if_match.as_ref(),
            matches_none: $input.if_none_match.as_ref(),
            modified_since: $input.if_modified_since.as_ref(),
            unmodified_since: $input.if_unmodified_since.as_ref(),
        };
        conditions.check($cx.now, object)?;
        let part = Span::of_read($input.range.as_ref(), $input.part_number, object)?;
        let whole = part.to - part.from == body.len();
        let mode = $input.checksum_mode.as_ref().filter(|_| $input.range.is_none() || whole);
        let sum = mode.and_then(|mode| checksum_of(mode, $input.part_number, object, $cx.sums, &body));
        let description = object.description.clone();
        let output = $Output {
            accept_ranges: Some("bytes".into()),
            content_length: Some((part.to - part.from) as i64),
            content_range: part.content_range.clone(),
            content_type: $input
                .response_content_type
                .clone()
                .or(description.content_type)
                .or_else(|| Some("binary/octet-stream".into())),
            content_encoding: $input.response_content_encoding.clone().or(description.content_encoding),
            content_disposition: $input.response_content_disposition.clone().or(description.content_disposition),
            content_language: $input.response_content_language.clone().or(description.content_language),
            cache_control: $input.response_cache_control.clone().or(description.cache_control),
            expires: $input.response_expires.clone(),
            e_tag: Some(convert::etag(&object.etag)),
            expiration: expiration($state, &$input.bucket, &$input.key, $input.version_id.as_deref(), object),
            last_modified: Some(convert::time(object.last_modified)),
            metadata: Some(description.metadata.into_iter().collect()),
            parts_count: $input.part_number.and((!object.parts.is_empty()).then_some(object.parts.len() as i32)),
            storage_class: description.storage_class.map(StorageClass::from),
            version_id: $state.told(&$input.bucket, &object.version),
            ..Default::default()
        };
        let mut output = with_checksum!(with_encryption!(output, &description.encryption), sum.as_ref());
        let composite = object.checksum.as_ref().is_some_and(Sum::is_composite);
        output.checksum_type = sum.map(|_| checksum::kind(composite));
        (output, object, body, part)
    }};
}

/// The expiration of the newest version, if it is not asked for by its id.
fn expiration(state: &State, bucket: &str, key: &str, version: Option<&str>, object: &Object) -> Option<String> {
    version.map_or_else(|| state.expiration(bucket, key, object), |_| None)
}

/// An answer, and headers for which the library's type has no members.
pub type WithHeaders<T> = (T, Vec<(&'static str, String)>);

pub fn get(state: &State, cx: &Context, input: &GetObjectInput) -> Result<WithHeaders<GetObjectOutput>, AwsError> {
    let (output, object, body, part) = read!(GetObjectOutput, state, cx, input);
    object.description.readable()?;
    let body = Some(convert::blob(body.slice(part.from..part.to)));
    let headers = headers(&object.description, input.response_expires.as_ref());
    Ok((GetObjectOutput { body, ..output }, headers))
}

pub fn head(state: &State, cx: &Context, input: &HeadObjectInput) -> Result<WithHeaders<HeadObjectOutput>, AwsError> {
    let (output, object, ..) = read!(HeadObjectOutput, state, cx, input);
    Ok((output, headers(&object.description, input.response_expires.as_ref())))
}

/// The library has no number of tags for a HEAD, and no `Expires` that is not a date. `instead`: what the reader wants to have been
/// said of that.
fn headers(description: &Description, instead: Option<&Timestamp>) -> Vec<(&'static str, String)> {
    let tags = Some(description.tags.len()).filter(|count| *count > 0).map(|count| count.to_string());
    let expires = description.expires.clone().filter(|_| instead.is_none());
    let headers = [("x-amz-tagging-count", tags), ("expires", expires)];
    headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The checksum that a reader gets who asks for it. For a part it is the one that its upload wanted.
fn checksum_of(mode: &ChecksumMode, part: Option<i32>, object: &Object, sums: &Sums, body: &Bytes) -> Option<Sum> {
    if mode.as_str() != ChecksumMode::ENABLED {
        return None;
    }
    match part.filter(|_| !object.parts.is_empty()) {
        Some(number) => object.parts.iter().find(|part| part.number == number)?.checksum.clone(),
        None => Some(checksum::of(object, sums, body)),
    }
}

/// Only what was asked for.
pub fn attributes(
    state: &State,
    cx: &Context,
    input: &GetObjectAttributesInput,
) -> Result<GetObjectAttributesOutput, AwsError> {
    let (object, body) = state.get(&input.bucket, &input.key, input.version_id.as_deref())?;
    // The library takes a list in one header for one word.
    let asked = || input.object_attributes.iter().flat_map(|words| words.as_str().split(',')).map(str::trim);
    let asks = |name: &str| asked().any(|word| word == name);
    let sum = checksum::of(object, cx.sums, &body);
    let typed = Checksum { checksum_type: Some(checksum::kind(sum.is_composite())), ..Default::default() };
    let class = || StorageClass::from(object.description.storage_class().to_owned());
    Ok(GetObjectAttributesOutput {
        e_tag: Some(convert::etag(&object.etag)).filter(|_| asks(ObjectAttributes::ETAG)),
        checksum: asks(ObjectAttributes::CHECKSUM).then(|| with_checksum!(typed, Some(&sum))),
        object_parts: parts(object, input).filter(|_| asks(ObjectAttributes::OBJECT_PARTS)),
        object_size: Some(object.size as i64).filter(|_| asks(ObjectAttributes::OBJECT_SIZE)),
        storage_class: asks(ObjectAttributes::STORAGE_CLASS).then(class),
        last_modified: Some(convert::time(object.last_modified)),
        version_id: state.told(&input.bucket, &object.version),
        ..Default::default()
    })
}

/// The number of parts of an object that was uploaded in parts, and each part if the object's checksum is made of theirs.
fn parts(object: &Object, input: &GetObjectAttributesInput) -> Option<GetObjectAttributesParts> {
    let total_parts_count = Some(object.parts.len() as i32).filter(|count| *count > 0);
    total_parts_count?;
    if !object.checksum.as_ref().is_some_and(Sum::is_composite) {
        return Some(GetObjectAttributesParts { total_parts_count, ..Default::default() });
    }
    let after = input.part_number_marker.unwrap_or_default();
    let max = input.max_parts.and_then(|max| usize::try_from(max).ok()).unwrap_or(MAX_PARTS).min(MAX_PARTS);
    let mut rest = object.parts.iter().filter(|part| part.number > after);
    let page: Vec<ObjectPart> = rest.by_ref().take(max).map(row).collect();
    Some(GetObjectAttributesParts {
        is_truncated: Some(rest.next().is_some()),
        max_parts: Some(max as i32),
        next_part_number_marker: Some(page.last().and_then(|part| part.part_number).unwrap_or_default()),
        part_number_marker: Some(after),
        parts: Some(page),
        total_parts_count,
    })
}

fn row(part: &object::Part) -> ObjectPart {
    let row = ObjectPart { part_number: Some(part.number), size: Some(part.size as i64), ..Default::default() };
    with_checksum!(row, part.checksum.as_ref())
}

/// The part of an object that is asked for.
#[derive(Debug)]
pub struct Span {
    pub from: usize,
    pub to: usize,
    content_range: Option<String>,
}

impl Span {
    /// The span that a GET or HEAD asks for: by a range or the number of a part.
    fn of_read(range: Option<&Range>, part: Option<i32>, object: &Object) -> Result<Span, AwsError> {
        match (range, part) {
            (Some(_), Some(_)) => {
                Err(refusal::invalid_request("Cannot specify both Range header and partNumber query parameter"))
            }
            (range, None) => Span::of(range, object.size),
            (None, Some(number)) => Span::of_part(number, object),
        }
    }

    /// An object that was put in one piece is its own first part.
    fn of_part(number: i32, object: &Object) -> Result<Span, AwsError> {
        let whole = [object::Part { number: 1, size: object.size, etag: None, checksum: None }];
        let parts = if object.parts.is_empty() { &whole[..] } else { &object.parts };
        let at = parts.iter().position(|part| part.number == number).ok_or_else(|| {
            let refused = AwsError::new("InvalidPartNumber", "The requested partnumber is not satisfiable");
            let refused = refused.with_status(416).with_detail("ActualPartCount", parts.len().to_string());
            refused.with_detail("PartNumberRequested", number.to_string())
        })?;
        let first = parts[..at].iter().map(|part| part.size).sum();
        match parts[at].size {
            0 => Ok(Span { from: first as usize, to: first as usize, content_range: None }),
            size => Span::of(Some(&Range::Int { first, last: Some(first + size - 1) }), object.size),
        }
    }

    pub fn of(range: Option<&Range>, size: u64) -> Result<Span, AwsError> {
        let Some(range) = range else { return Ok(Span { from: 0, to: size as usize, content_range: None }) };
        let within = match range {
            Range::Suffix { length } => Range::Suffix { length: size.min(*length) },
            Range::Int { .. } => *range,
        };
        let asked = within.check(size).map_err(|_| {
            let refused = AwsError::new("InvalidRange", "The requested range is not satisfiable").with_status(416);
            let refused = refused.with_detail("RangeRequested", range.to_header_string());
            refused.with_detail("ActualObjectSize", size.to_string())
        })?;
        let content_range = Some(format!("bytes {}-{}/{size}", asked.start, asked.end - 1));
        Ok(Span { from: asked.start as usize, to: asked.end as usize, content_range })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parts_number_finds_its_bytes() {
        let part = |number, size| object::Part { number, size, etag: None, checksum: None };
        let of = |number, parts: &[object::Part]| {
            let object = Object { size: 10, parts: parts.to_vec(), ..Object::default() };
            let found = Span::of_part(number, &object).map_err(|error| error.details);
            found.map(|span| (span.from, span.to, span.content_range.unwrap_or_default()))
        };
        let parts = [part(1, 6), part(3, 4), part(4, 0)];
        assert_eq!(of(1, &parts), Ok((0, 6, "bytes 0-5/10".into())));
        assert_eq!(of(3, &parts), Ok((6, 10, "bytes 6-9/10".into())));
        assert_eq!(of(4, &parts), Ok((10, 10, String::new())));
        let missing = vec![("ActualPartCount", "3".into()), ("PartNumberRequested", "2".into())];
        assert_eq!(of(2, &parts), Err(missing));
        assert_eq!(of(1, &[]), Ok((0, 10, "bytes 0-9/10".into())));
        assert!(of(2, &[]).is_err());
    }
}
