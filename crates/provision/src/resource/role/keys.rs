//! Customers' keys that the spec does not name: without the right to use them a delivery stream is created, and never reads or
//! writes anything. <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html>

use aws_sdk_kinesis::types::EncryptionType;
use aws_sdk_s3::types::ServerSideEncryption;

use super::{KeyOf, Statement};
use crate::cloud::Cx;
use crate::error::Result;
use crate::send::{self, About, found};

const NEEDED: &str = "a role that writes there must be allowed to use the key of the bucket's default encryption: these credentials need \
                      s3:GetEncryptionConfiguration on it, or write `encryption:` on the delivery stream";

/// The statement that lets a role use what is encrypted, if it is encrypted with a customer's key.
pub async fn statement(cx: &Cx, of: &KeyOf) -> Result<Option<Statement>> {
    Ok(match of {
        KeyOf::Stream(arn) => {
            let key = of_stream(cx, arn).await?.filter(|key| !key.ends_with("alias/aws/kinesis"));
            key.map(|key| Statement::use_of_key(&["kms:Decrypt"], &key, "kinesis", &cx.names))
        }
        KeyOf::Bucket(bucket) => {
            let actions = ["kms:Decrypt", "kms:GenerateDataKey"];
            let key = of_bucket(cx, bucket).await?;
            key.map(|key| Statement::use_of_key(&actions, &key, "s3", &cx.names))
        }
    })
}

async fn of_stream(cx: &Cx, arn: &str) -> Result<Option<String>> {
    let call = cx.kinesis().describe_stream_summary().stream_arn(arn);
    let answer = send::ask(cx, About::new("stream", arn), format!("reading the key of {arn}"), || call.clone().send());
    let summary =
        found(answer.await, "ResourceNotFoundException")?.and_then(|answer| answer.stream_description_summary);
    Ok(summary
        .filter(|summary| summary.encryption_type == Some(EncryptionType::Kms))
        .and_then(|summary| summary.key_id))
}

/// `None` too where S3 has the key: anybody who may write may use that.
async fn of_bucket(cx: &Cx, bucket: &str) -> Result<Option<String>> {
    let call = cx.s3().get_bucket_encryption().bucket(bucket);
    let doing = format!("reading the default encryption of bucket {bucket}");
    let answer = match send::ask(cx, About::new("bucket", bucket), doing, || call.clone().send()).await {
        Ok(answer) => answer,
        Err(error) => match error.code() {
            // Whoever needs a missing bucket or stream reports it.
            Some("ServerSideEncryptionConfigurationNotFoundError" | "NoSuchBucket") => return Ok(None),
            Some("AccessDenied") => return Err(error.hint(NEEDED)),
            _ => return Err(error),
        },
    };
    let rules =
        answer.server_side_encryption_configuration.map(|configuration| configuration.rules).unwrap_or_default();
    let default = rules.into_iter().find_map(|rule| rule.apply_server_side_encryption_by_default);
    Ok(default
        .filter(|default| default.sse_algorithm != ServerSideEncryption::Aes256)
        .and_then(|d| d.kms_master_key_id))
}
