//! Combines the opinions of several kinds of policies into a decision, within one account. Pure.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>

use super::condition::Context;
use super::policy::Verdict;

/// The question to all policies.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub action: &'a str,
    /// An ARN, or `*`.
    pub resource: &'a str,
    pub context: &'a Context,
}

/// The opinion of each kind of policy.
#[derive(Debug, Clone, Copy)]
pub struct Opinions {
    pub identity: Verdict,
    /// `None` where the role has no boundary.
    pub boundary: Option<Verdict>,
    /// The verdict of the session's policies; `None` if it has none.
    pub session: Option<Verdict>,
    /// To the caller by any of his names.
    pub resource: Verdict,
    /// The verdict of the resource's policy on the session's own ARN. Neither boundary nor session policies limit it.
    pub by_name: Verdict,
}

/// A kind of policy, as AWS names it to whom it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Identity,
    Boundary,
    Session,
    Resource,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Denied(Kind),
    NotAllowed(Kind),
}

impl Opinions {
    /// A Deny of any kind decides; then an Allow of the identity's or the resource's policies, within boundary and session.
    ///
    /// # Errors
    /// The first reason, where there are several.
    pub fn decide(self) -> Result<(), Why> {
        use Verdict::*;
        let Opinions { identity, boundary, session, resource, by_name } = self;
        let resources = if by_name == Denied { Denied } else { resource };
        let kinds = [
            (Kind::Identity, Some(identity)),
            (Kind::Boundary, boundary),
            (Kind::Session, session),
            (Kind::Resource, Some(resources)),
        ];
        if let Some((kind, _)) = kinds.iter().find(|(_, verdict)| *verdict == Some(Denied)) {
            return Err(Why::Denied(*kind));
        }
        if by_name == Allowed {
            return Ok(());
        }
        if identity == Silent && resource == Silent {
            return Err(Why::NotAllowed(Kind::Identity));
        }
        let limits = [(Kind::Boundary, boundary), (Kind::Session, session)];
        let limit = limits.iter().find(|(_, verdict)| *verdict == Some(Silent));
        limit.map_or(Ok(()), |(kind, _)| Err(Why::NotAllowed(*kind)))
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
            Kind::Session => "session policy",
            Kind::Resource => "resource-based policy",
        }
    }

    fn article(self) -> &'static str {
        match self {
            Kind::Identity => "an",
            Kind::Boundary | Kind::Session | Kind::Resource => "a",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deny_decides_then_one_allow_within_boundary_and_session() {
        use Verdict::*;
        let not_allowed = |kind| Err(Why::NotAllowed(kind));
        let denied = |kind| Err(Why::Denied(kind));
        for (identity, boundary, session, resource, by_name, expected) in [
            (Allowed, None, None, Silent, Silent, Ok(())),
            (Silent, None, None, Allowed, Silent, Ok(())),
            (Silent, None, None, Allowed, Allowed, Ok(())),
            (Silent, None, None, Silent, Silent, not_allowed(Kind::Identity)),
            (Silent, Some(Allowed), None, Silent, Silent, not_allowed(Kind::Identity)),
            (Silent, None, Some(Allowed), Silent, Silent, not_allowed(Kind::Identity)),
            (Allowed, Some(Allowed), Some(Allowed), Silent, Silent, Ok(())),
            (Silent, Some(Allowed), Some(Allowed), Allowed, Silent, Ok(())),
            (Allowed, Some(Silent), None, Silent, Silent, not_allowed(Kind::Boundary)),
            (Silent, Some(Silent), None, Allowed, Silent, not_allowed(Kind::Boundary)),
            (Allowed, None, Some(Silent), Silent, Silent, not_allowed(Kind::Session)),
            (Silent, None, Some(Silent), Allowed, Silent, not_allowed(Kind::Session)),
            (Silent, Some(Silent), Some(Silent), Allowed, Allowed, Ok(())),
            (Denied, None, None, Allowed, Allowed, denied(Kind::Identity)),
            (Allowed, Some(Denied), None, Allowed, Allowed, denied(Kind::Boundary)),
            (Allowed, Some(Allowed), Some(Denied), Allowed, Allowed, denied(Kind::Session)),
            (Allowed, Some(Allowed), None, Denied, Silent, denied(Kind::Resource)),
            (Silent, None, None, Allowed, Denied, denied(Kind::Resource)),
        ] {
            let opinions = Opinions { identity, boundary, session, resource, by_name };
            assert_eq!(opinions.decide(), expected, "{opinions:?}");
        }
    }
}
