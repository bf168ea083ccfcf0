//! Writes the refusal that a fault rule asks for as the error of each service.

use crate::request::AwsError;

/// The kind of refusal that a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The service has too many calls.
    Throttled,
    /// The service fails.
    Failed {
        /// The HTTP status: 500 or 503.
        status: u16,
    },
    /// The caller lacks the permission.
    Denied,
}

impl Refusal {
    /// The error of a service that has too much to do, or that fails.
    /// The codes are of those that SDKs retry: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>.
    pub fn error(self, operation: &str) -> AwsError {
        let (service, operation) = operation.split_once(':').unwrap_or((operation, ""));
        let (code, message, status) = match (self, service) {
            (Refusal::Denied, "s3" | "iam" | "sts") => ("AccessDenied", "Access Denied", 403),
            (Refusal::Denied, "lambda") => ("AccessDeniedException", "Access Denied", 403),
            (Refusal::Denied, _) => ("AccessDeniedException", "Access Denied", 400),
            (Refusal::Throttled, "kinesis") if matches!(operation, "PutRecord" | "PutRecords" | "GetRecords") => {
                ("ProvisionedThroughputExceededException", "Rate exceeded for shard.", 400)
            }
            (Refusal::Throttled, "firehose") if operation.starts_with("PutRecord") => {
                ("ServiceUnavailableException", "Slow down.", 503)
            }
            (Refusal::Throttled, "kinesis") => ("LimitExceededException", "Rate exceeded", 400),
            (Refusal::Throttled, "lambda") => ("TooManyRequestsException", "Rate Exceeded.", 429),
            (Refusal::Throttled, "s3") => ("SlowDown", "Please reduce your request rate.", 503),
            (Refusal::Throttled, "iam" | "sts") => ("Throttling", "Rate exceeded", 400),
            (Refusal::Throttled, _) => ("ThrottlingException", "Rate exceeded", 400),
            (Refusal::Failed { status: status @ 503 }, "s3") => {
                ("ServiceUnavailable", "Service is unable to handle request.", status)
            }
            (Refusal::Failed { status: status @ 503 }, "iam" | "sts") => {
                ("ServiceUnavailable", "The request has failed due to a temporary failure of the server.", status)
            }
            (Refusal::Failed { status: status @ 503 }, _) => {
                ("ServiceUnavailableException", "The service is unavailable. Back off and retry the operation.", status)
            }
            (Refusal::Failed { status }, "s3") => {
                ("InternalError", "We encountered an internal error. Please try again.", status)
            }
            (Refusal::Failed { status }, "lambda") => {
                ("ServiceException", "An error occurred and the request cannot be processed.", status)
            }
            (Refusal::Failed { status }, _) => {
                ("InternalFailure", "The request processing has failed because of an unknown error.", status)
            }
        };
        AwsError::new(code, message).with_status(status)
    }
}
