//! FilterLogEvents: a group's events, of all its streams or some, that meet a pattern.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::settings::Millis;

use super::event::Event;
use super::pattern::Pattern;
use super::{Call, Outcome, group_name};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(alias = "logGroupIdentifier")]
    log_group_name: String,
    log_stream_names: Option<Vec<String>>,
    #[serde(default)]
    log_stream_name_prefix: String,
    start_time: Option<Millis>,
    end_time: Option<Millis>,
    #[serde(default)]
    filter_pattern: String,
    next_token: Option<String>,
    limit: Option<usize>,
}

/// The token is how many matching events were given before.
pub fn filter(call: &mut Call) -> Outcome {
    let input: Filter = call.input()?;
    let group = group_name(&input.log_group_name);
    call.group(group)?;
    let pattern = Pattern::parse(&input.filter_pattern)?;
    let prefix = call.stream_key(group, &input.log_stream_name_prefix);
    let among = |name: &str| input.log_stream_names.as_ref().is_none_or(|names| names.iter().any(|n| n == name));
    let streams = call.state.streams.with_prefix(&prefix).filter(|(_, stream)| among(&stream.log_stream_name));
    let mut found: Vec<(&str, usize, Event)> = vec![];
    for (key, stream) in streams {
        let events = call.state.events(key, call.now, input.start_time, input.end_time).into_iter().enumerate();
        let matching = events.filter(|(_, event)| pattern.is_met(event.message));
        found.extend(matching.map(|(index, event)| (stream.log_stream_name.as_str(), index, event)));
    }
    found.sort_by_key(|(_, _, event)| event.timestamp);
    let from: usize = input.next_token.and_then(|token| token.parse().ok()).unwrap_or(0).min(found.len());
    let to = (from + input.limit.unwrap_or(10_000)).min(found.len());
    let shown: Vec<Value> = found[from..to].iter().map(|(stream, index, event)| shown(stream, *index, event)).collect();
    let mut output = json!({ "events": shown, "searchedLogStreams": [] });
    if to < found.len() {
        output["nextToken"] = to.to_string().into();
    }
    Ok(output)
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
