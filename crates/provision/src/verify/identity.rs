//! The part of an output that tells records apart. It is all of it, unless the function answers the same record differently each time.

use std::collections::{BTreeSet, HashSet};

use local_cloud::delivery::query::{Extraction, Query};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::verify::index::fingerprint;

/// How outputs are compared.
#[derive(Debug, PartialEq)]
pub enum Identity {
    /// Byte for byte.
    Bytes,
    /// By these fields of a JSON object, which stayed the same when the function was asked twice.
    Fields(BTreeSet<String>),
    /// By the value of a jq expression: a query that puts it under [`KEY`].
    Jq { expression: String, query: Query },
}

const KEY: &str = "identity";

impl Identity {
    /// `text` is a field's name, or a jq expression.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Identity> {
        let is_field = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        let expression = if is_field { format!(".[\"{text}\"]") } else { text.to_owned() };
        let query = Query::parse(&format!("{{{KEY}: (({expression}) | tojson)}}"));
        let query = query.map_err(|_| {
            Error::msg(format!("--identity {text} is neither the name of a field nor a jq expression"))
                .hint("for example --identity order_id, or --identity '.order.id'")
        })?;
        Ok(Identity::Jq { expression: text.to_owned(), query })
    }

    /// For people. `None` for all bytes.
    pub fn told(&self) -> Option<String> {
        match self {
            Identity::Bytes => None,
            Identity::Fields(fields) => {
                Some(format!("the fields {}", fields.iter().cloned().collect::<Vec<_>>().join(", ")))
            }
            Identity::Jq { expression, .. } => Some(format!("the expression {expression}")),
        }
    }

    /// Reads the identities of some outputs.
    pub fn reader(&self) -> Reader<'_> {
        let query = if let Identity::Jq { query, .. } = self { Some(Extraction::of(query)) } else { None };
        Reader { identity: self, query }
    }
}

pub struct Reader<'a> {
    identity: &'a Identity,
    query: Option<Extraction<'a>>,
}

impl Reader<'_> {
    /// The fingerprint of an output's identity. `None` if it has none.
    pub fn of(&mut self, output: &[u8]) -> Option<u64> {
        match self.identity {
            Identity::Bytes => Some(fingerprint(output)),
            Identity::Fields(fields) => Some(fingerprint(projected(&object(output)?, fields).as_bytes())),
            Identity::Jq { .. } => {
                let found = self.query.as_mut()?.keys(output).ok()?;
                found.get(KEY).filter(|value| *value != "null").map(|value| fingerprint(value.as_bytes()))
            }
        }
    }
}

/// The identity for the outputs of a function that was asked twice for the same records, `None` where a record had no output.
///
/// # Errors
/// Why no identity can be found, for people.
pub fn that_stays(first: &[Option<Vec<u8>>], second: &[Option<Vec<u8>>]) -> std::result::Result<Identity, String> {
    if first == second {
        return Ok(Identity::Bytes);
    }
    let pairs = first.iter().zip(second).filter_map(|(first, second)| Some((first.as_ref()?, second.as_ref()?)));
    let pairs: Option<Vec<_>> = pairs.map(|(first, second)| Some((object(first)?, object(second)?))).collect();
    let pairs = pairs.ok_or("it answers the same record differently each time")?;
    let (mut stay, mut change) = (BTreeSet::new(), BTreeSet::new());
    for (first, second) in &pairs {
        for name in first.keys().chain(second.keys()) {
            let same = first.get(name) == second.get(name);
            if same { &mut stay } else { &mut change }.insert(name.clone());
        }
    }
    let stay: BTreeSet<String> = stay.difference(&change).cloned().collect();
    let fields = |fields: &BTreeSet<String>| fields.iter().cloned().collect::<Vec<_>>().join(", ");
    let distinct: HashSet<String> = pairs.iter().map(|(first, _)| projected(first, &stay)).collect();
    if stay.is_empty() || distinct.len() < pairs.len() {
        let others = if stay.is_empty() { "no other field" } else { "not enough in its other fields" };
        return Err(format!(
            "it answers the same record differently each time ({}), and {others} tells records apart",
            fields(&change)
        ));
    }
    Ok(Identity::Fields(stay))
}

fn object(output: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(output).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn projected(object: &Map<String, Value>, fields: &BTreeSet<String>) -> String {
    let named = fields.iter().map(|name| (name, object.get(name)));
    serde_json::to_string(&named.collect::<Vec<_>>()).expect("JSON serialises")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(texts: &[&str]) -> Vec<Option<Vec<u8>>> {
        texts.iter().map(|text| Some(text.as_bytes().to_vec()).filter(|bytes| !bytes.is_empty())).collect()
    }

    fn stays(first: &[&str], second: &[&str]) -> std::result::Result<Option<String>, String> {
        that_stays(&outputs(first), &outputs(second)).map(|identity| identity.told())
    }

    #[test]
    fn what_stays_the_same_identifies_records_if_it_tells_them_apart() {
        let same = [r#"{"n":1}"#, ""];
        assert_eq!(stays(&same, &same), Ok(None));
        let (first, second) =
            ([r#"{"n":1,"id":"a"}"#, r#"{"n":2,"id":"b"}"#], [r#"{"n":1,"id":"c"}"#, r#"{"n":2,"id":"d"}"#]);
        assert_eq!(stays(&first, &second), Ok(Some("the fields n".into())));
        let told =
            stays(&[r#"{"k":1,"id":"a"}"#, r#"{"k":1,"id":"b"}"#], &[r#"{"k":1,"id":"c"}"#, r#"{"k":1,"id":"d"}"#]);
        assert!(told.as_ref().is_err_and(|why| why.contains("(id)") && why.contains("not enough")), "{told:?}");
        assert!(stays(&["a"], &["b"]).is_err());
    }

    #[test]
    fn outputs_with_the_same_identity_have_the_same_fingerprint() {
        let fields = Identity::Fields(["n".to_owned()].into());
        let by_name = Identity::parse("n").unwrap();
        let by_expression = Identity::parse(".n").unwrap();
        for identity in [&fields, &by_name, &by_expression] {
            let mut reader = identity.reader();
            let [a, b, c] =
                [r#"{"n":1,"id":7}"#, r#"{"id":8,"n":1}"#, r#"{"n":2}"#].map(|text| reader.of(text.as_bytes()));
            assert!(a.is_some() && a == b && a != c, "{identity:?}");
        }
        assert_eq!(by_name.reader().of(b"{}"), None);
        assert!(Identity::parse(".n |").is_err());
    }
}
