//! Records that hold several documents, split so that each finds its own partition.
//! <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-multirecord-deaggergation.html>

use bytes::Bytes;
use serde_json::value::RawValue;

/// The most documents of a record.
const MOST: usize = 500;

/// How a record's documents are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// JSON objects, one after the other, with or without white space between them.
    Json,
    /// Whatever is between these bytes.
    Delimited(Bytes),
}

impl Split {
    /// Copies no data. What is empty is no document. `None` for a record that stays whole: what is in it are not such
    /// documents, or too many. What comes after says whether it can use that.
    pub fn split(&self, data: &Bytes) -> Option<Vec<Bytes>> {
        let parts = match self {
            Split::Json => objects(data)?,
            Split::Delimited(delimiter) => between(data, delimiter),
        };
        (parts.len() <= MOST).then_some(parts)
    }
}

fn objects(data: &Bytes) -> Option<Vec<Bytes>> {
    let documents = serde_json::Deserializer::from_slice(data).into_iter::<&RawValue>();
    let object = |document: serde_json::Result<&RawValue>| {
        let text = document.ok()?.get();
        text.starts_with('{').then(|| data.slice_ref(text.as_bytes()))
    };
    documents.map(object).collect()
}

fn between(data: &Bytes, delimiter: &[u8]) -> Vec<Bytes> {
    let mut out = vec![];
    let (mut start, mut at) = (0, 0);
    while at + delimiter.len() <= data.len() {
        if data[at..].starts_with(delimiter) {
            out.push(data.slice(start..at));
            at += delimiter.len();
            start = at;
        } else {
            at += 1;
        }
    }
    out.push(data.slice(start..));
    out.retain(|part| !part.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(split: &Split, data: &str) -> Option<Vec<String>> {
        let parts = split.split(&Bytes::copy_from_slice(data.as_bytes()))?;
        Some(parts.iter().map(|part| String::from_utf8(part.to_vec()).unwrap()).collect())
    }

    #[test]
    fn documents_are_told_apart() {
        let hashes = || Split::Delimited("###".into());
        let table: &[(Split, &str, Option<&[&str]>)] = &[
            (Split::Json, r#"{"a":1}{"a":2}"#, Some(&[r#"{"a":1}"#, r#"{"a":2}"#])),
            (Split::Json, "{\"a\":\"}\"}\n {\"b\": {}} \n", Some(&["{\"a\":\"}\"}", "{\"b\": {}}"])),
            (Split::Json, " ", Some(&[])),
            (Split::Json, r#"[{"a":1},{"a":2}]"#, None),
            (Split::Json, r#"{"a":1} 7"#, None),
            (Split::Json, r#"{"a":1}{"#, None),
            (hashes(), "a###b", Some(&["a", "b"])),
            (hashes(), "###a####b###", Some(&["a", "#b"])),
            (hashes(), "##", Some(&["##"])),
            (hashes(), "", Some(&[])),
        ];
        for (split, data, expected) in table {
            let expected = expected.map(|parts| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
            assert_eq!(told(split, data), expected, "{split:?} {data}");
        }
    }

    #[test]
    fn at_most_five_hundred_are_in_a_record() {
        assert_eq!(told(&Split::Json, &"{}".repeat(500)).map(|parts| parts.len()), Some(500));
        assert_eq!(told(&Split::Json, &"{}".repeat(501)), None);
        assert!(told(&Split::Json, &"{\"a\":".repeat(100_000)).is_none(), "however deep it goes");
    }
}
