//! A key prefix in a bucket: no object of AWS's, but a zero-byte marker that makes it visible, unless that is not wanted.
//! Whose it is follows from the environment's record. The data under it stays, unless its removal was asked for.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::bucket::Bucket;
use super::shared::{answer, done};
use super::{Diff, Field, Gone, Resource};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPrefix {
    pub bucket: String,
    /// Ends with `/`: the part before the first expression.
    pub prefix: String,
    /// Write the marker object?
    pub marker: bool,
    /// Is the bucket one of this spec's own (then it is made first)? Its logical name.
    pub bucket_logical: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Of the object whose key is the prefix itself.
    pub marker_bytes: u64,
    pub bucket: String,
}

impl Resource for BucketPrefix {
    const KIND: &'static str = "prefix";
    type Live = Live;

    fn refs(&self) -> Vec<Address> {
        self.bucket_logical.iter().map(|bucket| Address::new(Bucket::KIND, bucket)).collect()
    }

    fn live_refs(live: &Live, _: bool) -> Vec<(&'static str, String)> {
        vec![(Bucket::KIND, live.bucket.clone())]
    }

    fn diff(&self, _: &Live, _: &Name, _: &Names) -> Diff {
        Diff::default()
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        vec![Field::known("marker", if self.marker { "written" } else { "none" }, self.marker)]
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        let (bucket, key) = split(name)?;
        match cx.s3().head_object().bucket(bucket).key(key).send().await {
            Ok(head) => {
                let marker_bytes = head.content_length.unwrap_or_default().max(0) as u64;
                Ok(Some(Live { marker_bytes, bucket: bucket.to_owned() }))
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(None),
            Err(error) => Err(Error::aws(format!("reading {name}"), error)),
        }
    }

    async fn tags(_: &Cx, _: &Name, _: Option<&Live>) -> Result<Option<Tags>> {
        Ok(None)
    }

    async fn retag(_: &Cx, _: &Name, _: &Live, _: &Tags, _: &[String]) -> Result<()> {
        Ok(())
    }

    async fn create(&self, cx: &Cx, name: &Name, _: &Tags) -> Result<()> {
        let call = cx.s3().put_object().bucket(&self.bucket).key(&self.prefix).body(ByteStream::from_static(b""));
        let call = call.if_none_match("*").expected_bucket_owner(&cx.names.account);
        match done(format!("creating {name}"), call.send().await) {
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(()),
            other => other,
        }
    }

    async fn update(&self, _: &Cx, _: &Name, _: &Live, _: &Diff) -> Result<()> {
        Ok(())
    }

    async fn delete(cx: &Cx, name: &Name, live: &Live) -> Result<Gone> {
        if cx.options.purge_data {
            return purge(cx, name).await.map(|()| Gone::Deleted);
        }
        if live.marker_bytes > 0 {
            return Ok(Gone::Kept("the object of that name is not our empty marker".into()));
        }
        let (bucket, key) = split(name)?;
        let call = cx.s3().delete_object().bucket(bucket).key(key).expected_bucket_owner(&cx.names.account);
        match done(format!("deleting {name}"), call.send().await) {
            Err(error) if error.code() == Some("NoSuchBucket") => Ok(Gone::Deleted),
            other => other.map(|()| Gone::Deleted),
        }
    }
}

/// Deletes every object under the prefix, page by page, telling how many there were.
async fn purge(cx: &Cx, name: &Name) -> Result<()> {
    let (bucket, prefix) = split(name)?;
    let client = cx.s3();
    let mut pages = client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        let page = answer(format!("listing the objects under {name}"), page)?;
        let keys: Vec<ObjectIdentifier> =
            page.contents().iter().filter_map(|object| identifier(object.key()?)).collect();
        if keys.is_empty() {
            continue;
        }
        count += keys.len();
        cx.wait_for(&format!("{count} objects under {} to be deleted", name.physical));
        let delete = Delete::builder().set_objects(Some(keys)).quiet(true).build().expect("the objects are set");
        let call = client.delete_objects().bucket(bucket).delete(delete).expected_bucket_owner(&cx.names.account);
        let deleted = answer(format!("deleting the objects under {name}"), call.send().await)?;
        if let Some(error) = deleted.errors().first() {
            let (key, why) = (error.key().unwrap_or("an object"), error.message().unwrap_or("no message"));
            return Err(Error::new(format!("deleting {key} under {name}"), why));
        }
    }
    Ok(())
}

fn identifier(key: &str) -> Option<ObjectIdentifier> {
    ObjectIdentifier::builder().key(key).build().ok()
}

/// The physical name is `bucket/prefix`. An empty prefix would be the whole bucket, and is never ours.
fn split(name: &Name) -> Result<(&str, &str)> {
    match name.physical.split_once('/') {
        Some((bucket, prefix)) if !bucket.is_empty() && prefix.ends_with('/') => Ok((bucket, prefix)),
        _ => Err(Error::msg(format!("{} is not the name of a prefix: bucket/some/prefix/", name.physical))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_physical_name_is_a_bucket_and_a_prefix_that_is_never_empty() {
        let split = |physical| {
            split(&Name::new("prefix", "raw-good", physical)).ok().map(|(b, p)| (b.to_owned(), p.to_owned()))
        };
        assert_eq!(split("lake/data/raw/"), Some(("lake".into(), "data/raw/".into())));
        for wrong in ["lake", "lake/", "lake/data", "/data/"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
