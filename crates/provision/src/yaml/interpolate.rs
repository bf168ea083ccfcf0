//! `${VAR}`, `${VAR:-default}` and the literal `$${`. Firehose's own `!{...}` is left alone. Pure.

use super::diagnostic::{Mistake, Span};
use super::tree::{Node, Value};

/// Why a text cannot be filled in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfilled {
    Unset(String),
    Unclosed,
    BadName(String),
}

/// A variable that was asked for, and what stands for it.
pub(crate) type Used = (String, String);

/// `text` with its variables replaced, and these.
pub(crate) fn fill(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<(String, Vec<Used>), Unfilled> {
    let (mut filled, mut used) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        if rest[..dollar].ends_with('$') {
            filled.push_str(&rest[..dollar - 1]);
            filled.push_str("${");
            rest = &rest[dollar + 2..];
            continue;
        }
        filled.push_str(&rest[..dollar]);
        let inner = &rest[dollar + 2..];
        let end = inner.find('}').ok_or(Unfilled::Unclosed)?;
        let (name, default) = match inner[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (&inner[..end], None),
        };
        if !is_variable(name) {
            return Err(Unfilled::BadName(name.to_owned()));
        }
        // As in a shell, `:-` also stands in for a variable that is set to nothing.
        let set = lookup(name).filter(|value| default.is_none() || !value.is_empty());
        let value = set.or(default).ok_or_else(|| Unfilled::Unset(name.to_owned()))?;
        filled.push_str(&value);
        used.push((name.to_owned(), value));
        rest = &inner[end + 1..];
    }
    filled.push_str(rest);
    Ok((filled, used))
}

/// The text that [`fill`] makes `text` of.
pub(crate) fn escape(text: &str) -> String {
    text.replace("${", "$${")
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The names that the list `secrets` marks. What is wrong with the list is said when it is read.
pub(crate) fn marked(root: &Node) -> Vec<String> {
    let Value::Map(sections) = &root.value else { return Vec::new() };
    let secrets = sections.iter().find(|section| section.key == "secrets");
    let Some(Value::List(names)) = secrets.map(|section| &section.value.value) else { return Vec::new() };
    let name = |node: &Node| match &node.value {
        Value::Scalar(name) => Some(name.clone()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Wrong => None,
    };
    names.iter().filter_map(name).collect()
}

/// The text at the end of a path of keys.
pub(crate) fn scalar<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    match (&node.value, path) {
        (Value::Scalar(text), []) => Some(text),
        (Value::Map(pairs), [first, rest @ ..]) => scalar(&pairs.iter().find(|pair| pair.key == *first)?.value, rest),
        _ => None,
    }
}

/// Fills in all scalars below `node`, but for the section `environments`, whose variables are its own. What cannot be filled
/// in is reported and marked as wrong. Returns all variables asked for.
pub(crate) fn fill_tree(
    node: &mut Node,
    lookup: &dyn Fn(&str) -> Option<String>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Used> {
    let mut used = Vec::new();
    if let Value::Map(sections) = &mut node.value {
        for section in sections.iter_mut().filter(|section| section.key != "environments") {
            fill_node(&mut section.value, lookup, mistakes, &mut used);
        }
    }
    used
}

fn fill_node(
    node: &mut Node,
    lookup: &dyn Fn(&str) -> Option<String>,
    mistakes: &mut Vec<Mistake>,
    used: &mut Vec<Used>,
) {
    match &mut node.value {
        Value::Null | Value::Wrong => {}
        Value::List(items) => items.iter_mut().for_each(|item| fill_node(item, lookup, mistakes, used)),
        Value::Map(pairs) => pairs.iter_mut().for_each(|pair| fill_node(&mut pair.value, lookup, mistakes, used)),
        Value::Scalar(text) => match fill(text, lookup) {
            Ok((filled, names)) => {
                node.varies = names.iter().any(|(name, _)| name == "env");
                *text = filled;
                used.extend(names);
            }
            Err(why) => {
                mistakes.push(unfilled(node.at, why));
                node.value = Value::Wrong;
            }
        },
    }
}

/// The mistake at this place.
pub(crate) fn unfilled(at: Span, why: Unfilled) -> Mistake {
    match why {
        Unfilled::Unset(name) if name == "env" => Mistake::error(at, "`${env}` is not set")
            .expected("needs an environment")
            .help("give --env NAME, or write ${env:-NAME}"),
        Unfilled::Unset(name) => Mistake::error(at, format!("the variable `{name}` is not set"))
            .expected("unset, and without a default")
            .help(format!("export {name}, give --set {name}=VALUE, or write ${{{name}:-DEFAULT}}")),
        Unfilled::Unclosed => Mistake::error(at, "`${` without `}`").expected("for a literal `${` write `$${`"),
        Unfilled::BadName(name) => Mistake::error(at, format!("`{name}` is no name of a variable"))
            .expected("letters, digits and `_`; for a literal `${` write `$${`"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "A" => Some("x".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_defaults_and_literals_are_told_apart() {
        for (text, want) in [
            ("plain", Ok("plain")),
            ("${A}-${A}", Ok("x-x")),
            ("${B:-d}", Ok("d")),
            ("${EMPTY:-d}", Ok("d")),
            ("${EMPTY}", Ok("")),
            ("${B:-}", Ok("")),
            ("$${A} $A !{timestamp:yyyy}", Ok("${A} $A !{timestamp:yyyy}")),
            ("${B}", Err(Unfilled::Unset("B".into()))),
            ("${A", Err(Unfilled::Unclosed)),
            ("${a b}", Err(Unfilled::BadName("a b".into()))),
        ] {
            assert_eq!(fill(text, &lookup).map(|(filled, _)| filled), want.map(str::to_owned), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text in ".{0,5}(\\$\\{|[$]{0,2}|[A-Z}]){0,9}") {
            prop_assert_eq!(fill(&escape(&text), &lookup).map(|(filled, _)| filled), Ok(text));
        }
    }
}
