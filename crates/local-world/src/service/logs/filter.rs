//! FilterLogEvents: a group's events, of all its streams or some, that meet a pattern.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::request::AwsError;
use crate::time::Millis;

use super::event::{Event, Snapshot};
use super::pattern::Pattern;
use super::{Call, GroupId, Search, already_given};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(flatten)]
    group: GroupId,
    log_stream_names: Option<Vec<String>>,
    #[serde(default)]
    log_stream_name_prefix: String,
    start_time: Option<Millis>,
    end_time: Option<Millis>,
    #[serde(default)]
    filter_pattern: String,
    next_token: Option<String>,
    limit: Option<usize>,
    start_from_head: Option<bool>,
}

/// In a token of a search that began with the latest event.
const FROM_THE_TAIL: char = '-';
/// A search from the tail may not begin before it: 2024-01-01.
const FIRST_FROM_THE_TAIL: Millis = 1_704_067_200_000;

/// The token is how many matching events were given before, and from which end.
pub fn filter(call: &mut Call) -> Result<Search, AwsError> {
    let input: Filter = call.input()?;
    let group = input.group.name()?;
    call.group(group)?;
    if input.log_stream_names.is_some() && !input.log_stream_name_prefix.is_empty() {
        // The words are ours.
        let message = "LogStream names and LogStream name prefix are mutually exclusive parameters.";
        return Err(AwsError::new("InvalidParameterException", message));
    }
    let given = input.next_token.as_deref().map(|token| token.strip_prefix(FROM_THE_TAIL).ok_or(token));
    let from_the_tail = given.map_or(input.start_from_head == Some(false), |given| given.is_ok());
    let from = already_given(given.map(|given| given.unwrap_or_else(|forwards| forwards)))?;
    if from_the_tail && input.start_time.is_some_and(|start| start < FIRST_FROM_THE_TAIL) {
        // The words are ours.
        let message = "startFromHead may be false only where startTime is on or after January 1, 2024.";
        return Err(AwsError::new("InvalidParameterException", message));
    }
    let pattern = Pattern::parse(&input.filter_pattern)?;
    let prefix = call.stream_key(group, &input.log_stream_name_prefix);
    let among = |name: &str| input.log_stream_names.as_ref().is_none_or(|names| names.iter().any(|n| n == name));
    let streams = call.state.streams.with_prefix(&prefix).filter(|(_, stream)| among(&stream.log_stream_name));
    let streams = streams.map(|(key, stream)| {
        (stream.log_stream_name.clone(), call.state.snapshot(key, call.around.now, call.around.found_until))
    });
    let streams: Vec<(String, Snapshot)> = streams.collect();
    // The end is included here, unlike in GetLogEvents.
    let (start, before) = (input.start_time, input.end_time.map(|end| end.saturating_add(1)));
    let limit = input.limit.unwrap_or(10_000);
    Ok(Box::new(move || {
        let mut found: Vec<(&str, usize, Event)> = vec![];
        for (name, snapshot) in &streams {
            let events = snapshot.events(start, before).into_iter().enumerate();
            let matching = events.filter(|(_, event)| pattern.is_met(event.message));
            found.extend(matching.map(|(index, event)| (name.as_str(), index, event)));
        }
        Ok(page(found, from_the_tail, from, limit))
    }))
}

/// One page of all events that were found, in the order of time.
fn page(mut found: Vec<(&str, usize, Event)>, from_the_tail: bool, from: usize, limit: usize) -> Value {
    found.sort_by_key(|(_, _, event)| event.timestamp);
    if from_the_tail {
        found.reverse();
    }
    let from = from.min(found.len());
    let to = from.saturating_add(limit).min(found.len());
    let shown: Vec<Value> = found[from..to].iter().map(|(stream, index, event)| shown(stream, *index, event)).collect();
    let mut output = json!({ "events": shown, "searchedLogStreams": [] });
    if to < found.len() {
        let end = if from_the_tail { FROM_THE_TAIL.to_string() } else { String::new() };
        output["nextToken"] = format!("{end}{to}").into();
    }
    output
}

/// The event's id is the same in every answer: clients that follow a log tell by it what they have shown.
fn shown(stream: &str, index: usize, event: &Event) -> Value {
    let stream_hash = stream.bytes().fold(0u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    json!({
        "logStreamName": stream,
        "timestamp": event.timestamp,
        "ingestionTime": event.ingestion_time,
        "message": event.message,
        "eventId": format!("{:020}{index:024}{stream_hash:012}", event.timestamp),
    })
}
