//! Counts the roles that use a policy.

use crate::model::query::Xml;
use crate::table::Table;

use super::super::role::Role;

/// How many roles have a policy attached, or as their boundary.
#[derive(Debug, Default, Clone, Copy)]
pub struct Usage {
    pub attached: usize,
    boundary: usize,
}

impl Usage {
    pub fn of(roles: &Table<Role>, arn: &str) -> Usage {
        let count = |uses: fn(&Role, &str) -> bool| roles.iter().filter(|(_, role)| uses(role, arn)).count();
        Usage { attached: count(has_attached), boundary: count(is_bound_by) }
    }

    pub fn show(self, xml: &mut Xml) {
        xml.text("AttachmentCount", self.attached);
        xml.text("PermissionsBoundaryUsageCount", self.boundary);
        xml.text("IsAttachable", true);
    }

    /// Is it used as a filter (`PermissionsPolicy`, `PermissionsBoundary`, or none) asks?
    pub fn meets(self, only_attached: bool, filter: Option<&str>) -> bool {
        let used = match filter {
            Some("PermissionsPolicy") => self.attached > 0,
            Some("PermissionsBoundary") => self.boundary > 0,
            _ => true,
        };
        used && (!only_attached || self.attached > 0)
    }
}

pub fn has_attached(role: &Role, arn: &str) -> bool {
    role.attached.contains_key(arn)
}

pub fn is_bound_by(role: &Role, arn: &str) -> bool {
    role.boundary.as_deref() == Some(arn)
}
