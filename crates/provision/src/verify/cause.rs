//! Finds why records are missing or failed: in the error records that were found, else in the log of the delivery stream.

use crate::cloud::Cx;
use crate::firehose_errors::{self, Logged};
use crate::names::plural;
use crate::resource::delivery_stream::shape::log_group;
use crate::verify::account::{Account, Counts};
use crate::verify::fed::Tested;

/// Events of the log that are read.
const EVENTS: i32 = 50;

/// The reason as far as it is known, for people. `None` if nothing is wrong.
pub async fn cause(cx: &Cx, one: &Tested<'_>, account: &Account, counts: &Counts, since_s: i64) -> Option<String> {
    if counts.missing == 0 && counts.failed_unexpectedly == 0 {
        return None;
    }
    if counts.failed_unexpectedly > 0
        && let Some(error) = account.errors.values().max_by_key(|error| error.records)
    {
        return Some(explained(&error.code, &error.message));
    }
    if let Some(told) = logged(cx, one, since_s).await {
        return Some(told);
    }
    if account.strange > 0 && one.delivery.transform.is_some() {
        let sample = account.strange_sample.as_deref().unwrap_or_default();
        return Some(format!(
            "{} that this delivery stream stored since the start are no expected output, the first is {sample}; if the function \
             answers the same record differently each time, pass --identity with a field that stays",
            plural(account.strange, "record")
        ));
    }
    Some(match &one.delivery.log {
        Some(log) => format!("Firehose logs the reason to log group {}", log_group(&log.group, one.name)),
        None => format!(
            "remove `logs: false` from delivery {} and run `up` and `verify` again; Firehose then logs the reason",
            one.logical
        ),
    })
}

/// The newest error in the log of the delivery stream. Whoever may not read the log is told where it is instead.
async fn logged(cx: &Cx, one: &Tested<'_>, since_s: i64) -> Option<String> {
    let log = one.delivery.log.as_ref()?;
    let call = cx.logs().get_log_events().log_group_name(log_group(&log.group, one.name)).log_stream_name(&log.stream);
    let events = call.start_time(since_s * 1000).limit(EVENTS).send().await.ok()?.events.unwrap_or_default();
    newest(events.iter().rev().filter_map(|event| event.message.as_deref()))
}

fn newest<'a>(mut messages: impl Iterator<Item = &'a str>) -> Option<String> {
    let Logged { code, message } = messages.find_map(Logged::read)?;
    Some(explained(&code, &message))
}

/// A code with Firehose's message, its cause and its remedy.
fn explained(code: &str, message: &str) -> String {
    match firehose_errors::find(code) {
        Some(row) => format!("{code}: {row}"),
        None => format!("{code}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_error_is_explained() {
        let messages =
            ["no JSON", r#"{"errorCode":"S3.NoSuchBucket","message":"gone"}"#, r#"{"errorCode":"Odd","message":"x"}"#];
        let told = newest(messages.into_iter()).unwrap();
        assert_eq!(told, "S3.NoSuchBucket: the bucket does not exist; create it, or run `provision up`");
        assert_eq!(newest(messages[2..].iter().copied()).as_deref(), Some("Odd: x"));
    }
}
