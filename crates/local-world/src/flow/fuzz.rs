//! Fuzz targets: expressions, records and answers of functions.

use bytes::Bytes;
use jiff::Zoned;

use super::answer::{Answer, judge};
use super::prefix::{Facts, PartitionKeys, Prefix, random_string, told};
use super::query::{self, Extraction, Query};
use crate::request::InvokeOutcome;

/// The first line as text, and what comes after it.
fn line_and_rest(input: &[u8]) -> Option<(&str, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&input[..end]).ok()?, &input[end + 1..]))
}

#[test]
fn fuzz_prefix() {
    let time: Zoned = "2026-07-13T14:05:09.123456789+00:00[UTC]".parse().unwrap();
    fuzz::over("prefix", |text| {
        let Ok(text) = std::str::from_utf8(text) else { return };
        match Prefix::parse(text) {
            Ok(prefix) => {
                let keys = prefix.partition_keys().map(|key| (key.clone(), "k".to_owned())).collect::<PartitionKeys>();
                let evaluated = prefix.evaluate(Facts {
                    time: &time,
                    error_type: Some("processing-failed"),
                    partition_keys: &keys,
                    random_string: &random_string("seed"),
                });
                let literal = text.split("!{").next().unwrap_or_default();
                assert!(evaluated.starts_with(literal), "{evaluated}");
            }
            Err(mistake) => assert!(!told(&mistake, "Prefix").is_empty()),
        }
    });
}

/// A query in the first line, and a record: evaluated in a process that may die, as batches do.
#[test]
fn fuzz_query() {
    query::tests::beside();
    fuzz::over("query", |input| {
        let Some((text, record)) = line_and_rest(input) else { return };
        let _ = query::keys(text);
        if let Ok(query) = Query::parse(text) {
            assert!(Extraction::of(&query).keys(record).map_or(true, |keys| keys.len() <= 50));
        }
    });
}

#[test]
fn fuzz_answer() {
    let ids = ["a", "b", "c"].map(String::from);
    fuzz::over("answer", |payload| {
        let payload = Bytes::copy_from_slice(payload);
        let outcome = InvokeOutcome { payload, function_error: None, log: vec![], duration_ms: 1.0 };
        if let Answer::Verdicts(verdicts) = judge(&ids, &outcome) {
            assert_eq!(verdicts.len(), ids.len());
        }
    });
}
