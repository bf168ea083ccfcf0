//! Which actions the calls of this program need, for what, on which resources. The only list of them.
//!
//! Resources are `service:resource`, as the service authorization reference gives them
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>), as narrow
//! as it lets them be. Actions that a call needs besides its own, such as to tag what it creates, are rows like the others.
//! `sts:GetCallerIdentity` is not here: AWS asks no permission for it.

use super::Use::{self, *};

/// The actions that calls about a subject need.
pub struct Row {
    pub subject: &'static str,
    pub to: Use,
    pub actions: &'static [&'static str],
    /// Resources with fields of the subject in braces. A resource is left out if the subject lacks a field.
    pub on: &'static [&'static str],
    pub passed_to: Option<&'static str>,
}

const fn row(subject: &'static str, to: Use, actions: &'static [&'static str], on: &'static [&'static str]) -> Row {
    Row { subject, to, actions, on, passed_to: None }
}

const fn pass(subject: &'static str, to: Use, service: &'static str) -> Row {
    Row { passed_to: Some(service), ..row(subject, to, &["iam:PassRole"], &["{arn}"]) }
}

const STREAM: &[&str] = &["kinesis:stream/{name}"];
const DELIVERY: &[&str] = &["firehose:deliverystream/{name}"];
const FUNCTION: &[&str] = &["lambda:function:{name}"];
const BUCKET: &[&str] = &["s3:{bucket}"];
const BUCKET_OPTIONS: &[&str] = &[
    "s3:DeleteBucketPolicy",
    "s3:GetBucketPolicy",
    "s3:PutBucketLogging",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
];
/// All claims, whatever their keys are.
const CLAIMS: &[&str] = &["s3:{bucket}/.provision/*"];
const MARKER: &[&str] = &["s3:{bucket}/{folder}"];
const OBJECTS: &[&str] = &["s3:{bucket}/{prefix}*"];
/// The tag operations of CloudWatch Logs name a group without `:*`, all others with it.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html>
const TAGGED_GROUP: &[&str] = &["logs:log-group:{name}"];
const GROUP: &[&str] = &["logs:log-group:{name}:*"];
const NEW_GROUP: &[&str] = &["logs:log-group:{name}", "logs:log-group:{name}:*"];
/// All roles of the environment, including those no longer in the spec. The path belongs to the environment.
const ROLE: &[&str] = &["iam:role{path}*"];
/// The first page of the record, and its continuations.
const TAGGED_RECORD: &[&str] = &["logs:log-group:{name}", "logs:log-group:{name}/*"];
const RECORD: &[&str] = &["logs:log-group:{name}:*", "logs:log-group:{name}/*"];
const LEASE: &[&str] = &["logs:log-group:{name}:*"];
const NEW_RECORD: &[&str] = &["logs:log-group:{name}", "logs:log-group:{name}:*", "logs:log-group:{name}/*"];

pub const ROWS: &[Row] = &[
    row("stream", Read, &["kinesis:DescribeStreamSummary"], STREAM),
    row("stream", ReadTags, &["kinesis:ListTagsForStream"], STREAM),
    row("stream", Create, &["kinesis:CreateStream", "kinesis:AddTagsToStream"], STREAM),
    row(
        "stream",
        Update,
        &[
            "kinesis:AddTagsToStream",
            "kinesis:DecreaseStreamRetentionPeriod",
            "kinesis:DisableEnhancedMonitoring",
            "kinesis:EnableEnhancedMonitoring",
            "kinesis:IncreaseStreamRetentionPeriod",
            "kinesis:RemoveTagsFromStream",
            "kinesis:StartStreamEncryption",
            "kinesis:StopStreamEncryption",
            "kinesis:UpdateMaxRecordSize",
            "kinesis:UpdateShardCount",
            "kinesis:UpdateStreamMode",
        ],
        STREAM,
    ),
    row("stream", Delete, &["kinesis:DeleteStream"], STREAM),
    row("stream", ReadUsers, &["kinesis:ListStreamConsumers"], STREAM),
    row("stream", ReadUsers, &["firehose:ListDeliveryStreams"], &["*"]),
    row("stream", ReadUsers, &["firehose:DescribeDeliveryStream"], &["firehose:deliverystream/*"]),
    row(
        "stream",
        Data,
        &["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:PutRecords"],
        STREAM,
    ),
    // A stream that verified delivery streams read.
    row("fed", Verify, &["kinesis:PutRecords"], &["{arn}"]),
    // https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
    row("stream_key", Verify, &["kms:GenerateDataKey"], &["{arn}"]),
    row("bucket", Read, &["s3:ListBucket", "s3:GetLifecycleConfiguration"], BUCKET),
    row("bucket", ReadTags, &["s3:GetBucketTagging"], BUCKET),
    row("bucket", Create, &["s3:CreateBucket", "s3:TagResource"], BUCKET),
    row("bucket", Create, &["s3:PutObject"], CLAIMS),
    row("bucket", Update, &["s3:PutBucketTagging", "s3:PutLifecycleConfiguration"], BUCKET),
    // An option is taken back after its line was removed, so the spec does not tell.
    row("bucket", Update, BUCKET_OPTIONS, BUCKET),
    row("encrypted_bucket", ReadWanted, &["s3:GetEncryptionConfiguration"], BUCKET),
    row("versioned_bucket", ReadWanted, &["s3:GetBucketVersioning"], BUCKET),
    row("bucket_with_policy", ReadWanted, &["s3:GetBucketPolicy"], BUCKET),
    row("logged_bucket", ReadWanted, &["s3:GetBucketLogging"], BUCKET),
    // To write claims into a bucket that encrypts them.
    row("bucket_key", Create, &["kms:GenerateDataKey"], &["{arn}"]),
    row("bucket", Delete, &["s3:DeleteBucket"], BUCKET),
    // An environment that leaves a bucket to others takes back what it alone asked for.
    row("bucket", Delete, &["s3:PutLifecycleConfiguration"], BUCKET),
    row("bucket", Delete, BUCKET_OPTIONS, BUCKET),
    row("bucket", Delete, &["s3:DeleteObject"], CLAIMS),
    // In a bucket with versions, what was deleted is still there.
    row("bucket", Purge, &["s3:ListBucketVersions"], BUCKET),
    row("bucket", Purge, &["s3:DeleteObjectVersion"], CLAIMS),
    row("prefix", Read, &["s3:GetObject"], MARKER),
    row("prefix", Create, &["s3:PutObject"], CLAIMS),
    row("prefix", Create, &["s3:PutObject"], MARKER),
    row("prefix", Delete, &["s3:DeleteObject"], CLAIMS),
    row("prefix", Delete, &["s3:DeleteObject"], MARKER),
    row("prefix", Purge, &["s3:ListBucketVersions", "s3:ListBucketMultipartUploads"], BUCKET),
    row("prefix", Purge, &["s3:GetObjectVersion"], MARKER),
    row("prefix", Purge, &["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion"], OBJECTS),
    row("log_group", Read, &["logs:DescribeLogGroups"], &["logs:log-group:*"]),
    row("log_group", ReadTags, &["logs:ListTagsForResource"], TAGGED_GROUP),
    row("log_group", Create, &["logs:CreateLogGroup"], GROUP),
    row("log_group", Create, &["logs:TagResource"], NEW_GROUP),
    row("log_group", Update, &["logs:TagResource", "logs:UntagResource"], TAGGED_GROUP),
    row("log_group", Update, &["logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy"], GROUP),
    row("log_group", Delete, &["logs:DeleteLogGroup"], GROUP),
    row("log_streams", Read, &["logs:DescribeLogStreams"], GROUP),
    row("log_streams", Create, &["logs:CreateLogStream"], GROUP),
    row("role", Read, &["iam:GetRole", "iam:GetRolePolicy"], ROLE),
    // A role that does not exist has no path yet: IAM may authorise a call about it on its name alone. [?]
    row("absent_role", Read, &["iam:GetRole", "iam:GetRolePolicy"], &["iam:role/{name}"]),
    row("role", Create, &["iam:CreateRole", "iam:PutRolePolicy", "iam:TagRole"], ROLE),
    row(
        "role",
        Update,
        &[
            "iam:DeleteRolePermissionsBoundary",
            "iam:PutRolePermissionsBoundary",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
        ],
        ROLE,
    ),
    row("role", Delete, &["iam:DeleteRole", "iam:DeleteRolePolicy"], ROLE),
    // Why IAM does not delete a role.
    row(
        "role",
        Delete,
        &["iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies"],
        ROLE,
    ),
    pass("role_of_delivery", Create, "firehose.amazonaws.com"),
    pass("role_of_delivery", Update, "firehose.amazonaws.com"),
    pass("role_of_function", Create, "lambda.amazonaws.com"),
    pass("role_of_function", Update, "lambda.amazonaws.com"),
    row("function", Read, &["lambda:GetFunction"], &["lambda:function:{name}", "lambda:function:{name}:*"]),
    row("function", Read, &["lambda:ListAliases"], FUNCTION),
    // Without it, GetFunction gives no tags.
    row("function", ReadOurs, &["lambda:ListTags"], FUNCTION),
    row("function", Create, &["lambda:CreateFunction", "lambda:TagResource"], FUNCTION),
    row(
        "function",
        Update,
        &[
            "lambda:CreateAlias",
            "lambda:PublishVersion",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateAlias",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
        FUNCTION,
    ),
    row("function", Delete, &["lambda:DeleteFunction"], FUNCTION),
    // Was what is there published?
    row("published", Read, &["lambda:ListVersionsByFunction"], FUNCTION),
    row("layer", Create, &["lambda:GetLayerVersion"], &["{arn}"]),
    row("vpc", Create, &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"], &["*"]),
    row("code", ReadWanted, &["s3:GetObject"], &["s3:{bucket}/{key}"]),
    row("code_version", ReadWanted, &["s3:GetObjectVersion"], &["s3:{bucket}/{key}"]),
    row("delivery", Read, &["firehose:DescribeDeliveryStream"], DELIVERY),
    row("delivery", ReadTags, &["firehose:ListTagsForDeliveryStream"], DELIVERY),
    row("delivery", Create, &["firehose:CreateDeliveryStream", "firehose:TagDeliveryStream"], DELIVERY),
    row(
        "delivery",
        Update,
        &["firehose:TagDeliveryStream", "firehose:UntagDeliveryStream", "firehose:UpdateDestination"],
        DELIVERY,
    ),
    row("delivery", Delete, &["firehose:DeleteDeliveryStream"], DELIVERY),
    // Log streams in somebody else's group.
    row("error_log", ReadWanted, &["logs:DescribeLogStreams"], GROUP),
    row("error_log", Create, &["logs:CreateLogStream"], GROUP),
    row("error_log", Delete, &["logs:DeleteLogStream"], GROUP),
    row(
        "encrypted_put",
        Update,
        &["firehose:StartDeliveryStreamEncryption", "firehose:StopDeliveryStreamEncryption"],
        DELIVERY,
    ),
    // https://docs.aws.amazon.com/firehose/latest/dev/encryption.html
    row("source_key", Create, &["kms:CreateGrant", "kms:DescribeKey"], &["{arn}"]),
    // The keys of streams and buckets, which the role of the delivery stream is allowed to use.
    row("key_of_stream", ReadWanted, &["kinesis:DescribeStreamSummary"], &["{arn}"]),
    row("key_of_bucket", ReadWanted, &["s3:GetEncryptionConfiguration"], BUCKET),
    row("direct_put", Verify, &["firehose:PutRecordBatch"], DELIVERY),
    row("delivered", Verify, &["s3:ListBucket"], BUCKET),
    row("delivered", Verify, &["s3:DeleteObject", "s3:GetObject"], OBJECTS),
    row("delivered_key", Verify, &["kms:Decrypt"], &["{arn}"]),
    row("direct_put", Data, &["firehose:PutRecordBatch"], DELIVERY),
    row("existing_delivery", Data, &["firehose:PutRecordBatch"], DELIVERY),
    row("delivered", Data, &["s3:ListBucket"], BUCKET),
    // Beside error records lie the manifests of `replay`.
    row("delivered", Data, &["s3:GetObject", "s3:PutObject"], OBJECTS),
    // `replay` encrypts what it writes as the delivery stream does.
    row("delivered_key", Data, &["kms:Decrypt", "kms:GenerateDataKey"], &["{arn}"]),
    row("transforming", Data, &["lambda:InvokeFunction"], &["{arn}"]),
    row("logged", Data, &["logs:FilterLogEvents"], GROUP),
    row("data_key", Data, &["kms:Decrypt", "kms:GenerateDataKey"], &["{arn}"]),
    row("record", Read, &["logs:ListTagsForResource"], TAGGED_RECORD),
    // The lease of the environment: who has it, and taking it.
    row("record", Read, &["logs:DescribeLogStreams"], LEASE),
    row("record", Delete, &["logs:CreateLogStream"], LEASE),
    row("record", Create, &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], RECORD),
    row("record", Create, &["logs:TagResource"], NEW_RECORD),
    row("record", Update, &["logs:TagResource", "logs:UntagResource"], TAGGED_RECORD),
    row("record", Delete, &["logs:UntagResource"], TAGGED_RECORD),
    row("record", Delete, &["logs:DeleteLogGroup", "logs:PutLogEvents"], RECORD),
    row("record", List, &["logs:GetLogEvents"], &["logs:log-group:{name}:*"]),
    row("records", List, &["logs:DescribeLogGroups"], &["logs:log-group:*"]),
    row("records", List, &["logs:ListTagsForResource"], &["logs:log-group:/provision/*"]),
    row("account", Scan, &["firehose:ListDeliveryStreams", "kinesis:ListStreams"], &["*"]),
    row("account", Scan, &["iam:ListRoles", "lambda:ListFunctions", "s3:ListAllMyBuckets"], &["*"]),
    row("account", Scan, &["firehose:ListTagsForDeliveryStream"], &["firehose:deliverystream/*"]),
    row("account", Scan, &["iam:GetRole", "iam:GetRolePolicy"], &["iam:role{roles}*"]),
    row("account", Scan, &["kinesis:ListTagsForStream"], &["kinesis:stream/*"]),
    row("account", Scan, &["lambda:ListTags"], &["lambda:function:*"]),
    row("account", Scan, &["logs:ListTagsForResource"], &["logs:log-group:*"]),
    row("account", Scan, &["s3:GetBucketTagging", "s3:ListBucket"], &["s3:*"]),
];
