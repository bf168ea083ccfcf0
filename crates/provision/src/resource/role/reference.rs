//! The role that a function or a delivery stream runs as.

use serde_json::Value;

use super::Role;
use crate::names::{Address, Names};
use crate::resource::Resource;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleRef {
    /// Ours: made with the permissions that its users need.
    Derived(DerivedRole),
    /// Somebody else's, by name or ARN: no IAM call is made.
    Existing(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedRole {
    /// Logical name of the role's node: `delivery-raw`, `function-square`, or the name that the spec gives it.
    pub logical: String,
    pub name: RoleName,
    /// Conditions of its trust policy, besides Firehose's external id. `Null`: none.
    pub conditions: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleName {
    /// The role has one user: a service and the physical name of a resource, `firehose-test-delivery1`. The role's name follows
    /// from that and not from the logical name: the role that a delivery stream reads with can never change, and a key of the
    /// spec may.
    Of(String),
    /// The spec gives the name. All entries that give the same name share the role.
    Given(String),
}

impl RoleRef {
    /// The role of a delivery stream of this key and name.
    pub fn of_delivery(key: &str, name: &str) -> RoleRef {
        RoleRef::of(format!("delivery-{key}"), format!("firehose-{name}"))
    }

    /// The role of a function of this key and name.
    pub fn of_function(key: &str, name: &str) -> RoleRef {
        RoleRef::of(format!("function-{key}"), format!("lambda-{name}"))
    }

    fn of(logical: String, user: String) -> RoleRef {
        RoleRef::Derived(DerivedRole { logical, name: RoleName::Of(user), conditions: Value::Null })
    }

    pub fn arn(&self, names: &Names) -> String {
        match self {
            RoleRef::Derived(role) => names.role_arn(&names.role_path(), &role.physical(names)),
            RoleRef::Existing(arn) if arn.starts_with("arn:") => arn.clone(),
            RoleRef::Existing(name) => names.role_arn("/", name),
        }
    }

    /// The role that must be made first, if it is one of ours.
    pub fn address(&self) -> Option<Address> {
        match self {
            RoleRef::Derived(role) => Some(Address::new(Role::KIND, &role.logical)),
            RoleRef::Existing(_) => None,
        }
    }
}

impl DerivedRole {
    /// The name on AWS.
    pub fn physical(&self, names: &Names) -> String {
        match &self.name {
            RoleName::Of(user) => names.role_name(user),
            RoleName::Given(name) => name.clone(),
        }
    }
}
