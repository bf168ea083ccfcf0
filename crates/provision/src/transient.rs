//! The table of transient errors of AWS. `send` retries a call that fails with one.
//!
//! A row is as narrow as what is known about it: a code that is also given for mistakes is told apart by its message, and a
//! lag behind a change of our own counts only after that change.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::error::Error;

/// A transient error.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Transient {
    /// The kinds of resource whose calls can fail with it. Empty: all.
    pub kinds: &'static [&'static str],
    /// AWS's error code.
    pub code: &'static str,
    /// As little of the message as identifies the case. Empty: any.
    pub message: &'static str,
    pub counts: Counts,
    /// How long calls are retried.
    #[serde(rename = "limit_s", serialize_with = "seconds")]
    #[cfg_attr(test, schemars(with = "u64"))]
    pub limit: Duration,
    /// The text after "waiting for".
    pub waits_for: &'static str,
    pub source: &'static str,
}

/// When an error counts as transient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    Always,
    /// For so long after this run created the resource.
    #[serde(serialize_with = "seconds")]
    AfterCreate(#[cfg_attr(test, schemars(with = "u64"))] Duration),
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

const MINUTE: Duration = Duration::from_secs(60);
const TWO_MINUTES: Duration = Duration::from_secs(120);
const TEN_MINUTES: Duration = Duration::from_secs(600);
/// As long as a state may last.
const STATE: Duration = Duration::from_secs(900);

/// AWS words a denied PassRole like an error for a role that has not propagated yet. A denied PassRole is never transient.
const NEVER: &str = "iam:PassRole";

const FIREHOSE_ROLE: &str =
    "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/firehose/delivery_stream.go";
const LAMBDA_ROLE: &str = "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html";
const LAMBDA_STATES: &str = "https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html";
const S3_CREATE: &str = "https://github.com/hashicorp/terraform-provider-aws/pull/33531";
const LOGS_ABORTED: &str = "https://github.com/aws/aws-cdk/issues/17546";
const KINESIS_CREATE: &str = "https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html";
const KINESIS_LAG: &str = "https://github.com/aws/aws-sdk-java-v2/pull/6006";
const IAM_LAG: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency";

/// All known transient errors. The first row that matches is used.
pub static TRANSIENTS: &[Transient] = &[
    // Firehose does not know a role, or what it may do, yet (audit A: "in every wording").
    always(&["delivery"], "InvalidArgumentException", "is unable to assume role", TWO_MINUTES, KNOWN, FIREHOSE_ROLE),
    always(&["delivery"], "InvalidArgumentException", "is not authorized to", TWO_MINUTES, KNOWN, FIREHOSE_ROLE),
    always(&["delivery"], "InvalidArgumentException", "Access was denied", TWO_MINUTES, KNOWN, FIREHOSE_ROLE),
    always(
        &["delivery"],
        "InvalidArgumentException",
        "Verify that the IAM role has access",
        TWO_MINUTES,
        KNOWN,
        FIREHOSE_ROLE,
    ),
    always(
        &["delivery"],
        "InvalidArgumentException",
        "security token included in the request is invalid",
        TWO_MINUTES,
        KNOWN,
        "https://github.com/hashicorp/terraform-provider-aws/issues/47937",
    ),
    // Lambda does not know a role yet, or is at the last change still.
    always(
        &["function"],
        "InvalidParameterValueException",
        "cannot be assumed by Lambda",
        TWO_MINUTES,
        KNOWN,
        LAMBDA_ROLE,
    ),
    always(
        &["function"],
        "InvalidParameterValueException",
        "execution role does not have permissions",
        TWO_MINUTES,
        KNOWN,
        LAMBDA_ROLE,
    ),
    always(
        &["function"],
        "InvalidParameterValueException",
        "throttled by EC2",
        TWO_MINUTES,
        "EC2 to stop throttling Lambda",
        LAMBDA_ROLE,
    ),
    always(
        &["function"],
        "InvalidParameterValueException",
        "KMS key is invalid for CreateGrant",
        TWO_MINUTES,
        KNOWN,
        LAMBDA_ROLE,
    ),
    always(
        &["function"],
        "ResourceConflictException",
        "cannot be performed at this time",
        STATE,
        "its last update to finish",
        LAMBDA_STATES,
    ),
    // Streams of the whole account and region count, other people's too (audit A11).
    always(
        &["stream"],
        "LimitExceededException",
        "CREATING or DELETING",
        STATE,
        "other streams to finish being created or deleted (AWS allows five at a time)",
        KINESIS_CREATE,
    ),
    // A bucket name is free some time after its bucket was deleted; two calls on one bucket exclude each other (audit A5).
    always(
        &["bucket", "prefix"],
        "OperationAborted",
        "",
        TEN_MINUTES,
        "another operation on the bucket to finish",
        S3_CREATE,
    ),
    created(&["bucket", "prefix"], "NoSuchBucket", TWO_MINUTES, S3_CREATE),
    // Two calls on one log group exclude each other (audit A8).
    always(
        &["log_group", "record"],
        "OperationAbortedException",
        "",
        TWO_MINUTES,
        "another operation on the log group to finish",
        LOGS_ABORTED,
    ),
    // A policy that was just deleted still counts (audit A9), by this run or by one before it. What others attached is told at once.
    always(
        &["role"],
        "DeleteConflict",
        "",
        TWO_MINUTES,
        "the deletion of its policy to propagate in IAM",
        "https://github.com/hashicorp/terraform/issues/3222",
    ),
    always(
        &["role"],
        "ConcurrentModification",
        "",
        TWO_MINUTES,
        "another change of the role to finish",
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html",
    ),
    always(
        &["role"],
        "MalformedPolicyDocument",
        "Invalid principal in policy",
        TWO_MINUTES,
        "the principals in its policy to propagate in IAM",
        IAM_LAG,
    ),
    // A new resource is not seen everywhere at once (audit A7, A8).
    created(&["role"], "NoSuchEntity", TWO_MINUTES, IAM_LAG),
    created(&["stream"], "ResourceNotFoundException", MINUTE, KINESIS_LAG),
    created(
        &["function"],
        "ResourceNotFoundException",
        MINUTE,
        "https://github.com/hashicorp/terraform-provider-aws/issues/25440",
    ),
    created(&["delivery"], "ResourceNotFoundException", MINUTE, FIREHOSE_ROLE),
    created(&["log_group", "record"], "ResourceNotFoundException", MINUTE, LOGS_ABORTED),
    // Beyond the SDK's own attempts: others use up the account's rate too. The other texts of LimitExceededException are quotas.
    always(&[], "ThrottlingException", "", TEN_MINUTES, RATE, THROTTLING),
    always(&[], "Throttling", "", TEN_MINUTES, RATE, THROTTLING),
    always(&[], "TooManyRequestsException", "", TEN_MINUTES, RATE, THROTTLING),
    always(&[], "LimitExceededException", "Rate exceeded", TEN_MINUTES, RATE, THROTTLING),
    always(&[], "SlowDown", "", TEN_MINUTES, RATE, THROTTLING),
];

const KNOWN: &str = "its IAM role to propagate";
const RATE: &str = "AWS's API rate limit, which the whole account shares";
const THROTTLING: &str = "https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html";

const fn always(
    kinds: &'static [&'static str],
    code: &'static str,
    message: &'static str,
    limit: Duration,
    waits_for: &'static str,
    source: &'static str,
) -> Transient {
    Transient { kinds, code, message, counts: Counts::Always, limit, waits_for, source }
}

/// "Not found" for a resource that this run just created.
const fn created(
    kinds: &'static [&'static str],
    code: &'static str,
    limit: Duration,
    source: &'static str,
) -> Transient {
    let counts = Counts::AfterCreate(limit);
    Transient { kinds, code, message: "", counts, limit, waits_for: "it to become visible after its creation", source }
}

/// The row that explains an error of a call on a resource of this kind, if it passes by itself. `created`: how long ago this run
/// created the resource.
pub fn find(kind: &str, error: &Error, created: Option<Duration>) -> Option<&'static Transient> {
    let counts = |row: &Transient| match row.counts {
        Counts::Always => true,
        Counts::AfterCreate(within) => created.is_some_and(|ago| ago < within),
    };
    let fits = |row: &&Transient| {
        (row.kinds.is_empty() || row.kinds.contains(&kind))
            && error.says(row.code, row.message)
            && !error.says(row.code, NEVER)
            && counts(row)
    };
    TRANSIENTS.iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_own_answer_and_only_when_it_counts() {
        let now = Some(Duration::ZERO);
        for row in TRANSIENTS {
            let kind = row.kinds.first().copied().unwrap_or("stream");
            let error = Error::of_item("creating", row.code, row.message);
            let found = find(kind, &error, now).unwrap_or_else(|| panic!("{row:?}"));
            assert!(std::ptr::eq(found, row), "{row:?} is hidden by {found:?}");
            assert!(row.source.starts_with("https://"), "{row:?}");
            assert_eq!(find(kind, &error, None).is_some(), row.counts == Counts::Always, "{row:?}");
            let later = Some(row.limit);
            assert_eq!(find(kind, &error, later).is_some(), row.counts == Counts::Always, "{row:?}");
        }
    }

    #[test]
    fn what_no_time_heals_is_no_transient() {
        let now = Some(Duration::ZERO);
        for (kind, code, message) in [
            ("delivery", "InvalidArgumentException", "User x is not authorized to perform: iam:PassRole on resource y"),
            ("delivery", "LimitExceededException", "You have already consumed your firehose quota of 50 hoses."),
            ("stream", "LimitExceededException", "This request would exceed the shard limit for the account 1"),
            ("stream", "ResourceInUseException", "Stream x under account 1 already exists."),
            ("bucket", "AccessDenied", "Access Denied"),
            ("function", "InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes"),
        ] {
            let error = Error::of_item("creating", code, message);
            assert!(find(kind, &error, now).is_none(), "{message}");
        }
    }
}
