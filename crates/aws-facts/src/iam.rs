//! IAM's quotas of policies, in characters without white space.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>

/// The trust policy of a role.
pub const MAX_TRUST_POLICY: usize = 2_048;
pub const MAX_MANAGED_POLICY: usize = 6_144;
/// All inline policies of a role together.
pub const MAX_INLINE_POLICIES: usize = 10_240;
/// Managed policies of a role, unless more are asked for in Service Quotas.
pub const MAX_ATTACHED_POLICIES: usize = 10;

/// How large a policy is.
pub fn policy_size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}
