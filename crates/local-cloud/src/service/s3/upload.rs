//! Multipart uploads.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::object::{Description, Precondition, hex};
use super::{State, error};
use crate::request::AwsError;
use crate::settings::Millis;

/// The smallest size, in bytes, of every part but the last.
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub bucket: String,
    pub key: String,
    pub initiated: Millis,
    pub description: Description,
    pub parts: BTreeMap<i32, Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// MD5 in hex.
    pub etag: String,
    pub size: u64,
    pub last_modified: Millis,
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
    ) -> Result<(), AwsError> {
        self.bucket(bucket)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.uploads.insert(id, Upload { bucket, key, initiated: now, description, parts: BTreeMap::new() });
        Ok(())
    }

    /// An upload of this bucket and key.
    pub fn upload(&self, id: &str, bucket: &str, key: &str) -> Result<&Upload, AwsError> {
        self.bucket(bucket)?;
        self.uploads.get(id).filter(|upload| upload.bucket == bucket && upload.key == key).ok_or_else(|| {
            let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                           aborted or completed.";
            error("NoSuchUpload", 404, message)
        })
    }

    /// Uploads of a bucket with their ids.
    pub fn uploads<'a>(&'a self, bucket: &'a str) -> impl Iterator<Item = (&'a str, &'a Upload)> {
        self.uploads.iter().filter(move |(_, upload)| upload.bucket == bucket)
    }

    /// Keeps a part, which replaces an earlier one of that number, and gives its etag.
    pub fn put_part(
        &mut self,
        now: Millis,
        id: &str,
        bucket: &str,
        key: &str,
        number: i32,
        body: Bytes,
    ) -> Result<String, AwsError> {
        self.upload(id, bucket, key)?;
        if !PART_NUMBERS.contains(&number) {
            return Err(error("InvalidArgument", 400, "Part number must be an integer between 1 and 10000, inclusive"));
        }
        let etag = hex(&Md5::digest(&body));
        let part = Part { etag: etag.clone(), size: body.len() as u64, last_modified: now };
        self.parts.insert(part_row(id, number), body);
        let upload = self.uploads.get_mut(id).expect("it was found above");
        upload.parts.insert(number, part);
        Ok(etag)
    }

    /// Joins the parts (number and etag, in rising order) to the object and gives its etag.
    pub fn complete_upload(
        &mut self,
        now: Millis,
        id: &str,
        bucket: &str,
        key: &str,
        asked: &[(i32, Option<String>)],
        precondition: Precondition,
    ) -> Result<String, AwsError> {
        let upload = self.upload(id, bucket, key)?.clone();
        let etag = check_parts(&upload, asked)?;
        let mut body = BytesMut::new();
        for (number, _) in asked {
            body.extend_from_slice(&self.parts.get(&part_row(id, *number)).unwrap_or_default());
        }
        let stored = self.put_with_etag(now, bucket, key, body.freeze(), etag, upload.description, precondition)?;
        self.forget_upload(id);
        Ok(stored)
    }

    pub fn abort_upload(&mut self, id: &str, bucket: &str, key: &str) -> Result<(), AwsError> {
        self.upload(id, bucket, key)?;
        self.forget_upload(id);
        Ok(())
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

/// The object's etag, when the parts asked for are the parts there.
fn check_parts(upload: &Upload, asked: &[(i32, Option<String>)]) -> Result<String, AwsError> {
    if asked.is_empty() {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(error("MalformedXML", 400, message));
    }
    if !asked.is_sorted_by(|(first, _), (second, _)| first < second) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(error("InvalidPartOrder", 400, message));
    }
    let mut digests = Md5::new();
    for (at, (number, etag)) in asked.iter().enumerate() {
        let part = upload.parts.get(number).filter(|part| etag.as_ref().is_none_or(|etag| *etag == part.etag));
        let part = part.ok_or_else(|| {
            let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, \
                           or the specified entity tag may not match the part's entity tag.";
            error("InvalidPart", 400, message)
        })?;
        if part.size < MIN_PART_BYTES && at + 1 < asked.len() {
            let message = "Your proposed upload is smaller than the minimum allowed size";
            return Err(error("EntityTooSmall", 400, message));
        }
        digests.update(unhex(&part.etag));
    }
    Ok(format!("{}-{}", hex(&digests.finalize()), asked.len()))
}

/// Of hex digits that [`hex`] wrote.
fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIG: usize = MIN_PART_BYTES as usize;

    fn begun(sizes: &[usize]) -> State {
        let mut state = State::default();
        state.create_bucket(0, "us-east-1", "lake", None, BTreeMap::new()).expect("a good name");
        state.begin_upload(0, "id", "lake", "k", Description::default()).expect("the bucket is there");
        for (at, size) in sizes.iter().enumerate() {
            let body = Bytes::from(vec![b'a'; *size]);
            state.put_part(0, "id", "lake", "k", at as i32 + 1, body).expect("the upload is there");
        }
        state
    }

    #[test]
    fn parts_are_joined_in_their_order_and_then_forgotten() {
        let mut state = begun(&[BIG, 3]);
        let asked = [(1, None), (2, Some("47bce5c74f589f4867dbd57e9ca9f808".to_owned()))];
        let etag = state.complete_upload(1, "id", "lake", "k", &asked, Precondition::None).expect("good parts");
        assert!(etag.ends_with("-2"), "{etag}");
        assert_eq!(state.get("lake", "k").map(|(_, body)| body.len()), Ok(BIG + 3));
        assert_eq!(state.upload("id", "lake", "k").map_err(|error| error.code), Err("NoSuchUpload"));
        let mut changes = crate::table::Changes::new(true);
        state.take_changes(&mut changes);
        let rows = changes.into_rows();
        let left = rows.iter().filter(|change| change.table == "s3/parts" && change.value.is_some());
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        for (sizes, asked, code) in [
            (&[3, 3][..], &[(1, None), (2, None)][..], "EntityTooSmall"),
            (&[BIG, 3], &[(2, None), (1, None)], "InvalidPartOrder"),
            (&[3], &[(2, None)], "InvalidPart"),
            (&[3], &[(1, Some("00".to_owned()))], "InvalidPart"),
            (&[3], &[], "MalformedXML"),
        ] {
            let refused = begun(sizes).complete_upload(1, "id", "lake", "k", asked, Precondition::None);
            assert_eq!(refused.map_err(|error| error.code), Err(code));
        }
    }
}
