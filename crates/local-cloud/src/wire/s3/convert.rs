//! Between `s3s`'s types and the store's.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use aws_facts::tags::{MAX_KEY_CHARS, MAX_OBJECT_TAGS, MAX_TAGS, MAX_VALUE_CHARS, RESERVED_PREFIX};
use bytes::Bytes;
use futures::TryStreamExt;
use s3s::dto::{self, ETag, ETagCondition, StreamingBlob, Timestamp};
use s3s::xml::{DeError, Deserializer};
use s3s::{S3Result, s3_error};

use crate::request::AwsError;
use crate::service::s3::bucket::Tags;
use crate::service::s3::description::STANDARD;
use crate::service::s3::object::{Object, Precondition};
use crate::service::s3::refusal;
use crate::time::Millis;

/// S3 keeps whole seconds.
pub fn time(at: Millis) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(at / 1000))
}

pub fn etag(hex: &str) -> ETag {
    ETag::Strong(hex.to_owned())
}

/// The whole body. Its length was checked when it was received.
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

/// The precondition of a conditional write. S3 takes only an etag for `If-Match` here, and only `*` for `If-None-Match`.
pub fn precondition(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> Result<Precondition, AwsError> {
    let refused = |header: &str| {
        let why = format!("We don't accept the provided value of {header} header for this API");
        refusal::not_implemented(header).with_detail("additionalMessage", why)
    };
    match (if_match, if_none_match) {
        (None, None) => Ok(Precondition::None),
        (None, Some(none)) if none.is_any() => Ok(Precondition::Absent),
        (None, Some(_)) => Err(refused("If-None-Match")),
        (Some(wanted), None) => {
            let etag = wanted.as_etag().ok_or_else(|| refused("If-Match"))?;
            Ok(Precondition::Etag(etag.value().to_owned()))
        }
        (Some(_), Some(_)) => {
            let why = "Multiple conditional request headers present in the request";
            Err(refusal::not_implemented("If-Match,If-None-Match").with_detail("additionalMessage", why))
        }
    }
}

/// The same from headers, where the library knows no members for them.
pub fn precondition_headers(headers: &http::HeaderMap) -> Result<Precondition, AwsError> {
    let header =
        |name: &str| headers.get(name).and_then(|value| ETagCondition::parse_http_header(value.as_bytes()).ok());
    precondition(header("if-match").as_ref(), header("if-none-match").as_ref())
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
    pub fn check(&self, now: Millis, object: &Object) -> Result<(), AwsError> {
        match self.failed(now, object) {
            None => Ok(()),
            Some(condition @ ("If-Match" | "If-Unmodified-Since")) => Err(refusal::precondition_failed(condition)),
            Some(_) => {
                let unchanged = AwsError::new("NotModified", "Not Modified").with_status(304);
                Err(unchanged.with_header("etag", format!("\"{}\"", object.etag)))
            }
        }
    }

    /// The same for an object that is copied: there is no reader who could have it already.
    pub fn check_source(&self, now: Millis, object: &Object) -> Result<(), AwsError> {
        let refused = |condition| refusal::precondition_failed(&format!("x-amz-copy-source-{condition}"));
        self.failed(now, object).map_or(Ok(()), |condition| Err(refused(condition)))
    }

    /// The condition that does not hold, by its header.
    fn failed(&self, now: Millis, object: &Object) -> Option<&'static str> {
        let holds = |condition: &ETagCondition| {
            condition.is_any() || condition.as_etag().is_some_and(|wanted| wanted.value() == object.etag)
        };
        let modified = |since: &Timestamp| time(object.last_modified) > *since;
        match (self.matches, self.unmodified_since) {
            (Some(wanted), _) if !holds(wanted) => return Some("If-Match"),
            (None, Some(since)) if modified(since) => return Some("If-Unmodified-Since"),
            _ => {}
        }
        match (self.matches_none, self.modified_since) {
            (Some(unwanted), _) if holds(unwanted) => Some("If-None-Match"),
            // A time that has not come is no condition.
            (None, Some(since)) if *since <= time(now) && !modified(since) => Some("If-Modified-Since"),
            _ => None,
        }
    }
}

/// Makes the description of an object from the members that the inputs of all writes have.
macro_rules! description {
    ($input:expr, $cx:expr, $tags:expr, $encryption:expr) => {
        $crate::service::s3::Description {
            content_type: $input.content_type,
            content_encoding: $input.content_encoding,
            content_disposition: $input.content_disposition,
            content_language: $input.content_language,
            cache_control: $input.cache_control,
            metadata: $crate::wire::s3::convert::metadata($input.metadata),
            tags: $tags,
            encryption: $encryption,
            expires: $cx.expires.map(str::to_owned),
            storage_class: $crate::wire::s3::convert::storage_class($input.storage_class),
            acl: $input.acl.map(|acl| acl.as_str().to_owned()),
        }
    };
}
pub(super) use description;

/// Nothing for the standard one.
pub fn storage_class(class: Option<dto::StorageClass>) -> Option<String> {
    class.map(|class| class.as_str().to_owned()).filter(|class| class != STANDARD)
}

/// The conditions on a copy's source. The inputs of the two copy operations have the same members.
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

/// The resource that the tags belong to. Messages and bounds differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged {
    Bucket,
    /// In the call that makes the bucket.
    NewBucket,
    Object,
}

/// A tag set, checked for its tags' words and number.
pub fn tags(set: Vec<dto::Tag>, of: Tagged) -> Result<Tags, AwsError> {
    let at_most = if of == Tagged::Object { MAX_OBJECT_TAGS } else { MAX_TAGS };
    if set.len() > at_most {
        let message = format!("The number of tags cannot be greater than {at_most}");
        return Err(AwsError::new("BadRequest", message));
    }
    let invalid = |message: &str, key: &str| AwsError::new("InvalidTag", message).with_detail("TagKey", key);
    let mut tags = Tags::new();
    for tag in set {
        let (Some(key), Some(value)) = (tag.key, tag.value) else { return Err(refusal::malformed_xml()) };
        if key.starts_with(RESERVED_PREFIX) {
            let message = match of {
                Tagged::Bucket => "System tags cannot be added/updated by requester",
                Tagged::NewBucket => {
                    let message = "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system tags. \
                                   Remove \"aws:\" from your tag keys and try again.";
                    return Err(AwsError::new("InvalidTag", message));
                }
                Tagged::Object => "Your TagKey cannot be prefixed with aws:",
            };
            return Err(invalid(message, &key));
        }
        if key.is_empty() || !is_tag_text(&key, MAX_KEY_CHARS) {
            return Err(invalid("The TagKey you have provided is invalid", &key));
        }
        if !is_tag_text(&value, MAX_VALUE_CHARS) {
            let refused = invalid("The TagValue you have provided is invalid", &key);
            return Err(refused.with_detail("TagValue", value));
        }
        if tags.contains_key(&key) {
            return Err(invalid("Cannot provide multiple Tags with the same key", &key));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

fn is_tag_text(text: &str, at_most: usize) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    text.chars().count() <= at_most && text.chars().all(allowed)
}

/// `x-amz-tagging`: a query string.
pub fn tagging_header(header: Option<&str>) -> Result<Tags, AwsError> {
    let header = header.unwrap_or_default();
    let malformed = || {
        let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without \
                       tag name duplicates.";
        refusal::invalid_argument(message, "x-amz-tagging", header)
    };
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(header).map_err(|_| malformed())?;
    let set = pairs.into_iter().map(|(key, value)| tag(&key, &value)).collect();
    tags(set, Tagged::Object).map_err(|error| if error.code == "InvalidTag" { malformed() } else { error })
}

pub fn tag_set(tags: &Tags) -> Vec<dto::Tag> {
    tags.iter().map(|(key, value)| tag(key, value)).collect()
}

fn tag(key: &str, value: &str) -> dto::Tag {
    dto::Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) }
}

/// `Tags` of a `CreateBucketConfiguration`, which `s3s` reads over; nothing when the body is none.
pub fn bucket_tags(body: &[u8]) -> Vec<dto::Tag> {
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
    read.map_or_else(|_| vec![], |()| found)
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
        let expected = vec![tag("team", "a & b"), tag("n", "")];
        assert_eq!(bucket_tags(body), expected);
        assert_eq!(bucket_tags(b""), vec![]);
        assert_eq!(bucket_tags(b"not xml"), vec![]);
    }

    #[test]
    fn tags_that_nobody_may_have_are_refused_in_the_words_of_what_they_are_for() {
        let of = |key: &str, value: &str, of| tags(vec![tag(key, value)], of).map_err(|error| error.message);
        assert!(of("team/\u{e9} +-=._:@", "", Tagged::Bucket).is_ok());
        for (key, value, tagged, message) in [
            ("aws:x", "", Tagged::Bucket, "System tags cannot be added/updated by requester"),
            ("aws:x", "", Tagged::Object, "Your TagKey cannot be prefixed with aws:"),
            ("a,b", "", Tagged::Object, "The TagKey you have provided is invalid"),
            ("", "", Tagged::Object, "The TagKey you have provided is invalid"),
            ("a", "b,c", Tagged::NewBucket, "The TagValue you have provided is invalid"),
        ] {
            assert_eq!(of(key, value, tagged), Err(message.to_owned()));
        }
        let twice = tags(vec![tag("a", ""), tag("a", "")], Tagged::Bucket);
        assert_eq!(twice.map_err(|error| error.message), Err("Cannot provide multiple Tags with the same key".into()));
        let eleven = (0..11).map(|n| tag(&n.to_string(), "")).collect();
        assert_eq!(tags(eleven, Tagged::Object).map_err(|error| error.code), Err("BadRequest"));
    }
}
