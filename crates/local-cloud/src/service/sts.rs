//! STS: who is calling, and sessions of roles.
//!
//! Any credentials stand for the account's root, but those of a session that was given out here for its role.

use crate::request::{Answer, AwsError, Request};
use crate::service::iam;
use crate::service::query::{Form, Xml, answer, iso_time};
use crate::world::{Turn, World};

pub fn call(world: &mut World, turn: &mut Turn, request: &Request) -> Result<Answer, AwsError> {
    let form = Form::parse(request)?;
    let action = form.required("Action")?;
    let result = match action {
        "GetCallerIdentity" => caller_identity(world, turn, request)?,
        "AssumeRole" => assume_role(world, turn, request, &form)?,
        _ => {
            let message = format!("Could not find operation {action} for version 2011-06-15");
            return Err(AwsError::new("InvalidAction", message));
        }
    };
    Ok(answer("sts", action, request, Some(result)))
}

fn caller_identity(world: &World, turn: &Turn, request: &Request) -> Result<Xml, AwsError> {
    let account = &world.settings.account;
    let caller = iam::caller(world, request, turn.now)?;
    let mut xml = Xml::default();
    xml.text("Arn", caller.arn(&request.region, account));
    xml.text("UserId", caller.id(account));
    xml.text("Account", account);
    Ok(xml)
}

/// Root, whom any credentials stand for, may assume every role that is old enough to be known.
fn assume_role(world: &World, turn: &Turn, request: &Request, form: &Form) -> Result<Xml, AwsError> {
    let role_arn = form.required("RoleArn")?;
    let session = form.required("RoleSessionName")?;
    let account = &world.settings.account;
    let caller = iam::caller(world, request, turn.now)?;
    let role = iam::find(world, role_arn);
    let role = role.filter(|role| iam::assumable_by(world, role, &caller, &request.region, turn.now));
    let role = role.ok_or_else(|| {
        let caller = caller.arn(&request.region, account);
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
        AwsError::new("AccessDenied", message).with_status(403)
    })?;
    let duration_s = form.number("DurationSeconds")?.unwrap_or(3600);
    if duration_s < 900 {
        let message = format!(
            "1 validation error detected: Value '{duration_s}' at 'durationSeconds' failed to satisfy constraint: Member \
             must have value greater than or equal to 900"
        );
        return Err(AwsError::new("ValidationError", message));
    }
    if duration_s > role.max_session_s {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(AwsError::new("ValidationError", message));
    }
    let expires = turn.now + u64::from(duration_s) * 1000;
    let credentials = iam::issue(role, session, Some(expires));
    let mut xml = Xml::default();
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", credentials.access_key);
        xml.text("SecretAccessKey", credentials.secret);
        xml.text("SessionToken", credentials.token);
        xml.text("Expiration", iso_time(expires));
    });
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", format!("{}:{session}", role.id));
        xml.text("Arn", iam::session_arn(role, session, &request.region, account));
    });
    Ok(xml)
}
