//! STS: who is calling, and sessions of roles.
//!
//! Credentials are not checked here, so those given out are made up and work like any others.

use sha2::{Digest, Sha256};

use crate::request::{Answer, AwsError, Request};
use crate::service::query::{Form, Xml, answer, iso_time};
use crate::service::{arn, iam};
use crate::world::{Turn, World};

pub fn call(world: &mut World, turn: &mut Turn, request: &Request) -> Result<Answer, AwsError> {
    let form = Form::parse(request)?;
    let action = form.required("Action")?;
    let result = match action {
        "GetCallerIdentity" => caller_identity(world, request),
        "AssumeRole" => assume_role(world, turn, request, &form)?,
        _ => {
            let message = format!("Could not find operation {action} for version 2011-06-15");
            return Err(AwsError::new("InvalidAction", message));
        }
    };
    Ok(answer("sts", action, request, Some(result)))
}

fn caller_identity(world: &World, request: &Request) -> Xml {
    let account = &world.settings.account;
    let mut xml = Xml::default();
    xml.text("Arn", arn::global("iam", &request.region, account, "root"));
    xml.text("UserId", account);
    xml.text("Account", account);
    xml
}

/// The account's root, whom every credential here stands for, may assume any role that exists.
fn assume_role(world: &World, turn: &Turn, request: &Request, form: &Form) -> Result<Xml, AwsError> {
    let role_arn = form.required("RoleArn")?;
    let session = form.required("RoleSessionName")?;
    let duration_s = form.number("DurationSeconds")?.unwrap_or(3600);
    let account = &world.settings.account;
    let caller = arn::global("iam", &request.region, account, "root");
    let role = iam::find(world, role_arn).ok_or_else(|| {
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
        AwsError::new("AccessDenied", message).with_status(403)
    })?;
    let secret = base64_simd::STANDARD.encode_to_string(Sha256::digest(&request.id));
    let mut xml = Xml::default();
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", role.id.replacen("AROA", "ASIA", 1));
        xml.text("SecretAccessKey", &secret[..40]);
        xml.text("SessionToken", &secret);
        xml.text("Expiration", iso_time(turn.now + u64::from(duration_s) * 1000));
    });
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", format!("{}:{session}", role.id));
        let session = format!("assumed-role/{}/{session}", role.name);
        xml.text("Arn", arn::global("sts", &request.region, account, &session));
    });
    Ok(xml)
}
