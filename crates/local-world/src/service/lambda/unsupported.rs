//! Operations that Lambda has and this engine has not: known by name, so that they are refused and not misunderstood.

use http::Method;

use crate::request::{AwsError, Request};

/// Name, method, and path, in which `*` is one segment.
const OPERATIONS: &[(&str, &str, &str)] = &[
    ("AddLayerVersionPermission", "POST", "/2018-10-31/layers/*/versions/*/policy"),
    ("CheckpointDurableExecution", "POST", "/2025-12-01/durable-executions/*/checkpoint"),
    ("CreateCapacityProvider", "POST", "/2025-11-30/capacity-providers"),
    ("CreateCodeSigningConfig", "POST", "/2020-04-22/code-signing-configs"),
    ("CreateEventSourceMapping", "POST", "/2015-03-31/event-source-mappings"),
    ("CreateFunctionUrlConfig", "POST", "/2021-10-31/functions/*/url"),
    ("DeleteCapacityProvider", "DELETE", "/2025-11-30/capacity-providers/*"),
    ("DeleteCodeSigningConfig", "DELETE", "/2020-04-22/code-signing-configs/*"),
    ("DeleteEventSourceMapping", "DELETE", "/2015-03-31/event-source-mappings/*"),
    ("DeleteFunctionCodeSigningConfig", "DELETE", "/2020-06-30/functions/*/code-signing-config"),
    ("DeleteFunctionUrlConfig", "DELETE", "/2021-10-31/functions/*/url"),
    ("DeleteLayerVersion", "DELETE", "/2018-10-31/layers/*/versions/*"),
    ("DeleteProvisionedConcurrencyConfig", "DELETE", "/2019-09-30/functions/*/provisioned-concurrency"),
    ("GetCapacityProvider", "GET", "/2025-11-30/capacity-providers/*"),
    ("GetCodeSigningConfig", "GET", "/2020-04-22/code-signing-configs/*"),
    ("GetDurableExecution", "GET", "/2025-12-01/durable-executions/*"),
    ("GetDurableExecutionHistory", "GET", "/2025-12-01/durable-executions/*/history"),
    ("GetDurableExecutionState", "GET", "/2025-12-01/durable-executions/*/state"),
    ("GetEventSourceMapping", "GET", "/2015-03-31/event-source-mappings/*"),
    ("GetFunctionScalingConfig", "GET", "/2025-11-30/functions/*/function-scaling-config"),
    ("GetFunctionUrlConfig", "GET", "/2021-10-31/functions/*/url"),
    ("GetLayerVersion", "GET", "/2018-10-31/layers/*/versions/*"),
    ("GetLayerVersionByArn", "GET", "/2018-10-31/layers"),
    ("GetLayerVersionPolicy", "GET", "/2018-10-31/layers/*/versions/*/policy"),
    ("GetProvisionedConcurrencyConfig", "GET", "/2019-09-30/functions/*/provisioned-concurrency"),
    ("InvokeAsync", "POST", "/2014-11-13/functions/*/invoke-async"),
    ("InvokeWithResponseStream", "POST", "/2021-11-15/functions/*/response-streaming-invocations"),
    ("ListCapacityProviders", "GET", "/2025-11-30/capacity-providers"),
    ("ListCodeSigningConfigs", "GET", "/2020-04-22/code-signing-configs"),
    ("ListDurableExecutionsByFunction", "GET", "/2025-12-01/functions/*/durable-executions"),
    ("ListFunctionUrlConfigs", "GET", "/2021-10-31/functions/*/urls"),
    ("ListFunctionVersionsByCapacityProvider", "GET", "/2025-11-30/capacity-providers/*/function-versions"),
    ("ListFunctionsByCodeSigningConfig", "GET", "/2020-04-22/code-signing-configs/*/functions"),
    ("ListLayerVersions", "GET", "/2018-10-31/layers/*/versions"),
    ("PublishLayerVersion", "POST", "/2018-10-31/layers/*/versions"),
    ("PutFunctionCodeSigningConfig", "PUT", "/2020-06-30/functions/*/code-signing-config"),
    ("PutFunctionRecursionConfig", "PUT", "/2024-08-31/functions/*/recursion-config"),
    ("PutFunctionScalingConfig", "PUT", "/2025-11-30/functions/*/function-scaling-config"),
    ("PutProvisionedConcurrencyConfig", "PUT", "/2019-09-30/functions/*/provisioned-concurrency"),
    ("PutRuntimeManagementConfig", "PUT", "/2021-07-20/functions/*/runtime-management-config"),
    ("RemoveLayerVersionPermission", "DELETE", "/2018-10-31/layers/*/versions/*/policy/*"),
    ("SendDurableExecutionCallbackFailure", "POST", "/2025-12-01/durable-execution-callbacks/*/fail"),
    ("SendDurableExecutionCallbackHeartbeat", "POST", "/2025-12-01/durable-execution-callbacks/*/heartbeat"),
    ("SendDurableExecutionCallbackSuccess", "POST", "/2025-12-01/durable-execution-callbacks/*/succeed"),
    ("StopDurableExecution", "POST", "/2025-12-01/durable-executions/*/stop"),
    ("UpdateCapacityProvider", "PUT", "/2025-11-30/capacity-providers/*"),
    ("UpdateCodeSigningConfig", "PUT", "/2020-04-22/code-signing-configs/*"),
    ("UpdateEventSourceMapping", "PUT", "/2015-03-31/event-source-mappings/*"),
    ("UpdateFunctionUrlConfig", "PUT", "/2021-10-31/functions/*/url"),
];

/// The refusal of an operation that is not supported. A `Get` answers that there is no such resource, because clients that look
/// for one expect that.
pub fn refusal(method: &Method, path: &str) -> Option<AwsError> {
    let (name, ..) = OPERATIONS.iter().find(|(_, known, pattern)| method == *known && fits(pattern, path))?;
    let message = format!("{name} is not supported by the built-in emulator");
    Some(match name.starts_with("Get") {
        true => AwsError::new("ResourceNotFoundException", message).with_status(404),
        false => AwsError::new("InvalidParameterValueException", message),
    })
}

/// Headers and query parameters of operations that are here, with the members that they are.
const MEMBERS: &[(&str, &str)] = &[
    ("x-amz-durable-execution-name", "DurableExecutionName"),
    ("x-amz-tenant-id", "TenantId"),
    ("MasterRegion", "MasterRegion"),
];

/// Refuses a header or query parameter that the emulator does not support.
pub fn member(request: &Request) -> Result<(), AwsError> {
    let given = |name: &str| request.header(name).or(request.query(name)).is_some_and(|value| !value.is_empty());
    let asked = MEMBERS.iter().find(|(name, _)| given(name));
    asked.map_or(Ok(()), |(_, member)| {
        let message = format!("{member} is not supported by the built-in emulator");
        Err(AwsError::new("InvalidParameterValueException", message))
    })
}

fn fits(pattern: &str, path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(expected), Some(part)) if expected == part || (expected == "*" && !part.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lambda_has_and_the_engine_has_not_is_refused_by_name() {
        for (method, path, expected) in [
            (
                Method::POST,
                "/2018-10-31/layers/l/versions",
                Some("InvalidParameterValueException: PublishLayerVersion"),
            ),
            (Method::GET, "/2021-10-31/functions/f/url/", Some("ResourceNotFoundException: GetFunctionUrlConfig")),
            (Method::GET, "/2021-10-31/functions//url", None),
            (Method::GET, "/2015-03-31/nothing", None),
        ] {
            let refused = refusal(&method, path).map(|error| error.to_string());
            let expected = expected.map(|text| format!("{text} is not supported by the built-in emulator"));
            assert_eq!(refused, expected, "{method} {path}");
        }
    }
}
