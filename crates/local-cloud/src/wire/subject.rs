//! Which resources of a kind a request is about.

use serde_json::Value;

use crate::anomalies::About;
use crate::model::query::Form;
use crate::request::Request;
use crate::service::lambda;
use crate::target::Target;

/// One resource. A global one has no region.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    pub region: String,
    /// The name. A function's has the qualifier of the request, so that versions are resources of their own.
    pub name: String,
    /// The name of a role's policy.
    pub policy: String,
    /// Where the request knows it.
    pub arn: String,
}

impl Subject {
    /// Are they the same resource, however it was named?
    pub fn is(&self, other: &Subject) -> bool {
        (&self.region, &self.name, &self.policy) == (&other.region, &other.name, &other.policy)
    }
}

/// The resources of this kind that a request names: none where it is about another kind. Its body is JSON or a form.
pub fn all(about: About, operation: &str, request: &Request, account: &str) -> Vec<Subject> {
    let service = operation.split(':').next().unwrap_or_default();
    let regional = |name: String| Subject { region: request.region.clone(), name, ..Subject::default() };
    let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    let one = match (about, service) {
        (About::Stream, "kinesis") => stream(&body()).map(regional),
        (About::DeliveryStream, "firehose") => member(&body(), &["DeliveryStreamName"]).map(regional),
        (About::LogGroup, "logs") => log_group(&body()).map(regional),
        (About::Function, "lambda") => {
            lambda::named(request, body()["FunctionName"].as_str(), account).and_then(|arn| {
                let name = arn.split_once(":function:")?.1.to_owned();
                Some(Subject { arn, ..regional(name) })
            })
        }
        (About::Bucket, "s3") => {
            Target::of(request).bucket().map(|name| Subject { name: name.to_owned(), ..Subject::default() })
        }
        (About::Role | About::RolePolicy, "iam") => role(request, about == About::RolePolicy),
        (About::Role, "firehose" | "lambda") => return roles_in(&body()),
        _ => None,
    };
    one.into_iter().collect()
}

fn stream(body: &Value) -> Option<String> {
    member(body, &["StreamName"]).or_else(|| {
        let arn = member(body, &["StreamARN", "ResourceARN"])?;
        Some(arn.split_once(":stream/")?.1.to_owned())
    })
}

/// A list by prefix is about the group of that name.
fn log_group(body: &Value) -> Option<String> {
    member(body, &["logGroupName", "logGroupNamePrefix"]).or_else(|| {
        let arn = member(body, &["resourceArn", "logGroupIdentifier"])?;
        let (_, name) = arn.split_once(":log-group:")?;
        Some(name.strip_suffix(":*").unwrap_or(name).to_owned())
    })
}

fn role(request: &Request, with_policy: bool) -> Option<Subject> {
    let form = Form::parse(request).ok()?;
    let policy = if with_policy { form.get("PolicyName")?.to_owned() } else { String::new() };
    Some(Subject { name: form.get("RoleName")?.to_owned(), policy, ..Subject::default() })
}

/// Every role whose ARN stands anywhere in a body.
fn roles_in(value: &Value) -> Vec<Subject> {
    match value {
        Value::String(arn) if arn.contains(":iam:") && arn.contains(":role/") => {
            let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
            vec![Subject { name, arn: arn.clone(), ..Subject::default() }]
        }
        Value::Array(values) => values.iter().flat_map(roles_in).collect(),
        Value::Object(members) => members.values().flat_map(roles_in).collect(),
        _ => vec![],
    }
}

fn member(body: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| body[*name].as_str()).map(str::to_owned)
}
