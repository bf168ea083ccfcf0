//! Listings of a bucket in the three forms that S3 has.

use s3s::dto::*;

use super::context::Context;
use super::{checksum, convert};
use crate::model::query::percent_encode;
use crate::request::AwsError;
use crate::service::s3::listing::{Page, Query};
use crate::service::s3::{Object as Stored, State, refusal};

/// Entries in one page.
const MAX_KEYS: usize = 1000;

pub fn list_v2(state: &State, cx: &Context, input: ListObjectsV2Input) -> Result<ListObjectsV2Output, AwsError> {
    let after = match &input.continuation_token {
        Some(token) => decode_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    // A token outweighs it.
    let start_after = input.start_after.filter(|_| input.continuation_token.is_none());
    let query = query(&input.prefix, &input.delimiter, after, input.max_keys)?;
    let page = state.list(&input.bucket, &query)?;
    let spelled = Spelling::of(input.encoding_type.as_ref())?;
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
        start_after: start_after.map(|key| spelled.write(&key)),
        request_charged: None,
    })
}

pub fn list_v1(state: &State, cx: &Context, input: ListObjectsInput) -> Result<ListObjectsOutput, AwsError> {
    let marker = input.marker.unwrap_or_default();
    let query = query(&input.prefix, &input.delimiter, marker.clone(), input.max_keys)?;
    let page = state.list(&input.bucket, &query)?;
    let spelled = Spelling::of(input.encoding_type.as_ref())?;
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

pub fn query(
    prefix: &Option<String>,
    delimiter: &Option<String>,
    after: String,
    max_keys: Option<i32>,
) -> Result<Query, AwsError> {
    let max = usize::try_from(max_keys.unwrap_or(1000)).map_err(|_| {
        let message = "Argument maxKeys must be an integer between 0 and 2147483647";
        refusal::invalid_argument(message, "maxKeys", &max_keys.unwrap_or_default().to_string())
    })?;
    let (prefix, delimiter) = (prefix.clone().unwrap_or_default(), delimiter.clone().unwrap_or_default());
    Ok(Query { prefix, delimiter, after, after_version: None, max: max.min(MAX_KEYS) })
}

/// How keys are written in a listing: as they are, or percent-encoded (`encoding-type=url`).
#[derive(Clone, Copy)]
pub enum Spelling {
    Plain,
    Url,
}

impl Spelling {
    pub fn of(encoding: Option<&EncodingType>) -> Result<Spelling, AwsError> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Spelling::Plain),
            Some(EncodingType::URL) => Ok(Spelling::Url),
            Some(other) => {
                let message = "Invalid Encoding Method specified in Request";
                Err(refusal::invalid_argument(message, "encoding-type", other))
            }
        }
    }

    pub fn write(self, key: &str) -> String {
        match self {
            Spelling::Plain => key.to_owned(),
            Spelling::Url => percent_encode(key).replace("%2F", "/"),
        }
    }
}

fn contents(page: &Page<&Stored>, spelled: Spelling, owner: Option<&Owner>) -> Vec<Object> {
    let row = |(key, object): &(&str, &Stored)| Object {
        key: Some(spelled.write(key)),
        e_tag: Some(convert::etag(&object.etag)),
        last_modified: Some(convert::time(object.last_modified)),
        owner: owner.cloned(),
        size: Some(object.size as i64),
        storage_class: Some(object.description.storage_class().to_owned().into()),
        checksum_algorithm: checksum::algorithms(object.checksum.as_ref()),
        checksum_type: object.checksum.as_ref().map(|sum| checksum::kind(sum.is_composite())),
        ..Default::default()
    };
    page.entries.iter().map(row).collect()
}

pub fn common_prefixes<T>(page: &Page<T>, spelled: Spelling) -> Vec<CommonPrefix> {
    page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(spelled.write(prefix)) }).collect()
}

/// Opaque to clients, as AWS's are: base64 of the page's last entry.
fn encode_token(last: &str) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(last)
}

fn decode_token(token: &str) -> Result<String, AwsError> {
    let decoded = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).ok().and_then(|last| String::from_utf8(last).ok());
    decoded.filter(|last| !last.is_empty()).ok_or_else(|| {
        AwsError::new("InvalidArgument", "The continuation token provided is incorrect")
            .with_detail("ArgumentName", "continuation-token")
    })
}
