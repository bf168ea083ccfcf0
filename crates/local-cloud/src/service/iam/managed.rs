//! AWS's own managed policies, as far as roles of a streaming stack attach them. Documents as AWS publishes them
//! (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>), reduced to what is evaluated.

use super::policy::Document;

/// Path and name after `arn:aws:iam::aws:policy/`, and the actions it allows on every resource.
const POLICIES: &[(&str, &[&str])] = &[
    ("AdministratorAccess", &["*"]),
    ("AmazonKinesisFirehoseFullAccess", &["firehose:*"]),
    ("AmazonKinesisFullAccess", &["kinesis:*"]),
    ("AmazonKinesisReadOnlyAccess", &["kinesis:Get*", "kinesis:List*", "kinesis:Describe*"]),
    ("AmazonS3FullAccess", &["s3:*", "s3-object-lambda:*"]),
    ("AmazonS3ReadOnlyAccess", &["s3:Get*", "s3:List*", "s3:Describe*"]),
    ("CloudWatchLogsFullAccess", &["logs:*"]),
    ("service-role/AWSLambdaBasicExecutionRole", &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]),
    (
        "service-role/AWSLambdaKinesisExecutionRole",
        &[
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
            "kinesis:ListStreams",
            "kinesis:SubscribeToShard",
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ],
    ),
    ("service-role/AWSLambdaRole", &["lambda:InvokeFunction"]),
];

/// The document of AWS's managed policy with that ARN; `None` when the engine knows none.
pub fn document(arn: &str) -> Option<Document> {
    let path = arn.split_once(":iam::aws:policy/")?.1;
    let (_, actions) = POLICIES.iter().find(|(known, _)| *known == path)?;
    let statement = serde_json::json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    Document::parse(&serde_json::json!({ "Statement": statement }).to_string())
}
