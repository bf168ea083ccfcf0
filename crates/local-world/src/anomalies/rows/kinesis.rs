//! Kinesis describes a stream as it was, and refuses what its state allows by now.

use super::super::{About, Row, Shown};
use super::refusal;

/// Changes of a stream, which make it UPDATING.
const CHANGES: &[&str] = &[
    "kinesis:IncreaseStreamRetentionPeriod",
    "kinesis:DecreaseStreamRetentionPeriod",
    "kinesis:StartStreamEncryption",
    "kinesis:StopStreamEncryption",
    "kinesis:EnableEnhancedMonitoring",
    "kinesis:DisableEnhancedMonitoring",
    "kinesis:UpdateShardCount",
    "kinesis:UpdateStreamMode",
    "kinesis:UpdateMaxRecordSize",
];

pub const ROWS: &[Row] = &[
    Row {
        name: "kinesis-absent",
        about: About::Stream,
        after: &["kinesis:CreateStream"],
        absent: None,
        at: &["kinesis:DescribeStreamSummary", "kinesis:DescribeStream"],
        shown: Shown::Stale,
        lasts: (300, 2_000),
        settled: false,
        source: "[?] after https://github.com/aws/aws-sdk-java-v2/pull/6006 (what servers know of a new stream differs)",
    },
    Row {
        name: "kinesis-stale",
        about: About::Stream,
        after: CHANGES,
        absent: None,
        at: &["kinesis:DescribeStreamSummary", "kinesis:DescribeStream"],
        shown: Shown::Stale,
        lasts: (500, 3_000),
        settled: false,
        source: "[?] https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/kinesis/stream.go (waits ten \
                 seconds before each first look)",
    },
    Row {
        name: "kinesis-not-active",
        about: About::Stream,
        after: &["kinesis:CreateStream"],
        absent: None,
        at: CHANGES,
        shown: Shown::Refused(&[refusal(
            "ResourceInUseException",
            "Stream {name} under account {account} not ACTIVE, instead in state CREATING",
        )]),
        lasts: (1_000, 5_000),
        settled: true,
        source: "[?] https://github.com/aws/aws-sdk-java-v2/pull/6006, https://github.com/aws/aws-sdk-go/issues/566",
    },
    Row {
        name: "kinesis-still-updating",
        about: About::Stream,
        after: CHANGES,
        absent: None,
        at: CHANGES,
        shown: Shown::Refused(&[refusal(
            "ResourceInUseException",
            "Stream {name} under account {account} not ACTIVE, instead in state UPDATING",
        )]),
        lasts: (1_000, 5_000),
        settled: true,
        source: "[?] after https://github.com/aws/aws-sdk-java-v2/pull/6006",
    },
    Row {
        name: "kinesis-late-tags",
        about: About::Stream,
        after: &[
            "kinesis:CreateStream",
            "kinesis:AddTagsToStream",
            "kinesis:RemoveTagsFromStream",
            "kinesis:TagResource",
            "kinesis:UntagResource",
        ],
        absent: None,
        at: &["kinesis:ListTagsForStream", "kinesis:ListTagsForResource"],
        shown: Shown::Stale,
        lasts: (500, 3_000),
        settled: false,
        source: "[?] after https://github.com/aws/aws-sdk-java-v2/pull/6006",
    },
];
