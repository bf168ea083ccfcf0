//! The completion of an upload, and whether it is allowed.

use md5::{Digest, Md5};

use super::{Part, Upload};
use crate::request::AwsError;
use crate::service::s3::checksum::Checksum;
use crate::service::s3::object::{self, Object, Precondition};
use crate::service::s3::{error, refusal};

/// The smallest size, in bytes, of every part but the last.
pub(super) const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;

/// The completion of an upload.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The parts to join, in their order.
    pub parts: Vec<Asked>,
    /// The object's checksum, as the client says it.
    pub checksum: Option<Checksum>,
    /// Is that checksum made of the parts' checksums, as the client says?
    pub composite: Option<bool>,
    /// The object's size in bytes, as the client says it.
    pub size: Option<u64>,
    /// The condition under which the object is written.
    pub precondition: Precondition,
}

/// A part that a completion names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The part's number, from 1.
    pub number: i32,
    /// The part's etag, if the client said it.
    pub etag: Option<String>,
    /// The part's checksum, if the client said it.
    pub checksum: Option<Checksum>,
}

impl Completion {
    /// Does it speak of checksums and sizes as the upload was begun?
    pub(super) fn suits(&self, upload: &Upload) -> Result<(), AwsError> {
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

impl Completion {
    /// Whether it names the parts that the object was made of, its size and its checksum. Nothing that it leaves out is compared.
    pub(super) fn is_of(&self, object: &Object) -> bool {
        let same_part = |(asked, part): (&Asked, &object::Part)| {
            asked.number == part.number
                && agrees(asked.etag.as_ref(), part.etag.as_ref())
                && agrees(asked.checksum.as_ref(), part.checksum.as_ref())
        };
        let found = object.checksum.as_ref();
        self.parts.len() == object.parts.len()
            && self.parts.iter().zip(&object.parts).all(same_part)
            && self.size.is_none_or(|size| size == object.size)
            && self.checksum.as_ref().is_none_or(|said| found.is_some_and(|found| found.is(said)))
            && self.composite.is_none_or(|composite| found.is_some_and(|found| found.is_composite() == composite))
    }
}

/// Whether the two are the same, where both are known.
fn agrees<T: PartialEq>(asked: Option<&T>, known: Option<&T>) -> bool {
    asked.zip(known).is_none_or(|(asked, known)| asked == known)
}

/// The etag of an object of parts with these etags.
fn etag_of(parts: &[&str]) -> String {
    let digests = parts.iter().map(|etag| hex::decode(etag).expect("a part's etag is an MD5 in hex"));
    let digest = Md5::digest(digests.collect::<Vec<_>>().concat());
    format!("{}-{}", hex::encode(digest), parts.len())
}

/// The object's etag, when the parts asked for are the parts there.
pub(super) fn check_parts(id: &str, upload: &Upload, asked: &[Asked]) -> Result<String, AwsError> {
    if asked.is_empty() {
        return Err(refusal::invalid_request("You must specify at least one part"));
    }
    if !asked.is_sorted_by(|first, second| first.number < second.number) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(error("InvalidPartOrder", 400, message).with_detail("UploadId", id));
    }
    let mut etags = vec![];
    for (at, asked_for) in asked.iter().enumerate() {
        let part = upload.parts.get(&asked_for.number).filter(|part| is_as_asked(part, asked_for));
        let part = part.ok_or_else(|| invalid_part(id, asked_for))?;
        if part.size < MIN_PART_BYTES && at + 1 < asked.len() {
            return Err(too_small(asked_for.number, part));
        }
        etags.push(part.etag.as_str());
    }
    Ok(etag_of(&etags))
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
