//! Refusals of destinations, in AWS's words or ours.

use crate::request::AwsError;

pub fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidArgumentException", message)
}

/// AWS can; this engine cannot, and says so rather than deliver something else.
pub fn not_here(what: &str) -> AwsError {
    invalid(format!("{what} is not supported by the built-in emulator"))
}
