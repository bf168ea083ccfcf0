//! Access control lists: canned ones, where a bucket's ownership allows any. They are kept and shown, and decide nothing.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl>

use s3s::dto::*;

use super::context::Context;
use super::{convert, documents};
use crate::request::AwsError;
use crate::service::s3::{State, refusal};

const PRIVATE: &str = "private";
const ALL: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// A group and what it may do.
type Granted = (&'static str, &'static str);

/// The grants of canned lists beside the owner's full control. A bucket's owner is also the owner of its objects here.
fn canned(name: &str) -> Option<&'static [Granted]> {
    Some(match name {
        PRIVATE | ObjectCannedACL::BUCKET_OWNER_READ | ObjectCannedACL::BUCKET_OWNER_FULL_CONTROL => &[],
        ObjectCannedACL::PUBLIC_READ => &[(ALL, "READ")],
        ObjectCannedACL::PUBLIC_READ_WRITE => &[(ALL, "READ"), (ALL, "WRITE")],
        ObjectCannedACL::AUTHENTICATED_READ => &[(AUTHENTICATED, "READ")],
        "log-delivery-write" => &[(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")],
        _ => return None,
    })
}

/// May a list of this name be given to an object in the bucket, or (`of_bucket`) to itself? Where the bucket's owner owns
/// everything, only what says so.
pub fn admit(state: &State, bucket: &str, name: Option<&str>, of_bucket: bool) -> Result<(), AwsError> {
    let Some(name) = name else { return Ok(()) };
    let granted = canned(name).ok_or_else(|| refusal::invalid_argument("", "x-amz-acl", name))?;
    let enforced = documents::is_owner_enforced(state, bucket)?;
    if enforced && (of_bucket || name != ObjectCannedACL::BUCKET_OWNER_FULL_CONTROL) {
        return Err(not_supported());
    }
    let is_public = granted.iter().any(|(group, _)| [ALL, AUTHENTICATED].contains(group));
    if is_public && documents::blocks_public_acls(state, bucket)? {
        return Err(refusal::access_denied());
    }
    Ok(())
}

/// May S3 write access logs into the bucket, by its list?
pub fn lets_logs_in(state: &State, bucket: &str) -> Result<bool, AwsError> {
    let granted = documents::acl(state, bucket)?.and_then(|name| canned(&name)).unwrap_or_default();
    Ok(granted.contains(&(LOG_DELIVERY, "WRITE")))
}

/// The same for a bucket that is about to be made with this ownership.
pub fn admit_new(ownership: Option<&str>, name: Option<&str>) -> Result<(), AwsError> {
    let Some(name) = name else { return Ok(()) };
    canned(name).ok_or_else(|| refusal::invalid_argument("", "x-amz-acl", name))?;
    if is_enforced(ownership) && name != PRIVATE { Err(not_of_enforced()) } else { Ok(()) }
}

/// Grants in headers (`x-amz-grant-…`), for the bucket of this name or something in it: of no use where the bucket's owner owns
/// everything, and not kept elsewhere.
pub fn refuse_grants(state: &State, bucket: Option<&str>, header: &str, canned: bool) -> AwsError {
    if canned {
        return refusal::invalid_request("Specifying both Canned ACLs and Header Grants is not allowed");
    }
    match bucket.map(|bucket| documents::is_owner_enforced(state, bucket)) {
        Some(Ok(true)) => not_supported(),
        Some(Err(error)) => error,
        Some(Ok(false)) | None => refusal::not_implemented(header),
    }
}

/// The same for a bucket that is about to be made with this ownership.
pub fn refuse_new_grants(ownership: Option<&str>, header: &str) -> AwsError {
    if is_enforced(ownership) { not_of_enforced() } else { refusal::not_implemented(header) }
}

fn not_supported() -> AwsError {
    AwsError::new("AccessControlListNotSupported", "The bucket does not allow ACLs")
}

fn is_enforced(ownership: Option<&str>) -> bool {
    ownership.is_none_or(|word| word == ObjectOwnership::BUCKET_OWNER_ENFORCED)
}

fn not_of_enforced() -> AwsError {
    let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    AwsError::new("InvalidBucketAclWithObjectOwnership", message)
}

fn grants(cx: &Context, name: Option<&str>) -> Vec<Grant> {
    let owner = Grantee {
        display_name: None,
        email_address: None,
        id: convert::owner(cx.account).id,
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    let group = |uri: &str| Grantee {
        id: None,
        type_: Type::from_static(Type::GROUP),
        uri: Some(uri.to_owned()),
        ..owner.clone()
    };
    let grant =
        |grantee, permission| Grant { grantee: Some(grantee), permission: Some(Permission::from_static(permission)) };
    let others =
        name.and_then(canned).unwrap_or_default().iter().map(|(uri, permission)| grant(group(uri), permission));
    std::iter::once(grant(owner.clone(), Permission::FULL_CONTROL)).chain(others).collect()
}

pub fn of_bucket(state: &State, cx: &Context, bucket: &str) -> Result<GetBucketAclOutput, AwsError> {
    let name = documents::acl(state, bucket)?;
    Ok(GetBucketAclOutput { grants: Some(grants(cx, name.as_deref())), owner: Some(convert::owner(cx.account)) })
}

pub fn of_object(state: &State, cx: &Context, input: &GetObjectAclInput) -> Result<GetObjectAclOutput, AwsError> {
    let object = state.object(&input.bucket, &input.key, input.version_id.as_deref())?;
    Ok(GetObjectAclOutput {
        grants: Some(grants(cx, object.description.acl.as_deref())),
        owner: Some(convert::owner(cx.account)),
        ..Default::default()
    })
}

pub fn set_of_bucket(state: &mut State, input: &PutBucketAclInput) -> Result<PutBucketAclOutput, AwsError> {
    state.bucket(&input.bucket)?;
    let name = asked(input.acl.as_ref().map(BucketCannedACL::as_str), input.access_control_policy.is_some())?;
    admit(state, &input.bucket, Some(name), true)?;
    documents::keep(state, &input.bucket, documents::ACL, &name)?;
    Ok(PutBucketAclOutput {})
}

pub fn set_of_object(state: &mut State, input: &PutObjectAclInput) -> Result<PutObjectAclOutput, AwsError> {
    let version = input.version_id.as_deref();
    state.described(&input.bucket, &input.key, version)?;
    let name = asked(input.acl.as_ref().map(ObjectCannedACL::as_str), input.access_control_policy.is_some())?;
    admit(state, &input.bucket, Some(name), false)?;
    state.description_mut(&input.bucket, &input.key, version)?.acl = Some(name.to_owned());
    Ok(PutObjectAclOutput::default())
}

/// Lists that are written out are none of ours.
fn asked(name: Option<&str>, is_written_out: bool) -> Result<&str, AwsError> {
    match name {
        Some(_) if is_written_out => Err(AwsError::new("UnexpectedContent", "This request does not support content")),
        Some(name) => Ok(name),
        None if is_written_out => {
            let message = "The built-in emulator knows canned ACLs (x-amz-acl) only";
            Err(AwsError::new("NotImplemented", message).with_status(501))
        }
        None => {
            let missing = AwsError::new("MissingSecurityHeader", "Your request was missing a required header");
            Err(missing.with_detail("MissingHeaderName", "x-amz-acl"))
        }
    }
}
