//! Which action and resource a request stands for.

use super::{Access, Call, Said};
use crate::arn;
use crate::request::Request;
use crate::service::kinesis::iterator::Iterator;
use crate::service::{lambda, logs};
use crate::target::Target;

/// The action that permits an operation, where it is not called the same.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
pub fn action(operation: &str, names_version: bool) -> String {
    let of = |name: &str| name.to_owned();
    match operation {
        "s3:GetObject" | "s3:HeadObject" if names_version => of("s3:GetObjectVersion"),
        "s3:DeleteObject" if names_version => of("s3:DeleteObjectVersion"),
        "s3:GetObjectTagging" if names_version => of("s3:GetObjectVersionTagging"),
        "s3:PutObjectTagging" if names_version => of("s3:PutObjectVersionTagging"),
        "s3:DeleteObjectTagging" if names_version => of("s3:DeleteObjectVersionTagging"),
        "lambda:Invoke" => of("lambda:InvokeFunction"),
        "s3:ListObjects" | "s3:ListObjectsV2" | "s3:HeadBucket" => of("s3:ListBucket"),
        "s3:ListObjectVersions" => of("s3:ListBucketVersions"),
        "s3:ListBuckets" => of("s3:ListAllMyBuckets"),
        "s3:HeadObject" => of("s3:GetObject"),
        "s3:CopyObject"
        | "s3:CreateMultipartUpload"
        | "s3:UploadPart"
        | "s3:UploadPartCopy"
        | "s3:CompleteMultipartUpload" => of("s3:PutObject"),
        "s3:ListParts" => of("s3:ListMultipartUploadParts"),
        "s3:ListMultipartUploads" => of("s3:ListBucketMultipartUploads"),
        "s3:GetBucketLifecycleConfiguration" => of("s3:GetLifecycleConfiguration"),
        "s3:PutBucketLifecycleConfiguration" | "s3:DeleteBucketLifecycleConfiguration" => {
            of("s3:PutLifecycleConfiguration")
        }
        "s3:GetBucketEncryption" => of("s3:GetEncryptionConfiguration"),
        "s3:PutBucketEncryption" | "s3:DeleteBucketEncryption" => of("s3:PutEncryptionConfiguration"),
        "s3:GetPublicAccessBlock" => of("s3:GetBucketPublicAccessBlock"),
        "s3:PutPublicAccessBlock" | "s3:DeletePublicAccessBlock" => of("s3:PutBucketPublicAccessBlock"),
        "s3:DeleteBucketTagging" => of("s3:PutBucketTagging"),
        other => of(other),
    }
}

/// The ARN that the request is about, `*` where it is about none in particular.
pub fn resource(access: Access, call: &Call) -> String {
    let Call { request, operation, said, .. } = *call;
    let stated = |member| said.member(member).map(str::to_owned);
    let (service, name) = operation.split_once(':').unwrap_or((operation, ""));
    let account = access.iam.account;
    let found = match service {
        "kinesis" => stream(request, name, said, account),
        "firehose" => stated("DeliveryStreamName")
            .map(|name| arn::regional("firehose", &request.region, account, &format!("deliverystream/{name}"))),
        "logs" => stated("resourceArn").or_else(|| {
            // A list is of no group in particular, whatever its prefix [G].
            let group = if name == "DescribeLogGroups" { Some("") } else { said.member("logGroupName") };
            let group = group.or_else(|| said.member("logGroupIdentifier").map(logs::group_name));
            let stream = stated("logStreamName").unwrap_or_default();
            let resource = format!("log-group:{}:log-stream:{stream}", group?);
            Some(arn::regional("logs", &request.region, account, &resource))
        }),
        "lambda" => lambda::named(request, said.member("FunctionName"), account),
        "iam" | "sts" => identity(access, request, said),
        "s3" => Some(s3(request)).filter(|_| name != "ListBuckets"),
        _ => None,
    };
    found.unwrap_or_else(|| "*".into())
}

/// A stream or a consumer: by its ARN, by its name, or as the iterator or token says that Kinesis gave out for it.
fn stream(request: &Request, operation: &str, said: &Said, account: &str) -> Option<String> {
    let arn = ["StreamARN", "ConsumerARN", "ResourceARN"].iter().find_map(|member| said.member(member));
    if let Some(arn) = arn {
        return Some(arn.to_owned());
    }
    let key =
        said.member("StreamName").map(|name| format!("{}/{name}", request.region)).or_else(|| match operation {
            "GetRecords" => Iterator::stream_of(said.member("ShardIterator")?),
            "ListShards" => Iterator::stream_of(said.member("NextToken")?),
            _ => None,
        })?;
    let (region, name) = key.split_once('/')?;
    Some(arn::regional("kinesis", region, account, &format!("stream/{name}")))
}

fn identity(access: Access, request: &Request, said: &Said) -> Option<String> {
    let form = said.form()?;
    if let Some(arn) = ["RoleArn", "PolicyArn", "PolicySourceArn"].iter().find_map(|name| form.get(name)) {
        return Some(arn.to_owned());
    }
    let name = form.get("RoleName")?;
    let there = access.iam.state.roles.get(&name.to_lowercase()).map(|role| role.arn.clone());
    let path = form.get("Path").unwrap_or("/");
    Some(there.unwrap_or_else(|| arn::global("iam", &request.region, access.iam.account, &format!("role{path}{name}"))))
}

fn s3(request: &Request) -> String {
    let target = Target::of(request);
    let path = target.path().trim_start_matches('/');
    let path = if target.has_key() { path } else { path.trim_end_matches('/') };
    format!("arn:{}:s3:::{}", arn::partition(&request.region), lambda::percent_decode(path))
}
