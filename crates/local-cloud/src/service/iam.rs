//! IAM: roles and their policies, and whether a role may be assumed and allows an action.
//!
//! What is written is read back at once; services see it [`crate::Delays::role`] later, as on AWS.

use crate::changes::Changes;
use crate::model::query;
use crate::model::query::{Form, Xml, answer};
use crate::model::validate;
use crate::request::{Answer, AwsError, Request, Unwritten};
use crate::table::Table;
use crate::time::Millis;
use crate::world::World;
use crate::world::services;

pub use authorize::{authorize, denial, refusal};
pub use session::{Caller, Credentials, Policies, Session, caller, credentials_of, issue, session_arn};
pub use tag::given as tags_given;

use condition::{Context, fact};
use decision::{Opinions, Question};
use policies::Policy;
use policy::Document;
use policy::Verdict;
use role::Role;

mod authorize;
mod condition;
mod decision;
mod dependent;
mod document;
mod facts;
#[cfg(test)]
mod fuzz;
mod managed;
mod page;
mod permissions;
mod policies;
mod policy;
mod public;
mod quota;
mod resource;
mod role;
mod roles;
mod session;
mod simulate;
mod tag;

#[derive(Debug)]
pub struct State {
    /// By name in lower case.
    pub roles: Table<Role>,
    /// The account's own managed policies, by ARN.
    policies: Table<Policy>,
}

impl Default for State {
    fn default() -> Self {
        State { roles: Table::new("iam/roles"), policies: Table::new("iam/policies") }
    }
}

/// What an operation works on.
struct Call<'a> {
    roles: &'a mut Table<Role>,
    policies: &'a mut Table<Policy>,
    form: Form,
    request: &'a Request,
    account: &'a str,
    now: Millis,
    /// From when on a change begins to settle.
    since: Millis,
    delay: Millis,
}

/// An operation's result element, `None` where it has none.
type Outcome = Result<Option<Xml>, AwsError>;

type Operation = fn(&mut Call) -> Outcome;

const OPERATIONS: &[(&str, Operation)] = &[
    ("AttachRolePolicy", permissions::attach),
    ("CreatePolicy", policies::create),
    ("CreatePolicyVersion", policies::version::create),
    ("CreateRole", roles::create),
    ("DeletePolicy", policies::delete),
    ("DeletePolicyVersion", policies::version::delete),
    ("DeleteRole", roles::delete),
    ("DeleteRolePermissionsBoundary", roles::delete_boundary),
    ("DeleteRolePolicy", permissions::delete),
    ("DetachRolePolicy", permissions::detach),
    ("GetPolicy", policies::get),
    ("GetPolicyVersion", policies::version::get),
    ("GetRole", roles::get),
    ("GetRolePolicy", permissions::get),
    ("ListAttachedRolePolicies", permissions::list_attached),
    ("ListEntitiesForPolicy", policies::list_entities),
    ("ListInstanceProfilesForRole", roles::list_instance_profiles),
    ("ListPolicies", policies::list),
    ("ListPolicyTags", policies::list_tags),
    ("ListPolicyVersions", policies::version::list),
    ("ListRolePolicies", permissions::list),
    ("ListRoleTags", roles::list_tags),
    ("ListRoles", roles::list),
    ("PutRolePermissionsBoundary", roles::put_boundary),
    ("PutRolePolicy", permissions::put),
    ("SetDefaultPolicyVersion", policies::version::set_default),
    ("TagPolicy", policies::tag),
    ("TagRole", roles::tag),
    ("UntagPolicy", policies::untag),
    ("UntagRole", roles::untag),
    ("UpdateAssumeRolePolicy", roles::update_trust),
    ("UpdateRole", roles::update),
];

pub fn read(request: &Request) -> Result<services::Call<'_>, AwsError> {
    let form = Form::parse(request)?;
    let action = form.required("Action")?.to_owned();
    let simulates = [simulate::PRINCIPAL, simulate::CUSTOM].contains(&action.as_str());
    let operation = OPERATIONS.iter().find(|(name, _)| *name == action).map(|(_, operation)| operation);
    if operation.is_none() && !simulates {
        let message = format!("Could not find operation {action} for version 2010-05-08");
        return Err(AwsError::new("InvalidAction", message));
    }
    validate::query("iam", &action, form.parameters())?;
    Ok(Box::new(move |world, turn| {
        let mut call = Call {
            roles: &mut world.iam.roles,
            policies: &mut world.iam.policies,
            form,
            request,
            account: &world.settings.account,
            now: turn.now,
            since: turn.now + world.slow,
            delay: world.settings.delays.role,
        };
        if let Some(operation) = operation {
            return Ok(answer("iam", &action, &request.id, operation(&mut call)?));
        }
        let (own, form, id) = (simulate::own(&call, &action)?, call.form, request.id.clone());
        Ok(Answer::Unwritten(Unwritten::new(move || {
            Ok(query::reply("iam", &action, &id, Some(simulate::run(&form, own)?)))
        })))
    }))
}

impl Call<'_> {
    fn role(&self) -> Result<&Role, AwsError> {
        let name = self.form.required("RoleName")?;
        self.roles.get(&name.to_lowercase()).ok_or_else(|| no_role(name))
    }

    fn role_mut(&mut self) -> Result<&mut Role, AwsError> {
        let name = self.form.required("RoleName")?;
        self.roles.get_mut(&name.to_lowercase()).ok_or_else(|| no_role(name))
    }
}

fn no_role(name: &str) -> AwsError {
    no_such_entity(format!("The role with name {name} cannot be found."))
}

fn no_such_entity(message: String) -> AwsError {
    AwsError::new("NoSuchEntity", message).with_status(404)
}

/// Is the text a policy document?
pub fn is_policy(text: &str) -> bool {
    Document::parse(text).is_some()
}

/// Does a bucket's policy allow something to everybody? What is no policy does not.
pub fn is_public(text: &str) -> bool {
    Document::parse(text).is_some_and(|policy| public::is_public(&policy))
}

/// Why a service cannot act as a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAssumable {
    /// No such role.
    Absent,
    /// It exists, but not for long enough ([`crate::Delays::role`]), or its trust policy does not name the service.
    Refused,
}

/// May `service` (for example `firehose.amazonaws.com`) assume the role now? It presents the account as external id.
pub fn assumable(world: &World, role_arn: &str, service: &str, now: Millis) -> Result<(), NotAssumable> {
    let role = find(world, role_arn).ok_or(NotAssumable::Absent)?;
    let account = world.settings.account.as_str();
    let context = [fact("sts:externalid", account), fact("aws:sourceaccount", account)];
    let trust = role.trust.seen(now, world.settings.delays.role).and_then(|text| policy::Document::parse(text));
    match trust.map(|trust| trust.trust(service, &context)) {
        Some(Verdict::Allowed) => Ok(()),
        Some(Verdict::Denied | Verdict::Silent) | None => Err(NotAssumable::Refused),
    }
}

/// Do the role's policies, or the resource's, allow a service that acts as the role `action` (for example
/// `kinesis:GetRecords`) on `resource` (an ARN)?
pub fn allows(world: &World, role_arn: &str, action: &str, resource: &str, now: Millis) -> bool {
    let Some(role) = find(world, role_arn) else { return false };
    let context = facts::of_service(world, role, now);
    opinions(world, role, None, &Question { action, resource, context: &context }, now).decide().is_ok()
}

/// Does a managed policy of this ARN exist?
pub fn is_managed_policy(world: &World, arn: &str, now: Millis) -> bool {
    policies::document(&world.iam.policies, arn, now, 0).is_some()
}

/// A policy for a session, checked; fails with `MalformedPolicyDocument`.
pub fn session_policy(text: &str) -> Result<String, AwsError> {
    roles::document(text)
}

/// What all policies that may have a say answer. A managed policy that is not there allows nothing; a session has an ARN and
/// perhaps policies.
fn opinions(
    world: &World,
    role: &Role,
    session: Option<(&str, &Policies)>,
    question: &Question,
    now: Millis,
) -> Opinions {
    let (policies, delay) = (&world.iam.policies, world.settings.delays.role);
    let Question { action, resource, context } = *question;
    let managed = |arn: &str| policies::document(policies, arn, now, delay);
    let together = |documents: Vec<Document>| evaluate(&documents, action, resource, context);
    let (root, mut names) = (root_of(&role.arn), vec![role.arn.as_str(), "*"]);
    names.extend(session.map(|(arn, _)| arn));
    let account = [world.settings.account.as_str(), &root];
    let of_resource = resource::policy(world, resource);
    let says = |to: &dyn Fn(&Document) -> Verdict| of_resource.as_ref().map_or(Verdict::Silent, to);
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

/// The root of a role's account.
fn root_of(role_arn: &str) -> String {
    let (account, _) = role_arn.split_once(":role/").unwrap_or((role_arn, ""));
    format!("{account}:root")
}

/// What several documents say together: one Deny decides, then one Allow.
fn evaluate(documents: &[Document], action: &str, resource: &str, context: &Context) -> Verdict {
    let verdicts: Vec<Verdict> = documents.iter().map(|document| document.action(action, resource, context)).collect();
    match (verdicts.contains(&Verdict::Denied), verdicts.contains(&Verdict::Allowed)) {
        (true, _) => Verdict::Denied,
        (false, true) => Verdict::Allowed,
        (false, false) => Verdict::Silent,
    }
}

/// May this caller assume the role? Root may, once the role is known; a session where the trust policy names it.
pub fn assumable_by(world: &World, role: &Role, caller: &Caller, region: &str, now: Millis) -> bool {
    let account = world.settings.account.as_str();
    let trust = role.trust.seen(now, world.settings.delays.role).and_then(|text| Document::parse(text));
    match (trust, caller) {
        (None, _) => false,
        (Some(_), Caller::Root) => true,
        (Some(trust), Caller::Session { role: by, .. }) => {
            let root = Caller::Root.arn(region, account);
            let names = [by.arn.as_str(), &caller.arn(region, account), account, &root];
            names.iter().any(|name| trust.trusts_aws(name, &[]) == Verdict::Allowed)
        }
    }
}

/// The role with exactly this ARN.
pub fn find<'a>(world: &'a World, role_arn: &str) -> Option<&'a Role> {
    let name = role_arn.rsplit('/').next()?;
    world.iam.roles.get(&name.to_lowercase()).filter(|role| role.arn == role_arn)
}

impl State {
    pub fn take_changes(&mut self, out: &mut Changes) {
        self.roles.take_changes(out);
        self.policies.take_changes(out);
    }

    pub fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        match table {
            t if t == self.roles.name() => self.roles.restore(key, value)?,
            t if t == self.policies.name() => self.policies.restore(key, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
