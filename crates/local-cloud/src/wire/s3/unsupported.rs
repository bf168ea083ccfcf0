//! Refuses features of S3 that this engine does not have and that the library would overlook.

use crate::request::{AwsError, Request};
use crate::service::s3::refusal::{not_implemented, not_implemented_parameter};
use crate::target::Target;

/// Subresources of buckets and objects whose requests would pass for those of the bucket or object itself.
const SUBRESOURCES: &[&str] = &[
    "abac",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "renameObject",
    "session",
];

/// Subresources of objects only. Buckets have one of that name, which is supported.
const SUBRESOURCES_OF_OBJECTS: &[&str] = &["encryption"];

/// Headers that ask for something, by how they begin.
const HEADERS: &[&str] = &[
    "x-amz-bucket-namespace",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-checksum-md5",
    "x-amz-checksum-sha512",
    "x-amz-checksum-xxhash",
    "x-amz-copy-source-server-side-encryption-customer-",
    "x-amz-if-match-initiated-time",
    "x-amz-object-lock-",
    "x-amz-rename-source",
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-customer-",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
];

/// # Errors
/// `NotImplemented` for the first subresource or header that is not here. One that says no, says nothing.
pub fn check(target: &Target, request: &Request) -> Result<(), AwsError> {
    let of_objects = |name: &str| target.has_key() && SUBRESOURCES_OF_OBJECTS.contains(&name);
    let parameter = request.query.iter().find(|(name, _)| SUBRESOURCES.contains(&name.as_str()) || of_objects(name));
    if let Some((name, _)) = parameter {
        return Err(not_implemented_parameter(name));
    }
    let asks = |name: &str| HEADERS.iter().any(|known| name.starts_with(known));
    let header = request.headers.iter().find(|(name, value)| asks(name.as_str()) && !says_no(value.as_bytes()));
    header.map_or(Ok(()), |(name, _)| Err(not_implemented(name.as_str())))
}

fn says_no(value: &[u8]) -> bool {
    [&b""[..], b"false", b"OFF"].iter().any(|no| value.eq_ignore_ascii_case(no))
}
