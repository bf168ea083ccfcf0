//! S3's store: buckets and objects, as typed calls.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::changes::Changes;
use crate::request::AwsError;
use crate::table::{Blobs, Table};
use crate::time::Millis;

pub mod bucket;
pub mod checksum;
pub mod description;
pub mod lifecycle;
pub mod listing;
pub mod object;
pub mod refusal;
pub mod sums;
mod sweep;
pub mod upload;
pub mod version;

pub use bucket::Bucket;
pub use checksum::Checksum;
pub use description::{Description, Encryption};
pub use object::Object;
pub use sums::Sums;
pub use sweep::Sweep;
pub use upload::Upload;
use version::History;

/// Objects that are listed in one turn of the world.
const AT_ONCE: usize = 1_000;

/// Among a bucket's documents, the policy: its text.
pub const POLICY: &str = "policy";

/// Every bucket of the account, whatever its region: their names share one space.
#[derive(Debug)]
pub struct State {
    /// By name.
    buckets: Table<Bucket>,
    /// The newest versions, by `bucket/key`. A bucket's name has no slash, so the order within a bucket is that of the keys'
    /// bytes.
    objects: Table<Object>,
    /// Older versions, and the fact that the newest one is a delete marker, by `bucket/key`.
    history: Table<History>,
    /// The contents: of null versions under `bucket/key`, of others under their ids ([`version::content_row`]).
    contents: Blobs,
    /// Unfinished multipart uploads, by id.
    uploads: Table<Upload>,
    /// Their parts, by `id/number`.
    parts: Blobs,
    /// The midnight up to which lifecycle rules were acted on.
    swept: Millis,
    /// The last key, with its bucket, that the sweep under way has looked at.
    sweeping: String,
    /// When that sweep began.
    begun: Millis,
}

impl Default for State {
    fn default() -> Self {
        State {
            buckets: Table::new("s3/buckets"),
            objects: Table::new("s3/objects"),
            history: Table::new("s3/history"),
            contents: Blobs::new("s3/contents"),
            uploads: Table::new("s3/uploads"),
            parts: Blobs::new("s3/parts"),
            swept: 0,
            sweeping: String::new(),
            begun: 0,
        }
    }
}

/// An object that another service (Firehose) stores.
#[derive(Debug)]
pub struct Delivered<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's key.
    pub key: &'a str,
    /// The object's content.
    pub body: Bytes,
    /// MD5 of the body, in hex.
    pub etag: String,
    /// The coding of the content, such as `gzip`.
    pub content_encoding: Option<&'a str>,
    /// ARN of the KMS key that the service was told to encrypt with. `None`: the bucket's default applies.
    pub kms_key: Option<&'a str>,
}

/// Stores an object on behalf of another service.
///
/// # Errors
/// S3's own code (`NoSuchBucket`, ...).
pub fn store(state: &mut State, now: Millis, delivered: Delivered) -> Result<(), AwsError> {
    let Delivered { bucket, key, body, etag, content_encoding, kms_key } = delivered;
    let there = state.bucket(bucket)?;
    let encryption = match kms_key {
        Some(key) => Encryption::of("aws:kms", Some(key.to_owned()), there.has_bucket_keys()),
        None => there.default_encryption(),
    };
    let description = Description {
        content_type: Some("application/octet-stream".into()),
        content_encoding: content_encoding.map(str::to_owned),
        encryption,
        ..Description::default()
    };
    let new = object::New { body, etag, checksum: None, parts: vec![], upload: None, description };
    state.put(now, bucket, key, new, object::Precondition::None).map(drop)
}

impl State {
    /// The name of every bucket.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.buckets.iter().map(|(name, _)| name)
    }

    /// The region of every bucket.
    pub fn dump(&self) -> Value {
        let regions = self.buckets.iter().map(|(name, bucket)| (name, &bucket.region));
        regions.map(|(name, region)| (name.to_owned(), json!({ "region": region, "objects": {} }))).collect()
    }

    /// `bucket/key` and size of the objects after one, so many that a turn is short.
    pub fn some_objects(&self, after: &str) -> Vec<(String, u64)> {
        let objects = self.objects.after("", after).take(AT_ONCE);
        objects.map(|(row, object)| (row.to_owned(), object.size)).collect()
    }

    pub(crate) fn take_changes(&mut self, out: &mut Changes) {
        self.buckets.take_changes(out);
        self.objects.take_changes(out);
        self.history.take_changes(out);
        self.contents.take_changes(out);
        self.uploads.take_changes(out);
        self.parts.take_changes(out);
    }

    pub(crate) fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        match table {
            table if table == self.buckets.name() => self.buckets.restore(key, value)?,
            table if table == self.objects.name() => self.objects.restore(key, value)?,
            table if table == self.history.name() => self.history.restore(key, value)?,
            table if table == self.contents.name() => self.contents.restore(key, value),
            table if table == self.uploads.name() => self.uploads.restore(key, value)?,
            table if table == self.parts.name() => self.parts.restore(key, value),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// An error with its HTTP status.
fn error(code: &'static str, status: u16, message: impl Into<String>) -> AwsError {
    AwsError::new(code, message).with_status(status)
}
