//! Which runtimes a function may be made for. Which of them this machine runs is the runner's matter.

use aws_facts::lambda::runtimes::{RUNTIMES, is_gone, is_listed};

use crate::request::AwsError;

use super::invalid;

/// Fails where nothing can be created with it, any more or at all.
pub fn acceptable(runtime: &str) -> Result<(), AwsError> {
    if is_gone(runtime) {
        return Err(invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We \
             recommend you use a supported runtime while creating or updating functions."
        )));
    }
    if !is_listed(runtime) {
        return Err(invalid(format!(
            "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a \
             valid ARN",
            RUNTIMES.join(", ")
        )));
    }
    Ok(())
}
