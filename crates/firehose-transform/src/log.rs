//! Log lines: JSON objects on standard error with the field names of Lambda's own JSON format, so that CloudWatch Logs Insights
//! finds a record by its id.

use std::env;
use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::batch::Failure;
use crate::record::Invocation;

/// The level of a log line, from least to most severe.
///
/// Lambda sets `AWS_LAMBDA_LOG_LEVEL` if the function's log format is JSON. Lines below that level are not written; without the
/// variable the level is [`Info`](Level::Info).
/// See <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Details for whoever debugs the function. Lambda's `TRACE` enables it too.
    Debug,
    /// Normal events.
    Info,
    /// Something unexpected that the transform could handle.
    Warn,
    /// A failure. Failed records are logged at this level.
    Error,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    timestamp: String,
    level: Level,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_id: Option<&'a str>,
}

pub(crate) fn line(level: Level, message: impl fmt::Display, invocation: &Invocation, record_id: Option<&str>) {
    lines(level, invocation, [(&message.to_string(), record_id)]);
}

/// Logs each failed record with its id and reason.
pub(crate) fn failures(failures: &[Failure], invocation: &Invocation) {
    let lines_of = failures.iter().map(|failure| (&failure.reason, Some(failure.record_id.as_str())));
    lines(Level::Error, invocation, lines_of);
}

/// Writes all lines at once, because a batch may have thousands.
fn lines<'a>(level: Level, invocation: &Invocation, messages: impl IntoIterator<Item = (&'a String, Option<&'a str>)>) {
    static LEAST: OnceLock<Level> = OnceLock::new();
    if level < *LEAST.get_or_init(|| least(env::var("AWS_LAMBDA_LOG_LEVEL").ok().as_deref())) {
        return;
    }
    let timestamp = timestamp(SystemTime::now());
    let (request_id, trace_id) = (invocation.request_id.as_str(), trace_id(invocation));
    let mut text = Vec::new(); // one write, so that lines of other threads do not come between
    for (message, record_id) in messages {
        let line = Line { timestamp: timestamp.clone(), level, message, request_id, trace_id, record_id };
        serde_json::to_writer(&mut text, &line).expect("texts are JSON");
        text.push(b'\n');
    }
    if !text.is_empty() {
        let _ = io::stderr().lock().write_all(&text); // where standard error is closed, there is nobody to tell
    }
}

/// The trace id that X-Ray links log lines by: the part after `Root=` in the header.
fn trace_id(invocation: &Invocation) -> Option<&str> {
    invocation.trace_id.as_deref()?.split(';').find_map(|part| part.trim().strip_prefix("Root="))
}

fn least(named: Option<&str>) -> Level {
    match named.map(str::to_ascii_uppercase).as_deref() {
        Some("TRACE" | "DEBUG") => Level::Debug,
        Some("WARN") => Level::Warn,
        Some("ERROR" | "FATAL") => Level::Error,
        _ => Level::Info,
    }
}

/// For example `2026-11-23T02:50:41.123Z`.
fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}Z", second % 60, since.subsec_millis())
}

/// The Gregorian date `days` after 1970-01-01. Years begin in March here, so that a leap day is the last day of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, of_era) = (days / 146_097, days % 146_097); // 400 years each
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153; // March is 0
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_as_people_read_them() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (ms, expected) in table {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_millis(ms)), expected);
        }
    }

    #[test]
    fn a_line_is_an_object_in_lambdas_words() {
        let line = Line {
            timestamp: "now".to_owned(),
            level: Level::Error,
            message: "a \"b\"",
            request_id: "r",
            trace_id: Some("1-5"),
            record_id: Some("7"),
        };
        let expected =
            r#"{"timestamp":"now","level":"ERROR","message":"a \"b\"","requestId":"r","traceId":"1-5","recordId":"7"}"#;
        assert_eq!(serde_json::to_string(&line).expect("it is JSON"), expected);
    }

    #[test]
    fn a_trace_is_named_by_its_root() {
        let table = [
            (Some("Root=1-5759e988-bd86;Parent=53995c3f42cd8ad8;Sampled=1"), Some("1-5759e988-bd86")),
            (Some("Self=1-a; Root=1-b"), Some("1-b")),
            (Some("Sampled=0"), None),
            (None, None),
        ];
        for (header, expected) in table {
            let invocation = Invocation { trace_id: header.map(str::to_owned), ..Invocation::default() };
            assert_eq!(trace_id(&invocation), expected, "{header:?}");
        }
    }

    #[test]
    fn lambdas_levels_are_understood() {
        let table = [
            (None, Level::Info),
            (Some("trace"), Level::Debug),
            (Some("WARN"), Level::Warn),
            (Some("FATAL"), Level::Error),
        ];
        for (named, expected) in table {
            assert_eq!(least(named), expected, "{named:?}");
        }
    }
}
