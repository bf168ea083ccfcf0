//! Checks permissions with IAM's policy simulator. No action is tried.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::Check;
use crate::cloud::{Caller, Cx};
use crate::error::{Error, Result};
use crate::permissions::Need;
use crate::permissions::format::{PASSED_TO, statements};
use crate::resource::role::Statement;

const ABOUT: &str = "permissions";
const AT_ONCE: usize = 4;

/// A line for the whole list, or one for each statement of the policy of which something is missing.
pub async fn checks(cx: &Cx, caller: &Caller, needs: &[Need]) -> Vec<Check> {
    let all = statements(needs);
    let count = all.iter().map(|statement| statement.action.len()).sum::<usize>();
    if caller.arn.ends_with(":root") {
        return vec![Check::good(ABOUT, "the root user is allowed everything")];
    }
    let principal = match principal(cx, caller).await {
        Some(principal) => principal,
        None => return vec![unasked(format!("{} has no policies of its own to simulate", caller.arn))],
    };
    let asked = all.iter().map(|statement| missing(cx, &principal, statement)).collect::<Vec<_>>();
    match stream::iter(asked).buffered(AT_ONCE).try_collect::<Vec<Vec<Check>>>().await {
        Ok(missing) if missing.iter().all(Vec::is_empty) => {
            vec![Check::good(ABOUT, format!("all {count} actions are allowed, according to IAM's policy simulator"))]
        }
        Ok(missing) => missing.into_iter().flatten().collect(),
        Err(error) => vec![unasked(error.to_string())],
    }
}

fn unasked(why: String) -> Check {
    let remedy = "allow iam:SimulatePrincipalPolicy and iam:GetRole on the role itself, or compare with what `provision permissions` \
                  prints";
    Check::unchecked(ABOUT, why, remedy)
}

/// The user or role whose policies apply. A session's ARN has the name of its role but not the path.
async fn principal(cx: &Cx, caller: &Caller) -> Option<String> {
    let (_, resource) = caller.arn.rsplit_once(':')?;
    match resource.split('/').collect::<Vec<_>>()[..] {
        ["user", ..] => Some(caller.arn.clone()),
        ["assumed-role", name, _] => {
            let read = cx.iam().get_role().role_name(name).send().await;
            let arn = read.ok().and_then(|read| read.role).map(|role| role.arn);
            Some(arn.unwrap_or_else(|| cx.names.role_arn("/", name)))
        }
        _ => None,
    }
}

/// The actions of a statement that are not allowed.
async fn missing(cx: &Cx, principal: &str, statement: &Statement) -> Result<Vec<Check>> {
    let mut denied: Vec<EvaluationResult> = vec![];
    for passed_to in contexts(statement) {
        let call = cx.iam().simulate_principal_policy().policy_source_arn(principal).set_context_entries(passed_to);
        let call = call.set_action_names(Some(statement.action.clone()));
        let call = call.set_resource_arns(Some(statement.resource.clone()));
        let mut pages = call.into_paginator().items().send();
        while let Some(result) = pages.next().await {
            let result = result.map_err(|error| Error::aws("simulating the policies of these credentials", error))?;
            if result.eval_decision != PolicyEvaluationDecisionType::Allowed {
                denied.push(result);
            }
        }
    }
    Ok(told(&denied))
}

/// One check for each resource. A result without a resource is reported too.
fn told(denied: &[EvaluationResult]) -> Vec<Check> {
    let mut by_resource: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for result in denied {
        let resource = result.eval_resource_name.as_deref().unwrap_or("*");
        by_resource.entry(resource).or_default().insert(&result.eval_action_name);
    }
    let line = |(resource, actions): (&str, BTreeSet<&str>)| {
        let found = format!("not allowed: {} on {resource}", actions.into_iter().collect::<Vec<_>>().join(", "));
        Check::failed(ABOUT, found, "attach the policy that `provision permissions` prints")
    };
    by_resource.into_iter().map(line).collect()
}

/// One context for each service that a role is passed to. Nothing else is known about the calls.
fn contexts(statement: &Statement) -> Vec<Option<Vec<ContextEntry>>> {
    let Some(condition) = &statement.condition else { return vec![None] };
    let services = condition["StringEquals"][PASSED_TO].as_array().into_iter().flatten().filter_map(Value::as_str);
    let entry = |service| {
        let entry = ContextEntry::builder().context_key_name(PASSED_TO).context_key_values(service);
        Some(vec![entry.context_key_type(ContextKeyTypeEnum::String).build()])
    };
    services.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_is_denied_is_told_though_the_answer_names_no_resource() {
        let denied = |action: &str, resource: Option<&str>| {
            let result = EvaluationResult::builder().eval_action_name(action);
            let result = result.eval_decision(PolicyEvaluationDecisionType::ImplicitDeny);
            result.set_eval_resource_name(resource.map(str::to_owned)).build().expect("all members are set")
        };
        let denied = [denied("s3:GetObject", None), denied("iam:GetRole", Some("r")), denied("iam:TagRole", Some("r"))];
        let found: Vec<String> = told(&denied).into_iter().map(|check| check.found).collect();
        assert_eq!(found, ["not allowed: s3:GetObject on *", "not allowed: iam:GetRole, iam:TagRole on r"]);
    }
}
