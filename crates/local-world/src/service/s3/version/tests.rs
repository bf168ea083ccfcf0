//! Versions without a client.

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
    let new = New::whole(Bytes::from_static(text.as_bytes()), &Default::default(), None, Description::default());
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
