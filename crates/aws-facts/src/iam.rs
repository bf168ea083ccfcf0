//! IAM's rules for names, and its quotas of policies.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>

use crate::bounds::NameRule;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
pub const ROLE_NAME: NameRule = NameRule { max: 64, marks: "_+=,.@-" };

/// The trust policy of a role, as [`policy_size`] measures it.
pub const MAX_TRUST_POLICY: usize = 2_048;
/// A version of a managed policy, as [`policy_size`] measures it.
pub const MAX_MANAGED_POLICY: usize = 6_144;
/// All inline policies of a role together, as [`policy_size`] measures them.
pub const MAX_INLINE_POLICIES: usize = 10_240;
/// Managed policies of a role, unless more are asked for in Service Quotas.
pub const MAX_ATTACHED_POLICIES: usize = 10;

/// The size of a policy: characters without white space.
pub fn policy_size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}
