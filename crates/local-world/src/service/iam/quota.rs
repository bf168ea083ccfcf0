//! How large policies may be, and how many a role may have: then a question to them takes no time to speak of, wildcards and all.

use aws_facts::iam::{MAX_ATTACHED_POLICIES, MAX_INLINE_POLICIES, MAX_MANAGED_POLICY, MAX_TRUST_POLICY, policy_size};

use crate::request::AwsError;

use super::role::Role;

pub fn of_trust(text: &str) -> Result<(), AwsError> {
    if policy_size(text) > MAX_TRUST_POLICY { Err(exceeded("ACLSizePerRole", MAX_TRUST_POLICY)) } else { Ok(()) }
}

pub fn of_managed(text: &str) -> Result<(), AwsError> {
    if policy_size(text) > MAX_MANAGED_POLICY { Err(exceeded("PolicySize", MAX_MANAGED_POLICY)) } else { Ok(()) }
}

/// With this inline policy added, or in place of the one of its name.
pub fn of_inline(role: &Role, name: &str, text: &str) -> Result<(), AwsError> {
    let others = role.inline.iter().filter(|(other, _)| *other != name);
    if others.map(|(_, policy)| policy_size(&policy.value)).sum::<usize>() + policy_size(text) > MAX_INLINE_POLICIES {
        let message = format!("Maximum policy size of {MAX_INLINE_POLICIES} bytes exceeded for role {}", role.name);
        return Err(AwsError::new("LimitExceeded", message).with_status(409));
    }
    Ok(())
}

/// With this policy attached.
pub fn of_attached(role: &Role, arn: &str) -> Result<(), AwsError> {
    let is_full = role.attached.len() >= MAX_ATTACHED_POLICIES && !role.attached.contains_key(arn);
    if is_full { Err(exceeded("PoliciesPerRole", MAX_ATTACHED_POLICIES)) } else { Ok(()) }
}

fn exceeded(quota: &str, most: usize) -> AwsError {
    AwsError::new("LimitExceeded", format!("Cannot exceed quota for {quota}: {most}")).with_status(409)
}
