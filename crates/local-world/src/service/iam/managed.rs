//! AWS's own managed policies, as far as roles of a streaming stack attach them. Documents as AWS publishes them
//! (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>), reduced to what is evaluated.

use serde_json::json;

use super::policy::Document;
use crate::time::Millis;

/// When AWS made most of them; nobody compares it.
pub const CREATED: Millis = 1_423_219_177_000;

/// Path and name after `arn:aws:iam::aws:policy/`, and the actions it allows on every resource.
const POLICIES: &[(&str, &[&str])] = &[
    ("AWSLambdaExecute", &["logs:*", "s3:GetObject", "s3:PutObject"]),
    ("AWSLambda_FullAccess", &["lambda:*", "logs:DescribeLogGroups", "iam:GetRole", "iam:ListRoles", "iam:PassRole"]),
    ("AWSLambda_ReadOnlyAccess", &["lambda:Get*", "lambda:List*", "logs:DescribeLogGroups", "iam:GetRole"]),
    ("AdministratorAccess", &["*"]),
    ("AmazonKinesisFirehoseFullAccess", &["firehose:*"]),
    ("AmazonKinesisFirehoseReadOnlyAccess", &["firehose:Describe*", "firehose:List*"]),
    ("AmazonKinesisFullAccess", &["kinesis:*"]),
    ("AmazonKinesisReadOnlyAccess", &["kinesis:Get*", "kinesis:List*", "kinesis:Describe*"]),
    ("AmazonS3FullAccess", &["s3:*", "s3-object-lambda:*"]),
    ("AmazonS3ReadOnlyAccess", &["s3:Get*", "s3:List*", "s3:Describe*"]),
    ("CloudWatchLogsFullAccess", &["logs:*"]),
    ("CloudWatchLogsReadOnlyAccess", &["logs:Describe*", "logs:Get*", "logs:List*", "logs:FilterLogEvents"]),
    ("IAMFullAccess", &["iam:*"]),
    ("IAMReadOnlyAccess", &["iam:Get*", "iam:List*", "iam:Simulate*"]),
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

/// The JSON of AWS's managed policy with that ARN; `None` when the engine knows none.
pub fn text(arn: &str) -> Option<String> {
    let path = arn.split_once(":iam::aws:policy/")?.1;
    let (_, actions) = POLICIES.iter().find(|(known, _)| *known == path)?;
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    Some(json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string())
}

pub fn document(arn: &str) -> Option<Document> {
    Document::parse(&text(arn)?)
}

pub fn arns(partition: &str) -> impl Iterator<Item = String> {
    POLICIES.iter().map(move |(path, _)| format!("arn:{partition}:iam::aws:policy/{path}"))
}

/// `/service-role/` and `AWSLambdaRole`.
pub fn path_and_name(arn: &str) -> (&str, &str) {
    let whole = arn.split_once(":policy").map_or(arn, |(_, path)| path);
    whole.split_at(whole.rfind('/').map_or(0, |at| at + 1))
}
