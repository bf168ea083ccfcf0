//! Versioning, listings of versions, and deletions, which are of versions where a bucket has them.

use s3s::dto::*;

use super::context::Context;
use super::lists::{Spelling, common_prefixes, query};
use super::{checksum, convert};
use crate::request::AwsError;
use crate::service::s3::bucket::Versioning;
use crate::service::s3::object::Precondition;
use crate::service::s3::version::{Deleted, Shown};
use crate::service::s3::{State, refusal};

/// Keys in one deletion.
const MAX_KEYS: usize = 1000;

pub fn status(state: &State, bucket: &str) -> Result<GetBucketVersioningOutput, AwsError> {
    let word = state.bucket(bucket)?.versioning.map(|versioning| match versioning {
        Versioning::Enabled => BucketVersioningStatus::ENABLED,
        Versioning::Suspended => BucketVersioningStatus::SUSPENDED,
    });
    Ok(GetBucketVersioningOutput { status: word.map(BucketVersioningStatus::from_static), ..Default::default() })
}

pub fn set(state: &mut State, input: PutBucketVersioningInput) -> Result<PutBucketVersioningOutput, AwsError> {
    let VersioningConfiguration { mfa_delete, status } = input.versioning_configuration;
    if mfa_delete.is_some_and(|word| word.as_str() != MFADelete::DISABLED) {
        return Err(refusal::not_implemented("x-amz-mfa"));
    }
    let versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        Some(_) => return Err(refusal::malformed_xml()),
        None => {
            let message = "The Versioning element must be specified";
            return Err(AwsError::new("IllegalVersioningConfigurationException", message));
        }
    };
    state.bucket_mut(&input.bucket)?.versioning = Some(versioning);
    Ok(PutBucketVersioningOutput {})
}

pub fn list(state: &State, cx: &Context, input: ListObjectVersionsInput) -> Result<ListObjectVersionsOutput, AwsError> {
    if let (Some(marker), None) = (&input.version_id_marker, &input.key_marker) {
        let message = "A version-id marker cannot be specified without a key marker.";
        return Err(refusal::invalid_argument(message, "version-id-marker", marker));
    }
    let after = input.key_marker.clone().unwrap_or_default();
    let mut query = query(&input.prefix, &input.delimiter, after, input.max_keys)?;
    query.after_version = input.version_id_marker.clone().filter(|id| !id.is_empty());
    let page = state.list_versions(&input.bucket, &query)?;
    let spelled = Spelling::of(input.encoding_type.as_ref())?;
    let owner = convert::owner(cx.account);
    let (mut versions, mut delete_markers) = (vec![], vec![]);
    for (key, listed) in &page.entries {
        let row = Row { key: spelled.write(key), id: listed.shown.id(), is_latest: listed.is_latest, owner: &owner };
        match listed.shown {
            Shown::Object(object) => versions.push(row.object(object)),
            Shown::Marker(marker) => delete_markers.push(row.marker(marker.at)),
        }
    }
    let last = page.entries.last().filter(|(key, _)| page.next.as_deref() == Some(key));
    Ok(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(spelled.write(&query.prefix)),
        key_marker: Some(spelled.write(&query.after)),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        max_keys: Some(query.max as i32),
        is_truncated: Some(page.next.is_some()),
        next_key_marker: page.next.as_deref().map(|next| spelled.write(next)),
        next_version_id_marker: last.map(|(_, listed)| listed.shown.id()),
        versions: Some(versions),
        delete_markers: Some(delete_markers),
        common_prefixes: Some(common_prefixes(&page, spelled)),
        delimiter: input.delimiter.map(|delimiter| spelled.write(&delimiter)),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

/// The data that versions and delete markers have in common.
struct Row<'a> {
    key: String,
    id: String,
    is_latest: bool,
    owner: &'a Owner,
}

impl Row<'_> {
    fn object(self, object: &crate::service::s3::Object) -> ObjectVersion {
        let sum = object.checksum.as_ref();
        ObjectVersion {
            key: Some(self.key),
            version_id: Some(self.id),
            is_latest: Some(self.is_latest),
            owner: Some(self.owner.clone()),
            e_tag: Some(convert::etag(&object.etag)),
            last_modified: Some(convert::time(object.last_modified)),
            size: Some(object.size as i64),
            storage_class: Some(object.description.storage_class().to_owned().into()),
            checksum_algorithm: checksum::algorithms(sum),
            checksum_type: sum.map(|sum| checksum::kind(sum.is_composite())),
            ..Default::default()
        }
    }

    fn marker(self, at: crate::time::Millis) -> DeleteMarkerEntry {
        DeleteMarkerEntry {
            key: Some(self.key),
            version_id: Some(self.id),
            is_latest: Some(self.is_latest),
            owner: Some(self.owner.clone()),
            last_modified: Some(convert::time(at)),
        }
    }
}

pub fn delete(state: &mut State, cx: &Context, input: &DeleteObjectInput) -> Result<DeleteObjectOutput, AwsError> {
    let (bucket, key) = (&input.bucket, &input.key);
    // Directory buckets have these two.
    for (header, given) in [
        ("x-amz-if-match-last-modified-time", input.if_match_last_modified_time.is_some()),
        ("x-amz-if-match-size", input.if_match_size.is_some()),
    ] {
        if given {
            return Err(refusal::not_implemented(header));
        }
    }
    state.meets(bucket, key, &convert::precondition(input.if_match.as_ref(), None)?)?;
    let Deleted { version, marker } = state.delete(cx.now, bucket, key, input.version_id.as_deref())?;
    Ok(DeleteObjectOutput { version_id: version, delete_marker: marker.then_some(true), ..Default::default() })
}

/// An error of one key is told beside the others that went. `refused`: of each key, why it may not be deleted.
pub fn delete_many(
    state: &mut State,
    cx: &Context,
    input: DeleteObjectsInput,
    refused: Vec<Option<AwsError>>,
) -> Result<DeleteObjectsOutput, AwsError> {
    state.bucket(&input.bucket)?;
    if !(1..=MAX_KEYS).contains(&input.delete.objects.len()) {
        return Err(refusal::malformed_xml());
    }
    let (mut deleted, mut errors) = (vec![], vec![]);
    for (object, refused) in input.delete.objects.into_iter().zip(refused) {
        let precondition =
            object.e_tag.clone().map_or(Precondition::None, |etag| Precondition::Etag(etag.into_value()));
        let allowed = refused.map_or_else(|| supported(&object), Err);
        let allowed = allowed.and_then(|()| state.meets(&input.bucket, &object.key, &precondition));
        let version = object.version_id.as_deref();
        match allowed.and_then(|()| state.delete(cx.now, &input.bucket, &object.key, version)) {
            Ok(done) => deleted.push(told(object, done)),
            Err(error) => errors.push(failed(object, error)),
        }
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(DeleteObjectsOutput {
        deleted: Some(deleted).filter(|_| !quiet),
        errors: Some(errors).filter(|errors| !errors.is_empty()),
        ..Default::default()
    })
}

/// Directory buckets have conditions on time and size.
fn supported(asked: &ObjectIdentifier) -> Result<(), AwsError> {
    let given = [("LastModifiedTime", asked.last_modified_time.is_some()), ("Size", asked.size.is_some())];
    given.iter().find(|(_, given)| *given).map_or(Ok(()), |(member, _)| Err(refusal::not_implemented(member)))
}

/// A version id that cannot be is here one that is not there.
fn failed(asked: ObjectIdentifier, error: AwsError) -> Error {
    let error = match &asked.version_id {
        Some(version) if error.code == "InvalidArgument" => refusal::no_such_version(&asked.key, version),
        _ => error,
    };
    Error {
        code: Some(error.code.into()),
        message: Some(error.message),
        key: Some(asked.key),
        version_id: asked.version_id,
    }
}

/// The version that was asked for, and the delete marker that was made, or that it was.
fn told(asked: ObjectIdentifier, done: Deleted) -> DeletedObject {
    DeletedObject {
        key: Some(asked.key),
        version_id: asked.version_id,
        delete_marker: done.marker.then_some(true),
        delete_marker_version_id: done.version.filter(|_| done.marker),
    }
}
