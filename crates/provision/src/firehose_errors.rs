//! Firehose's error codes, as its error records and its logs show them, with cause and remedy.
//! <https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-logs.html>

use std::fmt;

use serde::Deserialize;

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// A code ending in `.` stands for all codes that begin so.
    pub code: &'static str,
    pub cause: &'static str,
    pub remedy: &'static str,
}

/// The row of a code: its own, else that of its family.
pub fn find(code: &str) -> Option<&'static Row> {
    let own = ROWS.iter().find(|row| row.code == code);
    own.or_else(|| ROWS.iter().find(|row| row.code.ends_with('.') && code.starts_with(row.code)))
}

impl fmt::Display for Row {
    /// The cause, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.cause, self.remedy)
    }
}

/// An error as a delivery stream logs it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logged {
    #[serde(rename = "errorCode")]
    pub code: String,
    #[serde(default)]
    pub message: String,
}

impl Logged {
    /// `None`: the log event is something else.
    pub fn read(event: &str) -> Option<Logged> {
        serde_json::from_str(event).ok()
    }
}

const fn row(code: &'static str, cause: &'static str, remedy: &'static str) -> Row {
    Row { code, cause, remedy }
}

const MODEL: &str = "run `provision test-transform`; it shows the response and the rule that it violates";
const KEY: &str = "check the key's state, and that its policy lets the delivery stream's role use it";

pub const ROWS: &[Row] = &[
    row(
        "Lambda.FunctionError",
        "the function raised an error, or its response is not in Firehose's format, so that the whole batch failed",
        "read the function's log, and run `provision invoke` with such a record",
    ),
    row(
        "Lambda.ProcessingFailedStatus",
        "the function returned ProcessingFailed for the record",
        "run `provision invoke` with such a record",
    ),
    row("Lambda.MissingRecordId", "the function's response has no result for the record", MODEL),
    row("Lambda.DuplicatedRecordId", "the function's response has several results for the record", MODEL),
    row("Lambda.InvalidReturnFormat", "the function returned Ok without data", MODEL),
    row("Lambda.JsonProcessingException", "the function's response is no JSON", MODEL),
    row("Lambda.JsonMappingException", "the function's response has another structure than Firehose expects", MODEL),
    row(
        "Lambda.FunctionTimedOut",
        "the function ran longer than its timeout",
        "raise the function's timeout, or make the transform's buffer smaller",
    ),
    row(
        "Lambda.FunctionRequestTimedOut",
        "the function did not answer in time",
        "raise the function's timeout, or make the transform's buffer smaller",
    ),
    row(
        "Lambda.InvokeLimitExceeded",
        "more invocations than the account's or the function's concurrency allows",
        "raise the concurrency of the function or of the account",
    ),
    row(
        "Lambda.AssumeRoleAccessDenied",
        "Firehose cannot assume the delivery stream's role",
        "check the trust policy of the role",
    ),
    row(
        "Lambda.InvokeAccessDenied",
        "the delivery stream's role may not invoke the function",
        "allow lambda:InvokeFunction for the function and its version in the role's policy",
    ),
    row("Lambda.ResourceNotFound", "the function, or its version or alias, does not exist", "run `provision up`"),
    row("Lambda.TagNotFound", "the function, or its version or alias, does not exist", "run `provision up`"),
    row("Lambda.KMS.", "Lambda cannot use the KMS key of the function", KEY),
    row("Lambda.", "the transform failed", "read the function's log"),
    row(
        "Decompression failed.",
        "the record is not a compressed document of CloudWatch Logs",
        "send what a subscription filter sends, or remove `decompress`",
    ),
    row(
        "DynamicPartitioning.MetadataExtractionFailed",
        "the record has no value for a partition key that the prefix names, or is not JSON",
        "check the query in `metadata` with jq, and the fields of the record",
    ),
    row(
        "DynamicPartitioning.ActivePartitionsLimitExceeded",
        "more active partitions than the delivery stream's limit of 500",
        "choose partition keys with fewer values, or ask AWS for a higher limit",
    ),
    row(
        "DynamicPartitioning.",
        "no partition was found for the record",
        "check the query in `metadata`, and the partition keys that the function returns",
    ),
    row(
        "DataFormatConversion.",
        "the record cannot be converted to the format of the destination",
        "compare the record with the table's columns",
    ),
    row(
        "S3.AccessDenied",
        "the delivery stream's role may not write to the bucket",
        "check the role's policy, the bucket's policy, and their account",
    ),
    row("S3.NoSuchBucket", "the bucket does not exist", "create it, or run `provision up`"),
    row(
        "S3.SlowDown",
        "S3 limits the rate of requests for these keys",
        "Firehose tries again; raise the buffer, so that it writes fewer objects",
    ),
    row(
        "S3.MethodNotAllowed",
        "the bucket does not take this request",
        "check the bucket's policy and its object lock",
    ),
    row("S3.AllAccessDisabled", "access to the bucket is disabled", "ask AWS support about the account"),
    row(
        "S3.InvalidPrefixConfigurationException",
        "the prefix gives no valid key",
        "check the expressions in `good` and `bad`",
    ),
    row(
        "S3.IllegalLocationConstraintException",
        "the bucket is in another region",
        "use a bucket in the region of the delivery stream",
    ),
    row("S3.KMS.", "S3 cannot use the KMS key of the objects", KEY),
    row("S3.", "S3 refused the object", "look the code up among S3's error codes"),
    row("Kinesis.AccessDenied", "the role that reads the stream may not read it", "check the policy of the role"),
    row("Kinesis.ResourceNotFound", "the stream does not exist", "run `provision up`"),
    row(
        "Kinesis.Throttling",
        "the stream has too many readers or requests",
        "add shards; each shard gives five reads a second to all readers together",
    ),
    row("Kinesis.SubscriptionRequired", "the account is not signed up for Kinesis", "sign up for it"),
    row("Kinesis.KMS.", "the stream's KMS key cannot be used", KEY),
    row("KMS.", "the KMS key of the delivery stream cannot be used", KEY),
    row("InternalError", "Firehose failed internally, and tries again", "wait; if it stays, ask AWS support"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_own_row_or_that_of_its_family() {
        let cause = |code| find(code).map(|row| row.code);
        assert_eq!(cause("S3.AccessDenied"), Some("S3.AccessDenied"));
        assert_eq!(cause("S3.KMS.KeyDisabled"), Some("S3.KMS."));
        assert_eq!(cause("S3.Other"), Some("S3."));
        assert_eq!(cause("Other"), None);
    }

    #[test]
    fn no_code_is_there_twice_and_a_family_stands_behind_its_members() {
        for (at, row) in ROWS.iter().enumerate() {
            assert!(ROWS[..at].iter().all(|other| other.code != row.code), "{}", row.code);
            let family =
                |other: &&Row| other.code.ends_with('.') && row.code.starts_with(other.code) && other.code != row.code;
            assert!(!ROWS[..at].iter().any(|other| family(&other)), "{}", row.code);
        }
    }
}
