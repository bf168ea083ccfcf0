//! Versions: what a bucket's versioning makes of writes and deletions.
//!
//! A key's newest version, if it is an object, is its row in `objects`. What came before, or the delete marker that is the
//! newest and what came before that, is its row in `history`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>

use serde::{Deserialize, Serialize};

use super::bucket::Versioning;
use super::{Object, State, refusal};
use crate::request::AwsError;
use crate::time::Millis;

mod id;

/// How ids name the version that has none.
pub(super) const NULL: &str = "null";

/// `None`: the null version.
pub type VersionId = Option<String>;

/// Versions of one key that are not in `objects`, newest first. Never empty. The first is a delete marker just when the key
/// has no row in `objects`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History(Vec<Version>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Version {
    Object(Box<Object>),
    Marker(Marker),
}

/// Says that the key was deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// The marker's own version id.
    pub version: VersionId,
    /// When the key was deleted, in the world's time.
    pub at: Millis,
}

impl Version {
    fn id(&self) -> &VersionId {
        match self {
            Version::Object(object) => &object.version,
            Version::Marker(marker) => &marker.version,
        }
    }
}

/// A version as listings show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shown<'a> {
    /// A version with content.
    Object(&'a Object),
    /// A delete marker.
    Marker(&'a Marker),
}

impl Shown<'_> {
    /// The version's id, `null` for the null version.
    pub fn id(self) -> String {
        let id = match self {
            Shown::Object(object) => &object.version,
            Shown::Marker(marker) => &marker.version,
        };
        id.clone().unwrap_or_else(|| NULL.into())
    }
}

/// The result of a deletion, as answers show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Made, or deleted.
    pub version: Option<String>,
    /// Is (or was) that a delete marker?
    pub marker: bool,
}

/// Where a version's bytes are. No bucket's name has a question mark, and the ids of versions are unique.
pub fn content_row(row: &str, version: &VersionId) -> String {
    version.as_ref().map_or_else(|| row.to_owned(), |id| format!("?{id}"))
}

impl State {
    /// A version's id in answers: nothing in a bucket that never had versions.
    pub fn told(&self, bucket: &str, version: &VersionId) -> Option<String> {
        self.buckets.get(bucket)?.versioning?;
        Some(version.clone().unwrap_or_else(|| NULL.into()))
    }

    /// Deletes the newest version, which may make a delete marker, or the version of this id for good. What is not there is
    /// as good as deleted.
    pub fn delete(&mut self, now: Millis, bucket: &str, key: &str, version: Option<&str>) -> Result<Deleted, AwsError> {
        let versioning = self.bucket(bucket)?.versioning;
        let row = format!("{bucket}/{key}");
        self.overtake_uploads(bucket, key);
        if let Some(version) = version {
            let removed = self.remove_version(&row, &self.parse(&row, version)?);
            return Ok(Deleted { version: Some(version.into()), marker: matches!(removed, Some(Version::Marker(_))) });
        }
        if versioning.is_none() {
            self.remove_version(&row, &None);
            return Ok(Deleted::default());
        }
        let version = self.make_way(now, bucket, &row);
        let told = self.told(bucket, &version);
        self.history_mut(&row).0.insert(0, Version::Marker(Marker { version, at: now }));
        Ok(Deleted { version: told, marker: true })
    }

    /// The versions of this `bucket/key`, newest first.
    pub(super) fn versions_of(&self, row: &str) -> impl Iterator<Item = Shown<'_>> + use<'_> {
        let older = self.history.get(row).map_or(&[][..], |history| &history.0);
        self.objects.get(row).map(Shown::Object).into_iter().chain(older.iter().map(|version| match version {
            Version::Object(object) => Shown::Object(object),
            Version::Marker(marker) => Shown::Marker(marker),
        }))
    }

    /// Makes way for a newer version, whose id this gives.
    pub(super) fn make_way(&mut self, now: Millis, bucket: &str, row: &str) -> VersionId {
        let version = match self.buckets.get(bucket).and_then(|bucket| bucket.versioning) {
            None => return None,
            Some(Versioning::Enabled) => Some(self.new_id(now, row)),
            Some(Versioning::Suspended) => {
                self.remove_version(row, &None);
                None
            }
        };
        if let Some(object) = self.objects.remove(row) {
            self.history_mut(row).0.insert(0, Version::Object(Box::new(object)));
        }
        version
    }

    /// The version of this id.
    pub(super) fn version(&self, bucket: &str, key: &str, version: &str) -> Result<&Object, AwsError> {
        let row = format!("{bucket}/{key}");
        self.parse(&row, version)?;
        match self.versions_of(&row).find(|shown| shown.id() == version) {
            Some(Shown::Object(object)) => Ok(object),
            Some(Shown::Marker(_)) => Err(refusal::is_delete_marker().with_header("x-amz-version-id", version)),
            None => Err(refusal::no_such_version(key, version)),
        }
    }

    /// The object of this id, to be changed.
    pub(super) fn version_mut(&mut self, row: &str, version: &VersionId) -> Option<&mut Object> {
        if self.objects.get(row).is_some_and(|object| object.version == *version) {
            return self.objects.get_mut(row);
        }
        self.history.get_mut(row)?.0.iter_mut().find_map(|there| match there {
            Version::Object(object) if object.version == *version => Some(object.as_mut()),
            _ => None,
        })
    }

    /// Why a key has no object: its newest version may be a delete marker.
    pub(super) fn absent(&self, bucket: &str, key: &str) -> AwsError {
        let refused = refusal::no_such_key(key);
        let marker = self.history.get(&format!("{bucket}/{key}")).and_then(|history| history.0.first());
        let told = marker.and_then(|marker| self.told(bucket, marker.id()));
        match told {
            None => refused,
            Some(id) => refused.with_header("x-amz-delete-marker", "true").with_header("x-amz-version-id", id),
        }
    }

    fn remove_version(&mut self, row: &str, version: &VersionId) -> Option<Version> {
        let removed = if self.objects.get(row).is_some_and(|object| object.version == *version) {
            self.objects.remove(row).map(|object| Version::Object(Box::new(object)))
        } else {
            let at = self.history.get(row)?.0.iter().position(|there| there.id() == version)?;
            Some(self.history_mut(row).0.remove(at))
        };
        if let Some(Version::Object(_)) = &removed {
            self.contents.remove(&content_row(row, version));
        }
        self.revive(row);
        removed
    }

    /// After a removal: what is now the newest takes its place, and a history without versions goes.
    fn revive(&mut self, row: &str) {
        let Some(history) = self.history.get_mut(row) else { return };
        let newest_is_object = !self.objects.contains(row) && matches!(history.0.first(), Some(Version::Object(_)));
        if newest_is_object && let Version::Object(object) = history.0.remove(0) {
            self.objects.insert(row, *object);
        }
        if history.0.is_empty() {
            self.history.remove(row);
        }
    }

    /// An id that a client sent.
    fn parse(&self, row: &str, id: &str) -> Result<VersionId, AwsError> {
        if id == NULL {
            return Ok(None);
        }
        if id::is_ours(id) || self.versions_of(row).any(|shown| shown.id() == id) {
            return Ok(Some(id.to_owned()));
        }
        Err(refusal::invalid_argument("Invalid version id specified", "versionId", id))
    }

    fn history_mut(&mut self, row: &str) -> &mut History {
        if !self.history.contains(row) {
            self.history.insert(row, History::default());
        }
        self.history.get_mut(row).expect("it was put there above")
    }

    /// None that the key has: it follows from the key and from what is there.
    fn new_id(&self, now: Millis, row: &str) -> String {
        let hashed = |turn: usize| id::of(&format!("{row}\n{now}\n{turn}"));
        let is_new = |id: &String| self.versions_of(row).all(|shown| shown.id() != *id);
        let from = self.versions_of(row).count();
        (from..).map(hashed).find(is_new).expect("a key has fewer versions than there are numbers")
    }
}

#[cfg(test)]
mod tests;
