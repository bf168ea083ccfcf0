//! A deployment package as it comes in: where it is, and whether it can be one.

use std::io::Cursor;

use aws_facts::lambda::{MAX_UNPACKED_BYTES, MAX_ZIP_BYTES};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::model::json;
use crate::request::AwsError;
use crate::service::s3;

use super::{State, invalid};

/// Entries of a deployment package. This bound is the emulator's own, for the file system's sake: a zip without the ZIP64 extension has
/// room for so many.
pub const MAX_ENTRIES: usize = 65_535;

/// Where the caller says the code is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Source {
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    image_uri: Option<String>,
}

/// A zip that can be unpacked.
#[derive(Debug, Clone)]
pub struct Code {
    pub zip: Bytes,
    /// Base64 of its SHA-256.
    pub sha256: String,
}

/// A zip that comes with a call, checked: why it cannot be code is told when nothing else is wrong with the call.
pub type Sent = Option<Result<Code, AwsError>>;

/// Takes the zip out of the input of an operation that has one. To decode, check and hash 50 MiB takes long, and is done beside
/// the world.
pub fn sent(operation: &str, input: &mut Value) -> Result<Sent, AwsError> {
    let place = match operation {
        "CreateFunction" => input.get_mut("Code"),
        "UpdateFunctionCode" => Some(input),
        _ => None,
    };
    let zip = place.and_then(Value::as_object_mut).and_then(|members| members.remove("ZipFile"));
    let Some(Value::String(base64)) = zip else { return Ok(None) };
    let zip = json::decode_base64(base64.as_bytes()).ok_or_else(|| {
        let message = "Could not parse request body into json: data is not valid base64";
        AwsError::new("InvalidRequestContentException", message)
    })?;
    if zip.len() as u64 > MAX_ZIP_BYTES {
        let message = format!("Zipped size must be smaller than {MAX_ZIP_BYTES} bytes");
        return Ok(Some(Err(AwsError::new("RequestEntityTooLargeException", message).with_status(413))));
    }
    Ok(Some(Code::check(zip, MAX_ENTRIES)))
}

impl Source {
    /// The code that was sent, or that is in the bucket, which is checked.
    pub fn read(self, sent: Sent, s3: &s3::State) -> Result<Code, AwsError> {
        match (sent, self.s3_bucket.zip(self.s3_key), self.image_uri) {
            (Some(code), None, None) => code,
            (None, Some((bucket, key)), None) => {
                Code::check(object(s3, &bucket, &key, self.s3_object_version.as_deref())?, MAX_ENTRIES)
            }
            (None, None, Some(_)) => Err(invalid("this endpoint runs no container images: send a zip")),
            _ => Err(invalid("Please provide exactly one source for the function code.")),
        }
    }
}

fn object(s3: &s3::State, bucket: &str, key: &str, version: Option<&str>) -> Result<Bytes, AwsError> {
    let (_, bytes) = s3.get(bucket, key, version).map_err(|error| {
        invalid(format!(
            "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
            error.code, error.message
        ))
    })?;
    Ok(bytes)
}

impl Code {
    fn check(zip: Bytes, max_entries: usize) -> Result<Code, AwsError> {
        let (entries, unpacked) = measure(&zip).ok_or_else(|| {
            invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
        })?;
        if entries > max_entries {
            return Err(invalid(format!(
                "this endpoint unpacks no zip of more than {max_entries} entries; this one has {entries}"
            )));
        }
        if unpacked >= MAX_UNPACKED_BYTES {
            return Err(invalid(format!("Unzipped size must be smaller than {MAX_UNPACKED_BYTES} bytes")));
        }
        let sha256 = base64_simd::STANDARD.encode_to_string(Sha256::digest(&zip));
        Ok(Code { zip, sha256 })
    }
}

/// How many entries there are, and the sum of what they say of their sizes; `None` when it is no readable, non-empty zip.
fn measure(zip: &Bytes) -> Option<(usize, u64)> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).ok()?;
    let sizes = (0..archive.len()).map(|index| archive.by_index_raw(index).ok().map(|entry| entry.size()));
    let unpacked = sizes.sum::<Option<u64>>().filter(|_| !zip.is_empty())?;
    Some((archive.len(), unpacked))
}

impl State {
    /// Keeps the zip; the same zip is kept once.
    pub fn keep(&mut self, code: Code) {
        if !self.code.contains(&code.sha256) {
            self.code.insert(code.sha256, code.zip);
        }
    }
}

#[cfg(test)]
mod tests {
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip_of(entries: usize) -> Bytes {
        let mut zip = ZipWriter::new(Cursor::new(vec![]));
        for n in 0..entries {
            zip.start_file(n.to_string(), SimpleFileOptions::default()).expect("writing to memory does not fail");
        }
        zip.finish().expect("writing to memory does not fail").into_inner().into()
    }

    #[test]
    fn a_zip_of_too_many_entries_is_not_taken() {
        assert!(Code::check(zip_of(3), 3).is_ok());
        let refused = Code::check(zip_of(4), 3).expect_err("one too many").to_string();
        assert!(refused.ends_with("this endpoint unpacks no zip of more than 3 entries; this one has 4"), "{refused}");
    }
}
