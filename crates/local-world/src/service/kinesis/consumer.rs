//! Consumers with a throughput of their own: registered on a stream, and described.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::stream::{Status, Stream};
use super::{Scope, State, invalid, name_in};
use crate::model::json::{page, seconds};
use crate::request::AwsError;
use crate::time::Millis;

const MOST_CONSUMERS: usize = 20;
const MOST_BEING_CREATED: usize = 5;
const PAGE: usize = 100;
/// How long a page's token may be used, in milliseconds.
const TOKEN_LIFETIME: Millis = 300_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    pub arn: String,
    pub status: Status,
    /// When a status that does not last ends.
    pub until: Millis,
    pub created: Millis,
    pub tags: BTreeMap<String, String>,
    /// A resource policy.
    pub policy: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RegisterStreamConsumer {
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    consumer_name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub fn register(state: &mut State, at: Scope, input: RegisterStreamConsumer) -> Result<Value, AwsError> {
    let stream_name = name_in(None, Some(&input.stream_arn))?;
    let key = at.active(state, stream_name)?;
    super::tags::check(&input.tags)?;
    let stream = state.streams.get_mut(&key).ok_or_else(|| at.not_found(stream_name))?;
    let (name, account) = (input.consumer_name, at.account);
    if stream.consumers.contains_key(&name) {
        let message = format!("Consumer {name} under stream {} already exists for account {account}.", stream.arn);
        return Err(AwsError::new("ResourceInUseException", message));
    }
    let being_created = stream.consumers.values().filter(|consumer| consumer.status == Status::Creating).count();
    if stream.consumers.len() >= MOST_CONSUMERS || being_created >= MOST_BEING_CREATED {
        let limit = if being_created >= MOST_BEING_CREATED { "consumers in CREATING" } else { "registered consumers" };
        // The words are ours.
        let message = format!("The limit of {limit} of stream {stream_name} under account {account} is reached.");
        return Err(AwsError::new("LimitExceededException", message));
    }
    let consumer = Consumer {
        arn: format!("{}/consumer/{name}:{}", stream.arn, at.now / 1000),
        status: Status::Creating,
        until: at.now + at.delay,
        created: at.now,
        tags: input.tags,
        policy: None,
    };
    let shown = describe(&name, &consumer);
    stream.consumers.insert(name, consumer);
    state.passing_consumers.insert(key);
    Ok(json!({ "Consumer": shown }))
}

/// One consumer, by its ARN or by its stream and name.
#[derive(Debug, Deserialize)]
pub struct Which {
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    #[serde(rename = "ConsumerName")]
    name: Option<String>,
    #[serde(rename = "ConsumerARN")]
    arn: Option<String>,
}

impl Which {
    /// The stream's key and the consumer's name.
    fn find(&self, state: &State, at: Scope) -> Result<(String, String), AwsError> {
        match (&self.arn, &self.stream_arn, &self.name) {
            (Some(arn), _, _) => by_arn(state, at, arn),
            (None, Some(stream), Some(name)) => {
                let key = at.existing(state, name_in(None, Some(stream))?)?;
                let there = state.streams.get(&key).is_some_and(|stream| stream.consumers.contains_key(name));
                if there { Ok((key, name.clone())) } else { Err(not_found(at, name)) }
            }
            _ => Err(invalid("Either ConsumerARN or both StreamARN and ConsumerName should be provided.")),
        }
    }
}

/// The stream's key and the name of the consumer with this ARN.
pub fn by_arn(state: &State, at: Scope, arn: &str) -> Result<(String, String), AwsError> {
    let parts = arn.split_once(":stream/").and_then(|(_, rest)| rest.split_once("/consumer/"));
    let (stream_name, rest) = parts.ok_or_else(|| invalid("Invalid ConsumerARN."))?;
    let name = rest.rsplit_once(':').map_or(rest, |(name, _)| name);
    let key = at.key(stream_name);
    let consumer = state.streams.get(&key).and_then(|stream| stream.consumers.get(name));
    match consumer {
        Some(consumer) if consumer.arn == arn => Ok((key, name.to_owned())),
        _ => Err(not_found(at, name)),
    }
}

fn not_found(at: Scope, name: &str) -> AwsError {
    AwsError::new("ResourceNotFoundException", format!("Consumer {name}, account {} not found.", at.account))
}

pub fn describe_one(state: &mut State, at: Scope, input: Which) -> Result<Value, AwsError> {
    let (key, name) = input.find(state, at)?;
    let stream = state.streams.get(&key).ok_or_else(|| not_found(at, &name))?;
    let mut description = describe(&name, &stream.consumers[&name]);
    description["StreamARN"] = stream.arn.as_str().into();
    Ok(json!({ "ConsumerDescription": description }))
}

pub fn deregister(state: &mut State, at: Scope, input: Which) -> Result<Value, AwsError> {
    let (key, name) = input.find(state, at)?;
    let stream = state.streams.get_mut(&key).ok_or_else(|| not_found(at, &name))?;
    let consumer = stream.consumers.get_mut(&name).ok_or_else(|| not_found(at, &name))?;
    consumer.status = Status::Deleting;
    consumer.until = at.now + at.delay;
    state.passing_consumers.insert(key);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStreamConsumers {
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    /// When it was given out, and the last name of the page before.
    next_token: Option<String>,
    max_results: Option<usize>,
    stream_creation_timestamp: Option<f64>,
}

pub fn list(state: &mut State, at: Scope, input: ListStreamConsumers) -> Result<Value, AwsError> {
    let stream_name = name_in(None, Some(&input.stream_arn))?;
    let stream = state.streams.get(&at.key(stream_name)).ok_or_else(|| at.not_found(stream_name))?;
    at.of_that_time(stream, input.stream_creation_timestamp)?;
    let start = match &input.next_token {
        None => None,
        Some(token) => {
            let parts = token.split_once('@').and_then(|(issued, name)| Some((issued.parse::<Millis>().ok()?, name)));
            let (issued, name) = parts.ok_or_else(|| invalid("Invalid NextToken."))?;
            if at.now > issued + TOKEN_LIFETIME {
                return Err(AwsError::new("ExpiredNextTokenException", "NextToken has expired."));
            }
            Some(name)
        }
    };
    let all = stream.consumers.iter().map(|(name, consumer)| (name.as_str(), consumer));
    let (shown, more) = page(all, start, input.max_results.unwrap_or(PAGE));
    let consumers: Vec<Value> = shown.iter().map(|(name, consumer)| describe(name, consumer)).collect();
    let mut out = json!({ "Consumers": consumers });
    if let (true, Some((last, _))) = (more, shown.last()) {
        out["NextToken"] = format!("{}@{last}", at.now).into();
    }
    Ok(out)
}

fn describe(name: &str, consumer: &Consumer) -> Value {
    json!({
        "ConsumerName": name,
        "ConsumerARN": consumer.arn,
        "ConsumerStatus": consumer.status,
        "ConsumerCreationTimestamp": seconds(consumer.created),
    })
}

/// Statuses whose time has come pass into what follows.
pub fn pass(stream: &mut Stream, now: Millis) {
    let over = |consumer: &Consumer| consumer.status != Status::Active && consumer.until <= now;
    stream.consumers.retain(|_, consumer| !(over(consumer) && consumer.status == Status::Deleting));
    for consumer in stream.consumers.values_mut().filter(|consumer| over(consumer)) {
        consumer.status = Status::Active;
    }
}

/// When [`pass`] next has something to do.
pub fn due(stream: &Stream) -> Option<Millis> {
    let passing = stream.consumers.values().filter(|consumer| consumer.status != Status::Active);
    passing.map(|consumer| consumer.until).min()
}
