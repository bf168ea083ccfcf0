//! Multipart uploads.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::checksum::{Checksum, Wanted, mismatch};
use super::object::{self, New, Precondition, Stored};
use super::{Description, State, error, refusal};
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
    /// `None`: nobody said, so S3 makes one of its own in the end.
    #[serde(default)]
    pub checksum: Option<Wanted>,
    /// Has somebody written or deleted the key since? Then no completion may have a condition.
    #[serde(default)]
    pub overtaken: bool,
    pub parts: BTreeMap<i32, Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// MD5 in hex.
    pub etag: String,
    pub size: u64,
    pub last_modified: Millis,
    #[serde(default)]
    pub checksum: Option<Checksum>,
}

/// What completes an upload.
#[derive(Debug, Clone)]
pub struct Completion {
    pub parts: Vec<Asked>,
    /// Of the object, as the client says it.
    pub checksum: Option<Checksum>,
    /// Of that, as the client says it: of the parts' checksums?
    pub composite: Option<bool>,
    /// Of the object, in bytes, as the client says it.
    pub size: Option<u64>,
    pub precondition: Precondition,
}

/// A part that a completion names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub number: i32,
    pub etag: Option<String>,
    pub checksum: Option<Checksum>,
}

impl Completion {
    /// Does it speak of checksums and sizes as the upload was begun?
    fn suits(&self, upload: &Upload) -> Result<(), AwsError> {
        let mode = upload.checksum.map(|wanted| if wanted.composite { "COMPOSITE" } else { "FULL_OBJECT" });
        if self.composite.is_some() && self.composite != upload.checksum.map(|wanted| wanted.composite) {
            return Err(refusal::invalid_request(format!(
                "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
                mode.unwrap_or("null")
            )));
        }
        let without = self.parts.iter().find(|part| part.checksum.is_none());
        if let (Some(wanted), Some(part)) = (upload.checksum.filter(|wanted| wanted.composite), without) {
            return Err(refusal::invalid_request(format!(
                "The upload was created using a {} checksum. The complete request must include the checksum for each part. \
                 It was missing for part {} in the request.",
                wanted.algorithm.name().to_lowercase(),
                part.number
            )));
        }
        let size = self.parts.iter().filter_map(|part| Some(upload.parts.get(&part.number)?.size)).sum::<u64>();
        match self.size.filter(|said| *said != size) {
            Some(said) => Err(refusal::invalid_request(format!(
                "The provided 'x-amz-mp-object-size' header value {said} does not match what was computed: {size}"
            ))),
            None => Ok(()),
        }
    }
}

impl Upload {
    /// A part as the object remembers it.
    fn joined(&self, number: i32) -> Option<object::Part> {
        let Part { size, checksum, .. } = self.parts.get(&number)?;
        Some(object::Part { number, size: *size, checksum: self.checksum.and(checksum.clone()) })
    }
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
        checksum: Option<Checksum>,
    ) -> Result<String, AwsError> {
        if !PART_NUMBERS.contains(&number) {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            return Err(refusal::invalid_argument(message, "partNumber", &number.to_string()));
        }
        let etag = hex::encode(Md5::digest(&body));
        let upload = self.uploads.get_mut(id).ok_or_else(|| refusal::no_such_upload(id))?;
        if let Some(wanted) = upload.checksum {
            wanted.admits(checksum.as_ref())?;
        }
        let part = Part { etag: etag.clone(), size: body.len() as u64, last_modified: now, checksum };
        upload.parts.insert(number, part);
        self.parts.insert(part_row(id, number), body);
        Ok(etag)
    }

    /// Joins the parts, in rising order, to the object.
    pub fn complete_upload(
        &mut self,
        now: Millis,
        id: &str,
        bucket: &str,
        key: &str,
        completion: Completion,
    ) -> Result<Stored, AwsError> {
        let upload = self.upload(id, bucket, key)?.clone();
        completion.suits(&upload)?;
        let Completion { parts: asked, checksum: said, precondition, .. } = completion;
        let etag = check_parts(id, &upload, &asked)?;
        self.meets(bucket, key, &precondition)?;
        if upload.overtaken && precondition != Precondition::None {
            return Err(refusal::conflict(precondition.header(), key));
        }
        let mut body = BytesMut::new();
        for Asked { number, .. } in &asked {
            body.extend_from_slice(&self.parts.get(&part_row(id, *number)).unwrap_or_default());
        }
        let body = body.freeze();
        let sums = asked.iter().filter_map(|asked| upload.parts.get(&asked.number)?.checksum.as_ref());
        let checksum = match (upload.checksum, &said) {
            (Some(wanted), _) => Some(wanted.joined(&body, sums)),
            (None, Some(said)) => Some(said.algorithm.of(&body)),
            (None, None) => None,
        };
        if let Some(said) = said.filter(|said| !checksum.as_ref().is_some_and(|found| found.is(said))) {
            return Err(mismatch(&said.algorithm.name().to_lowercase()));
        }
        let parts = asked.iter().filter_map(|asked| upload.joined(asked.number)).collect();
        let new = New { body, etag, checksum, parts, description: upload.description };
        let stored = self.put(now, bucket, key, new, precondition)?;
        self.forget_upload(id);
        Ok(stored)
    }

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

/// The object's etag, when the parts asked for are the parts there.
fn check_parts(id: &str, upload: &Upload, asked: &[Asked]) -> Result<String, AwsError> {
    if asked.is_empty() {
        return Err(refusal::invalid_request("You must specify at least one part"));
    }
    if !asked.is_sorted_by(|first, second| first.number < second.number) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(error("InvalidPartOrder", 400, message).with_detail("UploadId", id));
    }
    let mut digests = Md5::new();
    for (at, asked_for) in asked.iter().enumerate() {
        let part = upload.parts.get(&asked_for.number).filter(|part| is_as_asked(part, asked_for));
        let part = part.ok_or_else(|| invalid_part(id, asked_for))?;
        if part.size < MIN_PART_BYTES && at + 1 < asked.len() {
            return Err(too_small(asked_for.number, part));
        }
        digests.update(hex::decode(&part.etag).expect("a part's tag is an MD5 in hex"));
    }
    Ok(format!("{}-{}", hex::encode(digests.finalize()), asked.len()))
}

fn invalid_part(id: &str, asked: &Asked) -> AwsError {
    let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                   specified entity tag may not match the part's entity tag.";
    let refused = error("InvalidPart", 400, message).with_detail("UploadId", id);
    let refused = refused.with_detail("PartNumber", asked.number.to_string());
    refused.with_detail("ETag", asked.etag.clone().unwrap_or_default())
}

fn too_small(number: i32, part: &Part) -> AwsError {
    let refused = error("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size");
    let refused = refused.with_detail("ProposedSize", part.size.to_string());
    let refused = refused.with_detail("MinSizeAllowed", MIN_PART_BYTES.to_string());
    refused.with_detail("PartNumber", number.to_string()).with_detail("ETag", &part.etag)
}

fn is_as_asked(part: &Part, asked: &Asked) -> bool {
    asked.etag.as_ref().is_none_or(|etag| *etag == part.etag)
        && asked.checksum.as_ref().is_none_or(|checksum| Some(checksum) == part.checksum.as_ref())
}

#[cfg(test)]
mod tests {
    use super::super::checksum::Algorithm;
    use super::*;

    const BIG: usize = MIN_PART_BYTES as usize;

    fn begun(sizes: &[usize]) -> State {
        let mut state = State::default();
        state.create_bucket(0, "us-east-1", "lake", None, BTreeMap::new()).expect("a good name");
        state.begin_upload(0, "id", "lake", "k", Description::default(), None).expect("the bucket is there");
        for (at, size) in sizes.iter().enumerate() {
            let body = Bytes::from(vec![b'a'; *size]);
            state.put_part(0, "id", at as i32 + 1, body, None).expect("the upload is there");
        }
        state
    }

    fn part(number: i32, etag: Option<&str>) -> Asked {
        Asked { number, etag: etag.map(str::to_owned), checksum: None }
    }

    fn completion(parts: &[Asked]) -> Completion {
        Completion {
            parts: parts.to_vec(),
            checksum: None,
            composite: None,
            size: None,
            precondition: Precondition::None,
        }
    }

    #[test]
    fn parts_are_joined_in_their_order_and_then_forgotten() {
        let mut state = begun(&[BIG, 3]);
        let asked = [part(1, None), part(2, Some("47bce5c74f589f4867dbd57e9ca9f808"))];
        let stored = state.complete_upload(1, "id", "lake", "k", completion(&asked)).expect("good parts");
        assert!(stored.etag.ends_with("-2"), "{stored:?}");
        assert_eq!(state.get("lake", "k", None).map(|(_, body)| body.len()), Ok(BIG + 3));
        assert_eq!(state.upload("id", "lake", "k").map_err(|error| error.code), Err("NoSuchUpload"));
        let mut changes = crate::table::Changes::new(true);
        state.take_changes(&mut changes);
        let rows = changes.into_rows();
        let left = rows.iter().filter(|change| change.table == "s3/parts" && change.value.is_some());
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let other = Asked { number: 1, checksum: Some(Algorithm::Sha1.of(b"other")), ..Asked::default() };
        for (sizes, asked, code) in [
            (&[3, 3][..], &[part(1, None), part(2, None)][..], "EntityTooSmall"),
            (&[BIG, 3], &[part(2, None), part(1, None)], "InvalidPartOrder"),
            (&[3], &[part(2, None)], "InvalidPart"),
            (&[3], &[part(1, Some("00"))], "InvalidPart"),
            (&[3], &[other], "InvalidPart"),
            (&[3], &[], "InvalidRequest"),
        ] {
            let refused = begun(sizes).complete_upload(1, "id", "lake", "k", completion(asked));
            assert_eq!(refused.map_err(|error| error.code), Err(code));
        }
    }

    type Act<'a> = &'a dyn Fn(&mut State) -> Result<(), AwsError>;
    type Row<'a> = (Option<Act<'a>>, &'a [Act<'a>], Precondition, Result<(), &'static str>);

    #[test]
    fn a_conditional_completion_loses_to_what_others_did_to_the_key_meanwhile() {
        let object = || New::whole(Bytes::from_static(b"x"), None, Description::default());
        let etag = || Precondition::Etag(object().etag);
        let put = |state: &mut State| state.put(1, "lake", "k", object(), Precondition::None).map(drop);
        let delete = |state: &mut State| state.delete(1, "lake", "k", None).map(drop);
        let (quiet, conflict) = (Ok(()), Err("ConditionalRequestConflict"));
        // (what is there before, what happens during the upload, the condition, what comes of it)
        let table: [Row; 8] = [
            (None, &[], Precondition::Absent, quiet),
            (Some(&put), &[], etag(), quiet),
            (Some(&put), &[&put], Precondition::None, quiet),
            (Some(&put), &[&put], etag(), conflict),
            (Some(&put), &[&put], Precondition::Etag("0".into()), Err("PreconditionFailed")),
            (Some(&put), &[&delete], Precondition::Absent, conflict),
            (Some(&put), &[&delete], etag(), Err("NoSuchKey")),
            (Some(&put), &[&delete, &put], etag(), conflict),
        ];
        for (at, (before, during, precondition, expected)) in table.into_iter().enumerate() {
            let mut state = begun(&[]);
            before.into_iter().for_each(|act| act(&mut state).expect("the bucket is there"));
            state.begin_upload(0, "own", "lake", "k", Description::default(), None).expect("the bucket is there");
            state.put_part(0, "own", 1, Bytes::from_static(b"y"), None).expect("the upload is there");
            during.iter().for_each(|act| act(&mut state).expect("the bucket is there"));
            let completion = Completion { precondition, ..completion(&[part(1, None)]) };
            let done = state.complete_upload(2, "own", "lake", "k", completion);
            assert_eq!(done.map(drop).map_err(|error| error.code), expected, "row {at}");
        }
    }

    #[test]
    fn a_completion_speaks_of_sums_and_sizes_as_the_upload_was_begun() {
        let refused = |wanted: Option<bool>, composite, size| {
            let mut state = begun(&[3]);
            let wanted = wanted.map(|composite| Wanted { algorithm: Algorithm::Crc32, composite });
            state.uploads.get_mut("id").expect("it was begun").checksum = wanted;
            let completion = Completion { composite, size, ..completion(&[part(1, None)]) };
            state.complete_upload(1, "id", "lake", "k", completion).err().map(|error| error.message)
        };
        assert_eq!(refused(None, None, Some(3)), None);
        for (wanted, composite, size, said) in [
            (None, Some(false), None, "created using the null checksum mode"),
            (Some(true), Some(false), None, "created using the COMPOSITE checksum mode"),
            (Some(true), None, None, "created using a crc32 checksum. The complete request must include"),
            (None, None, Some(5), "header value 5 does not match what was computed: 3"),
        ] {
            let message = refused(wanted, composite, size).unwrap_or_default();
            assert!(message.contains(said), "{message}");
        }
    }
}
