//! Firehose does not know yet what was just made, and shows a destination as it was.

use super::super::{About, Row, Shown};
use super::{ROLE_CHANGES, refusal};

pub const ROWS: &[Row] = &[
    Row {
        name: "firehose-absent",
        about: About::DeliveryStream,
        after: &["firehose:CreateDeliveryStream"],
        absent: None,
        at: &["firehose:DescribeDeliveryStream", "firehose:ListTagsForDeliveryStream"],
        shown: Shown::Stale,
        lasts: (1_000, 5_000),
        settled: false,
        source: "[?] https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/firehose/delivery_stream.go \
                 (takes not found as not yet)",
    },
    Row {
        name: "firehose-stale",
        about: About::DeliveryStream,
        after: &["firehose:UpdateDestination"],
        absent: None,
        at: &["firehose:DescribeDeliveryStream"],
        shown: Shown::Stale,
        lasts: (1_000, 8_000),
        settled: false,
        source: "https://docs.aws.amazon.com/firehose/latest/APIReference/API_UpdateDestination.html (\"The update might not \
                 occur immediately.\")",
    },
    Row {
        name: "firehose-late-tags",
        about: About::DeliveryStream,
        after: &["firehose:TagDeliveryStream", "firehose:UntagDeliveryStream"],
        absent: None,
        at: &["firehose:ListTagsForDeliveryStream"],
        shown: Shown::Stale,
        lasts: (500, 3_000),
        settled: false,
        source: "[?] as of the other services",
    },
    Row {
        name: "firehose-late-reading",
        about: About::DeliveryStream,
        after: &[],
        absent: None,
        at: &["firehose:CreateDeliveryStream"],
        shown: Shown::Unread,
        lasts: (10_000, 90_000),
        settled: true,
        source: "[?] https://docs.aws.amazon.com/firehose/latest/dev/writing-with-kinesis-streams.html (reading starts at LATEST); \
                 captured calls show it from the time of creation",
    },
    Row {
        name: "firehose-role-lag",
        about: About::Role,
        after: ROLE_CHANGES,
        absent: None,
        at: &["firehose:CreateDeliveryStream", "firehose:UpdateDestination"],
        shown: Shown::Refused(&[
            refusal(
                "InvalidArgumentException",
                "Firehose is unable to assume role {arn}. Please check the role provided.",
            ),
            refusal(
                "InvalidArgumentException",
                "The security token included in the request is invalid. Ensure that the provided IAM role associated with \
                 firehose is not deleted.",
            ),
            refusal(
                "InvalidArgumentException",
                "Role {arn} is not authorized to perform: kinesis:DescribeStream on the source stream.",
            ),
            refusal(
                "InvalidArgumentException",
                "Access was denied. Please ensure that the role {arn} has the necessary permissions.",
            ),
            refusal("InvalidArgumentException", "Verify that the IAM role has access to the resource."),
        ]),
        lasts: (4_000, 15_000),
        settled: false,
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes are not always immediately visible); \
                 wordings: https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/firehose/delivery_stream.go, \
                 https://github.com/hashicorp/terraform-provider-aws/issues/47937 ([?] what stands around the last three)",
    },
];
