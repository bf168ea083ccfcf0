//! S3's refusals: code, status, message, and the details beside them in the XML. They are as AWS was seen to write them, except
//! for keys and metadata that are too long, too many tags, access control lists, and the header of a copy's source: those
//! messages are ours.

use super::error;
use crate::request::AwsError;

/// There is no bucket of this name.
pub fn no_such_bucket(bucket: &str) -> AwsError {
    error("NoSuchBucket", 404, "The specified bucket does not exist").with_detail("BucketName", bucket)
}

/// No bucket can have this name.
pub fn invalid_bucket_name(bucket: &str) -> AwsError {
    error("InvalidBucketName", 400, "The specified bucket is not valid.").with_detail("BucketName", bucket)
}

/// The caller lacks the permission.
pub fn access_denied() -> AwsError {
    error("AccessDenied", 403, "Access Denied")
}

/// A setting that this bucket does not have.
pub fn unset(code: &'static str, message: &str, bucket: &str) -> AwsError {
    error(code, 404, message).with_detail("BucketName", bucket)
}

/// The bytes were on a disk that is damaged.
pub fn lost(what: &str, key: &str) -> AwsError {
    let message =
        format!("the data of this {what} was lost, because the emulator's data folder was damaged: put it again");
    error("InternalError", 500, message).with_detail("Key", key)
}

pub(crate) fn no_such_key(key: &str) -> AwsError {
    error("NoSuchKey", 404, "The specified key does not exist.").with_detail("Key", key)
}

/// The key has no such version.
pub fn no_such_version(key: &str, version: &str) -> AwsError {
    let refused = error("NoSuchVersion", 404, "The specified version does not exist.");
    refused.with_detail("Key", key).with_detail("VersionId", version)
}

/// The newest version is a delete marker. The caller adds the method of the request.
pub fn is_delete_marker() -> AwsError {
    let refused = error("MethodNotAllowed", 405, "The specified method is not allowed against this resource.");
    let refused = refused.with_detail("ResourceType", "DeleteMarker");
    refused.with_header("x-amz-delete-marker", "true").with_header("allow", "DELETE")
}

pub(crate) fn no_such_upload(id: &str) -> AwsError {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
                   completed.";
    error("NoSuchUpload", 404, message).with_detail("UploadId", id)
}

/// `condition` is the header that did not hold.
pub fn precondition_failed(condition: &str) -> AwsError {
    let message = "At least one of the pre-conditions you specified did not hold";
    error("PreconditionFailed", 412, message).with_detail("Condition", condition)
}

/// The condition would hold, if others had left the key alone since this began.
pub fn conflict(condition: &str, key: &str) -> AwsError {
    let message = "The conditional request cannot succeed due to a conflicting operation against this resource.";
    error("ConditionalRequestConflict", 409, message).with_detail("Condition", condition).with_detail("Key", key)
}

/// An argument makes no sense: its name and value stand beside the message.
pub fn invalid_argument(message: &str, name: &str, value: &str) -> AwsError {
    let refused = error("InvalidArgument", 400, message);
    refused.with_detail("ArgumentName", name).with_detail("ArgumentValue", value)
}

/// The request makes no sense.
pub fn invalid_request(message: impl Into<String>) -> AwsError {
    error("InvalidRequest", 400, message)
}

/// The body is no XML that the operation takes.
pub fn malformed_xml() -> AwsError {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    error("MalformedXML", 400, message)
}

/// The header asks for something that the emulator does not have.
pub fn not_implemented(header: &str) -> AwsError {
    let message = "A header you provided implies functionality that is not implemented";
    error("NotImplemented", 501, message).with_detail("Header", header)
}

/// The words of a header's refusal, of a query parameter.
pub fn not_implemented_parameter(name: &str) -> AwsError {
    let message = "A parameter you provided implies functionality that is not implemented";
    error("NotImplemented", 501, message).with_detail("Parameter", name)
}
