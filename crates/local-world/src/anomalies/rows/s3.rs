//! S3 changes buckets one thing at a time, and neither finds a new one nor forgets a deleted one at once. Objects are consistent.

use super::super::{About, Row, Shown, Words};

/// Changes of a bucket's documents.
const CHANGES: &[&str] = &[
    "s3:PutBucketTagging",
    "s3:DeleteBucketTagging",
    "s3:PutBucketLifecycleConfiguration",
    "s3:DeleteBucketLifecycleConfiguration",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketVersioning",
    "s3:PutBucketEncryption",
    "s3:DeleteBucketEncryption",
    "s3:PutPublicAccessBlock",
    "s3:DeletePublicAccessBlock",
    "s3:PutBucketOwnershipControls",
    "s3:DeleteBucketOwnershipControls",
    "s3:PutBucketLogging",
];

/// Reads of these documents.
const READS: &[&str] = &[
    "s3:GetBucketTagging",
    "s3:GetBucketLifecycleConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketAcl",
    "s3:GetBucketVersioning",
    "s3:GetBucketEncryption",
    "s3:GetPublicAccessBlock",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketLogging",
];

const fn joined<const N: usize>(lists: &[&[&'static str]]) -> [&'static str; N] {
    let (mut all, mut next, mut list) = ([""; N], 0, 0);
    while list < lists.len() {
        let mut one = 0;
        while one < lists[list].len() {
            all[next] = lists[list][one];
            (next, one) = (next + 1, one + 1);
        }
        list += 1;
    }
    all
}

const READS_OF_ALL: [&str; READS.len() + 1] = joined(&[&["s3:HeadBucket"], READS]);
const CALLS: [&str; READS_OF_ALL.len() + CHANGES.len() + 1] = joined(&[&READS_OF_ALL, CHANGES, &["s3:PutObject"]]);
const CHANGES_AND_CREATION: [&str; CHANGES.len() + 1] = joined(&[CHANGES, &["s3:CreateBucket"]]);
const CHANGES_AND_DELETION: [&str; CHANGES.len() + 1] = joined(&[CHANGES, &["s3:DeleteBucket"]]);

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
        at: &CALLS,
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
        at: READS,
        shown: Shown::Stale,
        lasts: (500, 5_000),
        settled: false,
        source: EVENTUAL,
    },
    Row {
        name: "s3-conflict",
        about: About::Bucket,
        after: &CHANGES_AND_CREATION,
        absent: None,
        at: &CHANGES_AND_DELETION,
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
        at: &READS_OF_ALL,
        shown: Shown::Stale,
        lasts: (500, 5_000),
        settled: false,
        source: EVENTUAL,
    },
];
