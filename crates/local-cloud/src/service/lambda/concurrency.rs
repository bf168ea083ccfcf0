//! Reserved concurrency.

use serde::Deserialize;
use serde_json::json;

use super::{Call, Outcome, no_content, reply};

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
    call.function_mut()?.reserved_concurrency = Some(input.reserved_concurrent_executions);
    get(call)
}

pub fn delete(call: &mut Call) -> Outcome {
    call.function_mut()?.reserved_concurrency = None;
    no_content()
}
