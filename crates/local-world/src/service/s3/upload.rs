//! Multipart uploads.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::checksum::{Algorithm, Checksum, Wanted, mismatch};
use super::object::{self, New, Precondition, Stored};
use super::sums::is_same;
use super::version::Shown;
use super::{Description, State, Sums, refusal};
use crate::request::AwsError;
use crate::time::Millis;

mod completion;

use completion::check_parts;
pub use completion::{Asked, Completion};

const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;

/// A multipart upload that is not completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// The bucket's name.
    pub bucket: String,
    /// The key of the object that it is to become.
    pub key: String,
    /// When it was begun, in the world's time.
    pub initiated: Millis,
    /// The description that its writer gave of the object.
    pub description: Description,
    /// `None`: nobody said, so S3 makes one of its own in the end.
    #[serde(default)]
    pub checksum: Option<Wanted>,
    /// Has somebody written or deleted the key since? Then no completion may have a condition.
    #[serde(default)]
    pub overtaken: bool,
    /// The parts, by number.
    pub parts: BTreeMap<i32, Part>,
}

/// A part of an upload, without its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// MD5 in hex.
    pub etag: String,
    /// Bytes of the part.
    pub size: u64,
    /// When it was uploaded, in the world's time.
    pub last_modified: Millis,
    /// Its checksum, if it was sent with one.
    #[serde(default)]
    pub checksum: Option<Checksum>,
}

impl Upload {
    /// A part as the object remembers it.
    fn joined(&self, number: i32) -> Option<object::Part> {
        let Part { size, etag, checksum, .. } = self.parts.get(&number)?;
        let (etag, checksum) = (Some(etag.clone()), self.checksum.and(checksum.clone()));
        Some(object::Part { number, size: *size, etag, checksum })
    }
}

/// Parts that were joined, and what is known of the whole, before the turn that completes the upload.
#[derive(Debug, Default)]
pub struct Joined {
    parts: Vec<Bytes>,
    /// The whole content and its checksum.
    pub sums: Sums,
}

impl Joined {
    /// Joins parts, and makes the checksum of the whole if an algorithm is given.
    pub fn of(parts: Vec<Bytes>, algorithm: Option<Algorithm>) -> Joined {
        Joined { sums: Sums::without_md5(join(&parts), algorithm), parts }
    }

    /// These parts joined: as they were before, unless one was uploaded again meanwhile.
    fn body(&self, parts: Vec<Bytes>) -> Bytes {
        let same = self.parts.len() == parts.len() && self.parts.iter().zip(&parts).all(|(a, b)| is_same(a, b));
        if same { self.sums.body().clone() } else { join(&parts) }
    }
}

fn join(parts: &[Bytes]) -> Bytes {
    let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole.freeze()
}

impl State {
    /// Begins an upload under an id that the caller makes up.
    pub fn begin_upload(
        &mut self,
        now: Millis,
        id: &str,
        bucket: &str,
        key: &str,
        description: Description,
        checksum: Option<Wanted>,
    ) -> Result<(), AwsError> {
        self.bucket(bucket)?;
        let (bucket, key, parts) = (bucket.to_owned(), key.to_owned(), BTreeMap::new());
        let upload = Upload { bucket, key, initiated: now, description, checksum, overtaken: false, parts };
        self.uploads.insert(id, upload);
        Ok(())
    }

    /// An upload of this bucket and key.
    pub fn upload(&self, id: &str, bucket: &str, key: &str) -> Result<&Upload, AwsError> {
        self.bucket(bucket)?;
        self.uploads
            .get(id)
            .filter(|upload| upload.bucket == bucket && upload.key == key)
            .ok_or_else(|| refusal::no_such_upload(id))
    }

    /// Uploads of a bucket with their ids.
    pub fn uploads<'a>(&'a self, bucket: &'a str) -> impl Iterator<Item = (&'a str, &'a Upload)> {
        self.uploads.iter().filter(move |(_, upload)| upload.bucket == bucket)
    }

    /// Keeps a part of this upload, which replaces an earlier one of that number, and gives its etag. Where it came from has
    /// looked for the upload.
    pub fn put_part(
        &mut self,
        now: Millis,
        id: &str,
        number: i32,
        body: Bytes,
        sums: &Sums,
        checksum: Option<Checksum>,
    ) -> Result<String, AwsError> {
        if !PART_NUMBERS.contains(&number) {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            return Err(refusal::invalid_argument(message, "partNumber", &number.to_string()));
        }
        let etag = sums.md5(&body);
        let upload = self.uploads.get_mut(id).ok_or_else(|| refusal::no_such_upload(id))?;
        if let Some(wanted) = upload.checksum {
            wanted.admits(checksum.as_ref())?;
        }
        let part = Part { etag: etag.clone(), size: body.len() as u64, last_modified: now, checksum };
        upload.parts.insert(number, part);
        self.parts.insert(part_row(id, number), body);
        Ok(etag)
    }

    /// The contents of parts, where all of them are there.
    pub fn bodies(&self, id: &str, numbers: &[i32]) -> Option<Vec<Bytes>> {
        numbers.iter().map(|number| self.parts.get(&part_row(id, *number))).collect()
    }

    /// Joins the parts, in rising order, to the object. A completion that is repeated has the answer of the first for as long as its
    /// object is there, as on S3: <https://github.com/adobe/S3Mock/issues/2586>.
    pub fn complete_upload(
        &mut self,
        now: Millis,
        id: &str,
        bucket: &str,
        key: &str,
        completion: Completion,
        joined: &Joined,
    ) -> Result<Stored, AwsError> {
        let upload = match self.upload(id, bucket, key) {
            Ok(upload) => upload.clone(),
            Err(error) => return self.completed(id, bucket, key, &completion).ok_or(error),
        };
        completion.suits(&upload)?;
        let Completion { parts: asked, checksum: said, precondition, .. } = completion;
        let etag = check_parts(id, &upload, &asked)?;
        self.meets(bucket, key, &precondition)?;
        if upload.overtaken && precondition != Precondition::None {
            return Err(refusal::conflict(precondition.header(), key));
        }
        let numbers: Vec<i32> = asked.iter().map(|asked| asked.number).collect();
        let body = joined.body(self.bodies(id, &numbers).ok_or_else(|| refusal::lost("part", key))?);
        let sums = asked.iter().filter_map(|asked| upload.parts.get(&asked.number)?.checksum.as_ref());
        let checksum = match (upload.checksum, &said) {
            (Some(wanted), _) if wanted.composite => Some(wanted.of_parts(sums)),
            (Some(wanted), _) => Some(joined.sums.checksum(wanted.algorithm, &body)),
            (None, Some(said)) => Some(joined.sums.checksum(said.algorithm, &body)),
            (None, None) => None,
        };
        if let Some(said) = said.filter(|said| !checksum.as_ref().is_some_and(|found| found.is(said))) {
            return Err(mismatch(&said.algorithm.name().to_lowercase()));
        }
        let parts = asked.iter().filter_map(|asked| upload.joined(asked.number)).collect();
        let new = New { body, etag, checksum, parts, upload: Some(id.to_owned()), description: upload.description };
        let stored = self.put(now, bucket, key, new, precondition)?;
        self.forget_upload(id);
        Ok(stored)
    }

    /// The object that this upload was completed to, if the same parts are asked for again.
    fn completed(&self, id: &str, bucket: &str, key: &str, completion: &Completion) -> Option<Stored> {
        let row = format!("{bucket}/{key}");
        let object = self.versions_of(&row).find_map(|shown| match shown {
            Shown::Object(object) if object.upload.as_deref() == Some(id) => Some(object),
            Shown::Object(_) | Shown::Marker(_) => None,
        })?;
        let stored = || Stored { etag: object.etag.clone(), version: object.version.clone() };
        completion.is_of(object).then(stored)
    }

    /// Deletes an upload and its parts.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`
    pub fn abort_upload(&mut self, id: &str, bucket: &str, key: &str) -> Result<(), AwsError> {
        self.upload(id, bucket, key)?;
        self.forget_upload(id);
        Ok(())
    }

    /// The key is about to be written or deleted: its uploads are none of its latest state any more.
    pub(super) fn overtake_uploads(&mut self, bucket: &str, key: &str) {
        let same = |upload: &Upload| !upload.overtaken && upload.key == key && upload.bucket == bucket;
        let ids: Vec<String> =
            self.uploads.iter().filter(|(_, upload)| same(upload)).map(|(id, _)| id.to_owned()).collect();
        for id in &ids {
            if let Some(upload) = self.uploads.get_mut(id) {
                upload.overtaken = true;
            }
        }
    }

    pub(super) fn upload_ids(&self, bucket: &str) -> Vec<String> {
        self.uploads(bucket).map(|(id, _)| id.to_owned()).collect()
    }

    pub(super) fn forget_upload(&mut self, id: &str) {
        let Some(upload) = self.uploads.remove(id) else { return };
        for number in upload.parts.keys() {
            self.parts.remove(&part_row(id, *number));
        }
    }
}

fn part_row(id: &str, number: i32) -> String {
    format!("{id}/{number}")
}

#[cfg(test)]
mod tests;
