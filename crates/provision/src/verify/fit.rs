//! Records that fit a delivery stream whose query takes partition keys from them: the fields that the query reads, with values that it
//! can use. Found by trying, with the engine's own jq.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::verify::pipeline::Pipeline;

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub path: Vec<String>,
    pub kind: Kind,
}

/// Values that differ from record to record, and are few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    EpochSeconds,
    Iso,
}

const KINDS: [Kind; 3] = [Kind::Text, Kind::EpochSeconds, Kind::Iso];
/// Fields for which all kinds are tried.
const MOST: usize = 5;
/// Partitions among which records are spread. A delivery stream has 500 at most.
const PARTITIONS: u32 = 4;

impl Field {
    /// Puts its value into a record, unless something else is there.
    pub fn put(&self, object: &mut Map<String, Value>, number: u32) {
        let Some((last, outer)) = self.path.split_last() else { return };
        let mut object = object;
        for name in outer {
            let inner = object.entry(name.as_str()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = inner else { return };
            object = inner;
        }
        object.entry(last.as_str()).or_insert_with(|| self.kind.value(number % PARTITIONS));
    }
}

impl Kind {
    fn value(self, number: u32) -> Value {
        match self {
            Kind::Text => format!("value-{number}").into(),
            Kind::EpochSeconds => (1_700_000_000 + 86_400 * number).into(),
            Kind::Iso => format!("2026-01-0{}T10:00:00Z", number + 1).into(),
        }
    }
}

/// The fields with which a made record has all partition keys. Empty if it needs none; `None` if no values do.
pub fn fields(query: &str, pipeline: &Pipeline) -> Option<Vec<Field>> {
    let fits = |fields: &[Field]| {
        let mut object = Map::from_iter([("run".to_owned(), 1.into()), ("n".to_owned(), 1.into())]);
        fields.iter().for_each(|field| field.put(&mut object, 1));
        pipeline.placing().place(Value::Object(object).to_string().as_bytes(), &BTreeMap::new()).is_ok()
    };
    let paths = paths(query);
    if fits(&[]) {
        return Some(vec![]);
    }
    let of = |kinds: &dyn Fn(usize) -> Kind| -> Vec<Field> {
        paths.iter().enumerate().map(|(at, path)| Field { path: path.clone(), kind: kinds(at) }).collect()
    };
    let uniform = KINDS.iter().map(|kind| of(&|_| *kind));
    let all = if paths.len() <= MOST { KINDS.len().pow(paths.len() as u32) } else { 0 };
    let mixed = (0..all).map(|number| of(&|at| KINDS[number / KINDS.len().pow(at as u32) % KINDS.len()]));
    uniform.chain(mixed).find(|fields| fits(fields))
}

/// The paths that a query reads: `.a`, `.a.b`, `."a"`, `.["a"]`. Each once, and none that begins another.
fn paths(query: &str) -> Vec<Vec<String>> {
    let chars: Vec<char> = query.chars().collect();
    let (mut found, mut at): (Vec<Vec<String>>, usize) = (vec![], 0);
    while at < chars.len() {
        let after_a_value = at > 0 && (is_name(chars[at - 1]) || ")]$".contains(chars[at - 1]));
        match chars[at] {
            '"' => at = quoted(&chars, at).1,
            '.' if !after_a_value => {
                let (path, end) = path(&chars, at);
                if !path.is_empty() && !found.contains(&path) {
                    found.push(path);
                }
                at = end.max(at + 1);
            }
            _ => at += 1,
        }
    }
    let begins = |path: &Vec<String>| found.iter().any(|other| other.len() > path.len() && other.starts_with(path));
    found.iter().filter(|path| !begins(path)).cloned().collect()
}

fn path(chars: &[char], mut at: usize) -> (Vec<String>, usize) {
    let mut path = vec![];
    while chars.get(at) == Some(&'.') || (!path.is_empty() && chars.get(at) == Some(&'[')) {
        let bracket = chars[at] == '[' || chars.get(at + 1) == Some(&'[');
        let from = at + usize::from(chars[at] == '.') + usize::from(bracket);
        if chars.get(from) == Some(&'"') {
            let (name, end) = quoted(chars, from);
            path.push(name);
            at = end + usize::from(bracket);
        } else {
            let name: String = chars[from..].iter().take_while(|c| is_name(**c)).collect();
            if bracket || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                break;
            }
            at = from + name.chars().count();
            path.push(name);
        }
        at += usize::from(chars.get(at) == Some(&'?'));
    }
    (path, at)
}

/// The text in quotes that begins here, and where it ends.
fn quoted(chars: &[char], from: usize) -> (String, usize) {
    let (mut text, mut at) = (String::new(), from + 1);
    while let Some(c) = chars.get(at).filter(|c| **c != '"') {
        at += if *c == '\\' { 2 } else { 1 };
        text.push(*c);
    }
    (text, at + 1)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{self, LoadOptions};

    #[test]
    fn the_paths_of_a_query_are_found() {
        let table: &[(&str, &[&[&str]])] = &[
            ("{k: .k}", &[&["k"]]),
            ("{a: .type.device, b: .type, c: .\"x-y\", d: .[\"z\"].q}", &[&["type", "device"], &["x-y"], &["z", "q"]]),
            ("{y: .at | strftime(\"%Y.%m\"), half: (.n * 1.5)}", &[&["at"], &["n"]]),
            ("{k: \".not\"}", &[]),
            ("{k: .list[0].x}", &[&["list"]]),
        ];
        for (query, expected) in table {
            assert_eq!(paths(query), expected.iter().map(|path| strings(path)).collect::<Vec<_>>(), "{query}");
        }
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_query_gets_the_fields_that_it_reads_with_values_that_it_can_use() {
        for (query, fits) in [
            ("{k: .customer_id}", true),
            ("{k: (.at | strftime(\"%Y-%m\"))}", true),
            ("{k: (.at | fromdate | strftime(\"%d\"))}", true),
            ("{k: (.name + (.at | strftime(\"%Y\")))}", true),
            ("{k: .items[0].x}", false),
        ] {
            let text = format!(
                "version: 1\nstack: demo\nbuckets: {{ lake: {{ name: demo-lake }} }}\ndeliveries:\n  d:\n    bucket: lake\n    good: \
                 \"a/!{{partitionKeyFromQuery:k}}/\"\n    bad: b/\n    buffer: {{ size: 64MiB }}\n    partitioning: true\n    metadata: '{query}'\n"
            );
            let loaded = spec::read("demo.yaml".as_ref(), &text, &LoadOptions::default());
            let stack = loaded.unwrap_or_else(|wrong| panic!("{wrong}")).stack;
            let delivery = &stack.deliveries["d"].managed().expect("it is ours").desired;
            let pipeline = Pipeline::of(delivery).unwrap();
            assert_eq!(fields(query, &pipeline).is_some(), fits, "{query}");
        }
    }
}
