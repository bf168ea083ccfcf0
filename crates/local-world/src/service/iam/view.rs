//! Reads roles and policies as they count at a time.

use crate::request::{AwsError, Request};
use crate::settings::Settings;
use crate::time::Millis;

use super::condition::{Context, fact};
use super::decision::{Opinions, Question};
use super::policy::{Document, Verdict};
use super::role::Role;
use super::session::{self, Caller, Policies};
use super::{State, policies};

/// Roles and policies, as those find them who ask at a time.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub state: &'a State,
    pub account: &'a str,
    /// How much later than it was written a role or a policy counts ([`crate::time::Delays::role`]).
    pub delay: Millis,
    pub now: Millis,
}

/// Why a service cannot act as a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAssumable {
    /// No such role.
    Absent,
    /// It exists, but not for long enough ([`crate::time::Delays::role`]), or its trust policy does not name the service.
    Refused,
}

impl<'a> View<'a> {
    pub fn of(state: &'a State, settings: &'a Settings, now: Millis) -> View<'a> {
        View { state, account: &settings.account, delay: settings.delays.role, now }
    }

    /// The role with exactly this ARN.
    pub fn find(&self, role_arn: &str) -> Option<&'a Role> {
        let name = role_arn.rsplit('/').next()?;
        self.state.roles.get(&name.to_lowercase()).filter(|role| role.arn == role_arn)
    }

    /// The sender of a request. See [`Caller`].
    ///
    /// # Errors
    /// `None` of an expired session, or of a role that has gone, calls any more.
    pub fn caller(&self, request: &Request) -> Result<Caller<'a>, AwsError> {
        session::caller(self.state, request, self.now)
    }

    /// May `service` (for example `firehose.amazonaws.com`) assume the role now? It presents the account as external id.
    pub fn assumable(&self, role_arn: &str, service: &str) -> Result<(), NotAssumable> {
        let role = self.find(role_arn).ok_or(NotAssumable::Absent)?;
        let context = [fact("sts:externalid", self.account), fact("aws:sourceaccount", self.account)];
        match self.trust(role).map(|trust| trust.trust(service, &context)) {
            Some(Verdict::Allowed) => Ok(()),
            Some(Verdict::Denied | Verdict::Silent) | None => Err(NotAssumable::Refused),
        }
    }

    /// May this caller, who shows this external id, assume the role? Root may, once the role is known; a session where the trust policy
    /// names it.
    pub fn assumable_by(&self, role: &Role, caller: &Caller, region: &str, external_id: Option<&str>) -> bool {
        // Without an id it is known that there is none.
        let context = [("sts:externalid".to_owned(), external_id.map(str::to_owned).into_iter().collect())];
        match (self.trust(role), caller) {
            (None, _) => false,
            (Some(_), Caller::Root) => true,
            (Some(trust), Caller::Session { role: by, .. }) => {
                let root = Caller::Root.arn(region, self.account);
                let names = [by.arn.as_str(), &caller.arn(region, self.account), self.account, &root];
                names.iter().any(|name| trust.trusts_aws(name, &context) == Verdict::Allowed)
            }
        }
    }

    fn trust(&self, role: &Role) -> Option<Document> {
        role.trust.seen(self.now, self.delay).and_then(|text| Document::parse(text))
    }

    /// Does a managed policy of this ARN exist? That it does is known at once.
    pub fn is_managed_policy(&self, arn: &str) -> bool {
        policies::document(&self.state.policies, arn, self.now, 0).is_some()
    }

    /// The opinions of all policies that have a say, including the resource's own. A managed policy that does not exist allows
    /// nothing. A session has an ARN and perhaps policies.
    pub fn opinions(
        &self,
        role: &Role,
        session: Option<(&str, &Policies)>,
        question: &Question,
        of_resource: Option<&Document>,
    ) -> Opinions {
        let View { state: State { policies, .. }, delay, now, .. } = *self;
        let Question { action, resource, context } = *question;
        let managed = |arn: &str| policies::document(policies, arn, now, delay);
        let together = |documents: Vec<Document>| evaluate(&documents, action, resource, context);
        let (root, mut names) = (root_of(&role.arn), vec![role.arn.as_str(), "*"]);
        names.extend(session.map(|(arn, _)| arn));
        let account = [self.account, &root];
        let says = |to: &dyn Fn(&Document) -> Verdict| of_resource.map_or(Verdict::Silent, to);
        Opinions {
            identity: together(role.documents(policies, now, delay).collect()),
            boundary: role.boundary.as_deref().map(|arn| together(managed(arn).into_iter().collect())),
            session: session.filter(|(_, limits)| !limits.is_empty()).map(|(_, limits)| {
                let inline = limits.policy.as_deref().and_then(Document::parse);
                together(inline.into_iter().chain(limits.policy_arns.iter().filter_map(|arn| managed(arn))).collect())
            }),
            resource: says(&|policy| policy.by_one_of(&account, &names, action, resource, context)),
            by_name: session
                .map_or(Verdict::Silent, |(arn, _)| says(&|policy| policy.by(&[arn], action, resource, context))),
        }
    }
}

/// The root of a role's account.
pub fn root_of(role_arn: &str) -> String {
    let (account, _) = role_arn.split_once(":role/").unwrap_or((role_arn, ""));
    format!("{account}:root")
}

/// The opinion of several documents together: one Deny decides, then one Allow.
pub fn evaluate(documents: &[Document], action: &str, resource: &str, context: &Context) -> Verdict {
    let verdicts: Vec<Verdict> = documents.iter().map(|document| document.action(action, resource, context)).collect();
    match (verdicts.contains(&Verdict::Denied), verdicts.contains(&Verdict::Allowed)) {
        (true, _) => Verdict::Denied,
        (false, true) => Verdict::Allowed,
        (false, false) => Verdict::Silent,
    }
}
