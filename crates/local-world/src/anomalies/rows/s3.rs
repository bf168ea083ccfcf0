//! S3 changes buckets one thing at a time, and neither finds a new one nor forgets a deleted one at once. Objects are consistent.

use super::super::{About, Row, Shown, Words};

/// Changes of a bucket's documents.
const CHANGES: &[&str] = &[
    "s3:PutBucketTagging",
    "s3:DeleteBucketTagging",
    "s3:PutBucketLifecycleConfiguration",
    "s3:DeleteBucketLifecycleConfiguration",
];

const ABORTED: Shown = Shown::Refused(&[Words {
    code: "OperationAborted",
    status: 409,
    message: "A conflicting conditional operation is currently in progress against this resource. Please try again.",
}]);

const EVENTUAL: &str = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel (\"Bucket configurations have \
                        an eventual consistency model.\")";

pub const ROWS: &[Row] = &[
    Row {
        name: "s3-absent",
        about: About::Bucket,
        after: &["s3:CreateBucket"],
        absent: Some("s3:HeadBucket"),
        at: &[
            "s3:HeadBucket",
            "s3:GetBucketTagging",
            "s3:GetBucketLifecycleConfiguration",
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
        source: "https://github.com/hashicorp/terraform-provider-aws/issues/7803, \
                 https://github.com/hashicorp/terraform-provider-aws/issues/10068; [?] of PutObject",
    },
    Row {
        name: "s3-stale",
        about: About::Bucket,
        after: CHANGES,
        absent: None,
        at: &["s3:GetBucketTagging", "s3:GetBucketLifecycleConfiguration"],
        shown: Shown::Stale,
        lasts: (500, 5_000),
        settled: false,
        source: EVENTUAL,
    },
    Row {
        name: "s3-conflict",
        about: About::Bucket,
        after: &[
            "s3:PutBucketTagging",
            "s3:DeleteBucketTagging",
            "s3:PutBucketLifecycleConfiguration",
            "s3:DeleteBucketLifecycleConfiguration",
            "s3:CreateBucket",
        ],
        absent: None,
        at: &[
            "s3:PutBucketTagging",
            "s3:DeleteBucketTagging",
            "s3:PutBucketLifecycleConfiguration",
            "s3:DeleteBucketLifecycleConfiguration",
            "s3:DeleteBucket",
        ],
        shown: ABORTED,
        lasts: (500, 3_000),
        settled: false,
        source: "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (OperationAborted), \
                 https://github.com/hashicorp/terraform-provider-aws/issues/49960",
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
    Row {
        name: "s3-lingering",
        about: About::Bucket,
        after: &["s3:DeleteBucket"],
        absent: None,
        at: &["s3:HeadBucket", "s3:GetBucketTagging", "s3:GetBucketLifecycleConfiguration"],
        shown: Shown::Stale,
        lasts: (500, 5_000),
        settled: false,
        source: EVENTUAL,
    },
];
