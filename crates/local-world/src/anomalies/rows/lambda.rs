//! Lambda does not know yet what was just made, and is at work longer than it says.

use super::super::{About, Row, Shown, Words};
use super::{ROLE_CHANGES, refusal};

const READS: &[&str] = &["lambda:GetFunction", "lambda:GetFunctionConfiguration"];

/// Operations that wait until a function is neither pending nor being updated.
const CHANGES: &[&str] =
    &["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:PublishVersion", "lambda:TagResource"];

const STATES: &str = "https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html; [?] that it is refused after GetFunction \
                      said that it is done";

const fn conflict(message: &'static str) -> Words {
    Words { code: "ResourceConflictException", status: 409, message }
}

pub const ROWS: &[Row] = &[
    Row {
        name: "lambda-absent",
        about: About::Function,
        after: &["lambda:CreateFunction"],
        absent: None,
        at: &["lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:ListTags"],
        shown: Shown::Stale,
        lasts: (500, 4_000),
        settled: false,
        source: "https://github.com/boto/botocore/blob/develop/botocore/data/lambda/2015-03-31/waiters-2.json (FunctionExists retries \
                 404), https://github.com/hashicorp/terraform-provider-aws/issues/25440",
    },
    Row {
        name: "lambda-stale",
        about: About::Function,
        after: &["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"],
        absent: None,
        at: READS,
        shown: Shown::Stale,
        lasts: (300, 2_000),
        settled: false,
        source: "[?] as of a new function",
    },
    Row {
        name: "lambda-late-tags",
        about: About::Function,
        after: &["lambda:TagResource", "lambda:UntagResource"],
        absent: None,
        at: &["lambda:GetFunction", "lambda:ListTags"],
        shown: Shown::Stale,
        lasts: (300, 2_000),
        settled: false,
        source: "[?] as of the other services",
    },
    Row {
        name: "lambda-pending",
        about: About::Function,
        after: &["lambda:CreateFunction"],
        absent: None,
        at: CHANGES,
        shown: Shown::Refused(&[conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        )]),
        lasts: (500, 3_000),
        settled: true,
        source: STATES,
    },
    Row {
        name: "lambda-update-in-progress",
        about: About::Function,
        after: &["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"],
        absent: None,
        at: CHANGES,
        shown: Shown::Refused(&[conflict(
            "The operation cannot be performed at this time. An update is in progress for resource: {arn}",
        )]),
        lasts: (500, 3_000),
        settled: true,
        source: STATES,
    },
    Row {
        name: "lambda-role-lag",
        about: About::Role,
        after: ROLE_CHANGES,
        absent: None,
        at: &["lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"],
        shown: Shown::Refused(&[
            refusal("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
            refusal(
                "InvalidParameterValueException",
                "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
            ),
            refusal(
                "InvalidParameterValueException",
                "Lambda was unable to configure access to your environment variables because the KMS key is invalid for \
                 CreateGrant. Please check your KMS key settings.",
            ),
            refusal(
                "InvalidParameterValueException",
                "Your request has been throttled by EC2, please make sure you have enough API rate limit.",
            ),
        ]),
        lasts: (3_000, 12_000),
        settled: false,
        source: "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html; wordings: \
                 https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/function.go",
    },
];
