//! Invocations as events: accepted, queued, tried again when the function fails, given up in the end.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::json::page;
use crate::request::{AwsError, Input};
use crate::table::Table;
use crate::time::Millis;

use super::function::Function;
use super::invocation::{self, Waiter};
use super::name::Reference;
use super::{Around, Call, Outcome, Page, State, invalid, no_content, no_such, reply};

/// Before the second and the third try.
const PAUSES_MS: [Millis; 2] = [60_000, 120_000];
/// Before one that was throttled is tried again.
const THROTTLED_MS: Millis = 1_000;
const MAX_AGE_S: u32 = 21_600;
/// Events that wait or are being tried, so that a flood does not fill the memory.
const MAX_QUEUED: usize = 10_000;
/// And of so many bytes together.
const MAX_QUEUED_BYTES: usize = 256 << 20;

/// One that waits for a try, or is being tried. A restart tries it anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    region: String,
    name: String,
    qualifier: Option<String>,
    /// JSON, and so text.
    #[serde(with = "text")]
    payload: Bytes,
    client_context: Option<String>,
    accepted: Millis,
    due: Millis,
    failures: u32,
    #[serde(skip)]
    running: bool,
}

/// The settings for events of a function or of one of its qualifiers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventConfig {
    maximum_retry_attempts: Option<u32>,
    maximum_event_age_in_seconds: Option<u32>,
    destination_config: Option<Value>,
    /// Seconds, as the answers have it.
    #[serde(default)]
    last_modified: f64,
}

/// By qualifier; the function's own under `$LATEST`.
pub type EventConfigs = BTreeMap<String, EventConfig>;

/// Has the queue room for it?
pub fn has_room(events: &Table<Event>, payload: &Bytes) -> bool {
    fits(events, payload, (MAX_QUEUED, MAX_QUEUED_BYTES))
}

fn fits(events: &Table<Event>, payload: &Bytes, (most, most_bytes): (usize, usize)) -> bool {
    let bytes: usize = events.iter().map(|(_, event)| event.payload.len()).sum();
    events.len() < most && bytes + payload.len() <= most_bytes
}

/// Takes it on; the first try begins at once.
pub fn accept(state: &mut State, around: &mut Around, id: &str, reference: &Reference, input: Input) {
    let event = Event {
        region: reference.region.clone(),
        name: reference.name.clone(),
        qualifier: reference.qualifier.clone(),
        payload: input.payload,
        client_context: input.client_context,
        accepted: around.turn.now,
        due: around.turn.now,
        failures: 0,
        running: false,
    };
    state.events.insert(id, event);
    tick(state, around);
}

/// Tries the events that are due.
pub fn tick(state: &mut State, around: &mut Around) {
    let due = state.events.iter().filter(|(_, event)| !event.running && event.due <= around.turn.now);
    let due: Vec<(String, Event)> = due.map(|(id, event)| (id.to_owned(), event.clone())).collect();
    for (id, event) in due {
        attempt(state, around, id, event);
    }
}

fn attempt(state: &mut State, around: &mut Around, id: String, event: Event) {
    let reference = Reference::parse(&event.name, &event.region, around.iam.account);
    let reference = reference.and_then(|reference| reference.and_qualifier(event.qualifier.as_deref()));
    let Ok(reference) = reference else { return };
    let max_age = config(state, &reference).maximum_event_age_in_seconds.unwrap_or(MAX_AGE_S);
    let input = Input { payload: event.payload, client_context: event.client_context, nested: false };
    match invocation::start(state, around, &reference, input, Waiter::Event { id: id.clone() }) {
        // After a restart it is tried at once, running or throttled. Neither is worth writing a payload again.
        Ok(_) => state.events.get_mut_unjournalled(&id).into_iter().for_each(|event| event.running = true),
        Err(error)
            if error.code == "TooManyRequestsException"
                && around.turn.now < event.accepted + Millis::from(max_age) * 1000 =>
        {
            let due = around.turn.now + THROTTLED_MS;
            state.events.get_mut_unjournalled(&id).into_iter().for_each(|event| event.due = due);
        }
        // The function has gone meanwhile, or it has waited for too long.
        Err(_) => drop(state.events.remove(&id)),
    }
}

/// A try has ended.
pub fn tried(state: &mut State, account: &str, now: Millis, id: &str, failed: bool) {
    let Some(event) = state.events.get(id) else { return };
    let reference = Reference::parse(&event.name, &event.region, account);
    let qualifier = event.qualifier.as_deref();
    let config = reference.and_then(|named| named.and_qualifier(qualifier)).map(|named| config(state, &named));
    let config = config.unwrap_or_default();
    let retries = config.maximum_retry_attempts.unwrap_or(PAUSES_MS.len() as u32);
    match PAUSES_MS.get(event.failures as usize).filter(|_| failed && event.failures < retries) {
        Some(pause) => state.events.get_mut(id).into_iter().for_each(|event| {
            event.failures += 1;
            event.due = now + pause;
            event.running = false;
        }),
        None => drop(state.events.remove(id)),
    }
}

/// When [`tick`] next has something to do.
pub fn due(state: &State) -> Option<Millis> {
    state.events.iter().filter(|(_, event)| !event.running).map(|(_, event)| event.due).min()
}

fn config(state: &State, reference: &Reference) -> EventConfig {
    let function = state.functions.get(&reference.key());
    function.and_then(|function| function.event_configs.get(key(reference))).cloned().unwrap_or_default()
}

fn key(reference: &Reference) -> &str {
    reference.qualifier.as_deref().unwrap_or("$LATEST")
}

/// Replaces what was there.
pub fn put_config(call: &mut Call) -> Outcome {
    let config = EventConfig { last_modified: seconds(call.around.turn.now), ..call.input()? };
    something(&config)?;
    function(call)?;
    keep(call, config)
}

/// Changes what is named.
pub fn update_config(call: &mut Call) -> Outcome {
    function(call)?;
    let (old, new): (EventConfig, EventConfig) = (wanted(call)?, call.input()?);
    let config = EventConfig {
        maximum_retry_attempts: new.maximum_retry_attempts.or(old.maximum_retry_attempts),
        maximum_event_age_in_seconds: new.maximum_event_age_in_seconds.or(old.maximum_event_age_in_seconds),
        destination_config: new.destination_config.or(old.destination_config),
        last_modified: seconds(call.around.turn.now),
    };
    keep(call, config)
}

/// The function that is to have one, or whose are listed.
fn function<'a>(call: &'a Call) -> Result<&'a Function, AwsError> {
    let qualifier = call.reference()?.qualifier;
    let function = call.function().ok().filter(|function| function.configuration(qualifier.as_deref()).is_some());
    function.ok_or_else(|| no_such("The function doesn't exist."))
}

fn something(config: &EventConfig) -> Result<(), AwsError> {
    let limits = [config.maximum_retry_attempts, config.maximum_event_age_in_seconds];
    if config.destination_config.is_some() || limits.iter().any(Option::is_some) {
        return Ok(());
    }
    Err(invalid("You must specify at least one of error handling or destination setting."))
}

fn keep(call: &mut Call, config: EventConfig) -> Outcome {
    let reference = call.reference()?;
    call.function_mut()?.event_configs.insert(key(&reference).to_owned(), config.clone());
    reply(200, &shown(&reference, key(&reference), &config))
}

pub fn get_config(call: &mut Call) -> Outcome {
    let reference = call.reference()?;
    reply(200, &shown(&reference, key(&reference), &wanted(call)?))
}

pub fn delete_config(call: &mut Call) -> Outcome {
    wanted(call)?;
    let reference = call.reference()?;
    call.function_mut()?.event_configs.remove(key(&reference));
    no_content()
}

/// By qualifier, which is the marker too.
pub fn list_configs(call: &mut Call) -> Outcome {
    let input: Page = call.input()?;
    let reference = call.reference()?;
    let configs = function(call)?.event_configs.iter().map(|(qualifier, config)| (qualifier.as_str(), config));
    let (page, more) = page(configs, input.marker.as_deref(), input.max_items.unwrap_or(50));
    let configs: Vec<Value> = page.iter().map(|(qualifier, config)| shown(&reference, qualifier, config)).collect();
    let mut output = json!({ "FunctionEventInvokeConfigs": configs });
    if let Some((qualifier, _)) = page.last().filter(|_| more) {
        output["NextMarker"] = json!(qualifier);
    }
    reply(200, &output)
}

fn wanted(call: &Call) -> Result<EventConfig, AwsError> {
    let reference = call.reference()?;
    let function = call.state.functions.get(&reference.key());
    let config = function.and_then(|function| function.event_configs.get(key(&reference))).cloned();
    let arn = &reference.arn;
    config.ok_or_else(|| no_such(format!("The function {arn}:{} doesn't have an EventInvokeConfig", key(&reference))))
}

fn shown(reference: &Reference, qualifier: &str, config: &EventConfig) -> Value {
    let mut output = json!(config);
    output["FunctionArn"] = json!(format!("{}:{qualifier}", reference.arn));
    // There are none, see [`crate::model::validate`].
    output["DestinationConfig"] = json!({ "OnSuccess": {}, "OnFailure": {} });
    if let Some(members) = output.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    output
}

fn seconds(now: Millis) -> f64 {
    now as f64 / 1000.0
}

/// Bytes that are text, as the journal has them.
mod text {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        String::deserialize(deserializer).map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(payload: &'static str) -> Event {
        let row = json!({ "region": "r", "name": "f", "payload": payload, "accepted": 1, "due": 1, "failures": 0 });
        serde_json::from_value(row).expect("a row of the journal")
    }

    #[test]
    fn the_queue_is_bounded_in_events_and_in_bytes() {
        let mut events = Table::new("events");
        events.insert("a", event("[1]"));
        events.insert("b", event("[2]"));
        let payload = Bytes::from_static(b"[3]");
        for (bounds, expected) in [((3, 9), true), ((2, 9), false), ((3, 8), false)] {
            assert_eq!(fits(&events, &payload, bounds), expected, "{bounds:?}");
        }
    }

    #[test]
    fn the_journal_has_a_payload_as_text() {
        let row = serde_json::to_value(event("{\"\u{e9}\":1}")).expect("it serialises");
        assert_eq!(row["payload"], "{\"\u{e9}\":1}");
    }
}
