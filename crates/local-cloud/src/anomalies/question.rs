//! Reads of one resource, asked before it is changed: their replies are what a stale read is answered.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

use super::subject::Subject;
use crate::request::Request;
use crate::service::{Protocol, SERVICES, query};

/// How a read names its resource.
enum Names {
    /// In this member of a JSON body.
    Member(&'static str),
    /// In the path, where `{name}` stands.
    Path(Method, &'static str),
}

/// Every read that a row's `at` may answer stale, and every `absent`.
const READS: &[(&str, Names)] = &[
    ("firehose:DescribeDeliveryStream", Names::Member("DeliveryStreamName")),
    ("kinesis:DescribeStreamSummary", Names::Member("StreamName")),
    ("s3:HeadBucket", Names::Path(Method::HEAD, "/{name}")),
];

/// The request that asks for this resource, as the caller of `request` would: already read, and without signature.
pub fn about(operation: &str, subject: &Subject, request: &Request) -> Option<Request> {
    let (_, names) = READS.iter().find(|(read, _)| *read == operation)?;
    let (service, action) = operation.split_once(':')?;
    let mut headers = HeaderMap::new();
    let (method, address, body) = match names {
        Names::Member(member) => {
            let prefix = SERVICES.iter().find(|row| row.name == service).and_then(|row| match row.protocol {
                Protocol::Json { target } => Some(target),
                Protocol::Query { .. } | Protocol::RestJson => None,
            })?;
            headers.insert("x-amz-target", HeaderValue::from_str(&format!("{prefix}.{action}")).ok()?);
            (Method::POST, "/".to_owned(), json!({ *member: subject.name }).to_string())
        }
        Names::Path(method, path) => {
            (method.clone(), path.replace("{name}", &query::percent_encode(&subject.name)), String::new())
        }
    };
    let (path, parameters) = address.split_once('?').unwrap_or((&address, ""));
    let query = serde_urlencoded::from_str(parameters).unwrap_or_default();
    let id = uuid::Uuid::new_v4().to_string();
    Some(Request { method, path: path.to_owned(), query, headers, body: Bytes::from(body), id, ..request.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::{Shown, rows};
    use super::*;
    use crate::wire;

    #[test]
    fn each_read_of_the_table_can_be_asked_and_is_what_it_is_called() {
        let (parts, body) = http::Request::new(Bytes::new()).into_parts();
        let request = wire::request(parts, body);
        let subject = Subject { region: "us-east-1".into(), name: "a-name".into() };
        let stale = rows().filter(|row| row.shown == Shown::Stale).flat_map(|row| row.at.iter().copied());
        let reads: Vec<&str> = stale.chain(rows().filter_map(|row| row.absent)).collect();
        for operation in &reads {
            let asked = about(operation, &subject, &request).expect(operation);
            let name = wire::operation::name(wire::route(&asked), &asked);
            assert_eq!(name.as_deref(), Some(*operation));
        }
        let unused: Vec<&str> = READS.iter().map(|(read, _)| *read).filter(|read| !reads.contains(read)).collect();
        assert!(unused.is_empty(), "no row reads {unused:?}");
    }
}
