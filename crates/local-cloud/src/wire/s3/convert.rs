//! Between `s3s`'s types and the store's.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::TryStreamExt;
use s3s::dto::{self, ETag, ETagCondition, StreamingBlob, Timestamp};
use s3s::xml::{DeError, Deserializer};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use crate::request::AwsError;
use crate::service::s3::bucket::Tags;
use crate::service::s3::object::{Object, Precondition, precondition_failed};
use crate::settings::Millis;

pub fn error(error: AwsError, id: &str) -> S3Error {
    // Codes that the library does not know become custom ones: this cannot fail.
    let code = error.code.parse().unwrap_or(S3ErrorCode::InternalError);
    let mut out = S3Error::with_message(code, error.message);
    if let Ok(status) = http::StatusCode::from_u16(error.status) {
        out.set_status_code(status);
    }
    out.set_request_id(id);
    let headers = error.headers.into_iter().filter_map(|(name, value)| {
        Some((http::HeaderName::from_static(name), http::HeaderValue::try_from(value).ok()?))
    });
    out.set_headers(headers.collect());
    out
}

/// S3 keeps whole seconds.
pub fn time(at: Millis) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(at / 1000))
}

pub fn etag(hex: &str) -> ETag {
    ETag::Strong(hex.to_owned())
}

/// The whole body. It was bounded when the door read it.
pub async fn collect(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    let mut chunks: Vec<Bytes> = body.try_collect().await.map_err(|error| s3_error!(IncompleteBody, "{error}"))?;
    Ok(match chunks.len() {
        1 => chunks.remove(0),
        _ => chunks.concat().into(),
    })
}

pub fn blob(bytes: Bytes) -> StreamingBlob {
    StreamingBlob::from(s3s::Body::from(bytes))
}

/// What a conditional write asks for. S3 takes only `*` for `If-None-Match` here.
pub fn precondition(if_match: Option<ETagCondition>, if_none_match: Option<ETagCondition>) -> S3Result<Precondition> {
    let unsupported =
        || s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented");
    match (if_match, if_none_match) {
        (None, None) => Ok(Precondition::None),
        (None, Some(none)) if none.is_any() => Ok(Precondition::Absent),
        (Some(wanted), None) => {
            wanted.into_etag().map(|etag| Precondition::Etag(etag.into_value())).ok_or_else(unsupported)
        }
        _ => Err(unsupported()),
    }
}

/// Under which conditions an object may be read.
#[derive(Debug, Default)]
pub struct Conditions<'a> {
    pub matches: Option<&'a ETagCondition>,
    pub matches_none: Option<&'a ETagCondition>,
    pub modified_since: Option<&'a Timestamp>,
    pub unmodified_since: Option<&'a Timestamp>,
}

impl Conditions<'_> {
    /// A condition on the etag outweighs that on the time: <https://www.rfc-editor.org/rfc/rfc9110.html#section-13.2.2>
    pub fn check(&self, object: &Object) -> Result<(), AwsError> {
        let holds = |condition: &ETagCondition| {
            condition.is_any() || condition.as_etag().is_some_and(|wanted| wanted.value() == object.etag)
        };
        let modified = |since: &Timestamp| time(object.last_modified) > *since;
        if self.matches.map_or_else(|| self.unmodified_since.is_some_and(modified), |wanted| !holds(wanted)) {
            return Err(precondition_failed());
        }
        if self.matches_none.map_or_else(|| self.modified_since.is_some_and(|since| !modified(since)), holds) {
            let unchanged = AwsError::new("NotModified", "Not Modified").with_status(304);
            return Err(unchanged.with_header("etag", format!("\"{}\"", object.etag)));
        }
        Ok(())
    }

    /// The same for an object that is copied: there is no reader who could have it already.
    pub fn check_source(&self, object: &Object) -> Result<(), AwsError> {
        self.check(object).map_err(|_| precondition_failed())
    }
}

/// Of a copy, whose inputs are two types with the same members.
macro_rules! source_conditions {
    ($input:expr) => {
        $crate::wire::s3::convert::Conditions {
            matches: $input.copy_source_if_match.as_ref(),
            matches_none: $input.copy_source_if_none_match.as_ref(),
            modified_since: $input.copy_source_if_modified_since.as_ref(),
            unmodified_since: $input.copy_source_if_unmodified_since.as_ref(),
        }
    };
}
pub(super) use source_conditions;

/// A tag set, checked for doubles and number.
pub fn tags(set: Vec<dto::Tag>, at_most: usize) -> S3Result<Tags> {
    let count = set.len();
    let tags: Tags = set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
    if tags.len() < count {
        return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
    }
    if count > at_most {
        let mut refused = S3Error::with_message(
            S3ErrorCode::Custom("BadRequest".into()),
            format!("The number of tags cannot be greater than {at_most}"),
        );
        refused.set_status_code(http::StatusCode::BAD_REQUEST);
        return Err(refused);
    }
    Ok(tags)
}

/// `x-amz-tagging`: a query string.
pub fn tagging_header(header: Option<String>) -> S3Result<Tags> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&header.unwrap_or_default()).map_err(|_| {
        s3_error!(InvalidArgument, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded")
    })?;
    tags(pairs.into_iter().map(|(key, value)| tag(&key, &value)).collect(), 10)
}

pub fn tag_set(tags: &Tags) -> Vec<dto::Tag> {
    tags.iter().map(|(key, value)| tag(key, value)).collect()
}

fn tag(key: &str, value: &str) -> dto::Tag {
    dto::Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) }
}

/// `Tags` of a `CreateBucketConfiguration`, which `s3s` reads over; nothing when the body is none.
pub fn bucket_tags(body: &[u8]) -> Tags {
    let mut found: Vec<dto::Tag> = vec![];
    let mut reader = Deserializer::new(body);
    let read = reader.named_element("CreateBucketConfiguration", |reader| {
        reader.for_each_element(|reader, name| match name {
            b"Tags" => {
                found = reader.list_content("Tag")?;
                Ok(())
            }
            b"LocationConstraint" => reader.content::<dto::BucketLocationConstraint>().map(drop),
            // Directory buckets' members: there are none here.
            _ => Err(DeError::UnexpectedTagName),
        })
    });
    read.map_or_else(|_| Tags::new(), |()| tags(found, 50).unwrap_or_default())
}

pub fn owner(account: &str) -> dto::Owner {
    dto::Owner { display_name: None, id: Some(format!("{account:0>64}")) }
}

pub fn metadata(metadata: Option<dto::Metadata>) -> BTreeMap<String, String> {
    metadata.unwrap_or_default().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_a_new_bucket_are_read_from_the_body() {
        let body = br#"<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <LocationConstraint>eu-west-1</LocationConstraint>
            <Tags><Tag><Key>team</Key><Value>a &amp; b</Value></Tag><Tag><Key>n</Key><Value/></Tag></Tags>
        </CreateBucketConfiguration>"#;
        let expected = Tags::from([("team".into(), "a & b".into()), ("n".into(), String::new())]);
        assert_eq!(bucket_tags(body), expected);
        assert_eq!(bucket_tags(b""), Tags::new());
        assert_eq!(bucket_tags(b"not xml"), Tags::new());
    }
}
