//! Versions: what a bucket's versioning makes of writes and deletions.
//!
//! A key's newest version, if it is an object, is its row in `objects`. What came before, or the delete marker that is the
//! newest and what came before that, is its row in `history`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bucket::Versioning;
use super::{Object, State, refusal};
use crate::request::AwsError;
use crate::settings::Millis;

/// How ids name the version that has none.
pub(super) const NULL: &str = "null";
/// Of an id, which is 32 characters of base64: those that differ.
const NAMED_BYTES: usize = 16;
/// That follow from those, so that an id shows whether S3 could have given it out.
const PROOF_BYTES: usize = 8;

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
    pub version: VersionId,
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
    Object(&'a Object),
    Marker(&'a Marker),
}

impl Shown<'_> {
    pub fn id(self) -> String {
        let id = match self {
            Shown::Object(object) => &object.version,
            Shown::Marker(marker) => &marker.version,
        };
        id.clone().unwrap_or_else(|| NULL.into())
    }
}

/// What a deletion did, as answers say it.
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
        if is_ours(id) || self.versions_of(row).any(|shown| shown.id() == id) {
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
        let hashed = |turn: usize| {
            let hash = Sha256::digest(format!("{row}\n{now}\n{turn}"));
            let named = &hash[..NAMED_BYTES];
            URL_SAFE_NO_PAD.encode_to_string([named, &proof(named)].concat())
        };
        let is_new = |id: &String| self.versions_of(row).all(|shown| shown.id() != *id);
        let from = self.versions_of(row).count();
        (from..).map(hashed).find(is_new).expect("a key has fewer versions than there are numbers")
    }
}

fn proof(named: &[u8]) -> [u8; PROOF_BYTES] {
    let hash = Sha256::digest(named);
    std::array::from_fn(|at| hash[at])
}

/// Could S3 have given out this id?
fn is_ours(id: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(id).unwrap_or_default();
    bytes.len() == NAMED_BYTES + PROOF_BYTES && bytes[NAMED_BYTES..] == proof(&bytes[..NAMED_BYTES])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;

    use super::super::Description;
    use super::super::object::{New, Precondition};
    use super::*;

    fn bucket(versioning: Option<Versioning>) -> State {
        let mut state = State::default();
        state.create_bucket(0, "us-east-1", "lake", None, BTreeMap::new()).expect("a good name");
        set(&mut state, versioning);
        state
    }

    fn set(state: &mut State, versioning: Option<Versioning>) {
        state.bucket_mut("lake").expect("it was made").versioning = versioning;
    }

    fn put(state: &mut State, text: &'static str) -> Option<String> {
        let new = New::whole(Bytes::from_static(text.as_bytes()), None, Description::default());
        state.put(1, "lake", "k", new, Precondition::None).expect("the bucket is there").version
    }

    /// Newest first: the contents, `-` for a delete marker.
    fn all(state: &State) -> String {
        let text = |shown: Shown| match shown {
            Shown::Object(object) => {
                let id = object.version.clone().unwrap_or_else(|| NULL.into());
                let (_, body) = state.get("lake", "k", Some(&id)).expect("it is listed");
                String::from_utf8(body.to_vec()).expect("text was put")
            }
            Shown::Marker(_) => "-".into(),
        };
        state.versions_of("lake/k").map(text).collect::<Vec<_>>().join(" ")
    }

    fn newest(state: &State) -> Result<String, &'static str> {
        let found = state.get("lake", "k", None).map_err(|error| error.code)?;
        Ok(String::from_utf8(found.1.to_vec()).expect("text was put"))
    }

    #[test]
    fn writes_and_deletions_do_what_the_buckets_versioning_says() {
        use Versioning::{Enabled, Suspended};
        // Versioning before and after the first write; then what "b", a deletion, and "c" leave.
        let table = [
            (None, None, ["b", "", "c"]),
            (None, Some(Enabled), ["b a", "- b a", "c - b a"]),
            (None, Some(Suspended), ["b", "-", "c"]),
            (Some(Enabled), Some(Enabled), ["b a", "- b a", "c - b a"]),
            (Some(Enabled), Some(Suspended), ["b a", "- a", "c a"]),
            (Some(Suspended), Some(Enabled), ["b a", "- b a", "c - b a"]),
        ];
        for (first, then, expected) in table {
            let mut state = bucket(first);
            put(&mut state, "a");
            set(&mut state, then);
            put(&mut state, "b");
            assert_eq!((all(&state).as_str(), newest(&state)), (expected[0], Ok("b".into())), "{first:?} {then:?}");
            let deleted = state.delete(2, "lake", "k", None).expect("the bucket is there");
            assert_eq!(deleted.marker, then.is_some());
            assert_eq!((all(&state).as_str(), newest(&state)), (expected[1], Err("NoSuchKey")), "{first:?} {then:?}");
            put(&mut state, "c");
            assert_eq!((all(&state).as_str(), newest(&state)), (expected[2], Ok("c".into())), "{first:?} {then:?}");
        }
    }

    #[test]
    fn deleting_a_version_brings_back_what_came_before_it() {
        let mut state = bucket(Some(Versioning::Enabled));
        let first = put(&mut state, "a").expect("it has an id");
        let second = put(&mut state, "b").expect("it has an id");
        assert_ne!(first, second);
        let marker = state.delete(2, "lake", "k", None).expect("the bucket is there").version.expect("it has an id");
        assert_eq!(state.object("lake", "k", Some(&marker)).map_err(|e| e.code).map(drop), Err("MethodNotAllowed"));

        let undeleted = state.delete(3, "lake", "k", Some(&marker));
        assert_eq!(undeleted, Ok(Deleted { version: Some(marker.clone()), marker: true }));
        assert_eq!(newest(&state), Ok("b".into()));
        assert_eq!(state.delete(3, "lake", "k", Some(&second)).map(|deleted| deleted.marker), Ok(false));
        assert_eq!(newest(&state), Ok("a".into()));
        assert_eq!(state.object("lake", "k", Some(&second)).map_err(|e| e.code).map(drop), Err("NoSuchVersion"));
        assert_eq!(state.object("lake", "k", Some("x")).map_err(|e| e.code).map(drop), Err("InvalidArgument"));
        let nobodys = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD";
        assert_eq!(state.delete(3, "lake", "k", Some(nobodys)).map_err(|e| e.code).map(drop), Err("InvalidArgument"));
        let _ = state.delete(3, "lake", "k", Some(&first));
        assert_eq!(state.delete_bucket("lake"), Ok(()));
        assert!(state.contents.keys().is_empty());
    }

    #[test]
    fn a_bucket_with_versions_left_is_not_empty() {
        let mut state = bucket(Some(Versioning::Enabled));
        put(&mut state, "a");
        let _ = state.delete(2, "lake", "k", None);
        assert_eq!(state.delete_bucket("lake").map_err(|error| error.code), Err("BucketNotEmpty"));
    }
}
