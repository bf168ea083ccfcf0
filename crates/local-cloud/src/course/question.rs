//! Reads of one resource, asked before it is changed: their replies are what a stale read is answered.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

use crate::arn;
use crate::model::protocol::{self, Protocol};
use crate::model::query;
use crate::request::Request;
use crate::wire::subject::Subject;

/// How a read names its resource.
enum Names {
    /// By name, in this member of a JSON body.
    Member(&'static str),
    /// By an ARN with this resource before the name, in this member of a JSON body.
    Arn(&'static str, &'static str),
    /// In a form, as every call of IAM does.
    Form,
    /// In the path, where `{name}` or `{arn}` stands.
    Path(Method, &'static str),
}

/// Every read that a row's `at` may answer stale, and every `absent`.
const READS: &[(&str, Names)] = &[
    ("firehose:DescribeDeliveryStream", Names::Member("DeliveryStreamName")),
    ("firehose:ListTagsForDeliveryStream", Names::Member("DeliveryStreamName")),
    ("iam:GetRole", Names::Form),
    ("iam:GetRolePolicy", Names::Form),
    ("iam:ListRolePolicies", Names::Form),
    ("iam:ListRoleTags", Names::Form),
    ("kinesis:DescribeStream", Names::Member("StreamName")),
    ("kinesis:DescribeStreamSummary", Names::Member("StreamName")),
    ("kinesis:ListTagsForResource", Names::Arn("ResourceARN", "stream/")),
    ("kinesis:ListTagsForStream", Names::Member("StreamName")),
    ("lambda:GetFunction", Names::Path(Method::GET, "/2015-03-31/functions/{name}")),
    ("lambda:GetFunctionConfiguration", Names::Path(Method::GET, "/2015-03-31/functions/{name}/configuration")),
    ("lambda:ListTags", Names::Path(Method::GET, "/2017-03-31/tags/{arn}")),
    ("logs:DescribeLogGroups", Names::Member("logGroupNamePrefix")),
    ("logs:ListTagsForResource", Names::Arn("resourceArn", "log-group:")),
    ("s3:GetBucketAcl", Names::Path(Method::GET, "/{name}?acl=")),
    ("s3:GetBucketEncryption", Names::Path(Method::GET, "/{name}?encryption=")),
    ("s3:GetBucketLifecycleConfiguration", Names::Path(Method::GET, "/{name}?lifecycle=")),
    ("s3:GetBucketLogging", Names::Path(Method::GET, "/{name}?logging=")),
    ("s3:GetBucketOwnershipControls", Names::Path(Method::GET, "/{name}?ownershipControls=")),
    ("s3:GetBucketPolicy", Names::Path(Method::GET, "/{name}?policy=")),
    ("s3:GetBucketTagging", Names::Path(Method::GET, "/{name}?tagging=")),
    ("s3:GetBucketVersioning", Names::Path(Method::GET, "/{name}?versioning=")),
    ("s3:GetPublicAccessBlock", Names::Path(Method::GET, "/{name}?publicAccessBlock=")),
    ("s3:HeadBucket", Names::Path(Method::HEAD, "/{name}")),
];

/// The request that asks for this resource, as the caller of `request` would: already read, and without signature.
pub fn about(operation: &str, subject: &Subject, request: &Request, account: &str) -> Option<Request> {
    let (_, names) = READS.iter().find(|(read, _)| *read == operation)?;
    let (service, action) = operation.split_once(':')?;
    let protocol = protocol::of(service);
    let mut headers = HeaderMap::new();
    // The host of an S3 request may name the bucket, which is in the path here.
    if let Some(host) = request.headers.get(http::header::HOST).filter(|_| service != "s3") {
        headers.insert(http::header::HOST, host.clone());
    }
    if let Some(Protocol::Json { target }) = protocol {
        headers.insert("x-amz-target", HeaderValue::from_str(&format!("{target}.{action}")).ok()?);
    }
    let root = |body: String| (Method::POST, "/".to_owned(), body);
    let (method, address, body) = match (names, protocol) {
        (Names::Member(member), _) => root(json!({ *member: subject.name }).to_string()),
        (Names::Arn(member, resource), _) => {
            let arn = arn::regional(service, &subject.region, account, &format!("{resource}{}", subject.name));
            root(json!({ *member: arn }).to_string())
        }
        (Names::Form, Some(Protocol::Query { version, .. })) => {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            let names = [("RoleName", subject.name.as_str()), ("PolicyName", &subject.policy)];
            let names = names.into_iter().filter(|(_, value)| !value.is_empty());
            let fields: Vec<_> = [("Action", action), ("Version", version)].into_iter().chain(names).collect();
            root(serde_urlencoded::to_string(fields).ok()?)
        }
        (Names::Form, _) => return None,
        (Names::Path(method, path), _) => {
            let path = path.replace("{name}", &query::percent_encode(&subject.name));
            (method.clone(), path.replace("{arn}", &query::percent_encode(&subject.arn)), String::new())
        }
    };
    let (path, parameters) = address.split_once('?').unwrap_or((&address, ""));
    let query = serde_urlencoded::from_str(parameters).unwrap_or_default();
    let id = uuid::Uuid::new_v4().to_string();
    Some(Request { method, path: path.to_owned(), query, headers, body: Bytes::from(body), id, ..request.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomalies::{Shown, rows};
    use crate::wire;

    #[test]
    fn each_read_of_the_table_can_be_asked_and_is_what_it_is_called() {
        let (parts, body) = http::Request::new(Bytes::new()).into_parts();
        let request = wire::request(parts, body);
        let name = "a-name".to_owned();
        let subject = Subject { region: "us-east-1".into(), name, policy: "p".into(), arn: "arn:aws".into() };
        let stale = rows().filter(|row| row.shown == Shown::Stale).flat_map(|row| row.at.iter().copied());
        let reads: Vec<&str> = stale.chain(rows().filter_map(|row| row.absent)).collect();
        for operation in &reads {
            let asked = about(operation, &subject, &request, "000000000000").expect(operation);
            let name = wire::operation::name(wire::route(&asked), &asked);
            assert_eq!(name.as_deref(), Some(*operation));
        }
        let unused: Vec<&str> = READS.iter().map(|(read, _)| *read).filter(|read| !reads.contains(read)).collect();
        assert!(unused.is_empty(), "no row reads {unused:?}");
    }
}
