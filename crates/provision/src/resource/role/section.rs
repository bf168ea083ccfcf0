//! The role that something runs as, in a section.

use aws_facts::iam::ROLE_NAME;
use serde_json::Value;

use super::{DerivedRole, RoleName, RoleRef};
use crate::names::slug;
use crate::section::Lower;
use crate::yaml::collection::Anything;
use crate::yaml::scalar::patterns;
use crate::yaml::shape::{At, record, said};

patterns! {
    RoleId[512] = format!("arn:aws[a-z-]*:iam::[0-9]{{12}}:role/[a-zA-Z_0-9+=,.@/-]+|{}", ROLE_NAME.bounded_pattern()),
        "a role's name or ARN";
    GivenName[usize::MAX] = ROLE_NAME.pattern(), "a role's name: letters, digits and `_+=,.@-`";
}

record! {
    /// A role: derived, or somebody else's.
    RoleFields {
        /// Name of the derived role on AWS. Entries that give the same name share one role with the permissions of all. Default: a name
        /// that follows from its user's.
        name: GivenName;
        /// Conditions of the derived role's trust policy (operator, key, value), besides the `sts:ExternalId` that Firehose gives.
        conditions: Anything;
        /// Name or ARN of somebody else's role: no IAM call is made for it.
        existing: RoleId;
    }
}

/// The role that was written, or `derived`.
pub(crate) fn read(lower: &mut Lower, role: Option<&At<RoleFields>>, derived: RoleRef) -> RoleRef {
    let Some(role) = role else { return derived };
    let RoleFields { name, conditions, existing, .. } = &role.value;
    if let Some(existing) = existing {
        let ours = [("name", name.as_ref().map(|name| name.at)), ("conditions", conditions.as_ref().map(|c| c.at))];
        for (key, at) in ours.into_iter().filter_map(|(key, at)| Some((key, at?))) {
            lower.error(at, format!("`{key}` cannot be set on what is only referred to"), "not beside `existing`");
        }
        return RoleRef::Existing(existing.value.0.clone());
    }
    if name.is_none() && conditions.is_none() {
        lower.need(&role.value, "existing", false, role.at, "the role's name or ARN; or `name`, or `conditions`");
    }
    let RoleRef::Derived(mut role) = derived else { return derived };
    role.conditions = conditions.as_ref().map(|conditions| read_conditions(lower, conditions)).unwrap_or_default();
    if let Some(name) = name {
        let given = lower.name(&name.map(|name| name.0.clone()), ROLE_NAME.max);
        lower.agree(
            name.at,
            "role",
            &given,
            match &role.conditions {
                Value::Null => "no conditions".to_owned(),
                conditions => format!("the conditions {conditions}"),
            },
        );
        role = DerivedRole { logical: slug(&given), name: RoleName::Given(given), ..role };
    }
    RoleRef::Derived(role)
}

/// Operators with their keys and values.
fn read_conditions(lower: &mut Lower, conditions: &At<Anything>) -> Value {
    let value = &conditions.value.0;
    let is_condition = |value: &Value| value.as_object().is_some_and(|keys| !keys.is_empty());
    if !is_condition(value) || !value.as_object().into_iter().flatten().all(|(_, keys)| is_condition(keys)) {
        lower.error(conditions.at, "these are no conditions", "operator, key and value, as in a policy");
    }
    value.clone()
}

/// As [`read`] reads it. A derived role with a name and conditions of its own is not written.
pub(crate) fn fields(role: &RoleRef) -> Option<At<RoleFields>> {
    match role {
        RoleRef::Derived(DerivedRole { name: RoleName::Of(_), conditions: Value::Null, .. }) => None,
        RoleRef::Derived(DerivedRole { name, conditions, .. }) => said(RoleFields {
            name: match name {
                RoleName::Of(_) => None,
                RoleName::Given(name) => said(GivenName(name.clone())),
            },
            conditions: (!conditions.is_null()).then(|| Anything(conditions.clone())).and_then(said),
            ..RoleFields::default()
        }),
        RoleRef::Existing(id) => said(RoleFields { existing: said(RoleId(id.clone())), ..RoleFields::default() }),
    }
}
