//! Tags: those of the stack, those of an entry, and what AWS takes. A resource has 50 at most, of which four are ours.

use std::collections::{BTreeMap, BTreeSet};

use aws_facts::tags::{MAX_KEY_CHARS, MAX_TAGS, RESERVED_PREFIX};

use crate::names::Tags;
use crate::yaml::collection::Map;
use crate::yaml::diagnostic::{Mistake, Span};
use crate::yaml::scalar::Text;
use crate::yaml::shape::At;

/// Tags that provision sets itself.
const OURS: usize = 4;
/// Tags that a spec can give to one resource.
const MOST: usize = MAX_TAGS - OURS;

/// Values by key. The place of each is that of its value.
pub(crate) fn written<const MIN: usize, const MAX: usize>(
    tags: Option<&At<Map<Text<MIN, MAX>>>>,
) -> BTreeMap<String, At<String>> {
    let pairs = tags.iter().flat_map(|tags| &tags.value.pairs);
    pairs.map(|(key, value)| (key.value.clone(), At { at: key.at, ..value.map(|text| text.0.clone()) })).collect()
}

pub(crate) fn values(tags: &BTreeMap<String, At<String>>) -> Tags {
    tags.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect()
}

/// Checks for what all services used here take: the narrowest rules of Kinesis, Firehose, Lambda and IAM.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>
pub(crate) fn check(tags: &BTreeMap<String, At<String>>, prefix: &str, at: Span, mistakes: &mut Vec<Mistake>) {
    for (key, value) in tags {
        if let Err((what, expected)) = check_key(key, prefix) {
            mistakes.push(Mistake::error(value.at, what).expected(expected));
        }
        if let Some(odd) = value.value.chars().find(|c| !is_allowed(*c)) {
            let what = format!("the value of the tag `{key}` has `{odd}` in it");
            mistakes.push(Mistake::error(value.at, what).expected("letters, digits, spaces and `_.:/=+-@`"));
        }
    }
    check_count(tags, at, mistakes);
}

fn check_key(key: &str, prefix: &str) -> Result<(), (String, String)> {
    let length = key.chars().count();
    if key.starts_with(RESERVED_PREFIX) {
        return Err(("tags that begin with `aws:` are AWS's own".to_owned(), "another key".to_owned()));
    }
    if key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/')) {
        return Err((format!("tags that begin with `{prefix}/` say whose a resource is"), "another key".to_owned()));
    }
    if !(1..=MAX_KEY_CHARS).contains(&length) {
        return Err((format!("a tag's key of {length} characters"), format!("1 to {MAX_KEY_CHARS} characters")));
    }
    match key.chars().find(|c| !is_allowed(*c)) {
        Some(odd) => {
            Err((format!("the key of a tag has `{odd}` in it"), "letters, digits, spaces and `_.:/=+-@`".to_owned()))
        }
        None => Ok(()),
    }
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}

/// IAM takes keys that differ only in case for the same.
pub(crate) fn check_count(tags: &BTreeMap<String, At<String>>, at: Span, mistakes: &mut Vec<Mistake>) {
    let mut seen = BTreeSet::new();
    for (key, value) in tags.iter().filter(|(key, _)| !seen.insert(key.to_lowercase())) {
        let what = format!("another tag differs from `{key}` only in case");
        mistakes.push(Mistake::error(value.at, what).expected("IAM takes the two for the same"));
    }
    if tags.len() > MOST {
        let what = format!("{} tags are too many", tags.len());
        mistakes.push(
            Mistake::error(at, what).expected(format!("at most {MOST}: AWS takes {MAX_TAGS}, and {OURS} are ours")),
        );
    }
}
