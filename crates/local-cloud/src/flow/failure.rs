//! Records that could not be processed, as they are written under the error prefix: one JSON object a line.

use bytes::Bytes;
use serde::Serialize;

use super::item::Item;
use crate::service::json::Blob;
use crate::settings::Millis;

/// The `error-output-type` of everything that failed before it could be written.
pub const PROCESSING_FAILED: &str = "processing-failed";

/// Why a record failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `Lambda.FunctionError`, ...
    pub code: String,
    pub message: String,
}

impl Failure {
    pub fn new(code: &str, message: impl Into<String>) -> Failure {
        Failure { code: code.into(), message: message.into() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    raw_data: Blob,
    error_code: &'a str,
    error_message: &'a str,
    attempts_made: u32,
    arrival_timestamp: Millis,
    attempt_ending_timestamp: Millis,
    #[serde(rename = "lambdaARN")]
    lambda_arn: &'a str,
}

/// The line of a record whose last invocation ended `now`.
pub fn line(item: &Item, failure: &Failure, attempts: u32, lambda_arn: &str, now: Millis) -> Bytes {
    let line = Line {
        raw_data: Blob(item.record.data.clone()),
        error_code: &failure.code,
        error_message: &failure.message,
        attempts_made: attempts,
        arrival_timestamp: item.record.arrival,
        attempt_ending_timestamp: now,
        lambda_arn,
    };
    let mut out = serde_json::to_vec(&line).expect("strings and numbers serialise");
    out.push(b'\n');
    out.into()
}
