//! Roles: made, read, changed, listed, tagged, deleted.

use sha2::{Digest, Sha256};

use crate::arn;
use crate::model::query::Xml;
use crate::request::AwsError;

use super::document::{self, Kind};
use super::page::page;
use super::role::{Role, Settling};
use super::{Call, Outcome, quota, tag};

pub fn create(call: &mut Call) -> Outcome {
    let name = call.form.required("RoleName")?;
    let trust = call.form.required("AssumeRolePolicyDocument")?.to_owned();
    document::check(&trust, Kind::Trust)?;
    quota::of_trust(&trust)?;
    let key = name.to_lowercase();
    if call.roles.contains(&key) {
        return Err(
            AwsError::new("EntityAlreadyExists", format!("Role with name {name} already exists.")).with_status(409)
        );
    }
    let path = call.form.get("Path").unwrap_or("/");
    let role = Role {
        name: name.to_owned(),
        id: unique_id("AROA", &call.request.id),
        arn: arn::global("iam", &call.request.region, call.around.account, &format!("role{path}{name}")),
        path: path.to_owned(),
        created: call.around.now,
        description: call.form.get("Description").map(str::to_owned),
        max_session_s: call.form.number("MaxSessionDuration")?.unwrap_or(3600),
        boundary: call.form.get("PermissionsBoundary").map(str::to_owned),
        tags: tag::given(&call.form, "InvalidInput")?.into_iter().collect(),
        trust: Settling::new(trust, call.around.since),
        inline: Default::default(),
        attached: Default::default(),
    };
    let mut xml = Xml::default();
    xml.element("Role", |xml| {
        role.summary(xml);
        role.details(xml);
    });
    call.roles.insert(key, role);
    Ok(Some(xml))
}

pub fn get(call: &mut Call) -> Outcome {
    let role = call.role()?;
    let mut xml = Xml::default();
    xml.element("Role", |xml| {
        role.summary(xml);
        xml.text("MaxSessionDuration", role.max_session_s);
        role.details(xml);
        xml.element("RoleLastUsed", |_| ());
    });
    Ok(Some(xml))
}

pub fn list(call: &mut Call) -> Outcome {
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    let roles = call.roles.iter().filter(|(_, role)| role.path.starts_with(prefix));
    let page = page(&call.form, roles.map(|(key, role)| (key.to_owned(), role)))?;
    let mut xml = Xml::default();
    xml.members("Roles", &page.items, |xml, role| {
        role.summary(xml);
        xml.text("MaxSessionDuration", role.max_session_s);
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub fn update(call: &mut Call) -> Outcome {
    let description = call.form.get("Description").map(str::to_owned);
    let max_session_s = call.form.number("MaxSessionDuration")?;
    let role = call.role_mut()?;
    role.description = description.or(role.description.take());
    role.max_session_s = max_session_s.unwrap_or(3600);
    Ok(Some(Xml::default()))
}

pub fn update_trust(call: &mut Call) -> Outcome {
    let trust = call.form.required("PolicyDocument")?.to_owned();
    document::check(&trust, Kind::Trust)?;
    quota::of_trust(&trust)?;
    let (now, since, delay) = (call.around.now, call.around.since, call.around.delay);
    call.role_mut()?.trust.set(trust, now, since, delay);
    Ok(None)
}

pub fn delete(call: &mut Call) -> Outcome {
    let role = call.role()?;
    role.deletable()?;
    let key = role.name.to_lowercase();
    call.roles.remove(&key);
    Ok(None)
}

pub fn list_instance_profiles(call: &mut Call) -> Outcome {
    call.role()?;
    let none = page::<()>(&call.form, [])?;
    let mut xml = Xml::default();
    xml.element("InstanceProfiles", |_| ());
    none.end(&mut xml);
    Ok(Some(xml))
}

pub fn put_boundary(call: &mut Call) -> Outcome {
    let boundary = call.form.required("PermissionsBoundary")?.to_owned();
    call.role_mut()?.boundary = Some(boundary);
    Ok(None)
}

pub fn delete_boundary(call: &mut Call) -> Outcome {
    call.role_mut()?.boundary = None;
    Ok(None)
}

pub fn tag(call: &mut Call) -> Outcome {
    // One key whatever its case; the last spelling stays.
    let tags = tag::added(&call.role()?.tags, &call.form, |old, new| old.eq_ignore_ascii_case(new))?;
    call.role_mut()?.tags = tags;
    Ok(None)
}

pub fn untag(call: &mut Call) -> Outcome {
    let keys: Vec<String> = call.form.list("TagKeys").into_iter().map(str::to_owned).collect();
    call.role_mut()?.tags.retain(|key, _| !keys.contains(key));
    Ok(None)
}

pub fn list_tags(call: &mut Call) -> Outcome {
    tag::list(&call.form, &call.role()?.tags)
}

/// The text of a role's own policy, if it is one.
pub fn document(text: &str) -> Result<String, AwsError> {
    document::check(text, Kind::Inline)?;
    Ok(text.to_owned())
}

/// A prefix (`AROA`) and seventeen characters that `of` decides.
pub fn unique_id(prefix: &str, of: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(of);
    let tail = digest.iter().take(17).map(|byte| ALPHABET[usize::from(byte % 32)] as char);
    prefix.chars().chain(tail).collect()
}
