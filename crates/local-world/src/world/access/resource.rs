//! The policy that a resource itself has: a bucket's, a stream's or its consumer's, a function's.

use super::Access;
use crate::service::s3;

use crate::service::iam::policy::Document;

/// The policy of what this ARN is about, where it has one.
pub fn policy(access: Access, arn: &str) -> Option<Document> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, service, region, _, resource] = parts[..] else { return None };
    match service {
        "s3" => bucket(access, resource.split('/').next()?),
        "kinesis" => stream(access, region, resource),
        "lambda" => function(access, region, resource),
        _ => None,
    }
}

fn bucket(access: Access, name: &str) -> Option<Document> {
    Document::parse(access.s3.bucket(name).ok()?.documents.get(s3::POLICY)?.as_str()?)
}

/// `stream/name`, or `stream/name/consumer/name:created`.
fn stream(access: Access, region: &str, resource: &str) -> Option<Document> {
    let mut words = resource.strip_prefix("stream/")?.split('/');
    let stream = access.kinesis.streams.get(&format!("{region}/{}", words.next()?))?;
    let policy = match words.nth(1) {
        Some(consumer) => &stream.consumers.get(consumer.split(':').next()?)?.policy,
        None => &stream.policy,
    };
    Document::parse(policy.as_deref()?)
}

/// `function:name` or `function:name:qualifier`, each with a policy of its own.
fn function(access: Access, region: &str, resource: &str) -> Option<Document> {
    let mut words = resource.strip_prefix("function:")?.split(':');
    let function = access.lambda.functions.get(&format!("{region}/{}", words.next()?))?;
    let policy = function.policies.get(words.next().unwrap_or_default())?;
    Some(Document::of(policy.statements.iter().map(|(_, statement)| statement.clone())))
}
