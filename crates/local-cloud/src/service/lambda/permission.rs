//! Resource policies: who else may invoke a function. The account of them is [`crate::service::iam`]'s.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::request::AwsError;

use super::{Call, Outcome, conflict, no_content, reply};

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
    revision_id: Option<String>,
}

pub fn add(call: &mut Call) -> Outcome {
    let input: Add = call.input()?;
    let reference = call.reference()?;
    let function = call.function_mut()?;
    function.at_revision(input.revision_id.as_deref())?;
    let policy = function.policies.entry(reference.qualifier.clone().unwrap_or_default()).or_default();
    if policy.contains_key(&input.statement_id) {
        return Err(conflict(format!(
            "The statement id ({}) provided already exists. Please provide a new statement id, or remove the existing \
             statement.",
            input.statement_id
        )));
    }
    let statement = statement(&input, &reference.qualified());
    policy.insert(input.statement_id, statement.clone());
    reply(201, &json!({ "Statement": statement.to_string() }))
}

fn statement(input: &Add, resource: &str) -> Value {
    let principal = match input.principal.as_str() {
        "*" => json!("*"),
        service if service.contains(".amazonaws.com") => json!({ "Service": service }),
        account => json!({ "AWS": account }),
    };
    let mut statement = json!({
        "Sid": input.statement_id,
        "Effect": "Allow",
        "Principal": principal,
        "Action": input.action,
        "Resource": resource,
    });
    let equals = [("AWS:SourceAccount", &input.source_account), ("aws:PrincipalOrgID", &input.principal_org_id)];
    let equals = equals.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?))));
    let equals: Map<String, Value> = equals.collect();
    if !equals.is_empty() {
        statement["Condition"]["StringEquals"] = equals.into();
    }
    if let Some(arn) = &input.source_arn {
        statement["Condition"]["ArnLike"] = json!({ "AWS:SourceArn": arn });
    }
    statement
}

pub fn get(call: &mut Call) -> Outcome {
    let qualifier = call.reference()?.qualifier.unwrap_or_default();
    let function = call.function()?;
    let statements = function.policies.get(&qualifier).filter(|statements| !statements.is_empty());
    let statements: Vec<&Value> = statements.ok_or_else(no_policy)?.values().collect();
    let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
    reply(200, &json!({ "Policy": policy.to_string(), "RevisionId": function.latest.revision_id }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remove {
    statement_id: String,
    revision_id: Option<String>,
}

pub fn remove(call: &mut Call) -> Outcome {
    let input: Remove = call.input()?;
    let qualifier = call.reference()?.qualifier.unwrap_or_default();
    let function = call.function_mut()?;
    function.at_revision(input.revision_id.as_deref())?;
    let policy = function.policies.get_mut(&qualifier).ok_or_else(no_policy)?;
    policy.remove(&input.statement_id).ok_or_else(|| {
        let message = format!("Statement {} is not found in resource policy.", input.statement_id);
        AwsError::new("ResourceNotFoundException", message).with_status(404)
    })?;
    no_content()
}

fn no_policy() -> AwsError {
    AwsError::new("ResourceNotFoundException", "No policy is associated with the given resource.").with_status(404)
}
