//! One page of a bucket's keys, with what shares a prefix up to a delimiter rolled up.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use super::version::Shown;
use super::{Object, State, Upload, refusal};
use crate::request::AwsError;

/// The question for a page.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only keys that begin so.
    pub prefix: String,
    /// Empty: no rolling up.
    pub delimiter: String,
    /// Begin after this key, or after this rolled up prefix.
    pub after: String,
    /// In lists of versions and uploads: begin after this one of the key, and not after all of them.
    pub after_version: Option<String>,
    /// The greatest number of entries and prefixes.
    pub max: usize,
}

/// A page: entries and rolled up prefixes count alike.
#[derive(Debug, PartialEq)]
pub struct Page<'a, T> {
    /// Keys and what is listed of them, in the order of the keys' bytes.
    pub entries: Vec<(&'a str, T)>,
    /// Prefixes that stand for all keys under them.
    pub prefixes: Vec<String>,
    /// The last key or prefix of this page, when there are more.
    pub next: Option<String>,
}

/// A version in a listing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listed<'a> {
    /// The object or delete marker.
    pub shown: Shown<'a>,
    /// Whether it is the newest version of its key.
    pub is_latest: bool,
}

impl State {
    /// A page of the newest versions of a bucket's keys.
    ///
    /// # Errors
    /// `NoSuchBucket`
    pub fn list(&self, bucket: &str, query: &Query) -> Result<Page<'_, &Object>, AwsError> {
        self.bucket(bucket)?;
        let inside = format!("{bucket}/{}", query.prefix);
        Ok(page(steps(bucket, query, |row| self.objects.after(&inside, row).next()), query))
    }

    /// Unfinished uploads by key, and those of one key as they were begun.
    pub fn list_uploads<'a>(
        &'a self,
        bucket: &'a str,
        query: &Query,
    ) -> Result<Page<'a, (&'a str, &'a Upload)>, AwsError> {
        self.bucket(bucket)?;
        let mut uploads: Vec<(&str, &Upload)> = self.uploads(bucket).collect();
        uploads.retain(|(_, upload)| upload.key.starts_with(&query.prefix));
        uploads.sort_by_key(|(id, upload)| (&upload.key, upload.initiated, *id));
        let from = match &query.after_version {
            Some(id) => {
                let marker = uploads.iter().position(|(there, upload)| there == id && upload.key == query.after);
                let refused = || refusal::invalid_argument("Invalid uploadId marker", "upload-id-marker", id);
                marker.ok_or_else(refused)? + 1
            }
            None => uploads.partition_point(|(_, upload)| upload.key <= query.after),
        };
        let rest = uploads.split_off(from.min(uploads.len()));
        Ok(page(rest.into_iter().map(|(id, upload)| (upload.key.as_str(), (id, upload))), query))
    }

    /// A page of all versions in a bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`
    pub fn list_versions(&self, bucket: &str, query: &Query) -> Result<Page<'_, Listed<'_>>, AwsError> {
        self.bucket(bucket)?;
        let inside = format!("{bucket}/{}", query.prefix);
        let next = |row: &str| {
            let object = self.objects.after(&inside, row).next().map(|(row, _)| (row, ()));
            object.into_iter().chain(self.history.after(&inside, row).next().map(|(row, _)| (row, ()))).min()
        };
        // The key whose versions were begun, and then those after it.
        let first = format!("{bucket}/{}", query.after);
        let is_first = |row: &&str| query.after_version.is_some() && **row == first && row.starts_with(&inside);
        let objects = self.objects.with_prefix(&first).map(|(row, _)| row).take(1);
        let mut there = objects.chain(self.history.with_prefix(&first).map(|(row, _)| row).take(1)).filter(is_first);
        let begun = there.next().map(|row| (&row[bucket.len() + 1..], ()));
        let rows = begun.into_iter().chain(steps(bucket, query, next));
        let versions = rows.flat_map(|(key, ())| {
            let listed = self
                .versions_of(&format!("{bucket}/{key}"))
                .enumerate()
                .map(|(at, shown)| Listed { shown, is_latest: at == 0 });
            let listed: Vec<Listed> = listed.collect();
            let seen = query.after_version.as_ref().filter(|_| key == query.after);
            let seen = seen.map_or(0, |id| listed.iter().position(|l| l.shown.id() == *id).map_or(0, |at| at + 1));
            listed.into_iter().skip(seen).map(move |listed| (key, listed))
        });
        Ok(page(versions, query))
    }
}

/// No key sorts between this character and the end of those that begin as what stands before it does.
const LAST: char = char::MAX;

/// Keys from where a page begins, by the row after a row. What has the same rolled up prefix as the one before is stepped over and
/// not through: a turn looks at as many keys as the page shows.
fn steps<'a, T>(
    bucket: &str,
    query: &Query,
    next: impl Fn(&str) -> Option<(&'a str, T)>,
) -> impl Iterator<Item = (&'a str, T)> {
    let from = bucket.len() + 1;
    let mut at = format!("{bucket}/{}", query.after);
    std::iter::from_fn(move || {
        let (row, value) = next(&at)?;
        let key = &row[from..];
        at = group(key, query).map_or_else(|| row.to_owned(), |group| format!("{bucket}/{group}{LAST}"));
        Some((key, value))
    })
}

/// `entries` are those with the prefix that come after where the page begins, in order.
fn page<'a, T>(entries: impl Iterator<Item = (&'a str, T)>, query: &Query) -> Page<'a, T> {
    let mut page = Page { entries: vec![], prefixes: vec![], next: None };
    // A prefix that the page before ended in has been shown.
    let begun = Some(query.after.as_str()).filter(|after| after.starts_with(&query.prefix));
    let mut last = begun.and_then(|after| group(after, query)).unwrap_or(&query.after).to_owned();
    let mut count = 0;
    for (key, entry) in entries {
        let group = group(key, query);
        if group.is_some_and(|group| group == last) {
            continue;
        }
        if count == query.max {
            page.next = (query.max > 0).then_some(last);
            return page;
        }
        count += 1;
        match group {
            Some(group) => page.prefixes.push(group.to_owned()),
            None => page.entries.push((key, entry)),
        }
        last = group.unwrap_or(key).to_owned();
    }
    page
}

/// The key up to and with the first delimiter after the prefix.
fn group<'a>(key: &'a str, query: &Query) -> Option<&'a str> {
    if query.delimiter.is_empty() {
        return None;
    }
    let rest = &key[query.prefix.len()..];
    let end = rest.find(&query.delimiter)? + query.delimiter.len();
    Some(&key[..query.prefix.len() + end])
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::ops::Bound;

    use super::super::Description;
    use super::super::bucket::Versioning;
    use super::super::object::{New, Precondition};
    use super::*;

    fn put(state: &mut State, key: &str) {
        let new = New::whole(Default::default(), &Default::default(), None, Description::default());
        state.put(0, "lake", key, new, Precondition::None).expect("the bucket is there");
    }

    fn bucket() -> State {
        let mut state = State::default();
        state.create_bucket(0, "us-east-1", "lake", None, BTreeMap::new()).expect("a good name");
        state
    }

    fn entries(query: &Query) -> (Vec<String>, Option<String>) {
        let mut state = bucket();
        ["a/1", "a/2", "b", "c/1/x", "c/1/y", "c/2", "d"].iter().for_each(|key| put(&mut state, key));
        let page = state.list("lake", query).expect("the bucket is there");
        let mut entries: Vec<String> = page.entries.iter().map(|(key, _)| (*key).to_owned()).collect();
        entries.extend(page.prefixes);
        entries.sort();
        (entries, page.next)
    }

    #[test]
    fn versions_are_listed_page_by_page_newest_first_with_delete_markers() {
        let mut state = bucket();
        put(&mut state, "a");
        state.bucket_mut("lake").expect("it was made").versioning = Some(Versioning::Enabled);
        ["a", "a", "b/1", "c"].iter().for_each(|key| put(&mut state, key));
        state.delete(0, "lake", "c", None).expect("the bucket is there");
        let expected = ["a latest", "a", "a", "b/1 latest", "c- latest", "c"];
        for max in 1..=7 {
            let mut query = Query { max, ..Query::default() };
            let mut found = vec![];
            loop {
                let page = state.list_versions("lake", &query).expect("the bucket is there");
                found.extend(page.entries.iter().map(|(key, listed)| {
                    let marker = if matches!(listed.shown, Shown::Marker(_)) { "-" } else { "" };
                    format!("{key}{marker}{}", if listed.is_latest { " latest" } else { "" })
                }));
                let Some(next) = page.next else { break };
                query.after_version = page.entries.last().map(|(_, listed)| listed.shown.id());
                query.after = next;
            }
            assert_eq!(found, expected, "{max} at a time");
        }
        let after_a = Query { after: "a".into(), delimiter: "/".into(), max: 1, ..Query::default() };
        let page = state.list_versions("lake", &after_a).expect("the bucket is there");
        assert_eq!((page.entries, page.prefixes, page.next), (vec![], vec!["b/".to_owned()], Some("b/".to_owned())));
    }

    #[test]
    fn a_page_looks_at_as_many_keys_as_it_shows() {
        let rows: BTreeSet<String> = (0..100_000).map(|n| format!("lake/{:02}/{n:06}", n % 50)).collect();
        for (delimiter, prefix, max, shown, looked_at) in
            [("/", "", 1000, 50, 51), ("/", "", 10, 10, 11), ("", "07/", 10, 10, 11), ("/", "07/", 10, 10, 11)]
        {
            let query = Query { delimiter: delimiter.into(), prefix: prefix.into(), max, ..Query::default() };
            let count = std::cell::Cell::new(0);
            let (rows, inside) = (&rows, format!("lake/{prefix}"));
            let next = |row: &str| {
                count.set(count.get() + 1);
                let from = Bound::Excluded(row.max(&inside).to_owned());
                rows.range((from, Bound::Unbounded)).find(|row| row.starts_with(&inside)).map(|row| (row.as_str(), ()))
            };
            let page = page(steps("lake", &query, next), &query);
            assert_eq!((page.entries.len() + page.prefixes.len(), count.get()), (shown, looked_at), "{query:?}");
        }
    }

    /// Prefix, delimiter, after, max, entries, next.
    type Case = (&'static str, &'static str, &'static str, usize, &'static [&'static str], Option<&'static str>);

    #[test]
    fn pages_are_cut_between_keys_and_rolled_up_prefixes() {
        let table: &[Case] = &[
            ("", "", "", 1000, &["a/1", "a/2", "b", "c/1/x", "c/1/y", "c/2", "d"], None),
            ("", "/", "", 1000, &["a/", "b", "c/", "d"], None),
            ("", "/", "", 1, &["a/"], Some("a/")),
            ("", "/", "a/", 2, &["b", "c/"], Some("c/")),
            ("", "/", "c/", 2, &["d"], None),
            ("", "/", "c/1/x", 2, &["d"], None),
            ("c/", "/", "", 1, &["c/1/"], Some("c/1/")),
            ("c/", "/", "c/1/", 1, &["c/2"], None),
            ("", "", "c/1/x", 2, &["c/1/y", "c/2"], Some("c/2")),
            ("", "", "", 0, &[], None),
            ("x", "/", "", 10, &[], None),
        ];
        for (prefix, delimiter, after, max, expected, next) in table {
            let (prefix, delimiter, after) = ((*prefix).into(), (*delimiter).into(), (*after).into());
            let query = Query { prefix, delimiter, after, after_version: None, max: *max };
            let (found, cut) = entries(&query);
            assert_eq!(
                (found.iter().map(String::as_str).collect::<Vec<_>>(), cut.as_deref()),
                (expected.to_vec(), *next),
                "{query:?}"
            );
        }
    }
}
