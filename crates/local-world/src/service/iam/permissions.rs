//! The permissions of a role: inline and attached policies.

use crate::model::query::{Xml, percent_encode};
use crate::request::AwsError;

use super::page::page;
use super::role::Settling;
use super::{Call, Outcome, managed, no_such_entity, policies, quota, roles};

pub fn put(call: &mut Call) -> Outcome {
    let name = call.form.required("PolicyName")?.to_owned();
    let text = roles::document(call.form.required("PolicyDocument")?)?;
    let (now, since, delay) = (call.around.now, call.around.since, call.around.delay);
    let role = call.role_mut()?;
    quota::of_inline(role, &name, &text)?;
    let inline = &mut role.inline;
    match inline.get_mut(&name) {
        Some(policy) => policy.set(text, now, since, delay),
        None => {
            inline.insert(name, Settling::new(text, since));
        }
    }
    Ok(None)
}

pub fn get(call: &mut Call) -> Outcome {
    let name = call.form.required("PolicyName")?;
    let role = call.role()?;
    let policy = role.inline.get(name).ok_or_else(|| no_policy(name))?;
    let mut xml = Xml::default();
    xml.text("RoleName", &role.name);
    xml.text("PolicyName", name);
    xml.text("PolicyDocument", percent_encode(&policy.value));
    Ok(Some(xml))
}

pub fn delete(call: &mut Call) -> Outcome {
    let name = call.form.required("PolicyName")?.to_owned();
    call.role_mut()?.inline.remove(&name).ok_or_else(|| no_policy(&name))?;
    Ok(None)
}

pub fn list(call: &mut Call) -> Outcome {
    let page = page(&call.form, call.role()?.inline.keys().map(|name| (name.clone(), name)))?;
    let mut xml = Xml::default();
    xml.element("PolicyNames", |xml| page.items.iter().for_each(|name| xml.text("member", name)));
    page.end(&mut xml);
    Ok(Some(xml))
}

pub fn attach(call: &mut Call) -> Outcome {
    let arn = policy_arn(call)?;
    if managed::document(&arn).is_none() && !call.policies.contains(&arn) {
        return Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    }
    let since = call.around.since;
    let role = call.role_mut()?;
    quota::of_attached(role, &arn)?;
    role.attached.entry(arn).or_insert(Settling::new((), since));
    Ok(None)
}

pub fn detach(call: &mut Call) -> Outcome {
    let arn = policy_arn(call)?;
    let removed = call.role_mut()?.attached.remove(&arn);
    removed.ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))?;
    Ok(None)
}

pub fn list_attached(call: &mut Call) -> Outcome {
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    let attached = call.role()?.attached.keys().filter(|arn| managed::path_and_name(arn).0.starts_with(prefix));
    let page = page(&call.form, attached.map(|arn| (policies::key(arn), arn)))?;
    let mut xml = Xml::default();
    xml.members("AttachedPolicies", &page.items, |xml, arn| {
        xml.text("PolicyName", managed::path_and_name(arn).1);
        xml.text("PolicyArn", arn);
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

fn policy_arn(call: &Call) -> Result<String, AwsError> {
    let arn = call.form.required("PolicyArn")?;
    match arn.starts_with("arn:") {
        true => Ok(arn.to_owned()),
        false => Err(AwsError::new("ValidationError", "Invalid ARN:  Could not be parsed!")),
    }
}

fn no_policy(name: &str) -> AwsError {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}
