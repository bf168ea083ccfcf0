//! STS: who is calling, and sessions of roles.
//!
//! Any credentials stand for the account's root, but those of a session that was given out here for its role.

use crate::model::query::{Form, Xml, answer, iso_time};
use crate::model::validate;
use crate::request::{Answer, AwsError, Request};
use crate::service::iam;

/// A call that was read and checked.
pub type Call<'a> = Box<dyn FnOnce(iam::View) -> Result<Answer, AwsError> + Send + 'a>;

pub fn read(request: &Request) -> Result<Call<'_>, AwsError> {
    let form = Form::parse(request)?;
    let action = form.required("Action")?.to_owned();
    validate::query("sts", &action, form.parameters())?;
    let operation = match action.as_str() {
        "GetCallerIdentity" => caller_identity,
        "AssumeRole" => assume_role,
        _ => {
            let message = format!("Could not find operation {action} for version 2011-06-15");
            return Err(AwsError::new("InvalidAction", message));
        }
    };
    Ok(Box::new(move |iam| Ok(answer("sts", &action, &request.id, Some(operation(iam, request, &form)?)))))
}

fn caller_identity(iam: iam::View, request: &Request, _: &Form) -> Result<Xml, AwsError> {
    let account = iam.account;
    let caller = iam.caller(request)?;
    let mut xml = Xml::default();
    xml.text("Arn", caller.arn(&request.region, account));
    xml.text("UserId", caller.id(account));
    xml.text("Account", account);
    Ok(xml)
}

/// Root, whom any credentials stand for, may assume every role that is old enough to be known.
fn assume_role(iam: iam::View, request: &Request, form: &Form) -> Result<Xml, AwsError> {
    let role_arn = form.required("RoleArn")?;
    let session = form.required("RoleSessionName")?;
    if !is_arn(role_arn) {
        return Err(AwsError::new("ValidationError", format!("{role_arn} is invalid")));
    }
    let account = iam.account;
    let caller = iam.caller(request)?;
    let external_id = form.get("ExternalId");
    let transitive = transitive_tags(form, caller.transitive())?;
    let role = iam.find(role_arn);
    let role = role.filter(|role| iam.assumable_by(role, &caller, &request.region, external_id));
    let role = role.ok_or_else(|| {
        let caller = caller.arn(&request.region, account);
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
        AwsError::new("AccessDenied", message).with_status(403)
    })?;
    let duration_s = form.number("DurationSeconds")?.unwrap_or(3600);
    if duration_s > role.max_session_s {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(AwsError::new("ValidationError", message));
    }
    let expires = iam.now + u64::from(duration_s) * 1000;
    let policies = session_policies(iam, form)?;
    let packed = (!policies.is_empty()).then(|| policies.len() * 100 / MAX_POLICIES);
    let name = session.to_owned();
    let credentials = iam::issue(role, iam::Session { name, expires: Some(expires), transitive, policies });
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
    // AWS packs them first; how is not documented.
    if let Some(percent) = packed {
        xml.text("PackedPolicySize", percent);
    }
    Ok(xml)
}

/// Characters of a session's policies and their ARNs together, and how many ARNs there may be.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const MAX_POLICIES: usize = 2048;
const MAX_POLICY_ARNS: usize = 10;

/// Reads the session policies, which limit the session's role. The messages of the refusals are ours, except for those about a
/// document.
fn session_policies(iam: iam::View, form: &Form) -> Result<iam::Policies, AwsError> {
    let policy = form.get("Policy").map(iam::session_policy).transpose()?;
    let arns = (1..).map_while(|n| form.get(&format!("PolicyArns.member.{n}.arn")).map(str::to_owned));
    let policies = iam::Policies { policy, policy_arns: arns.collect() };
    if policies.policy_arns.len() > MAX_POLICY_ARNS {
        let message = format!("A session takes no more than {MAX_POLICY_ARNS} managed policies.");
        return Err(AwsError::new("ValidationError", message));
    }
    if let Some(arn) = policies.policy_arns.iter().find(|arn| !iam.is_managed_policy(arn)) {
        let message = format!("Policy {arn} does not exist or is not attachable.");
        return Err(AwsError::new("MalformedPolicyDocument", message));
    }
    if policies.len() > MAX_POLICIES {
        let message = format!("Session policies take {} characters, of {MAX_POLICIES}.", policies.len());
        return Err(AwsError::new("PackedPolicyTooLarge", message));
    }
    Ok(policies)
}

/// `arn:partition:service:region:account:resource`; a region and an account need not be there.
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts[..], ["arn", partition, service, _, _, resource] if [partition, service, resource].iter().all(|part| !part.is_empty()))
}

/// The keys that go on to the sessions of this session: those of the calling session, which cannot be set again, and those
/// that the call names. The tags themselves are not kept: no condition asks for them here.
fn transitive_tags(form: &Form, of_caller: &[String]) -> Result<Vec<String>, AwsError> {
    const CODE: &str = "InvalidParameterValue";
    let tags = iam::tags_given(form, CODE)?;
    let given: Vec<String> = tags.iter().map(|(key, _)| key.to_lowercase()).collect();
    let named: Vec<String> = form.list("TransitiveTagKeys").into_iter().map(str::to_lowercase).collect();
    if !named.iter().all(|key| given.contains(key)) {
        let message = "The specified transitive tag key must be included in the requested tags.";
        return Err(AwsError::new(CODE, message));
    }
    if of_caller.iter().any(|key| given.contains(key)) {
        let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key \
                       from the calling session.";
        return Err(AwsError::new(CODE, message));
    }
    Ok([of_caller, &named].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_a_partition_a_service_and_a_resource() {
        for (text, expected) in [
            ("arn:aws:iam::000000000000:role/r", true),
            ("arn:a:b:::something/test-role", true),
            ("nothing-valid-in-here", false),
            ("arn::b:::something/test-role", false),
            ("arn:a::::something/test-role", false),
            ("arn:a:::something/test-role", false),
            ("arn:a:a::aaaaaaaaaa:", false),
        ] {
            assert_eq!(is_arn(text), expected, "{text}");
        }
    }

    #[test]
    fn a_session_tag_is_named_once_whatever_its_case_and_what_is_transitive_is_not_set_again() {
        let of_caller = ["old".to_owned()];
        let numbered = |name: &str, end: &str, keys: &[&str]| -> Vec<(String, String)> {
            keys.iter().zip(1..).map(|(key, at)| (format!("{name}.member.{at}{end}"), (*key).to_owned())).collect()
        };
        let unknown = "The specified transitive tag key must be included in the requested tags.";
        let twice = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        let again = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key \
                     from the calling session.";
        type Case = (&'static [&'static str], &'static [&'static str], Result<&'static [&'static str], &'static str>);
        let table: [Case; 5] = [
            (&["One"], &[], Ok(&["old"])),
            (&["One"], &["oNe"], Ok(&["old", "one"])),
            (&["One"], &["Two"], Err(unknown)),
            (&["One", "one"], &["one"], Err(twice)),
            (&["Old"], &[], Err(again)),
        ];
        for (tags, transitive, expected) in table {
            let tags = numbered("Tags", ".Key", tags);
            let form: Form = tags.into_iter().chain(numbered("TransitiveTagKeys", "", transitive)).collect();
            let found = transitive_tags(&form, &of_caller).map_err(|error| error.message);
            let expected = expected.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect());
            assert_eq!(found, expected.map_err(str::to_owned));
        }
    }
}
