//! Kinesis describes a stream as it was, and refuses what its state allows by now.

use super::super::{About, Row, Shown, Words};

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
        name: "kinesis-stale",
        about: About::Stream,
        after: CHANGES,
        absent: None,
        at: &["kinesis:DescribeStreamSummary"],
        shown: Shown::Stale,
        lasts: (500, 3_000),
        settled: false,
        source: "[?] https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/kinesis/stream.go (it waits \
                 ten seconds before each first look)",
    },
    Row {
        name: "kinesis-not-active",
        about: About::Stream,
        after: &["kinesis:CreateStream"],
        absent: None,
        at: CHANGES,
        shown: Shown::Refused(&[Words {
            code: "ResourceInUseException",
            status: 400,
            message: "Stream {name} under account {account} not ACTIVE, instead in state CREATING",
        }]),
        lasts: (1_000, 5_000),
        settled: true,
        source: "[?] https://github.com/aws/aws-sdk-java-v2/pull/6006, https://github.com/aws/aws-sdk-go/issues/566",
    },
];
