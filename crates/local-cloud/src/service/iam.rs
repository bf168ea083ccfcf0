//! IAM: roles and their policies, and whether a role may be assumed and allows an action.
//!
//! What is written is read back at once; services see it [`crate::Delays::role`] later, as on AWS.

use crate::request::{Answer, AwsError, Request};
use crate::service::query::{Form, Xml, answer};
use crate::settings::Millis;
use crate::table::{Changes, Table};
use crate::world::{Turn, World};

pub use policy::glob_ignoring_case;

use policy::Verdict;
use role::Role;

mod managed;
mod permissions;
mod policy;
mod role;
mod roles;

/// The account's roles, by name in lower case.
#[derive(Debug)]
pub struct State {
    pub roles: Table<Role>,
}

impl Default for State {
    fn default() -> Self {
        State { roles: Table::new("iam/roles") }
    }
}

/// What an operation works on.
struct Call<'a> {
    roles: &'a mut Table<Role>,
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
    ("CreateRole", roles::create),
    ("DeleteRole", roles::delete),
    ("DeleteRolePermissionsBoundary", roles::delete_boundary),
    ("DeleteRolePolicy", permissions::delete),
    ("DetachRolePolicy", permissions::detach),
    ("GetRole", roles::get),
    ("GetRolePolicy", permissions::get),
    ("ListAttachedRolePolicies", permissions::list_attached),
    ("ListInstanceProfilesForRole", roles::list_instance_profiles),
    ("ListRolePolicies", permissions::list),
    ("ListRoleTags", roles::list_tags),
    ("ListRoles", roles::list),
    ("PutRolePermissionsBoundary", roles::put_boundary),
    ("PutRolePolicy", permissions::put),
    ("TagRole", roles::tag),
    ("UntagRole", roles::untag),
    ("UpdateAssumeRolePolicy", roles::update_trust),
    ("UpdateRole", roles::update),
];

pub fn call(world: &mut World, turn: &mut Turn, request: &Request) -> Result<Answer, AwsError> {
    let form = Form::parse(request)?;
    let action = form.required("Action")?.to_owned();
    let Some((_, operation)) = OPERATIONS.iter().find(|(name, _)| *name == action) else {
        let message = format!("Could not find operation {action} for version 2010-05-08");
        return Err(AwsError::new("InvalidAction", message));
    };
    let mut call = Call {
        roles: &mut world.iam.roles,
        form,
        request,
        account: &world.settings.account,
        now: turn.now,
        since: turn.now + world.slow,
        delay: world.settings.delays.role,
    };
    Ok(answer("iam", &action, request, operation(&mut call)?))
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
    let context = [("sts:externalid", account), ("aws:sourceaccount", account)];
    let trust = role.trust.seen(now, world.settings.delays.role).and_then(|text| policy::Document::parse(text));
    match trust.map(|trust| trust.trust(service, &context)) {
        Some(Verdict::Allowed) => Ok(()),
        Some(Verdict::Denied | Verdict::Silent) | None => Err(NotAssumable::Refused),
    }
}

/// Do the role's own policies allow `action` (for example `kinesis:GetRecords`) on `resource` (an ARN)?
pub fn allows(world: &World, role_arn: &str, action: &str, resource: &str, now: Millis) -> bool {
    let Some(role) = find(world, role_arn) else { return false };
    let context = [("aws:sourceaccount", world.settings.account.as_str())];
    let documents = role.documents(now, world.settings.delays.role);
    let verdicts: Vec<Verdict> = documents.map(|document| document.action(action, resource, &context)).collect();
    verdicts.contains(&Verdict::Allowed) && !verdicts.contains(&Verdict::Denied)
}

/// The role with exactly this ARN.
pub fn find<'a>(world: &'a World, role_arn: &str) -> Option<&'a Role> {
    let name = role_arn.rsplit('/').next()?;
    world.iam.roles.get(&name.to_lowercase()).filter(|role| role.arn == role_arn)
}

impl State {
    pub fn take_changes(&mut self, out: &mut Changes) {
        self.roles.take_changes(out);
    }

    pub fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        let known = table == self.roles.name();
        if known {
            self.roles.restore(key, value)?;
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests;
