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
const DESCRIBE_DELIVERY: Call = ("firehose:DescribeDeliveryStream", r#"{"DeliveryStreamName":"d"}"#);
/// Firehose and Lambda may assume it.
const ROLE: Call = (
    "iam:CreateRole",
    "RoleName=r&AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
     %22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%5B%22firehose.amazonaws.com%22%2C%22lambda.amazonaws.com%22%5D\
     %7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D",
);
const POLICY: Call = (
    "iam:PutRolePolicy",
    "RoleName=r&PolicyName=p&PolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
     %22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D",
);
const MANAGED: &str = "RoleName=r&PolicyArn=arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
/// Its zip holds one file.
const FUNCTION: Call = (
    "POST /2015-03-31/functions",
    r#"{"FunctionName":"f","Runtime":"python3.13","Handler":"app.handler","Role":"arn:aws:iam::000000000000:role/r",
        "Code":{"ZipFile":"UEsDBBQAAAAAAAAAIQC379yDAQAAAAEAAAAGAAAAYXBwLnB5MVBLAQIUAxQAAAAAAAAAIQC379yDAQAAAAEAAAAGAAAAAAAAAAAAAACAAQAAAABhcHAucHlQSwUGAAAAAAEAAQA0AAAAJQAAAAAA"}}"#,
);
const CONFIGURE: Call = ("PUT /2015-03-31/functions/f/configuration", r#"{"Timeout":9}"#);
const TAGS_OF_FUNCTION: Call =
    ("GET /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af", "");
const BUCKET: Call = ("PUT /lake", "");
const TAG_BUCKET: Call =
    ("PUT /lake?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>");
const GROUP: Call = ("logs:CreateLogGroup", r#"{"logGroupName":"g","tags":{"a":"b"}}"#);
const GROUP_TAGS: Call =
    ("logs:ListTagsForResource", r#"{"resourceArn":"arn:aws:logs:us-east-1:000000000000:log-group:g"}"#);
const KEEP: Call = ("logs:PutRetentionPolicy", r#"{"logGroupName":"g","retentionInDays":7}"#);
const GROUPS: Call = ("logs:DescribeLogGroups", r#"{"logGroupNamePrefix":"g","limit":1}"#);

pub const CASES: &[Case] = &[
    Case {
        row: "kinesis-absent",
        before: &[],
        write: STREAM,
        at: SUMMARY,
        seen: "Stream s under account 000000000000 not found.",
        later: r#""StreamStatus":"ACTIVE""#,
    },
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
        row: "kinesis-still-updating",
        before: &[STREAM],
        write: RETENTION,
        at: ("kinesis:UpdateShardCount", r#"{"StreamName":"s","TargetShardCount":2,"ScalingType":"UNIFORM_SCALING"}"#),
        seen: "Stream s under account 000000000000 not ACTIVE, instead in state UPDATING",
        later: r#""TargetShardCount":2"#,
    },
    Case {
        row: "kinesis-late-tags",
        before: &[STREAM],
        write: ("kinesis:AddTagsToStream", r#"{"StreamName":"s","Tags":{"a":"b"}}"#),
        at: ("kinesis:ListTagsForStream", r#"{"StreamName":"s"}"#),
        seen: r#""Tags":[]"#,
        later: r#""Key":"a""#,
    },
    Case {
        row: "firehose-absent",
        before: &[ROLE],
        write: DELIVERY,
        at: DESCRIBE_DELIVERY,
        seen: "Firehose d under account 000000000000 not found.",
        later: r#""DeliveryStreamStatus":"ACTIVE""#,
    },
    Case {
        row: "firehose-stale",
        before: &[ROLE, DELIVERY],
        write: (
            "firehose:UpdateDestination",
            r#"{"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"1","DestinationId":"destinationId-000000000001",
                "ExtendedS3DestinationUpdate":{"CompressionFormat":"GZIP"}}"#,
        ),
        at: DESCRIBE_DELIVERY,
        seen: r#""VersionId":"1""#,
        later: r#""VersionId":"2""#,
    },
    Case {
        row: "firehose-late-tags",
        before: &[ROLE, DELIVERY],
        write: ("firehose:TagDeliveryStream", r#"{"DeliveryStreamName":"d","Tags":[{"Key":"a","Value":"b"}]}"#),
        at: ("firehose:ListTagsForDeliveryStream", r#"{"DeliveryStreamName":"d"}"#),
        seen: r#""Tags":[]"#,
        later: r#""Key":"a""#,
    },
    Case {
        row: "firehose-role-lag",
        before: &[],
        write: ROLE,
        at: DELIVERY,
        seen: r#""__type":"InvalidArgumentException""#,
        later: "DeliveryStreamARN",
    },
    Case {
        row: "lambda-absent",
        before: &[ROLE],
        write: FUNCTION,
        at: ("GET /2015-03-31/functions/f", ""),
        seen: "404",
        later: r#""State":"Active""#,
    },
    Case {
        row: "lambda-stale",
        before: &[ROLE, FUNCTION],
        write: CONFIGURE,
        at: ("GET /2015-03-31/functions/f/configuration", ""),
        seen: r#""Timeout":3,"#,
        later: r#""Timeout":9,"#,
    },
    Case {
        row: "lambda-late-tags",
        before: &[ROLE, FUNCTION],
        write: (
            "POST /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af",
            r#"{"Tags":{"a":"b"}}"#,
        ),
        at: TAGS_OF_FUNCTION,
        seen: r#""Tags":{}"#,
        later: r#""a":"b""#,
    },
    Case {
        row: "lambda-pending",
        before: &[ROLE],
        write: FUNCTION,
        at: CONFIGURE,
        seen: "The function is currently in the following state: Pending",
        later: r#""Timeout":9"#,
    },
    Case {
        row: "lambda-update-in-progress",
        before: &[ROLE, FUNCTION],
        write: CONFIGURE,
        at: ("POST /2015-03-31/functions/f/versions", ""),
        seen: "An update is in progress for resource: arn:aws:lambda:us-east-1:000000000000:function:f",
        later: r#""Version":"1""#,
    },
    Case {
        row: "lambda-role-lag",
        before: &[],
        write: ROLE,
        at: FUNCTION,
        seen: "400",
        later: r#""FunctionName":"f""#,
    },
    Case {
        row: "iam-absent",
        before: &[],
        write: ROLE,
        at: POLICY,
        seen: "The role with name r cannot be found.",
        later: "200",
    },
    Case {
        row: "iam-stale",
        before: &[ROLE],
        write: ("iam:TagRole", "RoleName=r&Tags.member.1.Key=a&Tags.member.1.Value=b"),
        at: ("iam:GetRole", "RoleName=r"),
        seen: "</MaxSessionDuration><RoleLastUsed>",
        later: "<Key>a</Key>",
    },
    Case {
        row: "iam-stale-policy",
        before: &[ROLE],
        write: POLICY,
        at: ("iam:GetRolePolicy", "RoleName=r&PolicyName=p"),
        seen: "The role policy with name p cannot be found.",
        later: "<PolicyName>p</PolicyName>",
    },
    Case {
        row: "iam-lingering",
        before: &[ROLE],
        write: ("iam:DeleteRole", "RoleName=r"),
        at: ("iam:GetRole", "RoleName=r"),
        seen: "<RoleName>r</RoleName>",
        later: "404",
    },
    Case {
        row: "iam-delete-conflict",
        before: &[ROLE, POLICY],
        write: ("iam:DeleteRolePolicy", "RoleName=r&PolicyName=p"),
        at: ("iam:DeleteRole", "RoleName=r"),
        seen: "Cannot delete entity, must delete policies first.",
        later: "200",
    },
    Case {
        row: "iam-detach-conflict",
        before: &[ROLE, ("iam:AttachRolePolicy", MANAGED)],
        write: ("iam:DetachRolePolicy", MANAGED),
        at: ("iam:DeleteRole", "RoleName=r"),
        seen: "Cannot delete entity, must detach all policies first.",
        later: "200",
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
        row: "s3-stale",
        before: &[BUCKET],
        write: TAG_BUCKET,
        at: ("GET /lake?tagging", ""),
        seen: "<Code>NoSuchTagSet</Code>",
        later: "<Key>a</Key>",
    },
    Case {
        row: "s3-conflict",
        before: &[BUCKET],
        write: TAG_BUCKET,
        at: ("DELETE /lake", ""),
        seen: "<Code>OperationAborted</Code>",
        later: "204",
    },
    Case {
        row: "s3-create-aborted",
        before: &[BUCKET],
        write: ("DELETE /lake", ""),
        at: BUCKET,
        seen: "409 <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>OperationAborted</Code>",
        later: "200",
    },
    Case {
        row: "s3-lingering",
        before: &[BUCKET],
        write: ("DELETE /lake", ""),
        at: ("HEAD /lake", ""),
        seen: "200",
        later: "404",
    },
    Case {
        row: "logs-absent",
        before: &[],
        write: GROUP,
        at: GROUPS,
        seen: r#""logGroups":[]"#,
        later: r#""logGroupName":"g""#,
    },
    Case {
        row: "logs-stale",
        before: &[GROUP],
        write: KEEP,
        at: GROUPS,
        seen: r#""metricFilterCount":0,"storedBytes""#,
        later: r#""retentionInDays":7"#,
    },
    Case {
        row: "logs-aborted",
        before: &[],
        write: GROUP,
        at: KEEP,
        seen: r#""__type":"OperationAbortedException""#,
        later: "200",
    },
    Case {
        row: "logs-late-tags",
        before: &[],
        write: GROUP,
        at: GROUP_TAGS,
        seen: r#""__type":"ResourceNotFoundException""#,
        later: r#""a":"b""#,
    },
    Case {
        row: "logs-tag-absent",
        before: &[],
        write: GROUP,
        at: (
            "logs:TagResource",
            r#"{"resourceArn":"arn:aws:logs:us-east-1:000000000000:log-group:g","tags":{"c":"d"}}"#,
        ),
        seen: "The specified log group does not exist.",
        later: "200",
    },
];
