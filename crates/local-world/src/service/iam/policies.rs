//! Customer managed policies, and AWS's own beside them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::arn;
use crate::model::query::{Xml, iso_time, percent_encode};
use crate::request::AwsError;
use crate::table::Table;
use crate::time::Millis;

use super::document::{self, Kind};
use super::page::page;
use super::policy::Document;
use super::role::{Role, Settling};
use super::tag::{self, Tags};
use super::{Call, Outcome, managed, no_such_entity, quota, roles};
use usage::{Usage, has_attached, is_bound_by};

pub mod version;

mod usage;

/// One policy of the account's own. Kept under its ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    pub arn: String,
    id: String,
    path: String,
    description: Option<String>,
    created: Millis,
    updated: Millis,
    tags: Tags,
    /// By number; `v1` is 1.
    versions: BTreeMap<u32, Version>,
    last_version: u32,
    /// The number of the version that counts.
    default: Settling<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    text: String,
    created: Millis,
}

/// The document of the policy with that ARN, AWS's or the account's; `None` if there is none, or none to be seen yet.
pub fn document(policies: &Table<Policy>, arn: &str, now: Millis, delay: Millis) -> Option<Document> {
    managed::document(arn).or_else(|| {
        let policy = policies.get(arn)?;
        let number = policy.default.seen(now, delay)?;
        Document::parse(&policy.versions.get(number)?.text)
    })
}

pub fn create(call: &mut Call) -> Outcome {
    let name = call.form.required("PolicyName")?.to_owned();
    let text = call.form.required("PolicyDocument")?.to_owned();
    document::check(&text, Kind::Managed)?;
    quota::of_managed(&text)?;
    let path = call.form.get("Path").unwrap_or("/").to_owned();
    let arn = arn::global("iam", &call.request.region, call.around.account, &format!("policy{path}{name}"));
    // A name is the account's, whatever its case and path.
    if call.policies.iter().any(|(_, policy)| policy.name.eq_ignore_ascii_case(&name)) {
        let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(AwsError::new("EntityAlreadyExists", message).with_status(409));
    }
    let policy = Policy {
        name,
        arn: arn.clone(),
        id: roles::unique_id("ANPA", &call.request.id),
        path,
        description: call.form.get("Description").map(str::to_owned),
        created: call.around.now,
        updated: call.around.now,
        tags: tag::given(&call.form, "InvalidInput")?.into_iter().collect(),
        versions: BTreeMap::from([(1, Version { text, created: call.around.now })]),
        last_version: 1,
        default: Settling::new(1, call.around.since),
    };
    let mut xml = Xml::default();
    xml.element("Policy", |xml| {
        policy.summary(xml, Usage::default());
        if !policy.tags.is_empty() {
            tag::show(xml, &policy.tags);
        }
    });
    call.policies.insert(arn, policy);
    Ok(Some(xml))
}

impl Policy {
    /// The members that lists and CreatePolicy show.
    fn summary(&self, xml: &mut Xml, usage: Usage) {
        xml.text("PolicyName", &self.name);
        xml.text("PolicyId", &self.id);
        xml.text("Arn", &self.arn);
        xml.text("Path", &self.path);
        xml.text("DefaultVersionId", format!("v{}", self.default.value));
        usage.show(xml);
        xml.text("CreateDate", iso_time(self.created));
        xml.text("UpdateDate", iso_time(self.updated));
    }

    /// Writes the elements that GetPolicy shows and lists do not.
    fn details(&self, xml: &mut Xml) {
        if let Some(description) = &self.description {
            xml.text("Description", description);
        }
        tag::show(xml, &self.tags);
    }

    fn version(&self, xml: &mut Xml, number: u32, whole: bool) {
        let Some(version) = self.versions.get(&number) else { return };
        if whole {
            xml.text("Document", percent_encode(&version.text));
        }
        xml.text("VersionId", format!("v{number}"));
        xml.text("IsDefaultVersion", self.default.value == number);
        xml.text("CreateDate", iso_time(version.created));
    }
}

fn managed_summary(xml: &mut Xml, arn: &str, usage: Usage) {
    let (path, name) = managed::path_and_name(arn);
    xml.text("PolicyName", name);
    xml.text("PolicyId", roles::unique_id("ANPA", arn));
    xml.text("Arn", arn);
    xml.text("Path", path);
    xml.text("DefaultVersionId", "v1");
    usage.show(xml);
    xml.text("CreateDate", iso_time(managed::CREATED));
    xml.text("UpdateDate", iso_time(managed::CREATED));
}

/// The text by which lists order policies. It is short enough for a marker.
pub fn key(arn: &str) -> String {
    let (_, name) = managed::path_and_name(arn);
    let of = if managed::document(arn).is_some() { "aws" } else { "account" };
    format!("{of}/{name}")
}

pub fn get(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?;
    let usage = Usage::of(call.roles, arn);
    let mut xml = Xml::default();
    match call.policies.get(arn) {
        Some(policy) => xml.element("Policy", |xml| {
            policy.summary(xml, usage);
            policy.details(xml);
        }),
        None if managed::document(arn).is_some() => xml.element("Policy", |xml| {
            managed_summary(xml, arn, usage);
            tag::show(xml, []);
        }),
        None => return Err(no_policy(arn)),
    }
    Ok(Some(xml))
}

/// `Scope` is `All`, `AWS` or `Local`.
pub fn list(call: &mut Call) -> Outcome {
    let scope = call.form.get("Scope").unwrap_or("All");
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    let only_attached = call.form.get("OnlyAttached") == Some("true");
    let used_as = call.form.get("PolicyUsageFilter");
    let own = call.policies.iter().map(|(arn, _)| arn.to_owned()).filter(|_| scope != "AWS");
    let theirs = managed::arns(arn::partition(&call.request.region)).filter(|_| scope != "Local");
    let shown = own.chain(theirs).filter(|arn| {
        managed::path_and_name(arn).0.starts_with(prefix) && Usage::of(call.roles, arn).meets(only_attached, used_as)
    });
    let page = page(&call.form, shown.map(|arn| (key(&arn), arn)))?;
    let mut xml = Xml::default();
    xml.members("Policies", &page.items, |xml, arn| {
        let usage = Usage::of(call.roles, arn);
        match call.policies.get(arn) {
            Some(policy) => policy.summary(xml, usage),
            None => managed_summary(xml, arn, usage),
        }
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub fn delete(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?.to_owned();
    let policy = call.policies.get(&arn).ok_or_else(|| no_policy(&arn))?;
    let conflict = |why: &str| Err(AwsError::new("DeleteConflict", why).with_status(409));
    if Usage::of(call.roles, &arn).attached > 0 {
        return conflict("Cannot delete a policy attached to entities.");
    }
    if policy.versions.len() > 1 {
        return conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
    }
    call.policies.remove(&arn);
    Ok(None)
}

/// Roles only: nothing else here has policies.
pub fn list_entities(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?;
    if managed::document(arn).is_none() && !call.policies.contains(arn) {
        return Err(no_policy(arn));
    }
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    let wanted = matches!(call.form.get("EntityFilter"), None | Some("Role"));
    let uses = |role: &Role| match call.form.get("PolicyUsageFilter") {
        Some("PermissionsBoundary") => is_bound_by(role, arn),
        Some(_) => has_attached(role, arn),
        None => has_attached(role, arn) || is_bound_by(role, arn),
    };
    let roles = call.roles.iter().filter(|(_, role)| wanted && role.path.starts_with(prefix) && uses(role));
    let page = page(&call.form, roles.map(|(key, role)| (key.to_owned(), role)))?;
    let mut xml = Xml::default();
    xml.members("PolicyRoles", &page.items, |xml, role| {
        xml.text("RoleName", &role.name);
        xml.text("RoleId", &role.id);
    });
    xml.element("PolicyUsers", |_| ());
    xml.element("PolicyGroups", |_| ());
    page.end(&mut xml);
    Ok(Some(xml))
}

pub fn tag(call: &mut Call) -> Outcome {
    let tags = tag::added(&own(call)?.tags.clone(), &call.form, |old, new| old == new)?;
    own(call)?.tags = tags;
    Ok(None)
}

pub fn untag(call: &mut Call) -> Outcome {
    let keys: Vec<String> = call.form.list("TagKeys").into_iter().map(str::to_owned).collect();
    own(call)?.tags.retain(|key, _| !keys.contains(key));
    Ok(None)
}

pub fn list_tags(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?;
    tag::list(&call.form, &call.policies.get(arn).ok_or_else(|| no_policy(arn))?.tags)
}

fn own<'a>(call: &'a mut Call) -> Result<&'a mut Policy, AwsError> {
    let arn = call.form.required("PolicyArn")?;
    call.policies.get_mut(arn).ok_or_else(|| no_policy(arn))
}

fn no_policy(arn: &str) -> AwsError {
    no_such_entity(format!("Policy {arn} was not found."))
}
