//! What several kinds of policies decide together, within one account. Pure.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>

use super::policy::{Context, Verdict};

/// What is asked of all of them.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub action: &'a str,
    /// An ARN, or `*`.
    pub resource: &'a str,
    pub context: &'a Context<'a>,
}

/// What each kind says.
#[derive(Debug, Clone, Copy)]
pub struct Opinions {
    pub identity: Verdict,
    /// `None` where the role has no boundary.
    pub boundary: Option<Verdict>,
    /// To the caller by any of his names.
    pub resource: Verdict,
    /// Of the resource's policy too, to the session by its own name: no boundary limits that.
    pub session: Verdict,
}

/// A kind of policy, as AWS names it to whom it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Identity,
    Boundary,
    Resource,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Denied(Kind),
    NotAllowed(Kind),
}

impl Opinions {
    /// A Deny of any kind decides; then an Allow of the identity's or the resource's policies, within the boundary.
    ///
    /// # Errors
    /// The first reason, where there are several.
    pub fn decide(self) -> Result<(), Why> {
        use Verdict::*;
        let Opinions { identity, boundary, resource, session } = self;
        match (identity, boundary, resource, session) {
            (Denied, ..) => Err(Why::Denied(Kind::Identity)),
            (_, Some(Denied), ..) => Err(Why::Denied(Kind::Boundary)),
            (_, _, Denied, _) | (.., Denied) => Err(Why::Denied(Kind::Resource)),
            (.., Allowed) => Ok(()),
            (Silent, _, Silent, Silent) => Err(Why::NotAllowed(Kind::Identity)),
            (_, Some(Silent), _, Silent) => Err(Why::NotAllowed(Kind::Boundary)),
            (Allowed, _, _, Silent) | (_, _, Allowed, Silent) => Ok(()),
        }
    }
}

impl Why {
    /// The end of AWS's sentence.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
    pub fn words(self, action: &str) -> String {
        match self {
            Why::Denied(kind) => format!("with an explicit deny in {} {}", kind.article(), kind.name()),
            Why::NotAllowed(kind) => format!("because no {} allows the {action} action", kind.name()),
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Identity => "identity-based policy",
            Kind::Boundary => "permissions boundary",
            Kind::Resource => "resource-based policy",
        }
    }

    fn article(self) -> &'static str {
        match self {
            Kind::Identity => "an",
            Kind::Boundary | Kind::Resource => "a",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deny_decides_then_one_allow_within_the_boundary() {
        use Verdict::*;
        for (identity, boundary, resource, session, expected) in [
            (Allowed, None, Silent, Silent, Ok(())),
            (Silent, None, Allowed, Silent, Ok(())),
            (Silent, None, Allowed, Allowed, Ok(())),
            (Silent, None, Silent, Silent, Err(Why::NotAllowed(Kind::Identity))),
            (Silent, Some(Allowed), Silent, Silent, Err(Why::NotAllowed(Kind::Identity))),
            (Allowed, Some(Allowed), Silent, Silent, Ok(())),
            (Silent, Some(Allowed), Allowed, Silent, Ok(())),
            (Allowed, Some(Silent), Silent, Silent, Err(Why::NotAllowed(Kind::Boundary))),
            (Silent, Some(Silent), Allowed, Silent, Err(Why::NotAllowed(Kind::Boundary))),
            (Silent, Some(Silent), Allowed, Allowed, Ok(())),
            (Denied, None, Allowed, Allowed, Err(Why::Denied(Kind::Identity))),
            (Allowed, Some(Denied), Allowed, Allowed, Err(Why::Denied(Kind::Boundary))),
            (Allowed, Some(Allowed), Denied, Silent, Err(Why::Denied(Kind::Resource))),
            (Silent, None, Denied, Allowed, Err(Why::Denied(Kind::Resource))),
        ] {
            let opinions = Opinions { identity, boundary, resource, session };
            assert_eq!(opinions.decide(), expected, "{opinions:?}");
        }
    }
}
