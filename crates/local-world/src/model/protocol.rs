//! The protocols that services speak, and which service speaks which.

/// How a service speaks, which decides how its errors are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `X-Amz-Target: <prefix>.<Operation>`, JSON 1.1 both ways.
    Json {
        /// The prefix.
        target: &'static str,
    },
    /// Form body with `Action`, XML answer in this namespace.
    Query {
        /// The version of the API, which names the service.
        version: &'static str,
        /// The namespace of the answer's elements.
        namespace: &'static str,
    },
    /// Method and path; JSON bodies.
    RestJson,
}

pub(crate) const IAM: Protocol =
    Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" };
pub(crate) const STS: Protocol =
    Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
pub(crate) const LOGS: Protocol = Protocol::Json { target: "Logs_20140328" };
pub(crate) const KINESIS: Protocol = Protocol::Json { target: "Kinesis_20131202" };
pub(crate) const FIREHOSE: Protocol = Protocol::Json { target: "Firehose_20150804" };
pub(crate) const LAMBDA: Protocol = Protocol::RestJson;

/// The protocol of a service, by its name in the credential scope of a signature. S3 has one of its own.
pub fn of(service: &str) -> Option<Protocol> {
    match service {
        "iam" => Some(IAM),
        "sts" => Some(STS),
        "logs" => Some(LOGS),
        "kinesis" => Some(KINESIS),
        "firehose" => Some(FIREHOSE),
        "lambda" => Some(LAMBDA),
        _ => None,
    }
}
