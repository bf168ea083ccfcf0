//! May a caller do this? What his policies, and the resource's, say to what he asks for.

use super::about::{action, resource};
use super::dependent::{self, Asked, Words};
use super::{Access, Call};
use crate::request::{AwsError, Request};
use crate::service::iam::decision::{Kind, Question, Why};
use crate::service::iam::policy::Verdict;
use crate::service::iam::{Caller, facts};

/// A bucket's policy cannot keep its owner's root from these.
const ROOTS_OWN: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

impl Access<'_> {
    /// Refuses what no policy allows the caller, or one denies him; root is refused only what a bucket's policy denies.
    ///
    /// # Errors
    /// In the words of the service that was asked.
    pub fn authorize(&self, call: &Call) -> Result<(), AwsError> {
        let Call { request, operation, .. } = *call;
        // Every caller may ask who he is.
        if request.access_key.is_none() || operation == "sts:GetCallerIdentity" {
            return Ok(());
        }
        let asker = Asker::of(*self, request).map_err(|error| in_words_of(operation, error))?;
        let resource = resource(*self, call);
        // Many keys are permitted one by one: `refusal`.
        if operation != "s3:DeleteObjects" {
            let action = action(operation, request.query("versionId").is_some());
            let shown = shown(*self, call, &resource);
            asker.may(&action, &resource, &[]).map_err(|why| asker.denied(operation, &action, &shown, why))?;
        }
        for question in dependent::asked(*self, call, &resource) {
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
    pub fn refusal(&self, request: &Request, action: &str, resource: &str) -> Option<AwsError> {
        if !self.enforced || request.access_key.is_none() {
            return None;
        }
        let asker = match Asker::of(*self, request) {
            Ok(asker) => asker,
            Err(error) => return Some(in_words_of(action, error)),
        };
        let why = asker.may(action, resource, &[]).err()?;
        Some(asker.denied(action, action, &quoted(action, resource), why))
    }

    /// The refusal of this call, whatever the policies say.
    pub fn denial(&self, call: &Call) -> AwsError {
        let Call { request, operation, .. } = *call;
        let caller = self.iam.caller(request).unwrap_or(Caller::Root);
        let asker = Asker { access: *self, name: caller.arn(&request.region, self.iam.account), caller, facts: vec![] };
        let action = action(operation, request.query("versionId").is_some());
        let resource = resource(*self, call);
        let shown = shown(*self, call, &resource);
        asker.denied(operation, &action, &shown, Why::NotAllowed(Kind::Identity))
    }
}

/// A caller, and what is known about the call.
struct Asker<'a> {
    access: Access<'a>,
    caller: Caller<'a>,
    name: String,
    facts: Vec<(String, Vec<String>)>,
}

impl<'a> Asker<'a> {
    fn of(access: Access<'a>, request: &Request) -> Result<Asker<'a>, AwsError> {
        let caller = access.iam.caller(request)?;
        let facts = facts::of_call(access.iam.account, request, &caller, access.iam.now);
        Ok(Asker { access, name: caller.arn(&request.region, access.iam.account), caller, facts })
    }

    fn may(&self, action: &str, resource: &str, more: &[(String, Vec<String>)]) -> Result<(), Why> {
        let context = [&self.facts, more].concat();
        let question = Question { action, resource, context: &context };
        match &self.caller {
            Caller::Root => root(self.access, &self.name, &question),
            Caller::Session { role, policies, .. } => {
                self.access.opinions(role, Some((&self.name, policies)), &question).decide()
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
                self.access.iam.account
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
fn shown(access: Access, call: &Call, resource: &str) -> String {
    let form = call.said.form().filter(|_| call.operation.starts_with("iam:"));
    let name = form.filter(|form| form.get("Path").is_none()).and_then(|form| form.get("RoleName"));
    match name.filter(|name| !access.iam.state.roles.contains(&name.to_lowercase())) {
        Some(name) => format!("role {name}"),
        None => quoted(call.operation, resource),
    }
}

/// S3 puts the resource in quotes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html>
fn quoted(operation: &str, resource: &str) -> String {
    if operation.starts_with("s3:") { format!("\"{resource}\"") } else { resource.to_owned() }
}

fn root(access: Access, name: &str, question: &Question) -> Result<(), Why> {
    let Question { action, resource, context } = *question;
    if !action.starts_with("s3:") || ROOTS_OWN.contains(&action) {
        return Ok(());
    }
    let policy = super::resource::policy(access, resource);
    let names = [name, access.iam.account, "*"];
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
