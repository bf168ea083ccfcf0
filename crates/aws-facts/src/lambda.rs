//! Lambda's rules for functions. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>

use std::collections::BTreeMap;

pub mod runtimes;

/// The most that a function is asked with synchronously, in bytes.
pub const MAX_EVENT_BYTES: usize = 6_291_456;
/// The most that a function may answer synchronously, in bytes, as Lambda names it in its error.
pub const MAX_RESPONSE_BYTES: usize = 6_291_556;
/// The largest zip that a call may carry, in bytes.
pub const MAX_ZIP_BYTES: u64 = 52_428_800;
/// The most that a deployment package may hold, with its layers, in bytes.
pub const MAX_UNPACKED_BYTES: u64 = 262_144_000;
/// The limit for all environment variables together, as [`environment_bytes`] counts them.
pub const MAX_ENVIRONMENT_BYTES: usize = 4_096;
pub const MAX_LAYERS: usize = 5;
/// Characters of a function's name, without what may stand around it.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
pub const MAX_FUNCTION_NAME: usize = 64;

/// Bytes of environment variables as Lambda measures them: its refusal shows them as a JSON object ("String measured").
pub fn environment_bytes(variables: &BTreeMap<String, String>) -> usize {
    serde_json::to_vec(variables).map_or(usize::MAX, |json| json.len())
}

/// Environment variables that Lambda sets itself and refuses in a function's configuration.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
pub const RESERVED_VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];
