//! Resource policies of streams and consumers, kept and given back. [`crate::service::iam`] asks them, beside those of roles.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Scope, State, consumer, name_in};
use crate::request::AwsError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Of {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    policy: Option<String>,
}

pub fn put(state: &mut State, at: Scope, input: Of) -> Result<Value, AwsError> {
    let policy = input.policy.clone().unwrap_or_default();
    let document: Option<Value> = serde_json::from_str(&policy).ok();
    if !document.is_some_and(|document| document.get("Statement").is_some_and(|s| s.is_array() || s.is_object())) {
        return Err(AwsError::new("ValidationException", "Policy is not a valid JSON policy document."));
    }
    *slot(state, at, &input.resource_arn)? = Some(policy);
    Ok(Value::Null)
}

pub fn get(state: &mut State, at: Scope, input: Of) -> Result<Value, AwsError> {
    let policy = slot(state, at, &input.resource_arn)?.clone();
    Ok(json!({ "Policy": policy.unwrap_or_else(|| "{}".into()) }))
}

pub fn delete(state: &mut State, at: Scope, input: Of) -> Result<Value, AwsError> {
    let held = slot(state, at, &input.resource_arn)?.take();
    let none = || AwsError::new("ResourceNotFoundException", format!("{} has no resource policy.", input.resource_arn));
    held.map(|_| json!({})).ok_or_else(none)
}

/// Where the policy of this resource is.
fn slot<'a>(state: &'a mut State, at: Scope, arn: &str) -> Result<&'a mut Option<String>, AwsError> {
    if arn.contains("/consumer/") {
        let (key, name) = consumer::by_arn(state, at, arn)?;
        let stream = state.streams.get_mut(&key).ok_or_else(|| at.not_found(&key))?;
        let consumer = stream.consumers.get_mut(&name).expect("it was found by its ARN");
        return Ok(&mut consumer.policy);
    }
    let name = name_in(None, Some(arn))?;
    Ok(&mut state.streams.get_mut(&at.key(name)).ok_or_else(|| at.not_found(name))?.policy)
}
