//! A line of a function's log, as people read it. Pure.

use std::borrow::Cow;

use serde::Deserialize;

/// Level, record and message of an object in Lambda's JSON log format. Any other line stays as it is. `place` finds the
/// place of a record in the batch by its ID.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
pub fn readable<'a>(line: &'a str, place: impl Fn(&str) -> Option<usize>) -> Cow<'a, str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Line {
        level: String,
        message: String,
        record_id: Option<String>,
    }
    let Ok(Line { level, message, record_id }) = serde_json::from_str(line) else { return line.into() };
    match record_id.map(|id| (place(&id), id)) {
        Some((Some(place), _)) => format!("{level} record {}: {message}", place + 1).into(),
        Some((None, id)) => format!("{level} {message} (record {id})").into(),
        None => format!("{level} {message}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_lambdas_json_format_is_told_in_short() {
        let place = |id: &str| (id == "a").then_some(1);
        for (line, expected) in [
            (r#"{"timestamp":"t","level":"ERROR","message":"no","recordId":"a"}"#, "ERROR record 2: no"),
            (r#"{"level":"WARN","message":"no","recordId":"b"}"#, "WARN no (record b)"),
            (r#"{"level":"INFO","message":"begun","requestId":"r"}"#, "INFO begun"),
            (r#"{"message":"of the function's own"}"#, r#"{"message":"of the function's own"}"#),
            ("saw 2", "saw 2"),
        ] {
            assert_eq!(readable(line, place), expected);
        }
    }
}
