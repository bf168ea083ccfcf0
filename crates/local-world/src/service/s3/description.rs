//! The description of an object by its writer, and its bounds.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bucket::Tags;
use super::error;
use crate::request::AwsError;

/// All names and values of metadata together, in bytes of UTF-8.
const MAX_METADATA_BYTES: usize = 2048;
/// Where objects are unless somebody says otherwise.
pub const STANDARD: &str = "STANDARD";
const OTHER_CLASSES: [&str; 5] =
    ["REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"];
/// Objects of these classes must be restored before they can be read.
const ARCHIVES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// The key of KMS that is used where none is named.
const AWS_KEY: &str = "alias/aws/s3";

/// The description of an object by its writer. Most of it is returned with the object, as headers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Content-Encoding`
    pub content_encoding: Option<String>,
    /// `Content-Disposition`
    pub content_disposition: Option<String>,
    /// `Content-Language`
    pub content_language: Option<String>,
    /// `Cache-Control`
    pub cache_control: Option<String>,
    /// As it was written: S3 takes any text.
    #[serde(default)]
    pub expires: Option<String>,
    /// The user's metadata, by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Tags of the object.
    pub tags: Tags,
    /// How the object is said to be encrypted.
    #[serde(flatten)]
    pub encryption: Encryption,
    /// `None`: [`STANDARD`].
    #[serde(default)]
    pub storage_class: Option<String>,
    /// The canned access control list that it was given.
    #[serde(default)]
    pub acl: Option<String>,
}

/// How an object is encrypted at rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Encryption {
    /// `None`: with keys of S3's own.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// Is it encrypted twice (`aws:kms:dsse`)?
    #[serde(default)]
    pub dual_layer: bool,
    /// Is a key of the bucket between that of KMS and the object?
    #[serde(default)]
    pub bucket_key: bool,
}

impl Encryption {
    /// The algorithm's name in S3's headers and in the bucket's default.
    pub fn algorithm(&self) -> &'static str {
        match (&self.kms_key, self.dual_layer) {
            (None, _) => "AES256",
            (Some(_), false) => "aws:kms",
            (Some(_), true) => "aws:kms:dsse",
        }
    }

    /// By an algorithm's name. Without a key AWS's own is meant. Only `aws:kms` knows bucket keys.
    pub fn of(algorithm: &str, kms_key: Option<String>, bucket_key: bool) -> Encryption {
        let kms_key = algorithm.starts_with("aws:kms").then(|| kms_key.unwrap_or_else(|| AWS_KEY.to_owned()));
        let dual_layer = algorithm == "aws:kms:dsse";
        Encryption { kms_key, dual_layer, bucket_key }.with_bucket_key(bucket_key)
    }

    /// The same with a bucket key or without, where there can be one.
    pub fn with_bucket_key(self, wanted: bool) -> Encryption {
        Encryption { bucket_key: wanted && self.kms_key.is_some() && !self.dual_layer, ..self }
    }
}

impl Description {
    /// The same, if it keeps the bounds: `MetadataTooLarge` or `InvalidStorageClass`.
    pub fn checked(self) -> Result<Description, AwsError> {
        let size = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if size > MAX_METADATA_BYTES {
            let message = "Your metadata headers exceed the maximum allowed metadata size";
            let refused = error("MetadataTooLarge", 400, message).with_detail("Size", size.to_string());
            return Err(refused.with_detail("MaxSizeAllowed", MAX_METADATA_BYTES.to_string()));
        }
        let class = self.storage_class();
        if class != STANDARD && !OTHER_CLASSES.contains(&class) && !ARCHIVES.contains(&class) {
            let refused = error("InvalidStorageClass", 400, "The storage class you specified is not valid");
            return Err(refused.with_detail("StorageClassRequested", class));
        }
        Ok(self)
    }

    /// The storage class, as S3 writes it.
    pub fn storage_class(&self) -> &str {
        self.storage_class.as_deref().unwrap_or(STANDARD)
    }

    /// `InvalidObjectState` of what is archived: nothing here restores it.
    pub fn readable(&self) -> Result<(), AwsError> {
        let class = self.storage_class();
        if !ARCHIVES.contains(&class) {
            return Ok(());
        }
        let refused = error("InvalidObjectState", 403, "The operation is not valid for the object's storage class");
        Err(refused.with_detail("StorageClass", class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_keeps_its_bounds() {
        let of = |class: Option<&str>, bytes: usize| {
            let metadata = BTreeMap::from([("k".to_owned(), "v".repeat(bytes))]);
            let storage_class = class.map(str::to_owned);
            Description { metadata, storage_class, ..Description::default() }.checked().map_err(|error| error.code)
        };
        assert!(of(None, 2047).is_ok());
        assert_eq!(of(None, 2048), Err("MetadataTooLarge"));
        assert_eq!(of(Some("OUTPOSTS"), 1), Err("InvalidStorageClass"));
        for (class, readable) in [("STANDARD", true), ("GLACIER_IR", true), ("GLACIER", false), ("DEEP_ARCHIVE", false)]
        {
            let description = of(Some(class), 1).expect(class);
            assert_eq!((description.storage_class(), description.readable().is_ok()), (class, readable));
        }
    }
}
