//! The largest request bodies, by service and operation. They are checked before a body is read or parsed.
//!
//! AWS states its limits for what a body carries, such as the decoded data of all records. A bound here is that limit with the
//! most that HTTP adds: base64 is 4/3 of the data, JSON may write one character as six or twelve bytes, and a record has names
//! around it. A legal request passes; the service then checks its own limit exactly.

use aws_facts::lambda::MAX_EVENT_BYTES;
use http::request::Parts;

use crate::model::protocol::Protocol;
use crate::request::{AwsError, Request};
use crate::world::services::SERVICES;

use super::{Route, is_form, operation};

const MIB: usize = 1 << 20;

/// No bound is smaller. Whoever holds a smaller body need not ask for its bound.
pub const SMALLEST: usize = MIB;

struct Row {
    service: &'static str,
    operation: &'static str,
    bytes: usize,
}

/// An Invoke that waits for no answer.
const EVENT: &str = "Invoke as Event";

const fn row(service: &'static str, operation: &'static str, bytes: usize) -> Row {
    Row { service, operation, bytes }
}

/// The first row that fits counts; `*` is every operation.
const LIMITS: &[Row] = &[
    // 10 MiB of data and keys (docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html): 14 MB as base64, 1.5 MB of
    // 500 keys of 256 escaped characters, and names.
    row("kinesis", "PutRecords", 16 * MIB),
    // The same of one record (API_PutRecord.html).
    row("kinesis", "PutRecord", 15 * MIB),
    // 4 MiB of data (docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html): 5.6 MB as base64, and names.
    row("firehose", "PutRecordBatch", 6 * MIB),
    // 1,000 KiB of data (API_PutRecord.html): 1.4 MB as base64.
    row("firehose", "PutRecord", 3 * MIB / 2),
    // 1,048,576 bytes in UTF-8 and 26 more for each of up to 10,000 events
    // (docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html): six times as much where JSON escapes
    // every character.
    row("logs", "PutLogEvents", 7 * MIB),
    // A zip of 50 MiB as base64: Lambda names this number itself.
    row("lambda", "CreateFunction", 70_167_211),
    row("lambda", "UpdateFunctionCode", 70_167_211),
    row("lambda", "PublishLayerVersion", 70_167_211),
    // docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; Lambda names this number itself.
    row("lambda", "Invoke", MAX_EVENT_BYTES),
    row("lambda", EVENT, MIB),
    // Many policies of 131,072 characters each (docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html). What
    // a form asks for stands in its body, so that all forms have the same bound.
    row("iam", "*", 4 * MIB),
    row("sts", "*", 4 * MIB),
    // An object or a part: AWS takes 5 GiB in a call, the engine keeps it in memory.
    row("s3", "PutObject", 256 * MIB),
    row("s3", "UploadPart", 256 * MIB),
    // 1,000 keys of 1,024 bytes (docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html), escaped.
    row("s3", "DeleteObjects", 8 * MIB),
    // 10,000 parts with their checksums (API_CompleteMultipartUpload.html).
    row("s3", "CompleteMultipartUpload", 8 * MIB),
    // 1,000 rules with prefixes of 1,024 bytes and tags (API_PutBucketLifecycleConfiguration.html).
    row("s3", "PutBucketLifecycleConfiguration", 8 * MIB),
    // Every other input of the service models fits twice.
    row("*", "*", 2 * MIB),
];

/// How much a request may carry, and how more is refused.
#[derive(Debug)]
pub struct Limit {
    pub bytes: usize,
    pub route: Route,
    pub head: Request,
    operation: String,
}

/// The limit of a request by its head alone.
pub fn of(head: &Parts) -> Limit {
    let head = super::request(head.clone(), bytes::Bytes::new());
    let route = super::route(&head);
    // A form names its version and its operation in its body.
    let form = is_form(&head) && matches!(route, Route::S3);
    let name = operation::name(route, &head).unwrap_or_default();
    let (service, operation) = match form {
        true => ("iam", ""),
        false => match name.split_once(':').unwrap_or(("", "")) {
            (service, "Invoke") if head.header("x-amz-invocation-type") == Some("Event") => (service, EVENT),
            other => other,
        },
    };
    let fits = |row: &&Row| ["*", service].contains(&row.service) && ["*", operation].contains(&row.operation);
    let bytes = LIMITS.iter().find(fits).map_or(SMALLEST, |row| row.bytes);
    let route = if form { Route::UnknownQuery } else { route };
    Limit { bytes, route, operation: operation.to_owned(), head }
}

impl Limit {
    /// The error of a larger body.
    ///
    /// Kinesis answers 413 and nothing else (github.com/boto/boto3/issues/1147), query services `RequestEntityTooLarge`
    /// (github.com/micrometer-metrics/micrometer/issues/2302, of CloudWatch). The words about an event are those of
    /// github.com/ASFHyP3/hyp3/issues/2241. S3's codes are those of
    /// docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. Where AWS's words are not known, they are ours.
    pub fn refusal(&self) -> AwsError {
        let Limit { bytes, operation, .. } = self;
        let too_large = |code, message: String| AwsError::new(code, message).with_status(413);
        match self.route {
            Route::Service(_) if operation == EVENT => {
                let announced = self.head.header("content-length").unwrap_or_default();
                let message = format!(
                    "{announced} byte payload is too large for the Event invocation type (limit {bytes} bytes)"
                );
                too_large("RequestEntityTooLargeException", message.trim_start().to_owned())
            }
            Route::Service(index) if SERVICES[index].protocol == Protocol::RestJson => {
                let (code, operation) = match operation.as_str() {
                    "Invoke" => ("RequestTooLargeException", "InvokeFunction"),
                    other => ("RequestEntityTooLargeException", other),
                };
                too_large(code, format!("Request must be smaller than {bytes} bytes for the {operation} operation"))
            }
            Route::Service(_) | Route::UnknownJson => {
                too_large("RequestEntityTooLargeException", format!("The request is larger than {bytes} bytes."))
            }
            Route::UnknownQuery => too_large("RequestEntityTooLarge", format!("Request size exceeded {bytes} bytes")),
            Route::S3 if ["PutObject", "UploadPart"].contains(&operation.as_str()) => {
                AwsError::new("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
                    .with_detail("MaxSizeAllowed", bytes.to_string())
            }
            Route::S3 => AwsError::new("MaxMessageLengthExceeded", "Your request was too large.")
                .with_detail("MaxMessageLengthBytes", bytes.to_string()),
            Route::Local => too_large("MaxMessageLengthExceeded", format!("The request is larger than {bytes} bytes.")),
        }
    }
}

#[cfg(test)]
mod tests;
