//! IAM: roles and their policies, and what these say to a question.
//!
//! A change can be read back at once. Services see it [`crate::time::Delays::role`] later, as on AWS.

use crate::changes::Changes;
use crate::model::query::{self, Form, Xml, answer};
use crate::model::validate;
use crate::request::{Answer, AwsError, Request, Unwritten};
use crate::table::Table;
use crate::time::Millis;

pub use session::credentials_of;
pub(crate) use session::{Caller, Policies, Session, issue, session_arn};
pub(crate) use tag::given as tags_given;
pub(crate) use view::View;

use policies::Policy;
use policy::Document;
pub(crate) use role::Role;

pub(crate) mod condition;
pub(crate) mod decision;
mod document;
pub(crate) mod facts;
#[cfg(test)]
mod fuzz;
mod managed;
mod page;
mod permissions;
mod policies;
pub(crate) mod policy;
mod public;
mod quota;
mod role;
mod roles;
mod session;
mod simulate;
mod tag;
mod view;

#[derive(Debug)]
pub(crate) struct State {
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

/// The context of an operation.
struct Call<'a> {
    roles: &'a mut Table<Role>,
    policies: &'a mut Table<Policy>,
    form: Form,
    request: &'a Request,
    around: Around<'a>,
}

/// The parts of the world that a call needs.
pub struct Around<'a> {
    pub(crate) account: &'a str,
    /// The world's time.
    pub now: Millis,
    /// From when on a change begins to settle.
    pub since: Millis,
    /// How long it takes to.
    pub delay: Millis,
}

/// A call that was read and checked.
pub(crate) type Checked<'a> = Box<dyn FnOnce(&mut State, Around) -> Result<Answer, AwsError> + Send + 'a>;

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

pub(crate) fn read(request: &Request) -> Result<Checked<'_>, AwsError> {
    let form = Form::parse(request)?;
    let action = form.required("Action")?.to_owned();
    let simulates = [simulate::PRINCIPAL, simulate::CUSTOM].contains(&action.as_str());
    let operation = OPERATIONS.iter().find(|(name, _)| *name == action).map(|(_, operation)| operation);
    if operation.is_none() && !simulates {
        let message = format!("Could not find operation {action} for version 2010-05-08");
        return Err(AwsError::new("InvalidAction", message));
    }
    validate::query("iam", &action, form.parameters())?;
    Ok(Box::new(move |state, around| {
        let State { roles, policies } = state;
        let mut call = Call { roles, policies, form, request, around };
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

/// A policy for a session, checked; fails with `MalformedPolicyDocument`.
pub fn session_policy(text: &str) -> Result<String, AwsError> {
    roles::document(text)
}

impl State {
    pub(crate) fn take_changes(&mut self, out: &mut Changes) {
        self.roles.take_changes(out);
        self.policies.take_changes(out);
    }

    pub(crate) fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
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
