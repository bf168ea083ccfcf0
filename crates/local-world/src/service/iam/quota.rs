//! How large policies may be, and how many a role may have: then a question to them takes no time to speak of, wildcards and all.
//! White space does not count. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>

use crate::request::AwsError;

use super::role::Role;

const TRUST: usize = 2_048;
const MANAGED: usize = 6_144;
/// Characters of all inline policies of a role together.
const INLINE: usize = 10_240;
/// Managed policies of a role.
const ATTACHED: usize = 10;

pub fn of_trust(text: &str) -> Result<(), AwsError> {
    if size(text) > TRUST { Err(exceeded("ACLSizePerRole", TRUST)) } else { Ok(()) }
}

pub fn of_managed(text: &str) -> Result<(), AwsError> {
    if size(text) > MANAGED { Err(exceeded("PolicySize", MANAGED)) } else { Ok(()) }
}

/// With this inline policy added, or in place of the one of its name.
pub fn of_inline(role: &Role, name: &str, text: &str) -> Result<(), AwsError> {
    let others = role.inline.iter().filter(|(other, _)| *other != name);
    if others.map(|(_, policy)| size(&policy.value)).sum::<usize>() + size(text) > INLINE {
        let message = format!("Maximum policy size of {INLINE} bytes exceeded for role {}", role.name);
        return Err(AwsError::new("LimitExceeded", message).with_status(409));
    }
    Ok(())
}

/// With this policy attached.
pub fn of_attached(role: &Role, arn: &str) -> Result<(), AwsError> {
    let is_full = role.attached.len() >= ATTACHED && !role.attached.contains_key(arn);
    if is_full { Err(exceeded("PoliciesPerRole", ATTACHED)) } else { Ok(()) }
}

fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

fn exceeded(quota: &str, most: usize) -> AwsError {
    AwsError::new("LimitExceeded", format!("Cannot exceed quota for {quota}: {most}")).with_status(409)
}
