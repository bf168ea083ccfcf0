//! Plans of a kind whose fields say all there is to say: what a new one is made with, and what differs.

use serde_yaml::{Mapping, Value};

use super::{Diff, Field};
use crate::yaml::shape::Record;

/// The fields that a new resource is created with. A field is a default if it has the default's value or is empty.
pub(crate) fn summary<R: Record>(fields: &R) -> Vec<Field> {
    let defaults: Vec<_> = R::fields().into_iter().map(|field| (field.name, field.default)).collect();
    let written = written(fields);
    let field = |(key, value): (&Value, &Value)| {
        let (name, value) = (text(key), text(value));
        let default = defaults.iter().find(|(of, _)| *of == name).and_then(|(_, default)| *default);
        let is_default = value == NONE || default == Some(value.as_str());
        Field::known(name, value, is_default)
    };
    written.iter().map(field).collect()
}

/// The fields that differ. `replaces`: the fields that AWS cannot change in place, and why.
pub(crate) fn diff<R: Record>(live: &R, desired: &R, replaces: &[(&str, &'static str)]) -> Diff {
    let (live, desired) = (written(live), written(desired));
    let mut diff = Diff::default();
    for field in R::fields() {
        let value = |of: &Mapping| of.get(field.name).map_or_else(|| NONE.to_owned(), text);
        let (from, to) = (value(&live), value(&desired));
        if from != to {
            let why = replaces.iter().find(|(name, _)| *name == field.name).map(|(_, why)| *why);
            diff.push(field.name, from, to, why);
        }
    }
    diff
}

fn written<R: Record>(fields: &R) -> Mapping {
    let mut mapping = Mapping::new();
    fields.write_into(&mut mapping);
    mapping
}

/// Shown for an empty field.
const NONE: &str = "none";

/// On one line.
fn text(value: &Value) -> String {
    match value {
        Value::Null => NONE.to_owned(),
        Value::Sequence(items) if items.is_empty() => NONE.to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Sequence(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Mapping(members) => {
            members.iter().map(|(key, value)| format!("{}: {}", text(key), text(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Tagged(tagged) => text(&tagged.value),
    }
}
