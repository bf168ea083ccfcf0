//! Claims on AWS: listed, made and removed. What a claim is: [`crate::claims`].

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;

use super::Resource;
use super::bucket::Bucket;
use super::shared::answer;
use crate::claims::{self, Claims, ROOT};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::send::{self, About, found};

const NO_BUCKET: &str = "NoSuchBucket";
/// At most so many objects under [`ROOT`] are read in one bucket.
const MOST: usize = 100_000;
const MARKER_NEEDED: &str = "these credentials need s3:PutObject there, and a bucket policy may demand an encryption header that a \
                             marker does not have; with `markers: false` on the delivery stream none is written";
const NEEDED: &str = "these credentials need s3:PutObject under .provision/ in the bucket, where claims are kept; with `markers: \
                      false` on a delivery none is made for it";

/// The claims in a bucket, read once for each survey; none in a bucket that does not exist.
pub async fn all(cx: &Cx, bucket: &str) -> Result<Arc<Claims>> {
    let cell = cx.seen.claims(bucket);
    cell.get_or_try_init(|| async { read(cx, bucket).await.map(Arc::new) }).await.cloned()
}

/// The claims in a bucket, as they are now.
pub async fn read(cx: &Cx, bucket: &str) -> Result<Claims> {
    let mut pages = cx.s3().list_objects_v2().bucket(bucket).prefix(ROOT).into_paginator().send();
    let mut found_objects = vec![];
    while let Some(page) = pages.next().await {
        let page = answer(format!("listing the claims in bucket {bucket}"), page);
        let Some(page) = found(page, NO_BUCKET)? else { return Ok(Claims::default()) };
        let objects = page.contents.unwrap_or_default();
        let since = |object: &aws_sdk_s3::types::Object| object.last_modified.map_or(i64::MAX, |at| at.secs());
        found_objects.extend(objects.iter().filter_map(|object| Some((object.key.clone()?, since(object)))));
        if found_objects.len() > MOST {
            return Err(Error::new(
                format!("listing the claims in bucket {bucket}"),
                format!("there are more than {MOST}"),
            )
            .hint("delete claims that are no longer needed under .provision/ in that bucket"));
        }
    }
    Ok(claims::parse(bucket, &found_objects))
}

/// Makes a claim; one that exists stays as old as it is.
pub async fn make(cx: &Cx, bucket: About, key: &str) -> Result<()> {
    let doing = format!("claiming {key} in bucket {}", bucket.name());
    let made = write_once(cx, bucket, key, doing).await;
    made.map_err(|error| if error.code() == Some("AccessDenied") { error.hint(NEEDED) } else { error })
}

/// Writes a marker where there is none.
pub async fn mark(cx: &Cx, bucket: &str, folder: &str, doing: String) -> Result<()> {
    let written = write_once(cx, of(bucket), folder, doing).await;
    written.map_err(|error| if error.code() == Some("AccessDenied") { error.hint(MARKER_NEEDED) } else { error })
}

/// Writes an empty object that says who wrote it, where there is none.
async fn write_once(cx: &Cx, bucket: About, key: &str, doing: String) -> Result<()> {
    let name = bucket.name().to_owned();
    let send = || {
        let call = cx.s3().put_object().bucket(&name).key(key).body(ByteStream::from_static(b""));
        call.metadata(WRITER, "true").if_none_match("*").expected_bucket_owner(&cx.names.account).send()
    };
    match send::ask(cx, bucket, doing, send).await.map(drop) {
        Err(error) if error.code() == Some("PreconditionFailed") => Ok(()),
        other => other,
    }
}

/// Says of an empty object that this program wrote it.
const WRITER: &str = "provision";

/// The object at the key of a marker, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    Absent,
    /// An empty object that we wrote.
    Ours,
    /// Somebody else's folder, or an object with content.
    Others,
}

/// `version`: `None` for what is there now.
pub async fn marker(cx: &Cx, bucket: &str, key: &str, version: Option<&str>) -> Result<Marker> {
    let call = cx.s3().head_object().bucket(bucket).key(key).set_version_id(version.map(str::to_owned));
    match call.send().await {
        Ok(head) => {
            let said = head.metadata.as_ref().is_some_and(|metadata| metadata.contains_key(WRITER));
            Ok(if said && head.content_length == Some(0) { Marker::Ours } else { Marker::Others })
        }
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(Marker::Absent),
        Err(error) => Err(Error::aws(format!("reading {key} in bucket {bucket}"), error)),
    }
}

/// Deletes a claim or a marker. Absence is success.
pub async fn remove(cx: &Cx, bucket: &str, key: &str) -> Result<()> {
    let call = cx.s3().delete_object().bucket(bucket).key(key).expected_bucket_owner(&cx.names.account);
    let doing = format!("deleting {key} in bucket {bucket}");
    found(send::ask(cx, of(bucket), doing, || call.clone().send()).await, NO_BUCKET).map(drop).map(drop)
}

/// The subject of a call on an object: the bucket, which may not be seen yet.
pub fn of(bucket: &str) -> About {
    About::new(Bucket::KIND, bucket)
}
