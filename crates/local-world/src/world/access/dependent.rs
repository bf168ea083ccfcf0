//! Permissions that a call needs besides its own action: to tag what it creates, to pass a role to a service, to read what it
//! names. A table of AWS's dependent actions.
//!
//! Sources: the "Dependent actions" column and the table of API operations of the service authorization reference
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>),
//! and the page beside a row where that says more. `[G]`: seen in many public reports only. `[?]`: an assumption.

use serde_json::Value;

use super::{Access, Call, Said};
use crate::arn;
use crate::request::Request;
use crate::target::Target;

use crate::service::iam::condition::fact;
use crate::service::lambda::percent_decode;

/// One row.
pub struct Dependent {
    /// `service:Operation`
    pub operation: &'static str,
    pub when: When,
    /// Any of these will do; a refusal names the first.
    pub actions: &'static [&'static str],
    pub on: On,
    pub words: Words,
}

/// When the actions are needed.
#[derive(Debug, Clone, Copy)]
pub enum When {
    Always,
    /// The request has this member, not empty. `Code/S3Bucket` is a member of a member, `*/RoleARN` one at any depth.
    Has(&'static str),
    /// The request has this header.
    Header(&'static str),
    /// There is no object of the key that is asked for.
    NoSuchKey,
}

/// On what.
#[derive(Debug, Clone, Copy)]
pub enum On {
    /// The resource of the call.
    Same,
    /// The bucket of the key.
    Bucket,
    /// Each ARN that the member of [`When::Has`] names.
    Each,
    /// Each role that the member names, which is passed to this service.
    RolesFor(&'static str),
    /// The object that code is read from: `S3Bucket`, `S3Key` and `S3ObjectVersion` after this.
    Code(&'static str),
    /// The object that is copied.
    CopySource,
    /// No resource in particular: subnets and security groups cannot be named.
    Network,
}

/// How the refusal is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// AWS's usual sentence.
    Common,
    LogsTags,
    LambdaS3,
    LambdaEc2,
}

const fn row(operation: &'static str, when: When, actions: &'static [&'static str], on: On) -> Dependent {
    Dependent { operation, when, actions, on, words: Words::Common }
}

const LAMBDA: &str = "lambda.amazonaws.com";
const FIREHOSE: &str = "firehose.amazonaws.com";
const GROUPS: &str = "ec2:DescribeSecurityGroups";

pub const DEPENDENTS: &[Dependent] = &[
    // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html: kinesis:TagResource does not do.
    row("kinesis:CreateStream", When::Has("Tags"), &["kinesis:AddTagsToStream"], On::Same),
    // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RegisterStreamConsumer.html
    row("kinesis:RegisterStreamConsumer", When::Has("Tags"), &["kinesis:TagResource"], On::Same),
    // https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html
    row("firehose:CreateDeliveryStream", When::Has("Tags"), &["firehose:TagDeliveryStream"], On::Same),
    row("firehose:CreateDeliveryStream", When::Has("*/RoleARN"), &["iam:PassRole"], On::RolesFor(FIREHOSE)),
    // [?] The reference names it for creation only; IAM asks wherever a role is passed.
    row("firehose:UpdateDestination", When::Has("*/RoleARN"), &["iam:PassRole"], On::RolesFor(FIREHOSE)),
    // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html. The words are [G].
    Dependent {
        words: Words::LogsTags,
        ..row("logs:CreateLogGroup", When::Has("tags"), &["logs:TagResource", "logs:TagLogGroup"], On::Same)
    },
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags_roles.html
    row("iam:CreateRole", When::Has("Tags"), &["iam:TagRole"], On::Same),
    row("iam:CreatePolicy", When::Has("Tags"), &["iam:TagPolicy"], On::Same),
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    row("sts:AssumeRole", When::Has("Tags"), &["sts:TagSession"], On::Same),
    row("lambda:CreateFunction", When::Has("Tags"), &["lambda:TagResource"], On::Same),
    row("lambda:CreateFunction", When::Has("Role"), &["iam:PassRole"], On::RolesFor(LAMBDA)),
    row("lambda:UpdateFunctionConfiguration", When::Has("Role"), &["iam:PassRole"], On::RolesFor(LAMBDA)),
    // https://docs.aws.amazon.com/lambda/latest/dg/permissions-user-function.html
    row("lambda:CreateFunction", When::Has("Layers"), &["lambda:GetLayerVersion"], On::Each),
    row("lambda:UpdateFunctionConfiguration", When::Has("Layers"), &["lambda:GetLayerVersion"], On::Each),
    // The words are [G].
    Dependent {
        words: Words::LambdaS3,
        ..row("lambda:CreateFunction", When::Has("Code/S3Bucket"), &["s3:GetObject"], On::Code("Code/"))
    },
    Dependent {
        words: Words::LambdaS3,
        ..row("lambda:UpdateFunctionCode", When::Has("S3Bucket"), &["s3:GetObject"], On::Code(""))
    },
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html. The words are [G].
    vpc("lambda:CreateFunction", &[GROUPS]),
    vpc("lambda:CreateFunction", &["ec2:DescribeSubnets"]),
    vpc("lambda:CreateFunction", &["ec2:DescribeVpcs"]),
    vpc("lambda:UpdateFunctionConfiguration", &[GROUPS]),
    vpc("lambda:UpdateFunctionConfiguration", &["ec2:DescribeSubnets"]),
    vpc("lambda:UpdateFunctionConfiguration", &["ec2:DescribeVpcs"]),
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html, "Permissions" and CreateBucketConfiguration.
    row("s3:CreateBucket", When::Has("Tags"), &["s3:TagResource"], On::Same),
    row("s3:CreateBucket", When::Header("x-amz-acl"), &["s3:PutBucketAcl"], On::Same),
    row("s3:CreateBucket", When::Header("x-amz-object-ownership"), &["s3:PutBucketOwnershipControls"], On::Same),
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    row("s3:PutObject", When::Header("x-amz-tagging"), &["s3:PutObjectTagging"], On::Same),
    row("s3:PutObject", When::Header("x-amz-acl"), &["s3:PutObjectAcl"], On::Same),
    row("s3:CreateMultipartUpload", When::Header("x-amz-tagging"), &["s3:PutObjectTagging"], On::Same),
    row("s3:CreateMultipartUpload", When::Header("x-amz-acl"), &["s3:PutObjectAcl"], On::Same),
    row("s3:CopyObject", When::Always, &["s3:GetObject"], On::CopySource),
    row("s3:CopyObject", When::Header("x-amz-tagging"), &["s3:PutObjectTagging"], On::Same),
    row("s3:CopyObject", When::Header("x-amz-acl"), &["s3:PutObjectAcl"], On::Same),
    row("s3:UploadPartCopy", When::Always, &["s3:GetObject"], On::CopySource),
    row("s3:GetObjectAttributes", When::Always, &["s3:GetObject"], On::Same),
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html: 404 is for those who may list, 403 for the others.
    row("s3:GetObject", When::NoSuchKey, &["s3:ListBucket"], On::Bucket),
    row("s3:HeadObject", When::NoSuchKey, &["s3:ListBucket"], On::Bucket),
];

const fn vpc(operation: &'static str, actions: &'static [&'static str]) -> Dependent {
    Dependent { words: Words::LambdaEc2, ..row(operation, When::Has("VpcConfig/SubnetIds"), actions, On::Network) }
}

/// One more question about a call.
#[derive(Debug)]
pub struct Asked {
    pub actions: Vec<&'static str>,
    pub resource: String,
    /// Facts of this question alone.
    pub facts: Vec<(String, Vec<String>)>,
    pub words: Words,
    /// The resource, in the words of the service that asks for the permission.
    pub about: String,
}

/// The further permissions that a call needs. `resource` is the resource of the call itself.
pub fn asked(access: Access, call: &Call, resource: &str) -> Vec<Asked> {
    let rows = DEPENDENTS.iter().filter(|row| row.operation == call.operation);
    rows.flat_map(|row| questions(row, access, call, resource)).collect()
}

fn questions(row: &Dependent, access: Access, call: &Call, resource: &str) -> Vec<Asked> {
    let request = call.request;
    let named = match row.when {
        When::Always => vec![],
        When::Has(member) => match values(call, member) {
            given if given.is_empty() => return vec![],
            given => given,
        },
        When::Header(name) if request.header(name).is_none() => return vec![],
        When::NoSuchKey if key_exists(access, request) => return vec![],
        When::Header(_) | When::NoSuchKey => vec![],
    };
    let partition = arn::partition(&request.region);
    let one = |resource: String| Asked {
        actions: row.actions.to_vec(),
        resource,
        facts: vec![],
        words: row.words,
        about: String::new(),
    };
    match row.on {
        On::Same => vec![one(resource.to_owned())],
        On::Network => {
            let of = if row.actions.contains(&GROUPS) { "VpcConfig/SecurityGroupIds" } else { "VpcConfig/SubnetIds" };
            let about = values(call, of).join(", ");
            vec![Asked { about, ..one("*".into()) }]
        }
        On::Bucket => vec![one(resource.split('/').next().unwrap_or_default().to_owned())],
        On::Each => named.into_iter().map(one).collect(),
        On::RolesFor(service) => {
            let passed = |role| Asked { facts: vec![fact("iam:passedtoservice", service)], ..one(role) };
            named.into_iter().map(passed).collect()
        }
        On::Code(under) => {
            let first = |name: &str| values(call, &format!("{under}{name}")).into_iter().next();
            let (bucket, key) = (first("S3Bucket").unwrap_or_default(), first("S3Key").unwrap_or_default());
            let object = one(format!("arn:{partition}:s3:::{bucket}/{key}"));
            let versioned = first("S3ObjectVersion").map(|_| vec!["s3:GetObjectVersion"]);
            let about = format!("{bucket}/{key}");
            vec![Asked { actions: versioned.unwrap_or(row.actions.to_vec()), about, ..object }]
        }
        On::CopySource => {
            let said = request.header("x-amz-copy-source").unwrap_or_default().trim_start_matches('/');
            let (path, version) = said.split_once("?versionId=").map_or((said, false), |(path, _)| (path, true));
            let path = percent_decode(path);
            let actions = if version { vec!["s3:GetObjectVersion"] } else { row.actions.to_vec() };
            vec![Asked { actions, ..one(format!("arn:{partition}:s3:::{path}")) }]
        }
    }
}

fn key_exists(access: Access, request: &Request) -> bool {
    let target = Target::of(request);
    let path = percent_decode(target.path());
    let Some((bucket, key)) = path.trim_start_matches('/').split_once('/') else { return true };
    // A missing bucket is another error.
    access.s3.bucket(bucket).is_err() || access.s3.get(bucket, key, request.query("versionId")).is_ok()
}

/// The values of a member of the request, each once. A member that has members of its own gives one empty text.
fn values(call: &Call, member: &str) -> Vec<String> {
    let mut found = match call.said {
        Said::Nothing => return call.new_bucket_has_tags.then(String::new).into_iter().collect(),
        Said::Form(form) => {
            let of_list = |name: &str| name.strip_prefix(member).is_some_and(|rest| rest.starts_with(".member."));
            let given = form.parameters().iter().filter(|(name, _)| name == member || of_list(name));
            given.map(|(_, value)| value.clone()).collect()
        }
        Said::Json(members) => {
            let mut found = vec![];
            walk(members, member, &mut found);
            found
        }
    };
    found.sort();
    found.dedup();
    found
}

fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
    if let Value::Array(items) = value {
        return items.iter().for_each(|item| walk(item, path, found));
    }
    if let Some(name) = path.strip_prefix("*/") {
        for (member, below) in value.as_object().into_iter().flatten() {
            if member == name {
                leaf(below, found);
            }
            walk(below, path, found);
        }
        return;
    }
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    match value.get(name) {
        Some(below) if rest.is_empty() => leaf(below, found),
        Some(below) => walk(below, rest, found),
        None => {}
    }
}

fn leaf(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaf(item, found)),
        Value::Object(members) if !members.is_empty() => found.push(String::new()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_path_at_any_depth_and_only_where_they_say_something() {
        let body = serde_json::json!({
            "Role": "top", "Tags": [{ "Key": "a" }], "VpcConfig": { "SubnetIds": [] }, "Layers": ["one", "two"],
            "Deep": { "RoleARN": "role-b", "Deeper": [{ "RoleARN": "role-a" }] },
        });
        for (path, expected) in [
            ("Role", vec!["top"]),
            ("Tags", vec![""]),
            ("VpcConfig/SubnetIds", vec![]),
            ("Layers", vec!["one", "two"]),
            ("*/RoleARN", vec!["role-a", "role-b"]),
            ("None/Such", vec![]),
        ] {
            let mut found = vec![];
            walk(&body, path, &mut found);
            found.sort();
            assert_eq!(found, expected, "{path}");
        }
    }
}
