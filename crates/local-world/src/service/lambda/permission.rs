//! Resource policies: who else may invoke a function. The account of them is [`crate::service::iam`]'s.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::arn;
use crate::request::AwsError;

use super::alias::no_alias;
use super::function::{Function, same_revision};
use super::name::Reference;
use super::{Call, Outcome, conflict, invalid, no_content, no_such, not_found, reply};

/// The resource policy of a function, a version or an alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    /// By their ids, in the order in which they were added.
    pub statements: Vec<(String, Value)>,
    revision_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Add {
    statement_id: String,
    action: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    event_source_token: Option<String>,
    function_url_auth_type: Option<String>,
    invoked_via_function_url: Option<bool>,
    revision_id: Option<String>,
}

pub fn add(call: &mut Call) -> Outcome {
    let input: Add = call.input()?;
    let reference = call.reference()?;
    let statement = statement(&input, &reference.qualified())?;
    let function = call.function_mut()?;
    let revision = revision(function, &reference)?;
    at_revision(revision, input.revision_id.as_deref())?;
    let revision_id = function.next_revision();
    let policy = function.policies.entry(reference.qualifier.unwrap_or_default());
    let policy = policy.or_insert_with(|| Policy { statements: vec![], revision_id: String::new() });
    if policy.statements.iter().any(|(id, _)| *id == input.statement_id) {
        return Err(conflict(format!(
            "The statement id ({}) provided already exists. Please provide a new statement id, or remove the existing \
             statement.",
            input.statement_id
        )));
    }
    policy.statements.push((input.statement_id, statement.clone()));
    policy.revision_id = revision_id;
    reply(201, &json!({ "Statement": statement.to_string() }))
}

/// That of the policy, or as long as there is none of what it will be about. Fails where that is not there.
fn revision<'a>(function: &'a Function, reference: &Reference) -> Result<&'a str, AwsError> {
    let qualifier = reference.qualifier.as_deref().unwrap_or_default();
    let subject = match qualifier {
        "" => &function.latest.revision_id,
        "$LATEST" => return Err(invalid("We currently do not support adding policies for $LATEST.")),
        name => match (function.aliases.get(name), function.configuration(Some(name))) {
            (Some(alias), _) => &alias.revision_id,
            (None, Some(version)) => &version.revision_id,
            // No alias could have such a name.
            (None, None) if name.contains('$') || name.parse::<u64>().is_ok() => {
                return Err(not_found(&reference.qualified()));
            }
            (None, None) => return Err(no_alias(function, name)),
        },
    };
    Ok(function.policies.get(qualifier).map_or(subject, |policy| &policy.revision_id))
}

fn at_revision(current: &str, expected: Option<&str>) -> Result<(), AwsError> {
    same_revision(current, expected, "GetPolicy")
}

fn statement(input: &Add, resource: &str) -> Result<Value, AwsError> {
    let mut statement = json!({
        "Sid": input.statement_id,
        "Effect": "Allow",
        "Principal": principal(&input.principal, resource)?,
        "Action": input.action,
        "Resource": resource,
    });
    let equals = [
        ("AWS:SourceAccount", &input.source_account),
        ("aws:PrincipalOrgID", &input.principal_org_id),
        ("lambda:EventSourceToken", &input.event_source_token),
        ("lambda:FunctionUrlAuthType", &input.function_url_auth_type),
    ];
    let equals = equals.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?))));
    let equals: Map<String, Value> = equals.collect();
    if !equals.is_empty() {
        statement["Condition"]["StringEquals"] = equals.into();
    }
    if let Some(arn) = &input.source_arn {
        statement["Condition"]["ArnLike"] = json!({ "AWS:SourceArn": arn });
    }
    if let Some(by_url) = input.invoked_via_function_url {
        statement["Condition"]["Bool"] = json!({ "lambda:InvokedViaFunctionUrl": by_url.to_string() });
    }
    Ok(statement)
}

fn principal(named: &str, resource: &str) -> Result<Value, AwsError> {
    let is_service =
        named.ends_with(".amazonaws.com") || named.ends_with(".amazonaws.com.cn") || named.ends_with(".amazon.com");
    match named {
        "*" => Ok(json!("*")),
        arn if arn.starts_with("arn:") => Ok(json!({ "AWS": arn })),
        service if is_service => Ok(json!({ "Service": service })),
        account if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) => {
            let partition = arn::partition(resource.split(':').nth(3).unwrap_or_default());
            Ok(json!({ "AWS": format!("arn:{partition}:iam::{account}:root") }))
        }
        _ => Err(invalid("The provided principal was invalid. Please check the principal and try again.")),
    }
}

pub fn get(call: &mut Call) -> Outcome {
    let qualifier = call.reference()?.qualifier.unwrap_or_default();
    let policy = call.function().ok().and_then(|function| function.policies.get(&qualifier));
    let policy = policy.ok_or_else(|| no_such("The resource you requested does not exist."))?;
    let statements: Vec<&Value> = policy.statements.iter().map(|(_, statement)| statement).collect();
    let document = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
    reply(200, &json!({ "Policy": document.to_string(), "RevisionId": policy.revision_id }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remove {
    statement_id: String,
    revision_id: Option<String>,
}

pub fn remove(call: &mut Call) -> Outcome {
    let input: Remove = call.input()?;
    let reference = call.reference()?;
    let function = call.function_mut().map_err(|_| no_such(format!("No policy found for: {}", reference.arn)))?;
    at_revision(revision(function, &reference)?, input.revision_id.as_deref())?;
    let revision_id = function.next_revision();
    let qualifier = reference.qualifier.unwrap_or_default();
    let no_policy = || no_such("No policy is associated with the given resource.");
    let policy = function.policies.get_mut(&qualifier).ok_or_else(no_policy)?;
    let before = policy.statements.len();
    policy.statements.retain(|(id, _)| *id != input.statement_id);
    match policy.statements.len() {
        left if left == before => {
            Err(no_such(format!("Statement {} is not found in resource policy.", input.statement_id)))
        }
        0 => {
            function.policies.remove(&qualifier);
            no_content()
        }
        _ => {
            policy.revision_id = revision_id;
            no_content()
        }
    }
}
