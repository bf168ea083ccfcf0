//! The operation that a request calls, as policies and fault rules name it: `kinesis:PutRecord`, `s3:GetObject`.

use http::Method;

use crate::model::protocol::Protocol;
use crate::request::Request;
use crate::service::lambda;
use crate::world::services::SERVICES;

use super::Route;

/// `service:Operation`; nothing for the engine's own calls and for what no service has.
pub fn name(route: Route, request: &Request) -> Option<String> {
    match route {
        Route::Service(index) => {
            let service = &SERVICES[index];
            let operation = match service.protocol {
                Protocol::Json { .. } => request.header("x-amz-target")?.split('.').nth(1)?.to_owned(),
                Protocol::Query { .. } => super::pairs(&request.body)
                    .into_iter()
                    .find(|(name, _)| name == "Action")
                    .map(|(_, value)| value)?,
                Protocol::RestJson => lambda::operation(&request.method, &request.path)?.to_owned(),
            };
            Some(format!("{}:{operation}", service.name))
        }
        Route::S3 => Some(format!("s3:{}", s3(request)?)),
        Route::Local | Route::UnknownJson | Route::UnknownQuery => None,
    }
}

/// The operation of a subresource: what `GET` is called, and what follows the verb of it and of the others.
const OF_BUCKETS: &[(&str, &str, &str)] = &[
    ("location", "GetBucketLocation", ""),
    ("tagging", "GetBucketTagging", "BucketTagging"),
    ("lifecycle", "GetBucketLifecycleConfiguration", "BucketLifecycleConfiguration"),
    ("policy", "GetBucketPolicy", "BucketPolicy"),
    ("policyStatus", "GetBucketPolicyStatus", ""),
    ("acl", "GetBucketAcl", "BucketAcl"),
    ("versioning", "GetBucketVersioning", "BucketVersioning"),
    ("versions", "ListObjectVersions", ""),
    ("encryption", "GetBucketEncryption", "BucketEncryption"),
    ("publicAccessBlock", "GetPublicAccessBlock", "PublicAccessBlock"),
    ("ownershipControls", "GetBucketOwnershipControls", "BucketOwnershipControls"),
    ("notification", "GetBucketNotificationConfiguration", "BucketNotificationConfiguration"),
    ("logging", "GetBucketLogging", "BucketLogging"),
    ("cors", "GetBucketCors", "BucketCors"),
    ("website", "GetBucketWebsite", "BucketWebsite"),
    ("uploads", "ListMultipartUploads", ""),
];

/// In the manner of <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>.
fn s3(request: &Request) -> Option<String> {
    let target = crate::target::Target::of(request);
    let has = |name: &str| request.query(name).is_some();
    let verb = match request.method {
        Method::GET => "Get",
        Method::PUT => "Put",
        Method::DELETE => "Delete",
        Method::HEAD => "Head",
        Method::POST => "Post",
        _ => return None,
    };
    let copies = request.headers.contains_key("x-amz-copy-source");
    let of_bucket = || OF_BUCKETS.iter().find(|(parameter, ..)| has(parameter));
    let name = match (target.bucket().is_some(), target.has_key(), verb) {
        (false, ..) => "ListBuckets",
        (true, false, "Post") => "DeleteObjects",
        (true, false, "Head") => "HeadBucket",
        (true, false, verb) => match (of_bucket(), verb) {
            (Some((_, get, _)), "Get") => get,
            (Some((_, _, rest)), verb) => return Some(format!("{verb}{rest}")),
            (None, "Get") if request.query("list-type") == Some("2") => "ListObjectsV2",
            (None, "Get") => "ListObjects",
            (None, "Put") => "CreateBucket",
            (None, _) => "DeleteBucket",
        },
        (true, true, "Post") if has("uploads") => "CreateMultipartUpload",
        (true, true, "Post") => "CompleteMultipartUpload",
        (true, true, "Put") if has("partNumber") && copies => "UploadPartCopy",
        (true, true, "Put") if has("partNumber") => "UploadPart",
        (true, true, "Put") if copies => "CopyObject",
        (true, true, "Get") if has("uploadId") => "ListParts",
        (true, true, "Delete") if has("uploadId") => "AbortMultipartUpload",
        (true, true, verb) => {
            let part = match () {
                () if has("tagging") => "ObjectTagging",
                () if has("acl") => "ObjectAcl",
                () if has("attributes") => "ObjectAttributes",
                () => "Object",
            };
            return Some(format!("{verb}{part}"));
        }
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    /// Method, path, headers, body, and the name.
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

    /// The emulator has these documents only to say that there are none.
    const NEVER_SET: [&str; 3] = ["BucketNotificationConfiguration", "BucketCors", "BucketWebsite"];

    #[test]
    fn every_document_of_a_bucket_can_be_late_and_in_conflict() {
        let row = |name: &str| crate::anomalies::row(name).unwrap_or_else(|| panic!("there is no {name}"));
        let (stale, conflict, lingering) = (row("s3-stale"), row("s3-conflict"), row("s3-lingering"));
        let documents = OF_BUCKETS.iter().filter(|(_, _, rest)| !rest.is_empty() && !NEVER_SET.contains(rest));
        for (_, read, rest) in documents {
            let (read, change) = (format!("s3:{read}"), format!("s3:Put{rest}"));
            for (row, operations, operation) in [
                (stale, stale.after, &change),
                (stale, stale.at, &read),
                (conflict, conflict.after, &change),
                (conflict, conflict.at, &change),
                (lingering, lingering.at, &read),
            ] {
                assert!(operations.contains(&operation.as_str()), "{operation} is not in {}", row.name);
            }
        }
    }

    #[test]
    fn operations_are_named_as_aws_names_them() {
        const COPY: (&str, &str) = ("x-amz-copy-source", "lake/a");
        const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
        let table: &[Case] = &[
            ("POST", "/", &[("x-amz-target", "Kinesis_20131202.PutRecord")], "{}", "kinesis:PutRecord"),
            ("POST", "/", &[FORM], "Action=GetRole&Version=2010-05-08", "iam:GetRole"),
            ("POST", "/2015-03-31/functions", &[], "", "lambda:CreateFunction"),
            ("GET", "/", &[], "", "s3:ListBuckets"),
            ("PUT", "/lake", &[], "", "s3:CreateBucket"),
            ("HEAD", "/lake/", &[], "", "s3:HeadBucket"),
            ("DELETE", "/lake", &[], "", "s3:DeleteBucket"),
            ("GET", "/lake?list-type=2&prefix=a", &[], "", "s3:ListObjectsV2"),
            ("GET", "/lake?tagging", &[], "", "s3:GetBucketTagging"),
            ("PUT", "/lake?lifecycle", &[], "", "s3:PutBucketLifecycleConfiguration"),
            ("POST", "/lake?delete", &[], "", "s3:DeleteObjects"),
            ("GET", "/lake/a/b", &[], "", "s3:GetObject"),
            ("PUT", "/lake/a", &[COPY], "", "s3:CopyObject"),
            ("PUT", "/lake/a?partNumber=1&uploadId=u", &[], "", "s3:UploadPart"),
            ("PUT", "/lake/a?tagging", &[], "", "s3:PutObjectTagging"),
            ("PUT", "/a", &[("host", "lake.localhost")], "", "s3:PutObject"),
            ("GET", "/_local/health", &[], "", "-"),
        ];
        for (method, path, headers, body, expected) in table {
            let mut builder = http::Request::builder().method(*method).uri(*path);
            for (name, value) in *headers {
                builder = builder.header(*name, *value);
            }
            let (parts, body) = builder.body(Bytes::from_static(body.as_bytes())).expect("valid parts").into_parts();
            let request = crate::wire::request(parts, body);
            let found = name(crate::wire::route(&request), &request).unwrap_or_else(|| "-".into());
            assert_eq!(&found, expected, "{method} {path}");
        }
    }
}
