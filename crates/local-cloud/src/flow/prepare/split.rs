//! Records that hold several documents, split so that each finds its own partition.
//! <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-multirecord-deaggergation.html>

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::flow::failure::Failure;

/// The most documents of a record.
const MOST: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// JSON objects, one after the other, with or without white space between them.
    Json,
    /// Whatever is between these bytes.
    Delimited(Bytes),
}

impl Split {
    /// Copies no data. What is empty is no document.
    pub fn split(&self, data: &Bytes) -> Result<Vec<Bytes>, Failure> {
        let parts = match self {
            Split::Json => objects(data)?,
            Split::Delimited(delimiter) => between(data, delimiter),
        };
        if parts.len() > MOST {
            return Err(failed(format!("The record holds {} records. At most {MOST} are allowed.", parts.len())));
        }
        Ok(parts)
    }
}

fn objects(data: &Bytes) -> Result<Vec<Bytes>, Failure> {
    let mut out = vec![];
    for document in serde_json::Deserializer::from_slice(data).into_iter::<&RawValue>() {
        match document {
            Ok(document) if document.get().starts_with('{') => out.push(data.slice_ref(document.get().as_bytes())),
            Ok(_) => return Err(failed("The record holds JSON that is not an object.".into())),
            Err(error) => return Err(failed(format!("The record is not valid JSON: {error}."))),
        }
    }
    Ok(out)
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

fn failed(message: String) -> Failure {
    Failure::new("DynamicPartitioning.RecordDeAggregationFailed", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(split: &Split, data: &str) -> Option<Vec<String>> {
        let parts = split.split(&Bytes::copy_from_slice(data.as_bytes())).ok()?;
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
