//! Reserved concurrency.

use serde::Deserialize;
use serde_json::json;

use super::invocation::ACCOUNT_CONCURRENCY;
use super::{Call, Outcome, invalid, no_content, not_found, reply};

/// Concurrent executions that no function may reserve.
const UNRESERVED: usize = 100;

pub fn get(call: &mut Call) -> Outcome {
    match call.function()?.reserved_concurrency {
        Some(reserved) => reply(200, &json!({ "ReservedConcurrentExecutions": reserved })),
        None => reply(200, &json!({})),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    reserved_concurrent_executions: u32,
}

pub fn put(call: &mut Call) -> Outcome {
    let input: Put = call.input()?;
    let reference = call.reference()?;
    if reference.qualifier.is_some() {
        return Err(invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. \
             Please specify either a function name or an unqualified function ARN.",
        ));
    }
    let key = reference.key();
    if !call.state.functions.contains(&key) {
        return Err(not_found(&format!("{}:$LATEST", reference.arn)));
    }
    let functions = call.state.functions.iter();
    let others = functions.filter(|(other, _)| *other != key).filter_map(|(_, function)| function.reserved_concurrency);
    if others.sum::<u32>() as usize + input.reserved_concurrent_executions as usize > ACCOUNT_CONCURRENCY - UNRESERVED {
        return Err(invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below \
             its minimum value of [100].",
        ));
    }
    call.function_mut()?.reserved_concurrency = Some(input.reserved_concurrent_executions);
    get(call)
}

pub fn delete(call: &mut Call) -> Outcome {
    call.function_mut()?.reserved_concurrency = None;
    no_content()
}
