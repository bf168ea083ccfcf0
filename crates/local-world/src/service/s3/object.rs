//! Objects: put, read, delete. What became of older versions is [`super::version`]'s.

use aws_facts::s3::MAX_KEY_BYTES;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::version::{NULL, VersionId, content_row};
use super::{Checksum, Description, State, Sums, error, refusal};
use crate::request::AwsError;
use crate::time::Millis;

/// An object without its content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Bytes of the content.
    pub size: u64,
    /// Without quotes: the MD5 in hex, or that of the parts' MD5s and their number.
    pub etag: String,
    /// When it was stored, in the world's time.
    pub last_modified: Millis,
    /// The version's id.
    #[serde(default)]
    pub version: VersionId,
    /// `None`: nobody asked for one yet.
    #[serde(default)]
    pub checksum: Option<Checksum>,
    /// In rising order; none when it was put in one piece.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The multipart upload that made it, so that a completion can be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// The description that its writer gave.
    #[serde(flatten)]
    pub description: Description,
}

/// A part that an object was uploaded in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The part's number in the upload, from 1.
    pub number: i32,
    /// Bytes of the part.
    pub size: u64,
    /// MD5 in hex. `None`: an earlier version of the emulator stored the object, and kept none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// `None`: the upload wanted none of its parts.
    pub checksum: Option<Checksum>,
}

/// An object to be written.
#[derive(Debug, Clone)]
pub struct New {
    /// The content.
    pub body: Bytes,
    /// The etag, without quotes.
    pub etag: String,
    /// The content's checksum, where one is known.
    pub checksum: Option<Checksum>,
    /// The parts that it was uploaded in.
    pub parts: Vec<Part>,
    /// The multipart upload that it comes from.
    pub upload: Option<String>,
    /// The description that its writer gives.
    pub description: Description,
}

impl New {
    /// An object put in one piece.
    pub fn whole(body: Bytes, sums: &Sums, checksum: Option<Checksum>, description: Description) -> New {
        New { etag: sums.md5(&body), body, checksum, parts: vec![], upload: None, description }
    }
}

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The object's etag, without quotes.
    pub etag: String,
    /// Nothing of the null version.
    pub version: VersionId,
}

impl Stored {
    /// The version's id, by which the object is read.
    pub fn id(&self) -> &str {
        self.version.as_deref().unwrap_or(NULL)
    }
}

/// The condition of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// The write happens in any case.
    None,
    /// `If-None-Match: *`.
    Absent,
    /// `If-Match`, without quotes.
    Etag(String),
}

impl Precondition {
    /// The header that asks for it; empty without a condition.
    pub fn header(&self) -> &'static str {
        match self {
            Precondition::None => "",
            Precondition::Absent => "If-None-Match",
            Precondition::Etag(_) => "If-Match",
        }
    }
}

impl State {
    /// Writes an object whole.
    pub fn put(
        &mut self,
        now: Millis,
        bucket: &str,
        key: &str,
        new: New,
        precondition: Precondition,
    ) -> Result<Stored, AwsError> {
        self.bucket(bucket)?;
        within_bounds(key.len())?;
        let row = format!("{bucket}/{key}");
        satisfied(&precondition, key, self.objects.get(&row))?;
        self.overtake_uploads(bucket, key);
        let version = self.make_way(now, bucket, &row);
        let stored = Stored { etag: new.etag.clone(), version: version.clone() };
        let New { body, etag, checksum, parts, upload, description } = new;
        let size = body.len() as u64;
        self.contents.insert(content_row(&row, &version), body);
        let object = Object { size, etag, last_modified: now, version, checksum, parts, upload, description };
        self.objects.insert(row, object);
        Ok(stored)
    }

    /// The newest version of an object, or that of an id.
    pub fn object(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<&Object, AwsError> {
        self.bucket(bucket)?;
        let row = format!("{bucket}/{key}");
        match (version, self.objects.get(&row)) {
            (None, Some(object)) => Ok(object),
            (None, None) => Err(self.absent(bucket, key)),
            (Some(version), _) => self.version(bucket, key, version),
        }
    }

    /// The same for what describes an object: of a delete marker it is not allowed, rather than absent.
    pub fn described(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<&Object, AwsError> {
        self.object(bucket, key, version).map_err(|error| match error.headers.first() {
            Some(("x-amz-delete-marker", _)) => refusal::is_delete_marker(),
            _ => error,
        })
    }

    /// The description of such an object, to be changed.
    pub fn description_mut(
        &mut self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<&mut Description, AwsError> {
        let version = self.described(bucket, key, version)?.version.clone();
        let object = self.version_mut(&format!("{bucket}/{key}"), &version).ok_or_else(|| refusal::no_such_key(key))?;
        Ok(&mut object.description)
    }

    /// An object and its bytes.
    pub fn get(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<(&Object, Bytes), AwsError> {
        let object = self.object(bucket, key, version)?;
        let row = content_row(&format!("{bucket}/{key}"), &object.version);
        let bytes = self.contents.get(&row).ok_or_else(|| refusal::lost("object", key))?;
        Ok((object, bytes))
    }

    /// Does the newest version meet this condition?
    pub fn meets(&self, bucket: &str, key: &str, precondition: &Precondition) -> Result<(), AwsError> {
        satisfied(precondition, key, self.objects.get(&format!("{bucket}/{key}")))
    }
}

/// May an object have a key of so many bytes?
pub fn within_bounds(key_bytes: usize) -> Result<(), AwsError> {
    if key_bytes <= MAX_KEY_BYTES {
        return Ok(());
    }
    let refused = error("KeyTooLongError", 400, "Your key is too long").with_detail("Size", key_bytes.to_string());
    Err(refused.with_detail("MaxSizeAllowed", MAX_KEY_BYTES.to_string()))
}

fn satisfied(precondition: &Precondition, key: &str, there: Option<&Object>) -> Result<(), AwsError> {
    match (precondition, there) {
        (Precondition::None, _) | (Precondition::Absent, None) => Ok(()),
        (Precondition::Etag(wanted), Some(object)) if *wanted == object.etag => Ok(()),
        (Precondition::Absent | Precondition::Etag(_), Some(_)) => {
            Err(refusal::precondition_failed(precondition.header()))
        }
        (Precondition::Etag(_), None) => Err(refusal::no_such_key(key)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::bucket::Tags;
    use super::*;

    fn with_bucket() -> State {
        let mut state = State::default();
        state.create_bucket(0, "us-east-1", "lake", None, Tags::new()).expect("a good name");
        state
    }

    fn new(text: &'static str) -> New {
        New::whole(Bytes::from_static(text.as_bytes()), &Sums::default(), None, Description::default())
    }

    #[test]
    fn a_write_happens_only_when_its_precondition_holds() {
        let mut state = with_bucket();
        let mut put = |key: &str, precondition| {
            let stored = state.put(1, "lake", key, new("hello"), precondition);
            stored.map(|stored| stored.etag).map_err(|error| error.code)
        };
        let etag = "5d41402abc4b2a76b9719d911017c592".to_owned();
        assert_eq!(put("k", Precondition::Etag(etag.clone())), Err("NoSuchKey"));
        assert_eq!(put("k", Precondition::Absent), Ok(etag.clone()));
        assert_eq!(put("k", Precondition::Absent), Err("PreconditionFailed"));
        assert_eq!(put("k", Precondition::Etag("0".into())), Err("PreconditionFailed"));
        assert_eq!(put("k", Precondition::Etag(etag.clone())), Ok(etag));
        assert_eq!(put(&"k".repeat(1025), Precondition::None), Err("KeyTooLongError"));
    }

    #[test]
    fn a_bucket_goes_only_when_it_is_empty_and_a_key_can_go_twice() {
        let mut state = with_bucket();
        state.put(1, "lake", "a/b", new("x"), Precondition::None).expect("the bucket is there");
        assert_eq!(state.delete_bucket("lake").map_err(|error| error.code), Err("BucketNotEmpty"));
        assert!(state.delete(2, "lake", "a/b", None).is_ok());
        assert!(state.delete(2, "lake", "a/b", None).is_ok());
        assert_eq!(state.delete_bucket("lake"), Ok(()));
        assert_eq!(state.get("lake", "a/b", None).map_err(|error| error.code).map(|_| ()), Err("NoSuchBucket"));
    }
}
