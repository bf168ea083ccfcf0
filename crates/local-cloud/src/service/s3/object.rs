//! Objects: put, read, copy, delete.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::bucket::Tags;
use super::{State, error};
use crate::request::AwsError;
use crate::settings::Millis;

/// The longest key, in bytes of UTF-8.
const MAX_KEY_BYTES: usize = 1024;

/// What is known of an object beside its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    pub size: u64,
    /// Without quotes: the MD5 in hex, or that of the parts' MD5s and their number.
    pub etag: String,
    pub last_modified: Millis,
    #[serde(flatten)]
    pub description: Description,
}

/// What the writer says about an object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_disposition: Option<String>,
    pub content_language: Option<String>,
    pub cache_control: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub tags: Tags,
    /// `None`: with keys of S3's own.
    #[serde(default)]
    pub kms_key: Option<String>,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    None,
    /// `If-None-Match: *`.
    Absent,
    /// `If-Match`, without quotes.
    Etag(String),
}

impl State {
    /// Writes an object whole and gives its etag.
    pub fn put(
        &mut self,
        now: Millis,
        bucket: &str,
        key: &str,
        body: Bytes,
        description: Description,
        precondition: Precondition,
    ) -> Result<String, AwsError> {
        let etag = hex(&Md5::digest(&body));
        self.put_with_etag(now, bucket, key, body, etag, description, precondition)
    }

    #[allow(clippy::too_many_arguments)] // those of `put` and one
    pub(super) fn put_with_etag(
        &mut self,
        now: Millis,
        bucket: &str,
        key: &str,
        body: Bytes,
        etag: String,
        description: Description,
        precondition: Precondition,
    ) -> Result<String, AwsError> {
        self.bucket(bucket)?;
        if key.len() > MAX_KEY_BYTES {
            return Err(error("KeyTooLongError", 400, "Your key is too long"));
        }
        let row = format!("{bucket}/{key}");
        satisfied(&precondition, self.objects.get(&row))?;
        let size = body.len() as u64;
        self.contents.insert(row.clone(), body);
        self.objects.insert(row, Object { size, etag: etag.clone(), last_modified: now, description });
        Ok(etag)
    }

    pub fn object(&self, bucket: &str, key: &str) -> Result<&Object, AwsError> {
        self.bucket(bucket)?;
        self.objects.get(&format!("{bucket}/{key}")).ok_or_else(no_such_key)
    }

    /// The object to be changed.
    pub fn object_mut(&mut self, bucket: &str, key: &str) -> Result<&mut Object, AwsError> {
        self.bucket(bucket)?;
        self.objects.get_mut(&format!("{bucket}/{key}")).ok_or_else(no_such_key)
    }

    /// An object and its bytes.
    pub fn get(&self, bucket: &str, key: &str) -> Result<(&Object, Bytes), AwsError> {
        let object = self.object(bucket, key)?;
        Ok((object, self.contents.get(&format!("{bucket}/{key}")).unwrap_or_default()))
    }

    /// Removes an object. One that is not there is as good as removed.
    pub fn delete(&mut self, bucket: &str, key: &str) -> Result<(), AwsError> {
        self.bucket(bucket)?;
        let row = format!("{bucket}/{key}");
        self.objects.remove(&row);
        self.contents.remove(&row);
        Ok(())
    }
}

fn no_such_key() -> AwsError {
    error("NoSuchKey", 404, "The specified key does not exist.")
}

fn satisfied(precondition: &Precondition, there: Option<&Object>) -> Result<(), AwsError> {
    let failed = error("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold");
    match (precondition, there) {
        (Precondition::None, _) | (Precondition::Absent, None) => Ok(()),
        (Precondition::Absent, Some(_)) => Err(failed),
        (Precondition::Etag(wanted), Some(object)) if *wanted == object.etag => Ok(()),
        (Precondition::Etag(_), Some(_)) => Err(failed),
        (Precondition::Etag(_), None) => Err(no_such_key()),
    }
}

/// Lower case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_bucket() -> State {
        let mut state = State::default();
        state.create_bucket(0, "us-east-1", "lake", None, Tags::new()).expect("a good name");
        state
    }

    #[test]
    fn a_write_happens_only_when_its_precondition_holds() {
        let mut state = with_bucket();
        let mut put = |key: &str, precondition| {
            let body = Bytes::from_static(b"hello");
            state.put(1, "lake", key, body, Description::default(), precondition).map_err(|error| error.code)
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
        let body = Bytes::from_static(b"x");
        state.put(1, "lake", "a/b", body, Description::default(), Precondition::None).expect("the bucket is there");
        assert_eq!(state.delete_bucket("lake").map_err(|error| error.code), Err("BucketNotEmpty"));
        assert_eq!(state.delete("lake", "a/b"), Ok(()));
        assert_eq!(state.delete("lake", "a/b"), Ok(()));
        assert_eq!(state.delete_bucket("lake"), Ok(()));
        assert_eq!(state.get("lake", "a/b").map_err(|error| error.code).map(|_| ()), Err("NoSuchBucket"));
    }
}
