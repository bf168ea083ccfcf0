//! How each row is seen.

use super::{Call, Case};

const STREAM: Call = ("kinesis:CreateStream", r#"{"StreamName":"s","ShardCount":1}"#);
const SUMMARY: Call = ("kinesis:DescribeStreamSummary", r#"{"StreamName":"s"}"#);
const RETENTION: Call = ("kinesis:IncreaseStreamRetentionPeriod", r#"{"StreamName":"s","RetentionPeriodHours":48}"#);
const DELIVERY: Call = (
    "firehose:CreateDeliveryStream",
    r#"{"DeliveryStreamName":"d","ExtendedS3DestinationConfiguration":{
        "BucketARN":"arn:aws:s3:::lake","RoleARN":"arn:aws:iam::000000000000:role/r"}}"#,
);
const ROLE: Call = (
    "iam:CreateRole",
    "RoleName=r&AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%5B%22firehose.amazonaws.com%22%2C%22lambda.amazonaws.com%22%5D%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D",
);
const BUCKET: Call = ("PUT /lake", "");

pub const CASES: &[Case] = &[
    Case {
        row: "kinesis-stale",
        before: &[STREAM],
        write: RETENTION,
        at: SUMMARY,
        seen: r#""RetentionPeriodHours":24"#,
        later: r#""RetentionPeriodHours":48"#,
    },
    Case {
        row: "kinesis-not-active",
        before: &[],
        write: STREAM,
        at: RETENTION,
        seen: "Stream s under account 000000000000 not ACTIVE, instead in state CREATING",
        later: "200",
    },
    Case {
        row: "firehose-absent",
        before: &[ROLE],
        write: DELIVERY,
        at: ("firehose:DescribeDeliveryStream", r#"{"DeliveryStreamName":"d"}"#),
        seen: "Firehose d not found under account 000000000000.",
        later: r#""DeliveryStreamStatus":"ACTIVE""#,
    },
    Case {
        row: "s3-absent",
        before: &[],
        write: BUCKET,
        at: ("PUT /lake/key", "data"),
        seen: "404 <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code>",
        later: "200",
    },
    Case {
        row: "s3-create-aborted",
        before: &[BUCKET],
        write: ("DELETE /lake", ""),
        at: BUCKET,
        seen: "409 <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>OperationAborted</Code>",
        later: "200",
    },
];
