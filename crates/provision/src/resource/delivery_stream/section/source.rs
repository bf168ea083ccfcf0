//! How a delivery stream comes by its records: the role that reads the stream, or the encryption of what is put directly.

use super::fields::{DeliveryFields, SourceKey};
use crate::resource::delivery_stream::SourceEncryption;
use crate::resource::role::{RoleRef, section};
use crate::section::Lower;
use crate::yaml::shape::{At, said};

/// The word for AWS's own key.
const AWS_KEY: &str = "aws";

/// `source_role` and `source_encryption`: each with one kind of source only.
pub(super) fn read_source(
    lower: &mut Lower,
    written: &DeliveryFields,
    key: &At<String>,
    name: &str,
) -> (Option<RoleRef>, Option<SourceEncryption>) {
    if let (None, Some(role)) = (&written.from, &written.source_role) {
        lower.error(role.at, "`source_role` without a stream to read", "only with `from`");
    }
    if let (Some(_), Some(encryption)) = (&written.from, &written.source_encryption) {
        let expected = "records from a stream have the stream's own `encryption`";
        lower.error(encryption.at, "`source_encryption` with `from`", expected);
    }
    let derived = || RoleRef::of_delivery(&format!("{}-source", key.value), &format!("{name}-source"));
    let role = written.source_role.as_ref().map(|role| section::read(lower, Some(role), derived()));
    (role, written.source_encryption.as_ref().map(read_source_encryption))
}

fn read_source_encryption(written: &At<SourceKey>) -> SourceEncryption {
    match written.value.0.as_str() {
        AWS_KEY => SourceEncryption::Aws,
        arn => SourceEncryption::Key(arn.to_owned()),
    }
}

/// As [`read_source`] reads it.
pub(super) fn written_source_encryption(encryption: &SourceEncryption) -> Option<At<SourceKey>> {
    said(SourceKey(match encryption {
        SourceEncryption::Aws => AWS_KEY.to_owned(),
        SourceEncryption::Key(arn) => arn.clone(),
    }))
}
