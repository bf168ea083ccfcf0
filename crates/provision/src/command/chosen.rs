//! Finds the stream, the deliveries and the functions that flags name: by their key in the spec, or by their name on AWS.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::section::Section;
use crate::spec::stack::{Entry, Managed, Stack};

/// The entry of this key or name.
///
/// # Errors
/// The spec has none.
pub(crate) fn named<'a, K: Section>(
    entries: &'a BTreeMap<String, Entry<K>>,
    wanted: &str,
) -> Result<(&'a String, &'a Entry<K>)> {
    let found = entries.get_key_value(wanted).or_else(|| entries.iter().find(|(_, entry)| entry.physical() == wanted));
    found.ok_or_else(|| {
        let noun = K::NOUN.split_once(' ').map_or(K::NOUN, |(_, noun)| noun);
        let keys: Vec<&str> = entries.keys().map(String::as_str).collect();
        let error = Error::msg(format!("the spec has no {noun} {wanted}"));
        if keys.is_empty() { error } else { error.hint(format!("it has {}", keys.join(", "))) }
    })
}

/// The only entry that is not somebody else's.
///
/// # Errors
/// There is none, or there are several. `flag` would choose one.
pub(crate) fn only<'a, K: Section>(
    entries: &'a BTreeMap<String, Entry<K>>,
    flag: &str,
) -> Result<(&'a String, &'a Entry<K>)> {
    let mut managed = entries.iter().filter(|(_, entry)| entry.managed().is_some());
    let noun = K::NOUN.split_once(' ').map_or(K::NOUN, |(_, noun)| noun);
    match (managed.next(), managed.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => {
            Err(Error::msg(format!("the spec has no {noun} of its own")).hint(format!("name one with {flag}")))
        }
        (Some(_), Some(_)) => {
            let keys: Vec<&str> = entries.keys().map(String::as_str).collect();
            let hint = format!("choose one with {flag}: {}", keys.join(", "));
            Err(Error::msg(format!("the spec has several entries of the kind {noun}")).hint(hint))
        }
    }
}

/// The name that a reference means: of a name or an ARN.
pub(crate) fn name_of(physical: &str) -> &str {
    physical.rsplit('/').next().unwrap_or(physical)
}

/// The managed entries of these keys or names; without any, all.
///
/// # Errors
/// One is not in the spec, or belongs to somebody else.
pub(crate) fn managed<'a, K: Section>(
    entries: &'a BTreeMap<String, Entry<K>>,
    wanted: &[String],
) -> Result<Vec<(&'a String, &'a Managed<K>)>> {
    if wanted.is_empty() {
        return Ok(entries.iter().filter_map(|(key, entry)| Some((key, entry.managed()?))).collect());
    }
    let one = |wanted: &String| {
        let (key, entry) = named(entries, wanted)?;
        let managed = entry.managed().ok_or_else(|| Error::msg(format!("{wanted} is only referred to in the spec")))?;
        Ok((key, managed))
    };
    wanted.iter().map(one).collect()
}

/// The spec of a session that was opened with one.
pub(crate) fn stack(session: &crate::session::Session) -> &Stack {
    session.stack.as_ref().expect("a session that was opened with a spec has its stack")
}

/// The first word is the spec if it is a YAML file.
pub(crate) fn spec_and_words(words: &[PathBuf]) -> (Option<&PathBuf>, &[PathBuf]) {
    match words.split_first() {
        Some((first, rest)) if first.extension().is_some_and(|end| end == "yaml" || end == "yml") => {
            (Some(first), rest)
        }
        _ => (None, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_the_spec_if_it_is_yaml() {
        let words = |texts: &[&str]| texts.iter().map(PathBuf::from).collect::<Vec<_>>();
        let told = |texts: &[&str]| {
            let words = words(texts);
            let (spec, files) = spec_and_words(&words);
            (spec.map(|path| path.display().to_string()), files.len())
        };
        assert_eq!(told(&["a.yaml", "b.jsonl"]), (Some("a.yaml".into()), 1));
        assert_eq!(told(&["b.jsonl", "a.yaml"]), (None, 2));
        assert_eq!(told(&["-"]), (None, 1));
        assert_eq!(told(&[]), (None, 0));
    }
}
