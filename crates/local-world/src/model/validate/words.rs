//! One value against its own shape's bounds, and how AWS says it.

use serde_json::{Number, Value};

use super::model::{Kind, Shape};

pub const NOT_NULL: &str = "Member must not be null";
/// In bytes. Of a longer text only the bound is told, where it breaks that for certain: a character has up to four bytes. To match
/// megabytes with a pattern takes long.
const MOST_MATCHED: usize = 64 << 10;
const ONE_OF: &str = "Member must satisfy enum value set";

/// The constraints that a value breaks, in AWS's order: pattern, then lower, then upper bound. Of an enumeration the values
/// are named where it `lists` them.
pub fn violated(shape: &Shape, value: &Value, lists: bool) -> Vec<String> {
    let mut out = vec![];
    if let Some(text) = value.as_str() {
        if !shape.values.is_empty() && !shape.values.iter().any(|known| known == text) {
            out.push(if lists { one_of(shape) } else { ONE_OF.into() });
        }
        let far_too_long =
            text.len() > MOST_MATCHED && bound(&shape.max).is_some_and(|max| text.len() as f64 > 4.0 * max);
        if !far_too_long && !shape.matches(text) {
            out.extend(pattern(shape));
        }
    }
    let Some(size) = size(shape.kind, value) else { return out };
    if bound(&shape.min).is_some_and(|min| size < min) {
        out.extend(lower(shape));
    }
    if bound(&shape.max).is_some_and(|max| size > max) {
        out.extend(upper(shape));
    }
    out
}

/// All constraints of a map's keys or values or of a list's items, broken or not: AWS does not say which one is. Where it
/// `wants` a value, it names that too.
pub fn of_all(of: &str, shape: &Shape, wants: bool) -> String {
    let enumerated = (!shape.values.is_empty()).then(|| one_of(shape));
    let there = wants.then(|| NOT_NULL.to_owned());
    let all: Vec<String> =
        [upper(shape), lower(shape), pattern(shape), enumerated, there].into_iter().flatten().collect();
    format!("{of} must satisfy constraint: [{}]", all.join(", "))
}

/// A value as Java prints it.
pub fn echo(shape: &Shape, value: &Value) -> String {
    if shape.kind == Kind::Blob {
        let size = value.as_str().map_or(0, blob_bytes);
        return format!("java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]");
    }
    plain(value)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}={}", plain(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The unit of the bounds: a number itself, or a length in characters, bytes or items.
fn size(kind: Kind, value: &Value) -> Option<f64> {
    match (kind, value) {
        (Kind::Number, Value::Number(number)) => number.as_f64(),
        (Kind::Blob, Value::String(text)) => Some(blob_bytes(text) as f64),
        (Kind::String, Value::String(text)) => Some(text.chars().count() as f64),
        (Kind::List, Value::Array(items)) => Some(items.len() as f64),
        (Kind::Map, Value::Object(entries)) => Some(entries.len() as f64),
        _ => None,
    }
}

fn blob_bytes(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

fn bound(bound: &Option<Number>) -> Option<f64> {
    bound.as_ref().and_then(Number::as_f64)
}

fn one_of(shape: &Shape) -> String {
    format!("{ONE_OF}: [{}]", shape.values.join(", "))
}

fn pattern(shape: &Shape) -> Option<String> {
    Some(format!("Member must satisfy regular expression pattern: {}", shape.pattern.as_deref()?))
}

fn lower(shape: &Shape) -> Option<String> {
    Some(format!("Member must have {} greater than or equal to {}", measure(shape), shape.min.as_ref()?))
}

fn upper(shape: &Shape) -> Option<String> {
    Some(format!("Member must have {} less than or equal to {}", measure(shape), shape.max.as_ref()?))
}

fn measure(shape: &Shape) -> &'static str {
    if shape.kind == Kind::Number { "value" } else { "length" }
}
