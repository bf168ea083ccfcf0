//! In a bucket with versions, a claim or marker that was deleted is still there, as an older version under a delete marker.

use super::{ABSENT, DENIED};
use crate::claims::ROOT;
use crate::cloud::Cx;
use crate::error::Result;
use crate::resource::claims::{self, Marker};
use crate::resource::delete_objects::{self, Doomed};
use crate::resource::shared::answer;
use crate::send::found;

/// A bucket with more versions is not looked through.
const MOST: usize = 1_000_000;

/// The objects in a bucket.
pub enum Swept {
    /// Nothing: what was left of claims and markers of ours is deleted.
    Empty,
    /// Something else, and nothing was deleted. The key of an object, or of an older version of one, if one was seen.
    Holds(Option<String>),
}

/// Deletes what is left of claims and markers of ours, where a bucket holds nothing else.
pub async fn sweep(cx: &Cx, bucket: &str) -> Result<Swept> {
    let (mut doomed, mut key, mut version): (Vec<Doomed>, _, _) = (vec![], None, None);
    loop {
        let call = cx.s3().list_object_versions().bucket(bucket).set_key_marker(key).set_version_id_marker(version);
        let page = match found(answer(format!("listing the versions in bucket {bucket}"), call.send().await), ABSENT) {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(Swept::Empty),
            // A caller that may not list versions cannot delete them.
            Err(error) if error.code() == Some(DENIED) => return Ok(Swept::Holds(None)),
            Err(error) => return Err(error),
        };
        for version in page.versions() {
            let key = version.key().unwrap_or_default();
            let is_live = version.is_latest == Some(true);
            if is_live && key.starts_with(ROOT) {
                // Somebody else's claim, which is told otherwise.
                return Ok(Swept::Holds(None));
            }
            if is_live || !is_ours(cx, bucket, key, version.version_id()).await? {
                return Ok(Swept::Holds(Some(key.to_owned())));
            }
            doomed.push((key.to_owned(), version.version_id.clone()));
        }
        let markers = page.delete_markers().iter();
        doomed.extend(markers.filter_map(|marker| Some((marker.key.clone()?, marker.version_id.clone()))));
        if doomed.len() > MOST {
            return Ok(Swept::Holds(None));
        }
        if page.is_truncated != Some(true) {
            break;
        }
        (key, version) = (page.next_key_marker, page.next_version_id_marker);
    }
    delete_objects::delete(cx, bucket, doomed).await.map(|()| Swept::Empty)
}

/// Is it a claim, or a marker that we wrote? What is neither a claim nor a folder is data, and need not be looked at.
async fn is_ours(cx: &Cx, bucket: &str, key: &str, version: Option<&str>) -> Result<bool> {
    if key.starts_with(ROOT) {
        return Ok(true);
    }
    Ok(key.ends_with('/') && claims::marker(cx, bucket, key, version).await? == Marker::Ours)
}
