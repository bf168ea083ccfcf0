//! Events: written to a stream, and read back page by page.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::request::AwsError;
use crate::time::Millis;

use super::stream::{Batch, no_stream};
use super::{Call, GroupId, Outcome, Search, State, invalid_token};

/// An event may be this much ahead, or this old.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
const MAX_AHEAD_MS: Millis = 2 * 3_600_000;
const MAX_AGE_MS: Millis = 14 * 86_400_000;

/// One event as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    pub timestamp: Millis,
    pub ingestion_time: Millis,
    pub message: &'a str,
}

/// The batches of a stream, shared with it: a search through them goes on beside the world.
#[derive(Debug)]
pub struct Snapshot {
    kept_from: Option<Millis>,
    batches: Vec<Batch>,
}

impl State {
    /// The batches that are found: none that came in after `found_until`.
    pub fn snapshot(&self, stream_key: &str, now: Millis, found_until: Millis) -> Snapshot {
        let prefix = format!("{stream_key}:");
        let batches = self.batches.with_prefix(&prefix).map(|(_, batch)| batch);
        let batches = batches.filter(|batch| batch.ingestion_time <= found_until).cloned();
        Snapshot { kept_from: self.kept_from(stream_key, now), batches: batches.collect() }
    }
}

impl Snapshot {
    /// The events from `start` to before `end`, by time, those of the same time as written.
    pub fn events(&self, start: Option<Millis>, end: Option<Millis>) -> Vec<Event<'_>> {
        let start = start.max(self.kept_from);
        let mut events: Vec<Event> = vec![];
        for batch in &self.batches {
            let ingestion_time = batch.ingestion_time;
            let within = |time: Millis| start.is_none_or(|start| time >= start) && end.is_none_or(|end| time < end);
            let wanted = batch.events.iter().filter(|(time, _)| within(*time));
            events.extend(wanted.map(|(time, message)| Event { timestamp: *time, ingestion_time, message }));
        }
        events.sort_by_key(|event| event.timestamp);
        events
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<PutEvent>,
}

#[derive(Deserialize)]
struct PutEvent {
    timestamp: Millis,
    message: String,
}

pub fn put(call: &mut Call) -> Outcome {
    let input: Put = call.input()?;
    call.group(&input.log_group_name)?;
    let key = call.stream_key(&input.log_group_name, &input.log_stream_name);
    let events = input.log_events;
    if !events.is_sorted_by_key(|event| event.timestamp) {
        let message = "Log events in a single PutLogEvents request must be in chronological order.";
        return Err(AwsError::new("InvalidParameterException", message));
    }
    if !call.state.streams.contains(&key) {
        return Err(no_stream());
    }
    let before = |time: Millis| events.partition_point(|event| event.timestamp < time);
    let too_old = before(call.around.now.saturating_sub(MAX_AGE_MS));
    let expired = call.state.kept_from(&key, call.around.now).map_or(0, before);
    let too_new = before(call.around.now + MAX_AHEAD_MS + 1);
    let count = events.len();
    let taken = events.into_iter().take(too_new).skip(too_old.max(expired));
    let taken = taken.map(|event| (event.timestamp, event.message));
    call.state.write(&key, taken.collect(), call.around.now);
    let token = call.state.streams.get(&key).map(|stream| stream.upload_sequence_token.clone());
    let mut output = json!({ "nextSequenceToken": token });
    if too_old > 0 {
        output["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] = too_old.into();
    }
    if expired > too_old {
        output["rejectedLogEventsInfo"]["expiredLogEventEndIndex"] = expired.into();
    }
    if too_new < count {
        output["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] = too_new.into();
    }
    Ok(output)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Get {
    #[serde(flatten)]
    group: GroupId,
    log_stream_name: String,
    start_time: Option<Millis>,
    end_time: Option<Millis>,
    next_token: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    start_from_head: bool,
}

pub fn get(call: &mut Call) -> Result<Search, AwsError> {
    let input: Get = call.input()?;
    let group = input.group.name()?;
    call.group(group)?;
    let key = call.stream_key(group, &input.log_stream_name);
    if !call.state.streams.contains(&key) {
        return Err(no_stream());
    }
    let snapshot = call.state.snapshot(&key, call.around.now, call.around.found_until);
    Ok(Box::new(move || read(&input, &snapshot)))
}

fn read(input: &Get, snapshot: &Snapshot) -> Outcome {
    let events = snapshot.events(input.start_time, input.end_time);
    let limit = input.limit.unwrap_or(10_000);
    let (from, to) = page(events.len(), limit, input.next_token.as_deref(), input.start_from_head)?;
    let shown = events[from..to].iter().map(|event| {
        json!({ "timestamp": event.timestamp, "ingestionTime": event.ingestion_time, "message": event.message })
    });
    Ok(json!({
        "events": shown.collect::<Vec<Value>>(),
        "nextForwardToken": format!("f/{to:056}"),
        "nextBackwardToken": format!("b/{from:056}"),
    }))
}

/// Which of `count` events a page holds. A token is a direction and the place between two events where it stands; at an
/// end it is given back as it came, which is how clients see the end.
fn page(count: usize, limit: usize, token: Option<&str>, from_head: bool) -> Result<(usize, usize), AwsError> {
    let (forward, at) = match token {
        None if from_head => (true, 0),
        None => (false, count),
        Some(token) => {
            let (direction, at) = token.split_once('/').unwrap_or_default();
            let at = at.parse::<usize>().ok().filter(|_| matches!(direction, "f" | "b"));
            (direction == "f", at.ok_or_else(invalid_token)?.min(count))
        }
    };
    Ok(if forward { (at, (at + limit).min(count)) } else { (at.saturating_sub(limit), at) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_both_ways_and_stand_still_at_the_ends() {
        for (token, from_head, expected) in [
            (None, true, (0, 4)),
            (None, false, (6, 10)),
            (Some("f/4"), false, (4, 8)),
            (Some("f/8"), false, (8, 10)),
            (Some("f/10"), true, (10, 10)),
            (Some("b/6"), true, (2, 6)),
            (Some("b/0"), false, (0, 0)),
        ] {
            assert_eq!(page(10, 4, token, from_head).unwrap(), expected, "{token:?} {from_head}");
        }
        assert!(page(10, 4, Some("x/1"), true).is_err());
    }
}
