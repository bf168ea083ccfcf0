//! The objects at a place: counted, and deleted with all their versions and unfinished uploads.

use super::tally::{Fate, Judge, Tally};
use super::{NO_BUCKET, listed};
use crate::cloud::Cx;
use crate::error::Result;
use crate::names::{Name, plural};
use crate::prefix::Place;
use crate::resource::claims;
use crate::resource::delete_objects::{self, needing};
use crate::resource::shared::answer;
use crate::send::{self, found};

/// Pages of 1,000 that a plan looks at. A purge looks at all.
const PLANNED_PAGES: usize = 10;

/// One object, version or delete marker.
struct Entry {
    key: String,
    version: Option<String>,
    modified: Option<i64>,
    empty: bool,
}

/// The objects that a plan has seen at a place.
#[derive(Default)]
pub struct Looked {
    entries: Vec<Entry>,
    /// There are more.
    more: bool,
}

impl Looked {
    pub fn tally(&self, judge: &Judge) -> Tally {
        let mut tally = Tally { under: listed(&judge.place).to_owned(), more: self.more, ..Tally::default() };
        self.entries.iter().for_each(|entry| tally.add(&entry.key, &entry.fate(judge)));
        tally
    }
}

/// Looks at what lies at the place, as far as a plan does. `versions`: also at what was overwritten or deleted.
pub async fn look(cx: &Cx, place: &Place, versions: bool) -> Result<Looked> {
    let mut looked = Looked::default();
    let mut after = None;
    for _ in 0..PLANNED_PAGES {
        let (found, next) = page(cx, place, versions, after.take()).await?;
        looked.entries.extend(found);
        match next {
            Some(next) => after = Some(next),
            None => return Ok(looked),
        }
    }
    looked.more = true;
    Ok(looked)
}

/// Deletes what is the place's own: every version, every delete marker, every unfinished upload. Gives what is worth saying:
/// how many there were, and what stays.
pub async fn purge(cx: &Cx, judge: &Judge, name: &Name) -> Result<Option<String>> {
    let mut tally = Tally { under: listed(&judge.place).to_owned(), ..Tally::default() };
    let mut after = None;
    loop {
        let (page, next) = page(cx, &judge.place, true, after.take()).await?;
        let mut ours = vec![];
        for entry in page {
            let fate = entry.fate(judge);
            tally.add(&entry.key, &fate);
            if fate == Fate::Ours {
                ours.push((entry.key, entry.version));
            }
        }
        if !ours.is_empty() {
            cx.wait_for(&format!("{} of {} to be deleted", plural(tally.ours, "object"), name.physical));
            delete_objects::delete(cx, &judge.place.bucket, ours).await?;
        }
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let uploads = abort(cx, judge).await?;
    let mut told = vec![];
    if tally.ours > 0 {
        told.push(format!("{} deleted", plural(tally.ours, "object")));
    }
    if uploads > 0 {
        told.push(format!("{} aborted", plural(uploads, "unfinished upload")));
    }
    let staying = tally.staying();
    if !staying.is_empty() {
        told.push(format!("not deleted: {staying}"));
    }
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

impl Entry {
    fn fate(&self, judge: &Judge) -> Fate {
        judge.fate(&self.key, self.modified, self.empty)
    }
}

/// Where the next page begins: a key, and a version of it.
type After = (Option<String>, Option<String>);

/// A page of the objects that begin like the place, or of all their versions. A bucket that is gone holds nothing.
async fn page(cx: &Cx, place: &Place, versions: bool, after: Option<After>) -> Result<(Vec<Entry>, Option<After>)> {
    let (bucket, prefix) = (&place.bucket, listed(place));
    let doing = format!("listing the objects under {bucket}/{prefix}");
    let (key, version) = after.unwrap_or_default();
    if !versions {
        let call = cx.s3().list_objects_v2().bucket(bucket).prefix(prefix).set_continuation_token(key);
        let Some(listed) = found(send::ask(cx, claims::of(bucket), doing, || call.clone().send()).await, NO_BUCKET)?
        else {
            return Ok((vec![], None));
        };
        let objects = listed.contents.unwrap_or_default().into_iter().filter_map(|object| {
            let modified = object.last_modified.map(|at| at.secs());
            Some(Entry { key: object.key?, version: None, modified, empty: object.size == Some(0) })
        });
        return Ok((objects.collect(), listed.next_continuation_token.map(|token| (Some(token), None))));
    }
    let call = cx.s3().list_object_versions().bucket(bucket).prefix(prefix);
    let sent = call.set_key_marker(key).set_version_id_marker(version).send().await;
    let Some(listed) = found(needing(answer(doing, sent)), NO_BUCKET)? else { return Ok((vec![], None)) };
    let next = (listed.is_truncated == Some(true))
        .then(|| (listed.next_key_marker.clone(), listed.next_version_id_marker.clone()));
    Ok((entries(&listed), next))
}

fn entries(page: &aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput) -> Vec<Entry> {
    let versions = page.versions().iter().filter_map(|version| {
        let modified = version.last_modified.map(|at| at.secs());
        let version_id = version.version_id.clone();
        Some(Entry { key: version.key.clone()?, version: version_id, modified, empty: version.size == Some(0) })
    });
    let markers = page.delete_markers().iter().filter_map(|marker| {
        Some(Entry { key: marker.key.clone()?, version: marker.version_id.clone(), modified: None, empty: false })
    });
    versions.chain(markers).collect()
}

/// Aborts the unfinished uploads of the place: Firehose uses them for short intervals, and they cost without being seen.
async fn abort(cx: &Cx, judge: &Judge) -> Result<usize> {
    let (client, bucket) = (cx.s3(), &judge.place.bucket);
    let (mut aborted, mut after): (usize, After) = Default::default();
    loop {
        let call = client.list_multipart_uploads().bucket(bucket).prefix(listed(&judge.place));
        let sent = call.set_key_marker(after.0).set_upload_id_marker(after.1).send().await;
        let page = needing(answer(format!("listing unfinished uploads in bucket {bucket}"), sent));
        let Some(page) = found(page, NO_BUCKET)? else { return Ok(aborted) };
        let more = page.is_truncated == Some(true);
        after = (page.next_key_marker.clone(), page.next_upload_id_marker.clone());
        for upload in page.uploads.unwrap_or_default() {
            let (Some(key), Some(id)) = (upload.key, upload.upload_id) else { continue };
            if judge.fate(&key, upload.initiated.map(|at| at.secs()), false) != Fate::Ours {
                continue;
            }
            let call = client.abort_multipart_upload().bucket(bucket).key(&key).upload_id(id);
            let sent = call.expected_bucket_owner(&cx.names.account).send().await;
            found(needing(answer(format!("aborting the upload of {key}"), sent)), "NoSuchUpload")?;
            aborted += 1;
        }
        if !more {
            return Ok(aborted);
        }
    }
}
