//! Lifecycle rules of a bucket: what expires, and when. Objects expire at the midnight (UTC) after so many days, or on a day.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html>

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Object;
use super::version::{Shown, VersionId};
use crate::time::Millis;

pub use check::check;

mod check;

pub(crate) const DAY_MS: Millis = 24 * 3600 * 1000;

/// A rule, in the words in which the protocol layer keeps it.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    id: Option<String>,
    status: String,
    prefix: Option<String>,
    filter: Option<Filter>,
    expiration: Option<Expiration>,
    noncurrent_version_expiration: Option<Noncurrent>,
    abort_incomplete_multipart_upload: Option<Abort>,
    /// To other storage classes: kept, and nothing is stored otherwise.
    transitions: Option<Vec<Transition>>,
    noncurrent_version_transitions: Option<Vec<Value>>,
}

/// The filter of a rule. All conditions inside `and` must hold.
#[derive(Debug, Clone, Deserialize)]
struct Filter {
    prefix: Option<String>,
    tag: Option<Tag>,
    tags: Option<Vec<Tag>>,
    object_size_greater_than: Option<i64>,
    object_size_less_than: Option<i64>,
    and: Option<Box<Filter>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Expiration {
    #[serde(default, deserialize_with = "time")]
    date: Option<Timestamp>,
    days: Option<u32>,
    expired_object_delete_marker: Option<bool>,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

#[derive(Debug, Clone, Deserialize)]
struct Noncurrent {
    newer_noncurrent_versions: Option<u32>,
    noncurrent_days: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
struct Transition {
    days: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
struct Abort {
    days_after_initiation: Option<u32>,
}

/// The action on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The newest version is deleted as DeleteObject does it, without a version id.
    Delete,
    /// This version goes for good.
    Remove(VersionId),
}

/// The rules that are enabled.
pub fn rules(document: &Value) -> Vec<Rule> {
    let all = Vec::<Rule>::deserialize(document).unwrap_or_default();
    all.into_iter().filter(|rule| rule.status == "Enabled").collect()
}

/// The action on a key at this time. These are all of its versions, newest first.
pub fn of_key(rules: &[Rule], now: Millis, key: &str, versions: &[Shown]) -> Vec<Act> {
    let for_version = |shown| rules.iter().filter(move |rule| rule.is_for_version(key, shown));
    let mut acts = vec![];
    match versions {
        [newest @ Shown::Object(object), ..]
            if for_version(*newest).any(|rule| rule.expires(object.last_modified).is_some_and(|at| at <= now)) =>
        {
            acts.push(Act::Delete);
        }
        [newest @ Shown::Marker(marker)] if for_version(*newest).any(|rule| rule.clears(marker.at, now)) => {
            acts.push(Act::Remove(marker.version.clone()));
        }
        _ => {}
    }
    let older = versions
        .windows(2)
        .enumerate()
        .filter(|(newer, pair)| for_version(pair[1]).any(|rule| rule.forgets(since(pair[0]), now, *newer)));
    acts.extend(older.map(|(_, pair)| Act::Remove(id(pair[1]))));
    acts
}

/// Is an upload that was begun then given up by now?
pub fn gives_up(rules: &[Rule], now: Millis, key: &str, initiated: Millis) -> bool {
    let days = |rule: &Rule| rule.abort_incomplete_multipart_upload.as_ref()?.days_after_initiation;
    let mut days = rules.iter().filter(|rule| rule.is_for_key(key)).filter_map(days);
    days.any(|days| midnight_after(initiated, days) <= now)
}

/// `x-amz-expiration` of a newest version: the first of its times, and by which rule.
pub fn told(rules: &[Rule], key: &str, object: &Object) -> Option<String> {
    let own = rules.iter().filter(|rule| rule.is_for_version(key, Shown::Object(object)));
    let times = own.filter_map(|rule| Some((rule.expires(object.last_modified)?, rule)));
    let (at, rule) = times.min_by_key(|(at, _)| *at)?;
    let date = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let id = serde_urlencoded::to_string([("", rule.id.as_deref().unwrap_or_default())]).ok()?;
    Some(format!("expiry-date=\"{date}\", rule-id=\"{}\"", id.trim_start_matches('=')))
}

/// So many days later, at the next midnight.
fn midnight_after(at: Millis, days: u32) -> Millis {
    (at / DAY_MS + Millis::from(days) + 1) * DAY_MS
}

/// From when on what came before is not current.
fn since(shown: Shown) -> Millis {
    match shown {
        Shown::Object(object) => object.last_modified,
        Shown::Marker(marker) => marker.at,
    }
}

fn id(shown: Shown) -> VersionId {
    match shown {
        Shown::Object(object) => object.version.clone(),
        Shown::Marker(marker) => marker.version.clone(),
    }
}

impl Filter {
    fn asks_a_size(&self) -> bool {
        self.object_size_greater_than.or(self.object_size_less_than).is_some()
    }
}

impl Rule {
    fn filters(&self) -> impl Iterator<Item = &Filter> {
        let outer = self.filter.as_ref();
        outer.into_iter().chain(outer.and_then(|filter| filter.and.as_deref()))
    }

    fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.filters().flat_map(|filter| filter.tag.iter().chain(filter.tags.iter().flatten()))
    }

    /// As far as keys go, and nothing else is asked.
    fn is_for_key(&self, key: &str) -> bool {
        let mut prefixes = self.filters().filter_map(|filter| filter.prefix.as_ref()).chain(&self.prefix);
        prefixes.all(|prefix| key.starts_with(prefix.as_str()))
    }

    fn is_for_version(&self, key: &str, shown: Shown) -> bool {
        let fits = match shown {
            Shown::Marker(_) => self.tags().next().is_none() && !self.filters().any(Filter::asks_a_size),
            Shown::Object(object) => {
                let size = i64::try_from(object.size).unwrap_or(i64::MAX);
                let has =
                    |tag: &Tag| tag.key.as_ref().and_then(|key| object.description.tags.get(key)) == tag.value.as_ref();
                self.tags().all(has)
                    && self.filters().all(|filter| {
                        filter.object_size_greater_than.is_none_or(|least| size > least)
                            && filter.object_size_less_than.is_none_or(|most| size < most)
                    })
            }
        };
        fits && self.is_for_key(key)
    }

    /// When a newest version of this age expires.
    fn expires(&self, created: Millis) -> Option<Millis> {
        let expiration = self.expiration.as_ref()?;
        let date = expiration.date.and_then(|date| Millis::try_from(date.as_millisecond()).ok());
        date.or_else(|| expiration.days.map(|days| midnight_after(created, days)))
    }

    /// Does it clear away, by now, a delete marker that nothing else is left of?
    fn clears(&self, at: Millis, now: Millis) -> bool {
        let Some(expiration) = &self.expiration else { return false };
        expiration.expired_object_delete_marker == Some(true)
            || expiration.days.is_some_and(|days| midnight_after(at, days) <= now)
    }

    /// Does it remove a version that is not current since then, and than which so many others are newer?
    fn forgets(&self, since: Millis, now: Millis, newer: usize) -> bool {
        let Some(Noncurrent { newer_noncurrent_versions: kept, noncurrent_days: Some(days) }) =
            self.noncurrent_version_expiration
        else {
            return false;
        };
        midnight_after(since, days) <= now && newer >= kept.unwrap_or(0) as usize
    }
}

#[cfg(test)]
mod tests;
