//! The rates, each with its source.

use super::{Per, Rate};

const KINESIS: &str =
    "https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Operations.html (in each operation's words)";
const KINESIS_LIMITS: &str = "https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html";
const FIREHOSE: &str = "https://docs.aws.amazon.com/firehose/latest/dev/limits.html";
const LAMBDA: &str = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html";
const LOGS: &str = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html";

const LOGS_API: &str = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html (in each operation's words)";

const fn rate(
    service: &'static str,
    operations: &'static [&'static str],
    (per, per_second): (Per, u32),
    source: &'static str,
) -> Rate {
    Rate { service, operations, per, per_second, source }
}

/// The rates of the control planes. A test looks for a source in each row.
pub const RATES: &[Rate] = &[
    rate("kinesis", &["DescribeLimits"], (Per::Account, 1), KINESIS),
    rate(
        "kinesis",
        &[
            "CreateStream",
            "DeleteStream",
            "ListStreams",
            "AddTagsToStream",
            "RemoveTagsFromStream",
            "ListTagsForStream",
            "SplitShard",
            "MergeShards",
            "RegisterStreamConsumer",
            "DescribeAccountSettings",
        ],
        (Per::Account, 5),
        KINESIS,
    ),
    rate("kinesis", &["DescribeStream", "UpdateShardCount"], (Per::Account, 10), KINESIS),
    rate("kinesis", &["DescribeStreamSummary"], (Per::Account, 20), KINESIS),
    rate(
        "kinesis",
        &[
            "IncreaseStreamRetentionPeriod",
            "DecreaseStreamRetentionPeriod",
            "EnableEnhancedMonitoring",
            "DisableEnhancedMonitoring",
            "DeregisterStreamConsumer",
            "ListStreamConsumers",
        ],
        (Per::Stream, 5),
        KINESIS_LIMITS,
    ),
    rate("kinesis", &["DescribeStreamConsumer"], (Per::Stream, 20), KINESIS),
    rate(
        "firehose",
        &[
            "CreateDeliveryStream",
            "DeleteDeliveryStream",
            "DescribeDeliveryStream",
            "ListDeliveryStreams",
            "UpdateDestination",
            "TagDeliveryStream",
            "UntagDeliveryStream",
            "ListTagsForDeliveryStream",
            "StartDeliveryStreamEncryption",
            "StopDeliveryStreamEncryption",
        ],
        (Per::Account, 5),
        FIREHOSE,
    ),
    rate("lambda", &["GetFunction"], (Per::Account, 100), LAMBDA),
    rate("lambda", &["GetPolicy"], (Per::Account, 15), LAMBDA),
    rate(
        "lambda",
        &[
            "AddPermission",
            "CreateAlias",
            "CreateFunction",
            "DeleteAlias",
            "DeleteFunction",
            "GetAccountSettings",
            "GetAlias",
            "GetFunctionConfiguration",
            "ListAliases",
            "ListFunctions",
            "ListTags",
            "ListVersionsByFunction",
            "PublishVersion",
            "RemovePermission",
            "TagResource",
            "UntagResource",
            "UpdateAlias",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
        ],
        (Per::AllOfThese, 15),
        LAMBDA,
    ),
    rate("logs", &["FilterLogEvents"], (Per::Account, 5), LOGS),
    rate("logs", &["GetLogEvents"], (Per::Account, 10), LOGS),
    rate(
        "logs",
        &["CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups", "ListTagsForResource"],
        (Per::Account, 10),
        "[?] the same page",
    ),
    rate("logs", &["DescribeLogStreams"], (Per::Account, 25), LOGS_API),
    rate("logs", &["CreateLogStream"], (Per::Account, 50), LOGS_API),
];
