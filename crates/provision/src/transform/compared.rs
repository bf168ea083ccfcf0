//! The answers of two versions of a function to the same records: which differ, and how. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::transform::ask::Answer;
use crate::transform::invoked::Shown;

/// The examples of one kind of change.
const EXAMPLES: usize = 3;

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Compared {
    /// As the spec names it.
    pub function: String,
    /// The older version: a revision, a file, or `deployed`.
    pub against: String,
    pub records: usize,
    pub same: usize,
    /// By kind, the most frequent first.
    pub changes: Vec<Change>,
}

/// Records whose answers differ in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// `Ok -> Dropped`, `changed .total, added .tax`
    pub kind: String,
    pub records: usize,
    pub examples: Vec<Example>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Example {
    pub record: Shown,
    pub before: Shown,
    pub after: Shown,
}

/// Compares the answers to each record.
pub fn compared(function: &str, against: &str, records: &[bytes::Bytes], old: &[Answer], new: &[Answer]) -> Compared {
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    let mut same = 0;
    for ((record, old), new) in records.iter().zip(old).zip(new) {
        let Some(kind) = kind(old, new) else {
            same += 1;
            continue;
        };
        let change = changes.entry(kind.clone()).or_insert(Change { kind, records: 0, examples: vec![] });
        change.records += 1;
        if change.examples.len() < EXAMPLES {
            change.examples.push(Example { record: Shown::of(record), before: shown(old), after: shown(new) });
        }
    }
    let mut changes: Vec<Change> = changes.into_values().collect();
    changes.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.kind.cmp(&b.kind)));
    let (function, against) = (function.to_owned(), against.to_owned());
    Compared { function, against, records: records.len(), same, changes }
}

/// The kind of change; `None`: there is none.
fn kind(old: &Answer, new: &Answer) -> Option<String> {
    match (old, new) {
        (Answer::Delivered(old, old_keys), Answer::Delivered(new, new_keys)) => {
            let mut parts = if old == new { vec![] } else { data(old, new) };
            if old_keys != new_keys {
                let names: BTreeSet<&String> = old_keys.keys().chain(new_keys.keys()).collect();
                let changed = names.into_iter().filter(|name| old_keys.get(*name) != new_keys.get(*name));
                parts.extend(changed.map(|name| format!("changed partition key {name}")));
            }
            (!parts.is_empty()).then(|| parts.join(", "))
        }
        // The reasons are examples' matter: two versions fail in other words.
        (Answer::Failed(_), Answer::Failed(_)) | (Answer::Dropped, Answer::Dropped) => None,
        (old, new) => Some(format!("{} -> {}", name(old), name(new))),
    }
}

fn name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Delivered(..) => "Ok",
        Answer::Dropped => "Dropped",
        Answer::Failed(_) => "failed",
    }
}

fn shown(answer: &Answer) -> Shown {
    match answer {
        Answer::Delivered(data, _) => Shown::of(data),
        Answer::Dropped => Shown::Text("Dropped".into()),
        Answer::Failed(why) => Shown::Text(format!("failed: {why}")),
    }
}

fn data(old: &[u8], new: &[u8]) -> Vec<String> {
    let (Ok(old), Ok(new)) = (serde_json::from_slice::<Value>(old), serde_json::from_slice::<Value>(new)) else {
        return vec!["changed the text".into()];
    };
    let mut found = BTreeSet::new();
    fields(&old, &new, "", &mut found);
    match found.is_empty() {
        true => vec!["changed the form, not the values".into()],
        false => found.into_iter().collect(),
    }
}

/// The paths of fields that differ. Elements of arrays have one path.
fn fields(old: &Value, new: &Value, path: &str, found: &mut BTreeSet<String>) {
    let of = |name: &str| match name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        true => format!("{path}.{name}"),
        false => format!("{path}[{name:?}]"),
    };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in old {
                match new.get(name) {
                    Some(other) => fields(value, other, &of(name), found),
                    None => drop(found.insert(format!("removed {}", of(name)))),
                }
            }
            let added = new.keys().filter(|name| !old.contains_key(*name));
            found.extend(added.map(|name| format!("added {}", of(name))));
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            old.iter().zip(new).for_each(|(old, new)| fields(old, new, &format!("{path}[]"), found));
        }
        (old, new) if old == new => {}
        _ => drop(found.insert(format!("changed {}", if path.is_empty() { "the value" } else { path }))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &str) -> Answer {
        Answer::Delivered(text.into(), BTreeMap::new())
    }

    #[test]
    fn a_change_is_named_by_the_fields_or_results_that_differ() {
        let keyed = |value: &str| Answer::Delivered("{}".into(), BTreeMap::from([("k".to_owned(), value.to_owned())]));
        for (old, new, expected) in [
            (ok("{\"a\":1}"), ok("{\"a\":1}"), None),
            (ok("{\"a\":1}"), ok("{\"a\": 1}"), Some("changed the form, not the values")),
            (ok("{\"a\":1,\"b\":2}"), ok("{\"a\":2,\"c d\":3}"), Some("added [\"c d\"], changed .a, removed .b")),
            (ok("{\"a\":[{\"b\":1},{\"b\":2}]}"), ok("{\"a\":[{\"b\":2},{\"b\":3}]}"), Some("changed .a[].b")),
            (ok("[1]"), ok("[1,2]"), Some("changed the value")),
            (ok("x"), ok("y"), Some("changed the text")),
            (keyed("x"), keyed("y"), Some("changed partition key k")),
            (ok("{}"), Answer::Dropped, Some("Ok -> Dropped")),
            (Answer::Failed("a".into()), ok("{}"), Some("failed -> Ok")),
            (Answer::Failed("a".into()), Answer::Failed("b".into()), None),
        ] {
            assert_eq!(kind(&old, &new).as_deref(), expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn changes_are_grouped_by_kind_with_some_examples() {
        let records: Vec<bytes::Bytes> = (0..6).map(|number: u8| number.to_string().into()).collect();
        let old: Vec<Answer> = (0..6).map(|number| ok(&format!("{{\"n\":{number}}}"))).collect();
        let mut new: Vec<Answer> = (0..6).map(|number| ok(&format!("{{\"n\":{}}}", number + 1))).collect();
        (new[0], new[1]) = (Answer::Dropped, ok("{\"n\":1}"));
        let compared = compared("f", "main", &records, &old, &new);
        assert_eq!((compared.records, compared.same), (6, 1));
        let kinds: Vec<_> =
            compared.changes.iter().map(|one| (one.kind.as_str(), one.records, one.examples.len())).collect();
        assert_eq!(kinds, [("changed .n", 4, 3), ("Ok -> Dropped", 1, 1)]);
    }
}
