//! The generated tables, read once.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use regex_lite::Regex;
use serde::Deserialize;
use serde_json::Number;

pub static MODELS: LazyLock<HashMap<String, Service>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../constraints.json")).expect("a test reads the checked-in tables")
});

#[derive(Debug, Deserialize)]
pub struct Service {
    /// The input shape's name of each operation.
    pub operations: HashMap<String, String>,
    shapes: HashMap<String, Shape>,
}

impl Service {
    pub fn shape(&self, name: &str) -> &Shape {
        self.shapes.get(name).expect("a test finds every shape that another names")
    }

    /// The shape of a list's items, or of a map's keys or values. Those kinds always name it.
    pub fn of(&self, part: &Option<String>) -> &Shape {
        self.shape(part.as_deref().expect("a test finds the parts of every list and map"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Structure,
    List,
    Map,
    String,
    Number,
    Boolean,
    Timestamp,
    Blob,
}

#[derive(Debug, Deserialize)]
pub struct Shape {
    #[serde(rename = "type")]
    pub kind: Kind,
    /// A structure's members and their shapes, in the model's order.
    #[serde(default)]
    pub members: Vec<(String, String)>,
    #[serde(default)]
    pub required: Vec<String>,
    /// Members of a structure that travel in headers, and the headers.
    #[cfg(test)]
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// A list's items.
    pub member: Option<String>,
    pub key: Option<String>,
    pub value: Option<String>,
    /// Bounds of a number, or of a length, as the model writes them: of decimals `1.0`.
    pub min: Option<Number>,
    pub max: Option<Number>,
    pub pattern: Option<String>,
    #[serde(rename = "enum", default)]
    pub values: Vec<String>,
    #[serde(skip)]
    compiled: OnceLock<Option<Pattern>>,
}

impl Shape {
    pub fn is_scalar(&self) -> bool {
        !matches!(self.kind, Kind::Structure | Kind::List | Kind::Map)
    }

    /// Does the whole text match the pattern? Patterns that cannot be translated match everything.
    pub fn matches(&self, text: &str) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        self.compiled.get_or_init(|| compile(pattern)).as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

#[derive(Debug)]
struct Pattern {
    /// Matches the whole text.
    is: Regex,
    /// Matches the beginning of texts that are wrong.
    is_not: Option<Regex>,
}

impl Pattern {
    fn is_match(&self, text: &str) -> bool {
        self.is.is_match(text) && !self.is_not.as_ref().is_some_and(|not| not.is_match(text))
    }
}

/// Translated, but for what looks ahead or behind within: that only guards addresses and names that are used here nowhere.
fn compile(pattern: &str) -> Option<Pattern> {
    let begins_not = pattern.strip_prefix('^').unwrap_or(pattern).strip_prefix("(?!");
    let (not, rest) = match begins_not.and_then(|rest| rest.split_once(')')) {
        Some((not, rest)) => (Some(not), rest),
        None => (None, pattern),
    };
    let is_not = match not {
        Some(not) => Some(Regex::new(&format!("^(?:{not})")).ok()?),
        None => None,
    };
    Some(Pattern { is: translated(rest)?, is_not })
}

/// Java's classes of letters, numbers and separators are near enough as ASCII's and everything beyond ASCII.
fn translated(pattern: &str) -> Option<Regex> {
    let translated = pattern
        .replace(r"\p{L}", r"a-zA-Z\x{80}-\x{10FFFF}")
        .replace(r"\p{N}", "0-9")
        .replace(r"\p{Z}", " ")
        .replace(r"[\w-_", r"[\w\-_")
        // Other escapes have four digits, and these have more.
        .replace(r"\u10000-\u10FFFF", r"\x{10000}-\x{10FFFF}");
    Regex::new(&format!("^(?:{translated})$")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_that_another_names_is_there() {
        for tables in MODELS.values() {
            for input in tables.operations.values() {
                assert_eq!(tables.shape(input).kind, Kind::Structure, "{input}");
            }
            for shape in tables.shapes.values() {
                let parts = match shape.kind {
                    Kind::List => vec![&shape.member],
                    Kind::Map => vec![&shape.key, &shape.value],
                    _ => vec![],
                };
                let parts = parts.into_iter().map(|part| part.as_ref().expect("a list or map has its parts"));
                for name in parts.chain(shape.members.iter().map(|(_, member)| member)) {
                    assert!(tables.shapes.contains_key(name), "{name}");
                }
            }
        }
    }

    #[test]
    fn only_patterns_that_look_around_are_skipped() {
        let shapes = MODELS.values().flat_map(|tables| tables.shapes.values());
        let mut skipped: Vec<&str> =
            shapes.filter_map(|shape| shape.pattern.as_deref()).filter(|pattern| compile(pattern).is_none()).collect();
        skipped.sort_unstable();
        skipped.dedup();
        let looks_around = |pattern: &&str| pattern.contains("(?!") || pattern.contains("(?<!");
        let others: Vec<&&str> = skipped.iter().filter(|pattern| !looks_around(pattern)).collect();
        assert!(others.is_empty(), "{others:#?}");
        assert!(!skipped.is_empty(), "else the note on the translation is out of date");
    }

    #[test]
    fn patterns_are_anchored_and_know_letters_of_all_languages() {
        let matches = |pattern, text| compile(pattern).map(|regex| regex.is_match(text));
        assert_eq!(matches("[a-z]+", "abc"), Some(true));
        assert_eq!(matches("[a-z]+", "abc-"), Some(false));
        assert_eq!(matches("a|b", "ab"), Some(false));
        assert_eq!(matches(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$", "größe 1"), Some(true));
        assert_eq!(matches(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$", "a!"), Some(false));
        assert_eq!(
            ["2024", "v2024", "2024-1"].map(|name| matches("(?!^[0-9]+$)([a-z0-9-]+)", name)),
            [Some(false), Some(true), Some(true),]
        );
        assert_eq!([" ", " a"].map(|name| matches(r"^(?!\s*$).+", name)), [Some(false), Some(true)]);
    }
}
