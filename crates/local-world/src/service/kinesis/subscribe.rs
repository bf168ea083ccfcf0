//! SubscribeToShard: what a subscription has to say is asked for one event at a time, so that a client that reads slowly holds
//! up nobody. Subscriptions end with the engine, and none is journalled.

use bytes::Bytes;
use serde::Deserialize;

use super::read::{Page, Position, millis_behind, page_of};
use super::stream::{Status, parse_shard_id};
use super::write::Writer;
use super::{Scope, State, consumer};
use crate::record::sequence::Sequence;
use crate::request::{AwsError, Token};
use crate::time::Millis;

/// How long a subscription lasts, in milliseconds.
const LIFETIME: Millis = 300_000;
/// How soon a consumer may subscribe to the same shard again.
const AGAIN_AFTER: Millis = 5_000;
/// A shard on which nothing happens is told to be so this often.
const QUIET: Millis = 5_000;
/// The most data in one event, in bytes.
const EVENT_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Subscription {
    stream: String,
    created: Millis,
    shard: u32,
    consumer: String,
    ordinal: u64,
    since: Millis,
    spoke: Millis,
}

/// The next step of a subscription.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// The JSON of a `SubscribeToShardEvent`.
    Event(Bytes),
    /// Nothing before then, unless something is put.
    Wait(Millis),
    /// It is over; for a reason where it is not just that its time is.
    End(Option<AwsError>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SubscribeToShard {
    #[serde(rename = "ConsumerARN")]
    consumer_arn: String,
    shard_id: String,
    starting_position: StartingPosition,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartingPosition {
    r#type: String,
    sequence_number: Option<String>,
    /// Epoch seconds.
    timestamp: Option<f64>,
}

/// Begins a subscription under this token.
pub(crate) fn subscribe(state: &mut State, at: Scope, token: Token, input: SubscribeToShard) -> Result<(), AwsError> {
    let (key, name) = consumer::by_arn(state, at, &input.consumer_arn)?;
    state.trim(&key, at.now);
    let stream = state.streams.get(&key).ok_or_else(|| at.not_found(&key))?;
    let registered = &stream.consumers[&name];
    if registered.status != Status::Active {
        let message =
            format!("Consumer {} is not ACTIVE, instead in state {}", registered.arn, registered.status.as_str());
        return Err(AwsError::new("ResourceInUseException", message));
    }
    let shard = parse_shard_id(&input.shard_id).filter(|shard| stream.shards.contains_key(shard));
    let shard = shard.ok_or_else(|| at.no_such_shard(&stream.name, &input.shard_id))?;
    let starting = input.starting_position;
    let position = Position {
        operation: "SubscribeToShard",
        kind: Some(&starting.r#type),
        number: starting.sequence_number.as_deref(),
        timestamp: starting.timestamp,
    };
    let ordinal = position.ordinal(at, stream, shard, state.log_of(&key, shard))?;
    let same = |held: &Subscription| (&held.stream, held.shard, &held.consumer) == (&key, shard, &name);
    if let Some((held, found)) = state.subscriptions.iter().find(|(_, held)| same(held)) {
        if at.now < found.since + AGAIN_AFTER {
            let message = format!(
                "Another active subscription exists for this consumer: {}:{}:{}:{}",
                at.account, stream.name, input.shard_id, name
            );
            return Err(AwsError::new("ResourceInUseException", message));
        }
        let held = *held;
        state.subscriptions.remove(&held);
    }
    let created = stream.created;
    let begun = Subscription { stream: key, created, shard, consumer: name, ordinal, since: at.now, spoke: at.now };
    state.subscriptions.insert(token, begun);
    Ok(())
}

/// The next step of a subscription at this time. An event is given once.
pub fn next(state: &mut State, now: Millis, token: Token) -> Next {
    let Some(held) = state.subscriptions.get(&token) else { return Next::End(None) };
    let stream = state.streams.get(&held.stream).filter(|stream| stream.created == held.created);
    let stream = stream.filter(|stream| stream.consumers.contains_key(&held.consumer));
    let shard = stream.and_then(|stream| stream.shards.get(&held.shard));
    let (Some(stream), Some(shard)) = (stream, shard) else {
        state.subscriptions.remove(&token);
        let gone = "The stream, its shard or the consumer of this subscription is no more.";
        return Next::End(Some(AwsError::new("ResourceNotFoundException", gone)));
    };
    if now >= held.since + LIFETIME {
        state.subscriptions.remove(&token);
        return Next::End(None);
    }
    let log = state.log_of(&held.stream, held.shard);
    let page = page_of(log, held.ordinal, usize::MAX, EVENT_BYTES);
    let at_end = shard.closed.is_some() && page.next >= log.next();
    let quiet_until = held.spoke + QUIET;
    if page.records.is_empty() && !at_end && now < quiet_until {
        return Next::Wait(quiet_until.min(held.since + LIFETIME));
    }
    let children = at_end.then(|| stream.describe_children(held.shard));
    let behind = log.get(page.next.wrapping_sub(1)).map(|record| record.sequence.just_after());
    // Where nothing has come yet.
    let behind = behind.unwrap_or_else(|| Sequence::start(shard.created_s, held.shard));
    let millis = millis_behind(log, page.next, now);
    let event = written(&page, stream.key_id.as_ref().map(|_| "KMS"), behind, millis, children);
    let next = page.next;
    let held = state.subscriptions.get_mut(&token).expect("it was just there");
    (held.ordinal, held.spoke) = (next, now);
    if at_end {
        // The next time, this says that it is over.
        state.subscriptions.remove(&token);
    }
    Next::Event(event)
}

/// At a shard's end there is nothing to continue with but its children.
fn written(
    page: &Page,
    encryption_type: Option<&str>,
    behind: Sequence,
    millis: Millis,
    children: Option<Vec<serde_json::Value>>,
) -> Bytes {
    let mut out = Writer::with_capacity(1024);
    out.raw("{");
    out.records(&page.records, encryption_type);
    out.raw(r#","MillisBehindLatest":"#);
    out.number(millis);
    match children {
        Some(children) => {
            out.raw(r#","ChildShards":"#);
            out.raw(&serde_json::Value::from(children).to_string());
        }
        None => {
            out.raw(r#","ContinuationSequenceNumber":"#);
            out.string(behind.digits().as_str());
        }
    }
    out.raw("}");
    out.0.into()
}
