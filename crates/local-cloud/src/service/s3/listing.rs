//! One page of a bucket's keys, with what shares a prefix up to a delimiter rolled up.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use super::{Object, State};
use crate::request::AwsError;

/// What a page is asked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub prefix: String,
    /// Empty: no rolling up.
    pub delimiter: String,
    /// Begin after this key, or after this rolled up prefix.
    pub after: String,
    pub max: usize,
}

/// A page: keys and rolled up prefixes count alike.
#[derive(Debug, Default, PartialEq)]
pub struct Page<'a> {
    pub objects: Vec<(&'a str, &'a Object)>,
    pub prefixes: Vec<String>,
    /// The last entry of this page, when there are more.
    pub next: Option<String>,
}

impl State {
    pub fn list(&self, bucket: &str, query: &Query) -> Result<Page<'_>, AwsError> {
        self.bucket(bucket)?;
        let inside = format!("{bucket}/{}", query.prefix);
        let from = bucket.len() + 1;
        Ok(page(self.objects.with_prefix(&inside).map(|(row, object)| (&row[from..], object)), query))
    }
}

/// `keys` are those with the prefix, in order.
fn page<'a>(keys: impl Iterator<Item = (&'a str, &'a Object)>, query: &Query) -> Page<'a> {
    let mut page = Page::default();
    let mut last = query.after.clone();
    let mut count = 0;
    for (key, object) in keys {
        let group = group(key, query);
        if key <= query.after.as_str() || group.is_some_and(|group| group == last) {
            continue;
        }
        if count == query.max {
            page.next = (query.max > 0).then_some(last);
            return page;
        }
        count += 1;
        match group {
            Some(group) => page.prefixes.push(group.to_owned()),
            None => page.objects.push((key, object)),
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
    use super::super::Description;
    use super::*;

    fn entries(query: &Query) -> (Vec<String>, Option<String>) {
        let object = Object { size: 0, etag: String::new(), last_modified: 0, description: Description::default() };
        let keys = ["a/1", "a/2", "b", "c/1/x", "c/1/y", "c/2", "d"];
        let page = page(keys.iter().filter(|key| key.starts_with(&query.prefix)).map(|key| (*key, &object)), query);
        let mut entries: Vec<String> = page.objects.iter().map(|(key, _)| (*key).to_owned()).collect();
        entries.extend(page.prefixes);
        entries.sort();
        (entries, page.next)
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
            ("c/", "/", "", 1, &["c/1/"], Some("c/1/")),
            ("c/", "/", "c/1/", 1, &["c/2"], None),
            ("", "", "c/1/x", 2, &["c/1/y", "c/2"], Some("c/2")),
            ("", "", "", 0, &[], None),
            ("x", "/", "", 10, &[], None),
        ];
        for (prefix, delimiter, after, max, expected, next) in table {
            let query =
                Query { prefix: (*prefix).into(), delimiter: (*delimiter).into(), after: (*after).into(), max: *max };
            let (found, cut) = entries(&query);
            assert_eq!(
                (found.iter().map(String::as_str).collect::<Vec<_>>(), cut.as_deref()),
                (expected.to_vec(), *next),
                "{query:?}"
            );
        }
    }
}
