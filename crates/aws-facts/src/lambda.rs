//! Lambda's rules for functions. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>

use std::collections::BTreeMap;

pub mod runtimes;

use crate::bounds::{Bounds, NameRule};

/// The largest event of a synchronous invocation, in bytes.
pub const MAX_EVENT_BYTES: usize = 6_291_456;
/// The largest response to a synchronous invocation, in bytes, as Lambda names it in its error.
pub const MAX_RESPONSE_BYTES: usize = 6_291_556;
/// The largest zip that a call may carry, in bytes.
pub const MAX_ZIP_BYTES: u64 = 52_428_800;
/// The size of an unpacked deployment package with its layers, in bytes.
pub const MAX_UNPACKED_BYTES: u64 = 262_144_000;
/// The limit for all environment variables together, as [`environment_bytes`] counts them.
pub const MAX_ENVIRONMENT_BYTES: usize = 4_096;
/// Layers of one function.
pub const MAX_LAYERS: usize = 5;
/// The name alone. The service model bounds the ARN that may stand instead.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
pub const FUNCTION_NAME: NameRule = NameRule { max: 64, marks: "_-" };
/// Characters of an alias's name, and of a version or alias in a call.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html>
pub const MAX_ALIAS: usize = 128;

/// Memory of a function, in MiB. The service model admits more, for kinds of functions that are not covered here.
pub const MEMORY_MIB: Bounds = Bounds { min: 128, max: 10_240 };
/// The time after which an invocation is ended, in seconds. The service model admits more here too.
pub const TIMEOUT_S: Bounds = Bounds { min: 1, max: 900 };
/// The time-out of a function that was not told any, in seconds.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
pub const DEFAULT_TIMEOUT_S: u32 = 3;
/// The size of a function's `/tmp`, in MiB. A function that was not told any has the least. The service model admits more here too.
pub const EPHEMERAL_STORAGE_MIB: Bounds = Bounds { min: 512, max: 10_240 };

/// Characters of a function's description.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
pub const MAX_DESCRIPTION: usize = 256;
/// Characters of a function's handler.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
pub const MAX_HANDLER: usize = 128;
/// Subnets of a function in a VPC. It has one at least.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html>
pub const MAX_SUBNETS: usize = 16;
/// A regular expression for the id of a subnet.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html>
pub const SUBNET_ID: &str = "subnet-[0-9a-z]+";
/// A regular expression for the id of a security group.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html>
pub const SECURITY_GROUP_ID: &str = "sg-[0-9a-zA-Z]+";
/// Security groups of a function in a VPC. It has one at least.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html>
pub const MAX_SECURITY_GROUPS: usize = 5;
/// A regular expression for the name of an environment variable.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html>
pub const VARIABLE_NAME: &str = "[a-zA-Z]([a-zA-Z0-9_])+";

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
