//! May a caller do this? Which action and resource a request stands for, and what the caller's policies say to it.

use serde_json::Value;

use crate::arn;
use crate::model::query::Form;
use crate::request::{AwsError, Request};
use crate::service::lambda;
use crate::target::Target;
use crate::time::Millis;
use crate::world::World;

use super::decision::{Kind, Question, Why};
use super::dependent::{self, Asked, Words};
use super::policy::Verdict;
use super::session::{Caller, caller};

/// A bucket's policy cannot keep its owner's root from these.
const ROOTS_OWN: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// Refuses what no policy allows the caller, or one denies him; root is refused only what a bucket's policy denies.
///
/// # Errors
/// In the words of the service that was asked.
pub fn authorize(world: &World, request: &Request, operation: &str, now: Millis) -> Result<(), AwsError> {
    // Whoever can call at all may ask who he is.
    if request.access_key.is_none() || operation == "sts:GetCallerIdentity" {
        return Ok(());
    }
    let asker = Asker::of(world, request, now).map_err(|error| in_words_of(operation, error))?;
    let resource = resource(world, request, operation);
    // Many keys are permitted one by one: `refusal`.
    if operation != "s3:DeleteObjects" {
        let action = action(operation, request.query("versionId").is_some());
        let shown = shown(world, request, operation, &resource);
        asker.may(&action, &resource, &[]).map_err(|why| asker.denied(operation, &action, &shown, why))?;
    }
    for question in dependent::asked(world, request, operation, &resource) {
        let answers = question.actions.iter().map(|action| asker.may(action, &question.resource, &question.facts));
        let refused: Vec<Why> = answers.filter_map(Result::err).collect();
        if refused.len() == question.actions.len() {
            return Err(asker.denied_besides(operation, &question, refused[0]));
        }
    }
    Ok(())
}

/// Why the caller of this request may not do that to a resource, where he may not. For what a call does only in part where
/// part of it is refused. Nothing is refused where policies are not asked.
pub fn refusal(world: &World, request: &Request, action: &str, resource: &str, now: Millis) -> Option<AwsError> {
    if !world.settings.enforce_iam || request.access_key.is_none() {
        return None;
    }
    let asker = match Asker::of(world, request, now) {
        Ok(asker) => asker,
        Err(error) => return Some(in_words_of(action, error)),
    };
    let why = asker.may(action, resource, &[]).err()?;
    Some(asker.denied(action, action, &quoted(action, resource), why))
}

/// The refusal of this call, whatever the policies say.
pub fn denial(world: &World, request: &Request, operation: &str, now: Millis) -> AwsError {
    let caller = caller(world, request, now).unwrap_or(Caller::Root);
    let asker = Asker { world, name: caller.arn(&request.region, &world.settings.account), caller, facts: vec![], now };
    let action = action(operation, request.query("versionId").is_some());
    let resource = resource(world, request, operation);
    let shown = shown(world, request, operation, &resource);
    asker.denied(operation, &action, &shown, Why::NotAllowed(Kind::Identity))
}

/// Who asks, and what is known of his call.
struct Asker<'a> {
    world: &'a World,
    caller: Caller<'a>,
    name: String,
    facts: Vec<(String, Vec<String>)>,
    now: Millis,
}

impl<'a> Asker<'a> {
    fn of(world: &'a World, request: &Request, now: Millis) -> Result<Asker<'a>, AwsError> {
        let caller = caller(world, request, now)?;
        let facts = super::facts::of_call(world, request, &caller, now);
        Ok(Asker { world, name: caller.arn(&request.region, &world.settings.account), caller, facts, now })
    }

    fn may(&self, action: &str, resource: &str, more: &[(String, Vec<String>)]) -> Result<(), Why> {
        let context = [&self.facts, more].concat();
        let question = Question { action, resource, context: &context };
        match &self.caller {
            Caller::Root => root(self.world, &self.name, &question),
            Caller::Session { role, policies, .. } => {
                super::opinions(self.world, role, Some((&self.name, policies)), &question, self.now).decide()
            }
        }
    }

    fn denied(&self, operation: &str, action: &str, resource: &str, why: Why) -> AwsError {
        let message = self.sentence(action, &format!("on resource: {resource} "), why);
        in_words_of(operation, AwsError::new("AccessDenied", message).with_status(403))
    }

    fn sentence(&self, action: &str, on: &str, why: Why) -> String {
        format!("User: {} is not authorized to perform: {action} {on}{}", self.name, why.words(action))
    }

    fn denied_besides(&self, operation: &str, question: &Asked, why: Why) -> AwsError {
        let action = question.actions.first().copied().unwrap_or_default();
        let verb = action.split(':').nth(1).unwrap_or_default();
        let (resource, about) = (quoted(action, &question.resource), question.about.as_str());
        let please = "please make sure your request credentials have permission to";
        let message = match question.words {
            Words::Common => return self.denied(operation, action, &resource, why),
            Words::LogsTags => format!(
                "User with accountId: {} is not authorized to perform CreateLogGroup with Tags. An additional permission \
                 \"{action}\" is required.",
                self.world.settings.account
            ),
            Words::LambdaS3 => format!(
                "Your access has been denied by S3, {please} {verb} for {about}. S3 Error Code: AccessDenied. S3 Error \
                 Message: {}",
                self.sentence(action, &format!("on resource: {resource} "), why)
            ),
            Words::LambdaEc2 => format!(
                "Your access has been denied by EC2, {please} {verb} for {about}. EC2 Error Code: UnauthorizedOperation. EC2 \
                 Error Message: You are not authorized to perform this operation. {}",
                self.sentence(action, "", why)
            ),
        };
        in_words_of(operation, AwsError::new("AccessDenied", message).with_status(403))
    }
}

/// The resource as the refusal names it. A role that does not exist has no path yet, so that IAM names it without an ARN (from reports, no document of AWS).
fn shown(world: &World, request: &Request, operation: &str, resource: &str) -> String {
    let form = if operation.starts_with("iam:") { Form::parse(request).ok() } else { None };
    let name = form.as_ref().filter(|form| form.get("Path").is_none()).and_then(|form| form.get("RoleName"));
    match name.filter(|name| !world.iam.roles.contains(&name.to_lowercase())) {
        Some(name) => format!("role {name}"),
        None => quoted(operation, resource),
    }
}

/// S3 puts the resource in quotes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html>
fn quoted(operation: &str, resource: &str) -> String {
    if operation.starts_with("s3:") { format!("\"{resource}\"") } else { resource.to_owned() }
}

fn root(world: &World, name: &str, question: &Question) -> Result<(), Why> {
    let Question { action, resource, context } = *question;
    if !action.starts_with("s3:") || ROOTS_OWN.contains(&action) {
        return Ok(());
    }
    let policy = super::resource::policy(world, resource);
    let names = [name, world.settings.account.as_str(), "*"];
    match policy.map(|policy| policy.by(&names, action, resource, context)) {
        Some(Verdict::Denied) => Err(Why::Denied(Kind::Resource)),
        Some(Verdict::Allowed | Verdict::Silent) | None => Ok(()),
    }
}

/// The JSON services name these errors with `Exception` at the end, and answer 400 unless they are REST.
fn in_words_of(operation: &str, error: AwsError) -> AwsError {
    let service = operation.split(':').next().unwrap_or_default();
    let code = match (service, error.code) {
        ("iam" | "sts", code) => code,
        ("s3", "InvalidClientTokenId") => "InvalidAccessKeyId",
        ("s3", code) => code,
        (_, "AccessDenied") => "AccessDeniedException",
        (_, "ExpiredToken") => "ExpiredTokenException",
        (_, _) => "UnrecognizedClientException",
    };
    let status = if matches!(service, "iam" | "sts" | "s3" | "lambda") { 403 } else { 400 };
    AwsError { code, status, ..error }
}

/// The action that permits an operation, where it is not called the same.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
fn action(operation: &str, names_version: bool) -> String {
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
        "s3:AbortMultipartUpload" => of("s3:AbortMultipartUpload"),
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
fn resource(world: &World, request: &Request, operation: &str) -> String {
    let (service, name) = operation.split_once(':').unwrap_or((operation, ""));
    let account = &world.settings.account;
    let found = match service {
        "kinesis" => stated(request, "StreamARN").or_else(|| stated(request, "ConsumerARN")).or_else(|| {
            Some(arn::regional(
                "kinesis",
                &request.region,
                account,
                &format!("stream/{}", stated(request, "StreamName")?),
            ))
        }),
        "firehose" => stated(request, "DeliveryStreamName")
            .map(|name| arn::regional("firehose", &request.region, account, &format!("deliverystream/{name}"))),
        "logs" => stated(request, "resourceArn").or_else(|| stated(request, "logGroupIdentifier")).or_else(|| {
            // A list is of no group in particular, whatever its prefix [G].
            let group = if name == "DescribeLogGroups" { Some(String::new()) } else { stated(request, "logGroupName") };
            let stream = stated(request, "logStreamName").unwrap_or_default();
            let resource = format!("log-group:{}:log-stream:{stream}", group?);
            Some(arn::regional("logs", &request.region, account, &resource))
        }),
        "lambda" => lambda::named(request, account),
        "iam" | "sts" => identity(world, request, account),
        "s3" => Some(s3(request)).filter(|_| name != "ListBuckets"),
        _ => None,
    };
    found.unwrap_or_else(|| "*".into())
}

fn stated(request: &Request, member: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    body[member].as_str().map(str::to_owned)
}

fn identity(world: &World, request: &Request, account: &str) -> Option<String> {
    let form = Form::parse(request).ok()?;
    if let Some(arn) = ["RoleArn", "PolicyArn", "PolicySourceArn"].iter().find_map(|name| form.get(name)) {
        return Some(arn.to_owned());
    }
    let name = form.get("RoleName")?;
    let there = world.iam.roles.get(&name.to_lowercase()).map(|role| role.arn.clone());
    let path = form.get("Path").unwrap_or("/");
    Some(there.unwrap_or_else(|| arn::global("iam", &request.region, account, &format!("role{path}{name}"))))
}

fn s3(request: &Request) -> String {
    let target = Target::of(request);
    let path = target.path().trim_start_matches('/');
    let path = if target.has_key() { path } else { path.trim_end_matches('/') };
    format!("arn:{}:s3:::{}", arn::partition(&request.region), lambda::percent_decode(path))
}
