//! Records that could not be processed, as they are written under the error prefix: one JSON object a line.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::item::Output;
use crate::model::json::Blob;
use crate::time::Millis;

/// The `error-output-type` under which a failed record is filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorType {
    Processing,
    Decompression,
    /// A query of the delivery stream found no partition key in the record.
    MetadataExtraction,
    /// The function gave no value for a partition key that the prefix names.
    Partitioning,
    ActivePartitions,
}

impl ErrorType {
    pub fn name(self) -> &'static str {
        match self {
            ErrorType::Processing => "processing-failed",
            ErrorType::Decompression => "decompression-failed",
            ErrorType::MetadataExtraction => "metadata-extraction-failed",
            // <https://github.com/aws/aws-cdk>, `integ.dynamic-partitioning-with-lambda.ts`, which runs on AWS.
            ErrorType::Partitioning => "partitioning-failed",
            ErrorType::ActivePartitions => "activePartitionExceeded",
        }
    }
}

/// Why a record failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `Lambda.FunctionError`, ...
    pub code: String,
    /// In Firehose's words.
    pub message: String,
}

impl Failure {
    /// A failure with this code and message.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    lambda_arn: Option<&'a str>,
}

/// The part of a line that says why, without looking at the record in it, which may be long.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Reason {
    #[serde(rename(deserialize = "errorCode"))]
    pub code: String,
    #[serde(rename(deserialize = "errorMessage"))]
    pub message: String,
    #[serde(rename(deserialize = "attemptsMade"))]
    pub attempts: u32,
}

/// Why the record failed that [`line()`] wrote, if the line is one.
pub fn reason(line: &[u8], raw: &[u8]) -> Option<Reason> {
    let data = r#"{"rawData":"",""#.len() - 1 + raw.len().div_ceil(3) * 4;
    let rest = [b"{", line.get(data..)?].concat();
    serde_json::from_slice(&rest).ok()
}

/// The line of a record whose last attempt ended `now`.
pub fn line(record: &Output, failure: &Failure, attempts: u32, lambda_arn: Option<&str>, now: Millis) -> Bytes {
    let line = Line {
        raw_data: Blob(record.raw.clone()),
        error_code: &failure.code,
        error_message: &failure.message,
        attempts_made: attempts,
        arrival_timestamp: record.arrival,
        attempt_ending_timestamp: now,
        lambda_arn: lambda_arn.filter(|_| failure.code.starts_with("Lambda.")),
    };
    let mut out = serde_json::to_vec(&line).expect("strings and numbers serialise");
    out.push(b'\n');
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::item::Origin;

    #[test]
    fn the_reason_is_read_from_a_line_however_long_its_record_is() {
        for raw in ["", "a", "ab", "abc", "a longer record"] {
            let raw = Bytes::from_static(raw.as_bytes());
            let output = Output { origin: Origin::whole(0, 0), arrival: 1, data: Bytes::new(), raw: raw.clone() };
            let written = line(&output, &Failure::new("Lambda.FunctionError", "it \"failed\""), 3, Some("arn"), 9);
            let told = Reason { code: "Lambda.FunctionError".into(), message: "it \"failed\"".into(), attempts: 3 };
            assert_eq!(reason(&written, &raw), Some(told), "{raw:?}");
        }
        assert_eq!(reason(b"{}", b"abc"), None);
    }
}
