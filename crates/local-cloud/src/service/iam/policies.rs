//! Customer managed policies, and AWS's own beside them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::request::AwsError;
use crate::service::arn;
use crate::service::query::{Xml, iso_time, percent_encode};
use crate::settings::Millis;
use crate::table::Table;

use super::policy::Document;
use super::role::{Role, Settling};
use super::{Call, Outcome, managed, no_such_entity, roles};

/// Versions of one policy.
const MAX_VERSIONS: usize = 5;

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
    tags: BTreeMap<String, String>,
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

/// What is said by the policy with that ARN, of AWS or of the account; `None` where there is none, or none to be seen yet.
pub fn document(policies: &Table<Policy>, arn: &str, now: Millis, delay: Millis) -> Option<Document> {
    managed::document(arn).or_else(|| {
        let policy = policies.get(arn)?;
        let number = policy.default.seen(now, delay)?;
        Document::parse(&policy.versions.get(number)?.text)
    })
}

pub fn create(call: &mut Call) -> Outcome {
    let name = call.form.required("PolicyName")?.to_owned();
    let text = roles::document(call.form.required("PolicyDocument")?)?;
    let path = call.form.get("Path").unwrap_or("/").to_owned();
    let arn = arn::global("iam", &call.request.region, call.account, &format!("policy{path}{name}"));
    if call.policies.contains(&arn) {
        let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(AwsError::new("EntityAlreadyExists", message).with_status(409));
    }
    let policy = Policy {
        name,
        arn: arn.clone(),
        id: roles::unique_id("ANPA", &call.request.id),
        path,
        description: call.form.get("Description").map(str::to_owned),
        created: call.now,
        updated: call.now,
        tags: call.form.pairs("Tags").into_iter().collect(),
        versions: BTreeMap::from([(1, Version { text, created: call.now })]),
        last_version: 1,
        default: Settling::new(1, call.since),
    };
    let mut xml = Xml::default();
    xml.element("Policy", |xml| policy.summary(xml, 0));
    call.policies.insert(arn, policy);
    Ok(Some(xml))
}

impl Policy {
    fn summary(&self, xml: &mut Xml, attached: usize) {
        xml.text("PolicyName", &self.name);
        xml.text("PolicyId", &self.id);
        xml.text("Arn", &self.arn);
        xml.text("Path", &self.path);
        xml.text("DefaultVersionId", format!("v{}", self.default.value));
        xml.text("AttachmentCount", attached);
        xml.text("PermissionsBoundaryUsageCount", 0);
        xml.text("IsAttachable", true);
        if let Some(description) = &self.description {
            xml.text("Description", description);
        }
        xml.text("CreateDate", iso_time(self.created));
        xml.text("UpdateDate", iso_time(self.updated));
    }

    fn tag_list(&self, xml: &mut Xml) {
        xml.members("Tags", &self.tags, |xml, (key, value)| {
            xml.text("Key", key);
            xml.text("Value", value);
        });
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

fn managed_summary(xml: &mut Xml, arn: &str, attached: usize) {
    let (path, name) = managed::path_and_name(arn);
    xml.text("PolicyName", name);
    xml.text("PolicyId", roles::unique_id("ANPA", arn));
    xml.text("Arn", arn);
    xml.text("Path", path);
    xml.text("DefaultVersionId", "v1");
    xml.text("AttachmentCount", attached);
    xml.text("PermissionsBoundaryUsageCount", 0);
    xml.text("IsAttachable", true);
    xml.text("CreateDate", iso_time(managed::CREATED));
    xml.text("UpdateDate", iso_time(managed::CREATED));
}

fn attachments(roles: &Table<Role>, arn: &str) -> usize {
    roles.iter().filter(|(_, role)| role.attached.contains_key(arn)).count()
}

pub fn get(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?;
    let attached = attachments(call.roles, arn);
    let mut xml = Xml::default();
    match call.policies.get(arn) {
        Some(policy) => xml.element("Policy", |xml| {
            policy.summary(xml, attached);
            policy.tag_list(xml);
        }),
        None if managed::document(arn).is_some() => xml.element("Policy", |xml| managed_summary(xml, arn, attached)),
        None => return Err(no_policy(arn)),
    }
    Ok(Some(xml))
}

/// `Scope` is `All`, `AWS` or `Local`.
pub fn list(call: &mut Call) -> Outcome {
    let scope = call.form.get("Scope").unwrap_or("All");
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    let only_attached = call.form.get("OnlyAttached") == Some("true");
    let shown = |arn: &str| !only_attached || attachments(call.roles, arn) > 0;
    let own = call.policies.iter().map(|(_, policy)| policy).filter(|_| scope != "AWS");
    let own = own.filter(|policy| policy.path.starts_with(prefix) && shown(&policy.arn));
    let partition = arn::partition(&call.request.region);
    let theirs = managed::arns(partition).filter(|_| scope != "Local");
    let theirs = theirs.filter(|arn| managed::path_and_name(arn).0.starts_with(prefix) && shown(arn));
    let mut xml = Xml::default();
    xml.element("Policies", |xml| {
        for policy in own {
            xml.element("member", |xml| policy.summary(xml, attachments(call.roles, &policy.arn)));
        }
        for arn in theirs {
            xml.element("member", |xml| managed_summary(xml, &arn, attachments(call.roles, &arn)));
        }
    });
    xml.text("IsTruncated", false);
    Ok(Some(xml))
}

pub fn delete(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?.to_owned();
    let policy = call.policies.get(&arn).ok_or_else(|| no_policy(&arn))?;
    let conflict = |why: &str| Err(AwsError::new("DeleteConflict", why).with_status(409));
    if attachments(call.roles, &arn) > 0 {
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

pub fn create_version(call: &mut Call) -> Outcome {
    let text = roles::document(call.form.required("PolicyDocument")?)?;
    let set_default = call.form.get("SetAsDefault") == Some("true");
    let (now, since, delay) = (call.now, call.since, call.delay);
    let policy = own(call)?;
    if policy.versions.len() >= MAX_VERSIONS {
        let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
        return Err(AwsError::new("LimitExceeded", message).with_status(409));
    }
    policy.last_version += 1;
    let number = policy.last_version;
    policy.versions.insert(number, Version { text, created: now });
    policy.updated = now;
    if set_default {
        policy.default.set(number, now, since, delay);
    }
    let mut xml = Xml::default();
    xml.element("PolicyVersion", |xml| policy.version(xml, number, false));
    Ok(Some(xml))
}

pub fn get_version(call: &mut Call) -> Outcome {
    let (arn, id) = (call.form.required("PolicyArn")?, call.form.required("VersionId")?);
    let mut xml = Xml::default();
    match (call.policies.get(arn), managed::text(arn)) {
        (Some(policy), _) => {
            let number = number(policy, arn, id)?;
            xml.element("PolicyVersion", |xml| policy.version(xml, number, true));
        }
        (None, Some(text)) if id == "v1" => xml.element("PolicyVersion", |xml| {
            xml.text("Document", percent_encode(&text));
            xml.text("VersionId", "v1");
            xml.text("IsDefaultVersion", true);
            xml.text("CreateDate", iso_time(managed::CREATED));
        }),
        (None, _) => return Err(no_policy(arn)),
    }
    Ok(Some(xml))
}

pub fn list_versions(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?;
    let policy = call.policies.get(arn).ok_or_else(|| no_policy(arn))?;
    let mut xml = Xml::default();
    xml.members("Versions", policy.versions.keys().rev(), |xml, number| policy.version(xml, *number, false));
    xml.text("IsTruncated", false);
    Ok(Some(xml))
}

pub fn set_default_version(call: &mut Call) -> Outcome {
    let id = call.form.required("VersionId")?.to_owned();
    let (now, since, delay) = (call.now, call.since, call.delay);
    let policy = own(call)?;
    let number = number(policy, &policy.arn, &id)?;
    policy.default.set(number, now, since, delay);
    Ok(None)
}

pub fn delete_version(call: &mut Call) -> Outcome {
    let id = call.form.required("VersionId")?.to_owned();
    let policy = own(call)?;
    let number = number(policy, &policy.arn, &id)?;
    if policy.default.value == number {
        let message = "Cannot delete the default version of a policy.";
        return Err(AwsError::new("DeleteConflict", message).with_status(409));
    }
    policy.versions.remove(&number);
    Ok(None)
}

/// Roles only: nothing else here has policies.
pub fn list_entities(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?;
    let attached = call.roles.iter().map(|(_, role)| role).filter(|role| role.attached.contains_key(arn));
    let mut xml = Xml::default();
    xml.members("PolicyRoles", attached, |xml, role| {
        xml.text("RoleName", &role.name);
        xml.text("RoleId", &role.id);
    });
    xml.element("PolicyUsers", |_| ());
    xml.element("PolicyGroups", |_| ());
    xml.text("IsTruncated", false);
    Ok(Some(xml))
}

pub fn tag(call: &mut Call) -> Outcome {
    let tags = call.form.pairs("Tags");
    own(call)?.tags.extend(tags);
    Ok(None)
}

pub fn untag(call: &mut Call) -> Outcome {
    let keys: Vec<String> = call.form.list("TagKeys").into_iter().map(str::to_owned).collect();
    own(call)?.tags.retain(|key, _| !keys.contains(key));
    Ok(None)
}

pub fn list_tags(call: &mut Call) -> Outcome {
    let mut xml = Xml::default();
    own(call)?.tag_list(&mut xml);
    xml.text("IsTruncated", false);
    Ok(Some(xml))
}

fn own<'a>(call: &'a mut Call) -> Result<&'a mut Policy, AwsError> {
    let arn = call.form.required("PolicyArn")?;
    call.policies.get_mut(arn).ok_or_else(|| no_policy(arn))
}

fn number(policy: &Policy, arn: &str, id: &str) -> Result<u32, AwsError> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    let known = number.filter(|number| policy.versions.contains_key(number));
    known.ok_or_else(|| no_such_entity(format!("Policy {arn} version {id} does not exist or is not attachable.")))
}

fn no_policy(arn: &str) -> AwsError {
    no_such_entity(format!("Policy {arn} was not found."))
}
