//! The role that something runs as, in a section.

use aws_facts::iam::ROLE_NAME;

use super::RoleRef;
use crate::section::Lower;
use crate::yaml::scalar::patterns;
use crate::yaml::shape::{At, record, said};

patterns! {
    RoleId[512] = format!("arn:aws[a-z-]*:iam::[0-9]{{12}}:role/[a-zA-Z_0-9+=,.@/-]+|{}", ROLE_NAME.bounded_pattern()),
        "a role's name or ARN";
}

record! {
    /// Somebody else's role: no IAM call is made for it.
    RoleFields {
        /// Name or ARN.
        existing: RoleId;
    }
}

/// The role that was written, or `derived`.
pub(crate) fn read(lower: &mut Lower, role: Option<&At<RoleFields>>, derived: RoleRef) -> RoleRef {
    let Some(role) = role else { return derived };
    lower.need(&role.value, "existing", role.value.existing.is_some(), role.at, "the role's name or ARN");
    match &role.value.existing {
        Some(existing) => RoleRef::Existing(existing.value.0.clone()),
        None => derived,
    }
}

/// As [`read`] reads it. A derived one is not written.
pub(crate) fn fields(role: &RoleRef) -> Option<At<RoleFields>> {
    match role {
        RoleRef::Derived { .. } => None,
        RoleRef::Existing(id) => said(RoleFields { existing: said(RoleId(id.clone())), ..RoleFields::default() }),
    }
}
