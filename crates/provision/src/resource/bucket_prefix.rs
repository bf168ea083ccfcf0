//! A key prefix in a bucket: no resource of AWS's, but a zero-byte marker that makes it visible, unless that is not wanted.
//! Whose it is follows from the environment's record. The data under it stays, unless its removal was asked for.

use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::bucket::Bucket;
use super::shared::{answer, done, found};
use super::{Diff, Field, Gone, Resource};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, Tags};

const DATA_STAYS: &str = "its data is deleted only by `down --purge-data`";
const NO_BUCKET: &str = "NoSuchBucket";
const DENIED: &str = "AccessDenied";
const NEEDED: &str =
    "to purge, these credentials need s3:ListBucketVersions, s3:DeleteObject and s3:DeleteObjectVersion";

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
    pub marker_bytes: Option<u64>,
    /// Is there anything else under it?
    pub holds_data: bool,
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

    fn diff(&self, live: &Live, _: &Name, _: &Names) -> Diff {
        let mut diff = Diff::default();
        if self.marker && live.marker_bytes.is_none() {
            diff.compare("marker", "none", "written");
        }
        diff
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        vec![Field::known("marker", if self.marker { "written" } else { "none" }, self.marker)]
    }

    fn is_but_a_name(&self) -> bool {
        !self.marker
    }

    fn keeps(live: &Live, purges: bool) -> Option<String> {
        (!purges && live.marker_bytes != Some(0)).then(|| DATA_STAYS.to_owned())
    }

    /// The first object under the prefix is the marker, if there is one.
    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Live>> {
        let (bucket, prefix) = split(name)?;
        let call = cx.s3().list_objects_v2().bucket(bucket).prefix(prefix).max_keys(2);
        let listed = found(answer(format!("reading {name}"), call.send().await), NO_BUCKET)?;
        let objects = listed.and_then(|listed| listed.contents).unwrap_or_default();
        let marker = objects.iter().find(|object| object.key() == Some(prefix));
        let marker_bytes = marker.map(|marker| marker.size.unwrap_or_default().max(0) as u64);
        let holds_data = objects.len() > usize::from(marker.is_some());
        let is_there = !objects.is_empty() || cx.options.purge_data && holds_versions(cx, name).await?;
        Ok(is_there.then(|| Live { marker_bytes, holds_data, bucket: bucket.to_owned() }))
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
        match done(format!("writing the marker of {name}"), call.send().await) {
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(()),
            other => other,
        }
    }

    async fn update(&self, cx: &Cx, name: &Name, _: &Live, _: &Diff) -> Result<()> {
        self.create(cx, name, &Tags::new()).await
    }

    async fn delete(cx: &Cx, name: &Name, live: &Live) -> Result<Gone> {
        if cx.options.purge_data {
            return purge(cx, name).await.map(|()| Gone::Deleted);
        }
        let (bucket, key) = split(name)?;
        let call = cx.s3().delete_object().bucket(bucket).key(key).expected_bucket_owner(&cx.names.account);
        found(done(format!("deleting {name}"), call.send().await), NO_BUCKET)?;
        Ok(if live.holds_data { Gone::Kept(DATA_STAYS.into()) } else { Gone::Deleted })
    }
}

/// Deletes every version of every object under the prefix, and every delete marker, page by page, telling how many there were.
/// In a bucket that never had versions each object is its own only one.
async fn purge(cx: &Cx, name: &Name) -> Result<()> {
    let mut count = 0;
    let mut after = None;
    loop {
        let page = versions(cx, name, after.take()).await?;
        let found = identifiers(&page);
        if !found.is_empty() {
            count += found.len();
            let objects = if count == 1 { "object" } else { "objects" };
            cx.wait_for(&format!("{count} {objects} under {} to be deleted", name.physical));
            delete_all(cx, name, found).await?;
        }
        if page.is_truncated != Some(true) {
            return Ok(());
        }
        after = Some((page.next_key_marker, page.next_version_id_marker));
    }
}

/// Is there something under the prefix that only its versions still show? Whoever may not look hears so: nothing else would tell
/// that it stays.
async fn holds_versions(cx: &Cx, name: &Name) -> Result<bool> {
    match versions(cx, name, None).await {
        Ok(page) => Ok(!identifiers(&page).is_empty()),
        Err(error) if error.code() == Some(NO_BUCKET) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A key, and a version of it.
type Marker = (Option<String>, Option<String>);

/// One page of the versions under the prefix.
async fn versions(cx: &Cx, name: &Name, after: Option<Marker>) -> Result<ListObjectVersionsOutput> {
    let (bucket, prefix) = split(name)?;
    let (key, version) = after.unwrap_or_default();
    let call = cx.s3().list_object_versions().bucket(bucket).prefix(prefix);
    let sent = call.set_key_marker(key).set_version_id_marker(version).send().await;
    let listed = answer(format!("listing the objects under {name}"), sent);
    listed.map_err(|error| if error.code() == Some(DENIED) { error.hint(NEEDED) } else { error })
}

async fn delete_all(cx: &Cx, name: &Name, found: Vec<ObjectIdentifier>) -> Result<()> {
    let (bucket, _) = split(name)?;
    let delete = Delete::builder().set_objects(Some(found)).quiet(true).build().expect("the objects are set");
    let call = cx.s3().delete_objects().bucket(bucket).delete(delete).expected_bucket_owner(&cx.names.account);
    let deleted = answer(format!("deleting the objects under {name}"), call.send().await)?;
    let Some(error) = deleted.errors().first() else { return Ok(()) };
    let (key, why) = (error.key().unwrap_or("an object"), error.message().unwrap_or("no message"));
    let refused = Error::new(format!("deleting {key} under {name}"), why);
    Err(if error.code() == Some(DENIED) { refused.hint(NEEDED) } else { refused })
}

fn identifiers(page: &ListObjectVersionsOutput) -> Vec<ObjectIdentifier> {
    let objects = page.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    objects.chain(markers).filter_map(|(key, version)| identifier(key?, version)).collect()
}

fn identifier(key: &str, version: Option<&str>) -> Option<ObjectIdentifier> {
    ObjectIdentifier::builder().key(key).set_version_id(version.map(str::to_owned)).build().ok()
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
