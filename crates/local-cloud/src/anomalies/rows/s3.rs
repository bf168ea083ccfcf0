//! S3 changes buckets one thing at a time, and forgets a deleted one slowly.

use super::super::{About, Row, Shown, Words};

const ABORTED: Shown = Shown::Refused(&[Words {
    code: "OperationAborted",
    status: 409,
    message: "A conflicting conditional operation is currently in progress against this resource. Please try again.",
}]);

pub const ROWS: &[Row] = &[
    Row {
        name: "s3-absent",
        about: About::Bucket,
        after: &["s3:CreateBucket"],
        absent: Some("s3:HeadBucket"),
        at: &[
            "s3:PutBucketTagging",
            "s3:PutBucketLifecycleConfiguration",
            "s3:PutBucketEncryption",
            "s3:PutBucketVersioning",
            "s3:PutBucketPolicy",
            "s3:PutPublicAccessBlock",
            "s3:PutObject",
        ],
        shown: Shown::Refused(&[Words {
            code: "NoSuchBucket",
            status: 404,
            message: "The specified bucket does not exist",
        }]),
        lasts: (1_000, 10_000),
        settled: false,
        source: "[?] https://github.com/hashicorp/terraform-provider-aws/issues/7803, \
                 https://github.com/hashicorp/terraform-provider-aws/issues/10068",
    },
    Row {
        name: "s3-create-aborted",
        about: About::Bucket,
        after: &["s3:DeleteBucket"],
        absent: None,
        at: &["s3:CreateBucket"],
        shown: ABORTED,
        lasts: (20_000, 90_000),
        settled: false,
        source: "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (OperationAborted), \
             https://github.com/aws/aws-cli/issues/2411",
    },
];
