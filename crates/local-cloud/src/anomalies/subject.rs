//! Which resources of a kind a request is about.

use serde_json::Value;

use super::About;
use crate::request::Request;
use crate::wire::s3::Target;

/// One resource. A global one has no region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub region: String,
    pub name: String,
}

/// The resources of this kind that a request names: none where it is about another kind.
pub fn all(about: About, operation: &str, request: &Request) -> Vec<Subject> {
    let service = operation.split(':').next().unwrap_or_default();
    let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    let name = match (about, service) {
        (About::Stream, "kinesis") => {
            let body = body();
            member(&body, "StreamName").or_else(|| {
                let arn = member(&body, "StreamARN").or_else(|| member(&body, "ResourceARN"))?;
                Some(arn.split_once(":stream/")?.1.to_owned())
            })
        }
        (About::DeliveryStream, "firehose") => member(&body(), "DeliveryStreamName"),
        (About::Bucket, "s3") => Target::of(request).bucket().map(str::to_owned),
        _ => None,
    };
    let region = if about == About::Bucket { "" } else { &request.region };
    name.map(|name| Subject { region: region.to_owned(), name }).into_iter().collect()
}

fn member(body: &Value, name: &str) -> Option<String> {
    body[name].as_str().map(str::to_owned)
}
