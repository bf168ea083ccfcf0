//! Deletes objects, versions of them and delete markers, a thousand in a call.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::claims;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::send;

const DENIED: &str = "AccessDenied";
const NEEDED: &str = "to purge, these credentials need s3:ListBucketVersions, s3:ListBucketMultipartUploads, s3:DeleteObject, \
                      s3:DeleteObjectVersion and s3:AbortMultipartUpload";
/// S3 takes so many in a call.
const AT_ONCE: usize = 1_000;

/// A key, and which version of it: `None` for the object of a bucket without versions.
pub type Doomed = (String, Option<String>);

pub async fn delete(cx: &Cx, bucket: &str, doomed: Vec<Doomed>) -> Result<()> {
    for some in doomed.chunks(AT_ONCE) {
        let identifier = |(key, version): &Doomed| {
            let identifier = ObjectIdentifier::builder().key(key).set_version_id(version.clone());
            identifier.build().expect("the key is set")
        };
        let objects = some.iter().map(identifier).collect();
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().expect("the objects are set");
        let call = cx.s3().delete_objects().bucket(bucket).delete(delete).expected_bucket_owner(&cx.names.account);
        let doing = format!("deleting objects in bucket {bucket}");
        let deleted = needing(send::ask(cx, claims::of(bucket), doing, || call.clone().send()).await)?;
        if let Some(error) = deleted.errors().first() {
            let (key, why) = (error.key().unwrap_or("an object"), error.message().unwrap_or("no message"));
            let doing = format!("deleting {key} in bucket {bucket}");
            return needing(Err(Error::of_item(doing, error.code().unwrap_or_default(), why)));
        }
    }
    Ok(())
}

/// Says which permissions deleting data needs.
pub fn needing<T>(answer: Result<T>) -> Result<T> {
    answer.map_err(|error| if error.code() == Some(DENIED) { error.hint(NEEDED) } else { error })
}
