//! The versions of a policy.

use crate::model::query::{Xml, iso_time, percent_encode};
use crate::request::AwsError;

use super::super::document::{self, Kind};
use super::super::page::page;
use super::super::{Call, Outcome, managed, no_such_entity, quota};
use super::{Policy, Version, no_policy, own};

/// Versions of one policy.
const MAX_VERSIONS: usize = 5;

pub fn create(call: &mut Call) -> Outcome {
    let text = call.form.required("PolicyDocument")?.to_owned();
    document::check(&text, Kind::Managed)?;
    quota::of_managed(&text)?;
    let set_default = call.form.get("SetAsDefault") == Some("true");
    let (now, since, delay) = (call.around.now, call.around.since, call.around.delay);
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

pub fn get(call: &mut Call) -> Outcome {
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

pub fn list(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicyArn")?;
    let policy = call.policies.get(arn).ok_or_else(|| no_policy(arn))?;
    let newest_first = policy.versions.keys().map(|number| (format!("{:010}", u32::MAX - number), *number));
    let page = page(&call.form, newest_first)?;
    let mut xml = Xml::default();
    xml.members("Versions", &page.items, |xml, number| policy.version(xml, *number, false));
    page.end(&mut xml);
    Ok(Some(xml))
}

pub fn set_default(call: &mut Call) -> Outcome {
    let id = call.form.required("VersionId")?.to_owned();
    let (now, since, delay) = (call.around.now, call.around.since, call.around.delay);
    let policy = own(call)?;
    let number = number(policy, &policy.arn, &id)?;
    policy.default.set(number, now, since, delay);
    Ok(None)
}

pub fn delete(call: &mut Call) -> Outcome {
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

fn number(policy: &Policy, arn: &str, id: &str) -> Result<u32, AwsError> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    let known = number.filter(|number| policy.versions.contains_key(number));
    known.ok_or_else(|| no_such_entity(format!("Policy {arn} version {id} does not exist or is not attachable.")))
}
